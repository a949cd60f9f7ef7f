//! A process that may not lead stands by: it serves reads, sends callers to the one that leads, and asks again and again.

use crate::support::{
    desk::{Desk, trace},
    service::{Act, Write},
    shaky::Fault,
};
use runtime::{Clock, Health, Rejected, Settled, Step, incoming::Reply, intake::Wish};

const LEADER: &str = "10.0.0.7:8080";

/// A desk whose store is led by another process.
fn standby() -> Desk {
    let desk = Desk::new();
    desk.notes().led_by = Some(LEADER.into());
    desk
}

fn note(key: &str) -> Write {
    Write { key: key.into(), n: 1, act: Act::Note }
}

#[test]
fn it_asks_for_the_lead_every_quarter_of_a_second_and_takes_it_once_it_is_free() {
    let mut desk = standby();
    for _ in 0..5 {
        assert_eq!(desk.settle(), Step::Idle(Some(desk.clock.now() + 250_000)));
        assert_eq!(desk.health(), Health::Standby(LEADER.into()));
        desk.clock.turn(250_000);
    }
    desk.left(1, "a", Act::Note);
    desk.settle();
    assert!(desk.log().is_empty(), "who stands by takes no records");
    desk.notes().led_by = None;
    desk.settle();
    assert_eq!(desk.health(), Health::Ready);
    assert_eq!(desk.said(), ["Noted a 1 by left"]);
}

#[tokio::test]
async fn it_tells_a_caller_at_once_who_leads_and_serves_reads() {
    let mut desk = standby();
    desk.settle();
    let handle = desk.handle();
    assert_eq!(handle.begun().await, Ok(()));
    assert_eq!(handle.command(note("a"), trace()).await, Err(Rejected::Led(LEADER.into())));
    assert_eq!(handle.status().await.unwrap().health, Health::Standby(LEADER.into()));
    assert!(handle.log_of("a").await.unwrap().is_empty());
    let wish = handle.wish(Wish::RetryWork(("Cook".into(), "a".into()))).await;
    assert!(wish.is_err_and(|why| why.contains(LEADER)));
}

#[test]
fn a_caller_that_came_before_it_stood_by_is_told_too() {
    let mut desk = standby();
    let mut reply = desk.write("a", 1, Act::Note);
    let mut wish = desk.shared.intake.wish(Wish::RetryWork(("Cook".into(), "a".into())));
    desk.settle();
    assert_eq!(reply.try_recv(), Ok(Reply::Led(LEADER.into())));
    assert!(wish.try_recv().unwrap().is_err_and(|why| why.contains(LEADER)));
}

#[test]
fn a_leader_that_loses_the_lead_with_a_commit_sends_its_callers_to_the_next_one() {
    for fault in [Fault::LostBefore, Fault::LostAfter] {
        // Given a commit of which nobody knows whether it happened,
        let mut desk = Desk::new();
        desk.settle();
        let mut reply = desk.write("a", 1, Act::Note);
        desk.notes().faults.push_back(Some(fault));
        // when another process leads from then on,
        desk.notes().led_by = Some(LEADER.into());
        desk.settle();
        desk.settle();
        // then the caller is sent there, where the true answer is.
        assert_eq!(reply.try_recv(), Ok(Reply::Led(LEADER.into())));
        assert_eq!(desk.health(), Health::Standby(LEADER.into()));
    }
}

#[test]
fn an_answer_to_work_of_a_reign_that_is_over_is_nothing_to_the_next_reign() {
    let mut desk = Desk::new();
    desk.left(1, "a", Act::Cook);
    desk.settle();
    let tried = desk.world.take_one();
    desk.notes().led_by = Some(LEADER.into());
    desk.notes().faults.push_back(Some(Fault::LostBefore));
    desk.left(2, "b", Act::Note);
    desk.settle();
    tried.done("too late");
    desk.settle();
    desk.notes().led_by = None;
    desk.settle();
    assert_eq!(desk.said(), ["Noted b 2 by left"]);
    assert!(desk.world.take_one().ask_first);
}

#[test]
fn it_stops_when_told_to() {
    let mut desk = standby();
    desk.settle();
    desk.shared.intake.stop();
    assert_eq!(desk.settle(), Step::Stopped);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_takes_commands_once_it_leads() {
    let mut desk = standby();
    desk.settle();
    desk.notes().led_by = None;
    desk.settle();
    let handle = desk.handle();
    let caller = tokio::spawn(async move { handle.command(note("a"), trace()).await });
    desk.shared.intake.bell().wait(Some(std::time::Duration::from_secs(10)));
    desk.settle();
    assert_eq!(caller.await.unwrap(), Ok(Settled::Changed));
}
