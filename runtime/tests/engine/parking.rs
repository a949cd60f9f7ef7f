//! Poison is set aside by source and key, in order, and everything else flows.

use crate::support::{
    bus::{record, undecodable},
    clock::SECOND,
    desk::{Desk, assert_dense, on_both_stores},
    service::{Act, left},
};
use runtime::intake::Wish;

const BEHIND: &str = "behind a parked record of its source and key";

fn retry(key: &str) -> Wish {
    Wish::Retry { source: "left".into(), key: key.into() }
}

fn discard(key: &str) -> Wish {
    Wish::Discard { source: "left".into(), key: key.into() }
}

fn parked_seqs(desk: &Desk) -> Vec<u64> {
    desk.parked().into_iter().map(|(_, seq, _)| seq).collect()
}

#[test]
fn poison_in_mid_batch_parks_only_itself() {
    on_both_stores(|mut desk| {
        desk.left(1, "a", Act::Note);
        desk.left(2, "b", Act::Panic);
        desk.left(3, "a", Act::Note);
        desk.right(1, "b", Act::Note);
        desk.settle();
        assert_eq!(desk.said_of("a"), ["Noted a 1 by left", "Noted a 3 by left"]);
        assert_eq!(desk.said_of("b"), ["Noted b 1 by right"], "another source about the same key flows");
        assert_eq!(desk.parked(), [("left b".into(), 2, "the decision panicked: told to".into())]);
        assert_eq!(desk.cursor("left").map(|at| at.seq), Some(3));
    });
}

#[test]
fn later_records_of_a_parked_key_are_parked_behind_it() {
    on_both_stores(|mut desk| {
        desk.left(1, "a", Act::Panic);
        desk.left(2, "a", Act::Note);
        desk.left(3, "b", Act::Note);
        desk.settle();
        // Also in a later batch, and in another life.
        desk.left(4, "a", Act::Note);
        desk.settle();
        let mut desk = desk.killed_and_started_again();
        desk.left(5, "a", Act::Note);
        desk.left(6, "b", Act::Note);
        desk.settle();
        assert_eq!(desk.said(), ["Noted b 3 by left", "Noted b 6 by left"]);
        assert_eq!(parked_seqs(&desk), [1, 2, 4, 5]);
        assert!(desk.parked()[1..].iter().all(|(_, _, why)| why == BEHIND));
    });
}

#[test]
fn commands_are_not_held_up_by_parked_records() {
    let mut desk = Desk::new();
    desk.left(1, "a", Act::Panic);
    desk.settle();
    let mut reply = desk.write("a", 1, Act::Note);
    desk.settle();
    assert_eq!(reply.try_recv(), Ok(runtime::incoming::Reply::Accepted));
}

#[test]
fn a_pair_that_cannot_happen_is_poison_with_its_reason() {
    let mut desk = Desk::new();
    desk.left(1, "a", Act::CannotHappen);
    desk.settle();
    assert_eq!(desk.parked(), [("left a".into(), 1, "Told cannot happen in state Page".into())]);
}

