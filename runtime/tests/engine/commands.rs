//! A command is answered once what it led to is durable; refused or poison, it leaves nothing.

use crate::support::{
    desk::{Desk, on_both_stores},
    service::Act,
};
use runtime::incoming::Reply;
use tokio::sync::oneshot::error::TryRecvError;

#[test]
fn a_command_is_accepted_and_what_it_said_is_durable() {
    on_both_stores(|mut desk| {
        let mut reply = desk.write("a", 1, Act::Note);
        desk.settle();
        assert_eq!(reply.try_recv(), Ok(Reply::Accepted));
        assert_eq!(desk.said(), ["Noted a 1 by caller"]);
        assert_eq!(desk.log()[0].cause, "command Write");
        assert_eq!(desk.page("a").last, 1);
    });
}

#[test]
fn a_command_is_answered_only_after_the_commit() {
    let mut desk = Desk::new();
    desk.step();
    let mut reply = desk.write("a", 1, Act::Note);
    // Given a store that is away, when the command is decided, then nobody is told that it was accepted.
    desk.notes().away = true;
    (0..5).for_each(|_| _ = desk.step());
    assert_eq!(reply.try_recv(), Err(TryRecvError::Empty));
    assert!(desk.said().is_empty());
    desk.notes().away = false;
    desk.settle();
    assert_eq!(reply.try_recv(), Ok(Reply::Accepted));
    assert_eq!(desk.said(), ["Noted a 1 by caller"]);
}

#[test]
fn a_refused_command_leaves_nothing() {
    on_both_stores(|mut desk| {
        let (mut before, mut refused, mut after) =
            (desk.write("a", 1, Act::Note), desk.write("b", 1, Act::Refuse), desk.write("b", 2, Act::Note));
        desk.settle();
        assert_eq!((before.try_recv(), after.try_recv()), (Ok(Reply::Accepted), Ok(Reply::Accepted)));
        assert!(matches!(refused.try_recv(), Ok(Reply::Refused(why)) if why.reason == "closed"));
        assert_eq!(desk.said(), ["Noted a 1 by caller", "Noted b 2 by caller"]);
        assert_eq!(desk.read.counts().unwrap(), runtime::store::Counts::default());
    });
}

#[test]
fn a_poison_command_fails_and_leaves_nothing() {
    on_both_stores(|mut desk| {
        desk.left(1, "b", Act::Note);
        let (mut before, mut poison, mut after) =
            (desk.write("a", 1, Act::Note), desk.write("a", 2, Act::Panic), desk.write("a", 3, Act::Note));
        desk.settle();
        assert_eq!((before.try_recv(), after.try_recv()), (Ok(Reply::Accepted), Ok(Reply::Accepted)));
        assert_eq!(poison.try_recv(), Ok(Reply::Failed("the decision panicked: told to".into())));
        assert_eq!(desk.said_of("a"), ["Noted a 1 by caller", "Noted a 3 by caller"]);
        assert_eq!(desk.read.counts().unwrap(), runtime::store::Counts::default(), "nothing is parked");
        assert_eq!(desk.said_of("b").len(), 1);
    });
}

#[test]
fn a_repeated_command_is_accepted_and_does_nothing() {
    let mut desk = Desk::new();
    let (mut first, mut second) = (desk.write("a", 1, Act::Note), desk.write("a", 1, Act::Note));
    desk.settle();
    let mut third = desk.write("a", 1, Act::Note);
    desk.settle();
    assert_eq!(first.try_recv(), Ok(Reply::Accepted));
    assert_eq!((second.try_recv(), third.try_recv()), (Ok(Reply::Unchanged), Ok(Reply::Unchanged)));
    assert_eq!(desk.said(), ["Noted a 1 by caller"]);
}

#[test]
fn a_caller_that_went_away_disturbs_nobody() {
    let mut desk = Desk::new();
    drop(desk.write("a", 1, Act::Note));
    let mut other = desk.write("a", 2, Act::Note);
    desk.settle();
    assert_eq!(other.try_recv(), Ok(Reply::Accepted));
    assert_eq!(desk.said(), ["Noted a 1 by caller", "Noted a 2 by caller"]);
}

#[test]
fn commands_go_before_records() {
    let mut desk = Desk::new();
    desk.step();
    (1..=500).for_each(|seq| desk.left(seq, "a", Act::Note));
    let replies: Vec<_> = (1..=10).map(|n| desk.write("b", n, Act::Note)).collect();
    desk.step();
    assert!(replies.into_iter().all(|mut reply| reply.try_recv() == Ok(Reply::Accepted)));
    assert!(desk.said()[..10].iter().all(|said| said.starts_with("Noted b")));
}

#[test]
fn commands_take_a_quarter_of_a_batch_so_that_records_flow() {
    let mut desk = Desk::new();
    desk.step();
    desk.left(1, "a", Act::Note);
    let _replies: Vec<_> = (1..=2000).map(|n| desk.write("b", n, Act::Note)).collect();
    desk.step();
    let said = desk.said();
    assert_eq!(said.len(), runtime::MAX_BATCH / 4 + 1);
    assert_eq!(said.last().map(String::as_str), Some("Noted a 1 by left"));
}
