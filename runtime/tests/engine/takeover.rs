//! Being wrong about who is alive is harmless: every reign fences the one before it.

use crate::support::{
    clock::SECOND,
    desk::{Desk, assert_dense, on_both_stores},
    service::Act,
    world::names,
};
use runtime::{Health, Step, incoming::Reply};
use tokio::sync::oneshot::error::TryRecvError;

#[track_caller]
fn assert_fenced(step: Step) {
    assert!(matches!(&step, Step::Ended(why) if why.contains("another process has taken the lead")), "{step:?}");
}

#[test]
fn a_second_engine_takes_over_in_mid_work_and_the_first_one_ends() {
    on_both_stores(|mut first| {
        // Given an engine with an effect under way, records to read and a command that waits,
        first.left(1, "a", Act::Cook);
        first.settle();
        let zombie = first.world.take_one();
        first.left(2, "b", Act::Note);
        let mut reply = first.write("c", 1, Act::Note);
        // when a second one takes over,
        let mut second = first.rival();
        second.settle();
        let tried = second.world.take_one();
        assert!(tried.ask_first);
        // then the first one ends, its caller is told nothing, and the answer of its effect is nothing to anybody.
        zombie.done("by the zombie");
        assert_fenced(first.settle());
        assert!(matches!(first.health(), Health::Away(_)));
        assert_eq!(reply.try_recv(), Err(TryRecvError::Empty));
        tried.done("by the second");
        second.settle();
        assert_eq!(second.said(), ["Noted b 2 by left", "Answered a Cook 1 by the second"]);
        assert!(second.log().iter().all(|row| row.epoch == 2));
        assert_dense(&second.log());
    });
}

#[test]
fn a_fenced_engine_leaves_nothing_whatever_it_was_about_to_write() {
    on_both_stores(|mut first| {
        first.settle();
        let mut second = first.rival();
        second.settle();
        first.left(1, "a", Act::Panic);
        assert_fenced(first.settle());
        assert!(second.parked().is_empty());
        assert_eq!(second.cursor("left").map(|at| at.seq), Some(0));
        second.settle();
        assert_eq!(second.parked().len(), 1);
    });
}

#[test]
fn an_engine_that_has_not_committed_for_long_proves_that_it_leads_before_it_calls() {
    // Given an effect of the first engine that waits for its next attempt,
    let mut first = Desk::new();
    first.left(1, "a", Act::Cook);
    first.settle();
    first.world.take_one().unclear();
    first.settle();
    // when another one has taken over meanwhile,
    let mut second = first.rival();
    second.settle();
    first.clock.turn(60 * SECOND);
    // then the first one ends without calling.
    assert_fenced(first.settle());
    assert_eq!(names(&first.world.take()), [""; 0]);
}

#[test]
fn an_engine_that_still_leads_calls_also_after_long() {
    let mut desk = Desk::new();
    desk.left(1, "a", Act::Cook);
    desk.settle();
    desk.world.take_one().unclear();
    desk.settle();
    let commits = desk.read.lead().unwrap().commits;
    desk.pass_time(60 * SECOND);
    assert_eq!(names(&desk.world.take()), ["Cook a/1"]);
    assert_eq!(desk.read.lead().unwrap().commits, commits + 1, "the proof is a commit");
}

#[test]
fn engines_that_take_over_from_each_other_lose_and_double_nothing() {
    on_both_stores(|desk| {
        (1..=200).for_each(|seq| desk.left(seq, ["a", "b"][seq as usize % 2], Act::Note));
        let mut engines = vec![desk];
        for turn in 0..60 {
            // Each is fenced in the midst of its work, and a new one begins.
            let next = engines[0].rival();
            engines.push(next);
            engines.iter_mut().skip(turn % 3).for_each(|engine| _ = engine.step());
            let step = |engine: &mut Desk| matches!(engine.step(), Step::Ended(_));
            engines.reverse();
            engines.retain_mut(|engine| !step(engine));
            engines.reverse();
            engines.truncate(4);
        }
        let mut last = engines[0].rival();
        last.settle();
        for (key, first) in [("a", 2), ("b", 1)] {
            let all: Vec<_> = (first..=200).step_by(2).map(|n| format!("Noted {key} {n} by left")).collect();
            assert_eq!(last.said_of(key), all);
        }
        assert_dense(&last.log());
        assert!(last.log().is_sorted_by_key(|row| row.epoch));
    });
}

#[test]
fn a_command_fenced_off_is_accepted_by_the_next_engine_once() {
    on_both_stores(|mut first| {
        first.settle();
        let mut second = first.rival();
        second.settle();
        let mut lost = first.write("a", 1, Act::Note);
        assert_fenced(first.settle());
        assert_eq!(lost.try_recv(), Err(TryRecvError::Empty), "the caller repeats itself");
        let mut repeated = second.write("a", 1, Act::Note);
        second.settle();
        assert_eq!(repeated.try_recv(), Ok(Reply::Accepted));
        assert_eq!(second.said(), ["Noted a 1 by caller"]);
    });
}

#[test]
fn an_older_build_does_not_begin() {
    on_both_stores(|first| {
        let mut newer = first.sessions.store();
        let lead = newer.begin_reign("there", 2).unwrap();
        let mut older = first;
        assert!(matches!(older.settle(), Step::Ended(why) if why.contains("newer build")));
        assert_eq!(older.read.lead().unwrap().epoch, lead.epoch);
    });
}
