//! Everything is bounded: at a bound the desk pushes back, and nothing is half accepted. It stops when told to.

use crate::support::{
    desk::{Desk, on_both_stores, trace},
    service::{Act, Write},
};
use runtime::{
    Rejected, Step,
    incoming::{Incoming, Reply},
    intake::TurnedAway,
};
use std::time::Duration;
use tokio::sync::oneshot;

/// Commands that may wait.
const MAX_COMMANDS: u64 = 4096;

fn offer(desk: &Desk, n: u64) -> Result<oneshot::Receiver<Reply>, TurnedAway> {
    let (caller, reply) = oneshot::channel();
    let command = Write { key: "a".into(), n, act: Act::Note };
    desk.shared.intake.offer(Incoming::command(command, trace(), caller)).map(|()| reply)
}

#[test]
fn a_full_intake_turns_commands_away_and_keeps_nothing_of_them() {
    on_both_stores(|mut desk| {
        desk.settle();
        let replies: Vec<_> = (1..=MAX_COMMANDS).map(|n| offer(&desk, n).unwrap()).collect();
        assert_eq!(offer(&desk, MAX_COMMANDS + 1).err(), Some(TurnedAway::Full));
        desk.settle();
        assert!(replies.into_iter().all(|mut reply| reply.try_recv() == Ok(Reply::Accepted)));
        assert_eq!(desk.log().len() as u64, MAX_COMMANDS);
        assert!(offer(&desk, MAX_COMMANDS + 1).is_ok(), "there is room again");
        desk.settle();
        assert_eq!(desk.log().len() as u64, MAX_COMMANDS + 1);
    });
}

#[tokio::test]
async fn a_caller_at_the_bound_is_told_to_come_again() {
    let mut desk = Desk::new();
    desk.settle();
    let _replies: Vec<_> = (1..=MAX_COMMANDS).map(|n| offer(&desk, n).unwrap()).collect();
    let command = Write { key: "b".into(), n: 1, act: Act::Note };
    let rejected = desk.handle().command(command, trace()).await;
    assert_eq!(rejected, Err(Rejected::Busy { retry_after: Duration::from_secs(1) }));
    desk.settle();
    assert!(desk.said_of("b").is_empty());
}

#[test]
fn no_batch_is_larger_than_its_bound() {
    let mut desk = Desk::new();
    (1..=5000).for_each(|seq| desk.left(seq, "a", Act::Note));
    (1..=5000).for_each(|seq| desk.right(seq, "b", Act::Note));
    let mut before = 0;
    while desk.step() == Step::Worked {
        let now = desk.log().len();
        assert!(now - before <= runtime::MAX_BATCH, "{} in one batch", now - before);
        before = now;
    }
    assert_eq!(before, 10_000);
}

#[test]
fn every_source_gets_its_share() {
    let mut desk = Desk::new();
    desk.step();
    (1..=5000).for_each(|seq| desk.left(seq, "a", Act::Note));
    (1..=5000).for_each(|seq| desk.right(seq, "b", Act::Note));
    desk.step();
    let (left, right) = (desk.said_of("a").len(), desk.said_of("b").len());
    assert!(left > 0 && right > 0, "{left} of one, {right} of the other");
    assert!(left.abs_diff(right) <= 1);
}

#[test]
fn stop_serves_what_waits_and_takes_nothing_new() {
    on_both_stores(|mut desk| {
        desk.settle();
        let replies: Vec<_> = (1..=1000).map(|n| offer(&desk, n).unwrap()).collect();
        desk.left(1, "b", Act::Cook);
        desk.shared.intake.stop();
        assert_eq!(offer(&desk, 1001).err(), Some(TurnedAway::Stopping));
        assert_eq!(desk.settle(), Step::Stopped);
        assert!(replies.into_iter().all(|mut reply| reply.try_recv() == Ok(Reply::Accepted)));
        assert_eq!(desk.said_of("a").len(), 1000);
    });
}

#[tokio::test]
async fn a_caller_of_a_stopping_desk_is_told_so() {
    let mut desk = Desk::new();
    desk.settle();
    desk.shared.intake.stop();
    let command = Write { key: "a".into(), n: 1, act: Act::Note };
    let rejected = desk.handle().command(command, trace()).await;
    assert_eq!(rejected, Err(Rejected::Away("desk is stopping".into())));
}

#[test]
fn a_stop_does_not_wait_for_a_store_that_is_away() {
    let mut desk = Desk::new();
    desk.settle();
    desk.notes().away = true;
    let _reply = offer(&desk, 1).unwrap();
    desk.shared.intake.stop();
    assert_eq!(desk.settle(), Step::Stopped);
}

#[test]
fn a_desk_with_nothing_to_do_sleeps_until_it_is_woken() {
    let mut desk = Desk::new();
    desk.settle();
    desk.pass_time(5_000_000);
    assert_eq!(desk.settle(), Step::Idle(None));
    desk.bus.calls();
    assert_eq!(desk.settle(), Step::Idle(None));
    assert_eq!(
        desk.bus.calls(),
        ["fetch right.0 after 0", "fetch left.0 after 0"].map(String::from),
        "and only looks once"
    );
}