#[test]
fn bytes_that_cannot_be_read_are_parked_as_they_came() {
    on_both_stores(|mut desk| {
        let told = left::Told { key: "a".into(), n: 1, act: Act::Note };
        desk.bus.put(undecodable(record(1, &left::Event::from(told))));
        desk.left(2, "b", Act::Note);
        desk.settle();
        let parked = desk.read.parked_after(0, 10).unwrap();
        assert_eq!(parked.len(), 1);
        assert_eq!((&*parked[0].row.body, &*parked[0].row.name), (&b"\xff\xfe"[..], "Told"));
        assert_eq!(parked[0].row.trace, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        assert_eq!(desk.said(), ["Noted b 2 by left"]);
    });
}

#[test]
fn a_parked_record_that_is_no_longer_poison_is_taken_on_retry_and_all_behind_it() {
    on_both_stores(|mut desk| {
        // Given a record that the store refuses for now, and others behind it,
        desk.notes().refused_keys.push("a".into());
        (1..=4).for_each(|seq| desk.left(seq, "a", Act::Note));
        desk.settle();
        assert_eq!(parked_seqs(&desk), [1, 2, 3, 4]);
        // when it is retried in vain, then everything stays as it is;
        assert!(desk.wish(retry("a")).is_err());
        assert_eq!(parked_seqs(&desk), [1, 2, 3, 4]);
        // when it is retried after the store was mended, then they are taken in their order, before what comes later.
        desk.notes().refused_keys.clear();
        desk.left(5, "a", Act::Note);
        assert_eq!(desk.wish(retry("a")), Ok("4 taken".into()));
        desk.settle();
        assert_eq!(desk.said(), [1, 2, 3, 4, 5].map(|n| format!("Noted a {n} by left")));
        assert!(desk.parked().is_empty());
        assert_dense(&desk.log());
    });
}

#[test]
fn retry_stops_at_what_is_still_poison() {
    on_both_stores(|mut desk| {
        desk.left(1, "a", Act::Panic);
        desk.left(2, "a", Act::Note);
        desk.left(3, "a", Act::CannotHappen);
        desk.left(4, "a", Act::Note);
        desk.settle();
        // When the first is still poison, nothing is taken.
        assert_eq!(desk.wish(retry("a")), Err("0 taken; the next stays parked: the decision panicked: told to".into()));
        assert_eq!(parked_seqs(&desk), [1, 2, 3, 4]);
        // When it is discarded, the retry goes on to the next poison and no further.
        assert_eq!(desk.wish(discard("a")), Ok("1 taken".into()));
        assert_eq!(parked_seqs(&desk), [2, 3, 4]);
        assert!(desk.said().is_empty(), "a discard decides nothing");
        let retried = desk.wish(retry("a"));
        assert_eq!(retried, Err("1 taken; the next stays parked: Told cannot happen in state Page".into()));
        assert_eq!(parked_seqs(&desk), [3, 4]);
        assert_eq!(desk.said(), ["Noted a 2 by left"]);
        // Once nothing is parked any more, records flow again.
        assert!(desk.wish(discard("a")).is_ok());
        assert!(desk.wish(retry("a")).is_ok());
        desk.left(5, "a", Act::Note);
        desk.settle();
        assert_eq!(desk.said(), [2, 4, 5].map(|n| format!("Noted a {n} by left")));
    });
}

#[test]
fn what_is_taken_back_is_not_taken_again_after_a_crash() {
    on_both_stores(|mut desk| {
        desk.left(1, "a", Act::Panic);
        desk.left(2, "a", Act::Note);
        desk.settle();
        assert!(desk.wish(discard("a")).is_ok());
        assert!(desk.wish(retry("a")).is_ok());
        let mut desk = desk.killed_and_started_again();
        desk.settle();
        assert_eq!(desk.wish(retry("a")), Err("nothing of left is parked under a".into()));
        desk.left(3, "a", Act::Note);
        desk.settle();
        assert_eq!(desk.said(), ["Noted a 2 by left", "Noted a 3 by left"]);
    });
}

#[test]
fn a_wish_about_nothing_says_so() {
    let mut desk = Desk::new();
    desk.settle();
    assert_eq!(desk.wish(retry("a")), Err("nothing of left is parked under a".into()));
    assert_eq!(desk.wish(discard("a")), Err("nothing of left is parked under a".into()));
    let work = Wish::RetryWork(("Cook".into(), "a/1".into()));
    assert_eq!(desk.wish(work), Err("no stuck work Cook a/1".into()));
}

#[test]
fn a_source_with_too_many_parked_keys_is_paused_and_the_others_are_not() {
    let mut desk = Desk::new();
    const RECORDS: u64 = 4000;
    (1..=RECORDS).for_each(|seq| desk.left(seq, &format!("key-{seq}"), Act::Panic));
    desk.settle();
    let parked = desk.parked().len();
    assert!((1000..1000 + runtime::MAX_BATCH).contains(&parked), "{parked} are parked");
    desk.right(1, "b", Act::Note);
    desk.settle();
    assert_eq!(desk.said(), ["Noted b 1 by right"]);
    assert!(matches!(desk.health(), runtime::Health::HeldUp(why) if why.contains("left is paused")));
    // When enough of them were discarded, it goes on.
    for seq in 1..=parked {
        assert!(desk.wish(discard(&format!("key-{seq}"))).is_ok());
    }
    assert!(desk.cursor("left").map(|at| at.seq) > Some(parked as u64));
}

#[test]
fn a_quiet_source_with_a_bad_record_now_and_then_goes_on() {
    let mut desk = Desk::new();
    for seq in 1..=5 {
        desk.left(seq, &format!("key-{seq}"), Act::Panic);
        desk.settle();
        desk.pass_time(90 * SECOND);
    }
    desk.left(6, "fine", Act::Note);
    desk.settle();
    assert_eq!(desk.said(), ["Noted fine 6 by left"]);
}

#[test]
fn a_source_that_says_nothing_but_poison_for_a_minute_is_paused() {
    let mut desk = Desk::new();
    for seq in 1..=12 {
        desk.left(seq, &format!("key-{seq}"), Act::Panic);
        desk.settle();
        desk.pass_time(6 * SECOND);
    }
    assert!(matches!(desk.health(), runtime::Health::HeldUp(why) if why.contains("left is paused")));
}
