//! A commit whose outcome is unknown is not resolved but outlived: a new reign reads what is true, and commands whose
//! callers still wait are offered to it again.

use crate::support::{
    desk::{Desk, Sessions, assert_dense, assert_folds, on_both_stores},
    service::{Act, Page},
    shaky::Fault,
};
use runtime::{
    Health, Step,
    bus::{Bus, LogHub},
    incoming::Reply,
    store::MemoryFault,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::oneshot;

/// Accepted now, or found to have been accepted before.
fn is_accepted(mut reply: oneshot::Receiver<Reply>) -> bool {
    matches!(reply.try_recv(), Ok(Reply::Accepted | Reply::Unchanged))
}

/// A batch of everything at once, whose commit is lost; then everything happened exactly once all the same.
fn everything_happens_once(mut desk: Desk, fault: Option<Fault>) {
    // Given work under way and a timer that is due,
    desk.left(1, "a", Act::Cook);
    desk.left(2, "t", Act::Wake(Duration::from_secs(5)));
    desk.settle();
    let tried = desk.world.take_one();
    desk.clock.turn(5_000_000);
    // when a batch with all kinds of input is committed and nobody knows whether it was,
    tried.done("fine");
    desk.left(3, "b", Act::Note);
    desk.left(4, "c", Act::Panic);
    desk.left(5, "d", Act::Cook);
    let (accepted, mut refused, mut failed) =
        (desk.write("e", 1, Act::Note), desk.write("f", 1, Act::Refuse), desk.write("g", 1, Act::Panic));
    let epoch = desk.read.lead().unwrap().epoch;
    desk.notes().faults.push_back(fault);
    let step = desk.settle();
    assert!(fault.is_none() || matches!(step, Step::Idle(Some(_))), "{step:?}");
    desk.settle();
    // then it begins a new reign,
    assert_eq!(desk.read.lead().unwrap().epoch, epoch + u64::from(fault.is_some()));
    assert_eq!(desk.health(), Health::Ready);
    // the callers are told the truth,
    assert!(is_accepted(accepted));
    assert!(matches!(refused.try_recv(), Ok(Reply::Refused(_))));
    assert!(matches!(failed.try_recv(), Ok(Reply::Failed(_))));
    // whatever is still open is asked for first,
    for tried in desk.world.take() {
        assert_eq!(tried.ask_first, fault.is_some() && (tried.key == "a/1" || fault == Some(Fault::LostAfter)));
        tried.done("fine");
    }
    desk.settle();
    // and everything happened once.
    let mut said = desk.said();
    said.sort();
    let expected =
        ["Answered a Cook 1 fine", "Answered d Cook 5 fine", "Noted b 3 by left", "Noted e 1 by caller", "Rang t"];
    assert_eq!(said, expected);
    assert_eq!(desk.parked(), [("left c".into(), 4, "the decision panicked: told to".into())]);
    assert_eq!(desk.read.counts().unwrap().work, 0);
    assert_dense(&desk.log());
    assert_folds::<Page>(&desk);
}

#[test]
fn a_commit_that_is_not_lost_happens_once() {
    on_both_stores(|desk| everything_happens_once(desk, None));
}

#[test]
fn a_lost_commit_that_did_not_happen_is_made_up_for() {
    on_both_stores(|desk| everything_happens_once(desk, Some(Fault::LostBefore)));
}

#[test]
fn a_lost_commit_that_did_happen_is_not_repeated() {
    on_both_stores(|desk| everything_happens_once(desk, Some(Fault::LostAfter)));
}

#[test]
fn commits_lost_one_after_the_other_lose_nothing() {
    on_both_stores(|mut desk| {
        use Fault::{LostAfter, LostBefore};
        desk.settle();
        let replies: Vec<_> = (1..=600).map(|n| desk.write("a", n, Act::Note)).collect();
        (1..=600).for_each(|seq| desk.left(seq, "b", Act::Note));
        let faults = [LostBefore, LostAfter, LostAfter, LostBefore].map(Some);
        desk.notes().faults = faults.into_iter().chain([None]).cycle().take(20).collect();
        while !desk.notes().faults.is_empty() {
            desk.step();
        }
        desk.settle();
        assert!(replies.into_iter().all(is_accepted));
        assert_eq!(desk.said_of("a"), (1..=600).map(|n| format!("Noted a {n} by caller")).collect::<Vec<_>>());
        assert_eq!(desk.said_of("b"), (1..=600).map(|n| format!("Noted b {n} by left")).collect::<Vec<_>>());
        assert_dense(&desk.log());
    });
}

#[test]
fn the_store_in_memory_loses_commits_on_request() {
    for fault in [MemoryFault::LostBefore, MemoryFault::LostAfter] {
        let mut desk = Desk::new();
        desk.settle();
        desk.memory().fail_next(fault);
        let reply = desk.write("a", 1, Act::Note);
        desk.settle();
        assert_eq!(desk.log().len(), usize::from(fault == MemoryFault::LostAfter), "before the new reign");
        desk.settle();
        assert!(is_accepted(reply), "{fault:?}");
        assert_eq!(desk.log().len(), 1, "{fault:?}");
    }
}

#[test]
fn a_process_that_dies_between_commit_and_answer_is_made_up_for_by_the_next() {
    for (fault, said_before) in [(Fault::LostBefore, 0), (Fault::LostAfter, 2)] {
        for sessions in [Sessions::memory(), Sessions::sqlite()] {
            // Given a process that dies just before or just after its commit,
            let mut desk = Desk::on(sessions);
            desk.settle();
            desk.left(1, "a", Act::Note);
            desk.left(2, "b", Act::Cook);
            let mut reply = desk.write("c", 1, Act::Note);
            desk.notes().faults.push_back(Some(fault));
            desk.settle();
            assert!(reply.try_recv().is_err(), "nobody was told anything");
            let mut desk = desk.killed_and_started_again();
            assert_eq!(desk.log().len(), said_before);
            // when the next one runs and the caller repeats itself,
            let again = desk.write("c", 1, Act::Note);
            desk.settle();
            // then everything happened once, and the effect is asked for first if it may have been tried.
            assert!(is_accepted(again));
            let mut said = desk.said();
            said.sort();
            assert_eq!(said, ["Noted a 1 by left", "Noted c 1 by caller"]);
            assert_eq!(desk.world.take_one().ask_first, fault == Fault::LostAfter);
        }
    }
}

#[test]
fn a_store_that_is_away_is_waited_for() {
    let mut desk = Desk::new();
    desk.settle();
    desk.notes().away = true;
    desk.left(1, "a", Act::Note);
    for _ in 0..10 {
        assert!(matches!(desk.settle(), Step::Idle(Some(_))));
        assert!(matches!(desk.health(), Health::Away(why) if why.contains("switched off")));
        desk.clock.turn(1_000_000);
    }
    desk.notes().away = false;
    desk.settle();
    assert_eq!(desk.health(), Health::Ready);
    assert_eq!(desk.said(), ["Noted a 1 by left"]);
}

#[test]
fn what_was_committed_is_published_also_when_nobody_knew() {
    let mut desk = Desk::new();
    desk.settle();
    // Given a commit that happened, though the desk could not know,
    desk.left(1, "a", Act::Note);
    desk.notes().faults.push_back(Some(Fault::LostAfter));
    desk.settle();
    assert!(desk.bus.script().published.is_empty());
    // when nothing further is ever said,
    desk.settle();
    // then it is published all the same.
    assert_eq!(desk.bus.script().published, desk.log());
    assert_eq!(desk.log().len(), 1);
}

#[test]
fn what_was_committed_before_a_crash_is_published_after_it() {
    on_both_stores(|mut desk| {
        (1..=5000).for_each(|seq| desk.left(seq, "a", Act::Note));
        desk.settle();
        desk.left(5001, "a", Act::Note);
        desk.notes().faults.push_back(Some(Fault::LostAfter));
        desk.settle();
        let mut desk = desk.killed_and_started_again();
        desk.settle();
        let script = desk.bus.script();
        let last = script.published.last().map(|row| row.seq);
        assert_eq!(last, Some(5001));
        // Repeats are allowed, overtaking never.
        let mut reached = 0;
        for row in &script.published {
            assert!(row.seq <= reached + 1, "{} overtakes {}", row.seq, reached + 1);
            reached = reached.max(row.seq);
        }
    });
}

#[test]
fn readers_of_the_embedded_bus_get_a_commit_that_was_lost_and_happened() {
    // Given a reader that keeps up with the desk's log,
    let sessions = Sessions::memory();
    let mut hub = LogHub::default();
    hub.add("desk", sessions.read());
    hub.add("left", Sessions::memory().read());
    hub.add("right", Sessions::memory().read());
    let hub = Arc::new(hub);
    let mut desk = Desk::on_bus(sessions, hub.connect("desk", &[], &Arc::default()));
    let mut reader = hub.connect("reader", &["desk"], &Arc::default());
    desk.write("a", 1, Act::Note);
    desk.settle();
    // when a commit is lost that did happen, and nothing further is said,
    desk.notes().faults.push_back(Some(Fault::LostAfter));
    desk.write("a", 2, Act::Note);
    desk.settle();
    desk.settle();
    // then the reader has it.
    let fetched = reader.fetch(("desk", 0), runtime::Position { generation: 7, seq: 1 }, 10).unwrap();
    assert_eq!(fetched.records.iter().map(|record| record.row.seq).collect::<Vec<_>>(), [2]);
}
