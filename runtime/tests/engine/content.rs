//! Nothing that the broker could refuse is committed, and what the store refuses is found and set aside.

use crate::support::{
    desk::{Desk, assert_dense, on_both_stores},
    service::Act,
    shaky::Fault,
};
use runtime::{
    MAX_BODY, MAX_KEY,
    incoming::Reply,
    store::{MemoryFault, Read},
};

#[test]
fn an_event_that_is_too_large_is_poison_and_never_committed() {
    on_both_stores(|mut desk| {
        desk.left(1, "a", Act::Long(MAX_BODY));
        desk.left(2, "b", Act::Note);
        let mut reply = desk.write("c", 1, Act::Long(MAX_BODY));
        desk.settle();
        assert_eq!(desk.said(), ["Noted b 2 by left"]);
        assert!(matches!(&desk.parked()[..], [(_, 1, why)] if why.contains("too large")), "{:?}", desk.parked());
        assert!(matches!(reply.try_recv(), Ok(Reply::Failed(why)) if why.contains("too large")));
        assert_dense(&desk.log());
    });
}

#[test]
fn an_event_of_just_the_largest_size_is_committed() {
    on_both_stores(|mut desk| {
        let around = r#"{"key":"a","by":"left","n":1,"text":""}"#.len();
        desk.left(1, "a", Act::Long(MAX_BODY - around));
        desk.settle();
        assert_eq!(desk.log()[0].body.len(), MAX_BODY);
    });
}

#[test]
fn a_key_that_is_too_long_is_poison() {
    let mut desk = Desk::new();
    desk.left(1, "a", Act::NoteUnder("k".repeat(MAX_KEY)));
    desk.left(2, "b", Act::NoteUnder("k".repeat(MAX_KEY + 1)));
    desk.settle();
    assert_eq!(desk.log().len(), 1);
    assert!(matches!(&desk.parked()[..], [(_, 2, why)] if why.contains("a key of 1025 bytes")), "{:?}", desk.parked());
}

#[test]
fn work_and_states_under_a_key_that_is_too_long_are_poison() {
    on_both_stores(|mut desk| {
        let long = "k".repeat(MAX_KEY);
        desk.left(1, &long, Act::Cook); // under the key, a slash and the number
        desk.left(2, &long, Act::Wake(std::time::Duration::ZERO));
        desk.left(3, "a", Act::Move("k".repeat(MAX_KEY + 1)));
        desk.settle();
        assert_eq!((desk.log().len(), desk.read.counts().unwrap().work), (0, 0));
        let parked = desk.parked();
        assert!(
            matches!(&parked[..], [(_, 1, cook), (_, 2, _), (_, 3, moved)]
            if cook.contains("Cook is under a key that is too long") && moved.contains("moves is under a key")),
            "{parked:?}"
        );
    });
}

#[test]
fn content_that_the_store_refuses_goes_one_by_one_and_the_guilty_is_parked() {
    on_both_stores(|mut desk| {
        desk.notes().refused_keys.push("guilty".into());
        (1..=20).for_each(|seq| desk.left(seq, if seq == 7 { "guilty" } else { "a" }, Act::Note));
        desk.left(21, "guilty", Act::Note);
        let (mut guilty, mut other) = (desk.write("guilty", 1, Act::Note), desk.write("b", 1, Act::Note));
        desk.settle();
        assert_eq!(desk.said_of("a").len(), 19);
        assert_eq!(other.try_recv(), Ok(Reply::Accepted));
        assert!(matches!(guilty.try_recv(), Ok(Reply::Failed(why)) if why.contains("the store refuses it")));
        assert!(desk.said_of("guilty").is_empty());
        let parked = desk.parked();
        assert_eq!(parked.iter().map(|(_, seq, _)| *seq).collect::<Vec<_>>(), [7, 21]);
        assert!(parked[0].2.contains("the store refuses it"), "{parked:?}");
        assert_eq!(desk.cursor("left").map(|at| at.seq), Some(21));
        assert_dense(&desk.log());
    });
}

#[test]
fn an_answer_that_the_store_refuses_gets_its_work_stuck() {
    let mut desk = Desk::new();
    desk.left(1, "a", Act::Cook);
    desk.settle();
    desk.notes().refused_keys.push("a".into());
    desk.world.take_one().done("fine");
    desk.settle();
    assert!(desk.said().is_empty());
    let work = desk.read.work_of("a").unwrap();
    assert!(work[0].stuck.as_ref().is_some_and(|why| why.contains("the store refuses it")), "{work:?}");
}

#[test]
fn content_refused_once_harms_nobody() {
    // Given a batch that is refused as a whole, but none of its inputs by itself,
    let mut desk = Desk::new();
    desk.step();
    (1..=5).for_each(|seq| desk.left(seq, "a", Act::Note));
    desk.notes().faults.push_back(Some(Fault::Refused));
    desk.settle();
    // then every input is taken.
    assert_eq!(desk.said().len(), 5);
    assert!(desk.parked().is_empty());
}

#[test]
fn the_commands_behind_a_lost_commit_are_offered_again_also_when_they_go_one_by_one() {
    // Given a batch of commands that is refused and so goes one by one, when the second commit of those is lost,
    let mut desk = Desk::new();
    desk.settle();
    let replies: Vec<_> = (1..=4).map(|n| desk.write("a", n, Act::Note)).collect();
    desk.notes().faults = [Some(Fault::Refused), None, Some(Fault::LostBefore)].into();
    desk.settle();
    desk.settle();
    // then all of them are carried out, once and in their order.
    assert!(replies.into_iter().all(|mut reply| reply.try_recv() == Ok(Reply::Accepted)));
    assert_eq!(desk.said(), [1, 2, 3, 4].map(|n| format!("Noted a {n} by caller")));
}

#[test]
fn the_store_in_memory_refuses_content_on_request() {
    let mut desk = Desk::new();
    desk.settle();
    desk.memory().refuse_key("guilty");
    desk.left(1, "guilty", Act::Note);
    desk.left(2, "a", Act::Note);
    desk.settle();
    desk.memory().fail_next(MemoryFault::Refused);
    desk.left(3, "a", Act::Note);
    desk.left(4, "a", Act::Note);
    desk.settle();
    assert_eq!(desk.said(), [2, 3, 4].map(|n| format!("Noted a {n} by left")));
    assert_eq!(desk.memory().counts().unwrap().parked, 1);
}
