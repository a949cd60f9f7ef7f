//! Effects are performed after the commit, at least once, under a key that never changes; answered exactly once.

use crate::support::{
    clock::SECOND,
    desk::{Desk, on_both_stores},
    service::Act,
    shaky::Fault,
    world::Tried,
};
use runtime::{Micros, Step, intake::Wish};

fn asked() -> Desk {
    let mut desk = Desk::new();
    desk.left(1, "a", Act::Cook);
    desk.settle();
    desk
}

/// Lets as much time pass as the desk wants to wait, until something is tried again. Returns how much that was.
#[track_caller]
fn until_tried(desk: &mut Desk) -> (Tried, Micros) {
    let mut passed = 0;
    let mut step = desk.settle();
    loop {
        if let [one] = &desk.world.take()[..] {
            return (one.clone(), passed);
        }
        let Step::Idle(Some(until)) = step else { panic!("it waits for nothing") };
        assert!(passed < 100 * SECOND, "it is not tried again");
        let by = (until - desk.now()).max(1);
        passed += by;
        step = desk.pass_time(by);
    }
}

#[test]
fn the_first_attempt_calls_under_the_key_of_the_effect() {
    let desk = asked();
    let tried = desk.world.take_one();
    assert_eq!((tried.idempotency_key.as_str(), tried.ask_first), ("desk/Cook/a/1", false));
}

#[test]
fn nothing_is_performed_before_the_commit() {
    let mut desk = Desk::new();
    desk.settle();
    desk.left(1, "a", Act::Cook);
    desk.notes().faults.extend([Some(Fault::LostBefore); 3]);
    (0..3).for_each(|_| _ = desk.settle());
    assert!(desk.world.take().is_empty());
    desk.settle();
    assert!(!desk.world.take_one().ask_first, "it was surely never tried");
}

#[test]
fn an_answer_is_decided_and_its_work_is_gone() {
    on_both_stores(|mut desk| {
        desk.left(1, "a", Act::Cook);
        desk.left(2, "b", Act::Cook);
        desk.settle();
        let tried = desk.world.take();
        tried[0].done("fine");
        tried[1].refused("no flour");
        desk.settle();
        assert_eq!(desk.said(), ["Answered a Cook 1 fine", "Answered b Cook 2 refused: no flour"]);
        assert_eq!(desk.read.counts().unwrap().work, 0);
        assert_eq!(desk.log()[0].cause, "left/1000.0.1 via Cook#1");
        assert_eq!(desk.log()[0].trace[..35], *"00-4bf92f3577b34da6a3ce929d0e0e4736", "still the same trace");
        let mut desk = desk.killed_and_started_again();
        desk.settle();
        assert!(desk.world.take().is_empty());
    });
}

#[test]
fn an_answer_about_which_nothing_is_said_ends_its_work_too() {
    let mut desk = Desk::new();
    desk.left(1, "a", Act::Cook);
    desk.left(2, "a", Act::Cook);
    desk.settle();
    desk.world.take_one().done("silent");
    desk.settle();
    assert!(desk.said().is_empty());
    desk.world.take_one().done("fine");
    desk.settle();
    assert_eq!(desk.said(), ["Answered a Cook 2 fine"]);
    assert_eq!(desk.read.counts().unwrap().work, 0);
}

#[test]
fn an_unclear_attempt_is_asked_for_again_with_growing_pauses_for_ever() {
    let mut desk = asked();
    desk.world.take_one().unclear();
    let mut pauses = vec![];
    for _ in 0..30 {
        let (tried, pause) = until_tried(&mut desk);
        assert!(tried.ask_first, "a later attempt asks first");
        assert_eq!(tried.idempotency_key, "desk/Cook/a/1");
        pauses.push(pause);
        tried.unclear();
    }
    // Doubling as far as the spread allows, and then bounded.
    assert!(pauses[0] >= 50_000 && pauses[0] <= 75_000, "{pauses:?}");
    assert!(pauses.windows(2).take(7).all(|pair| pair[1] > pair[0]), "{pauses:?}");
    assert!(pauses[10..].iter().all(|pause| (10 * SECOND..=15 * SECOND).contains(pause)), "{pauses:?}");
    let (tried, _) = until_tried(&mut desk);
    tried.done("at last");
    desk.settle();
    assert_eq!(desk.said(), ["Answered a Cook 1 at last"]);
    assert_eq!(desk.log()[0].cause, "left/1000.0.1 via Cook#32");
}

#[test]
fn work_found_at_start_is_asked_for_first() {
    on_both_stores(|mut desk| {
        desk.left(1, "a", Act::Cook);
        desk.settle();
        let mut desk = desk.killed_and_started_again();
        desk.settle();
        let tried = desk.world.take_one();
        assert_eq!((tried.idempotency_key.as_str(), tried.ask_first), ("desk/Cook/a/1", true));
        tried.done("fine");
        desk.settle();
        assert_eq!(desk.said(), ["Answered a Cook 1 fine"]);
    });
}

#[test]
fn an_answer_that_comes_twice_counts_once() {
    on_both_stores(|mut desk| {
        desk.left(1, "a", Act::Cook);
        desk.settle();
        let tried = desk.world.take_one();
        // In the same batch,
        tried.done("once");
        tried.done("twice");
        desk.settle();
        // and later.
        tried.done("thrice");
        desk.settle();
        assert_eq!(desk.said(), ["Answered a Cook 1 once"]);
    });
}

#[test]
fn an_answer_that_comes_after_all_counts_once_and_ends_the_asking() {
    // Given an attempt that was unclear,
    let mut desk = asked();
    let tried = desk.world.take_one();
    tried.unclear();
    desk.settle();
    // when its answer comes after all, before the next attempt,
    tried.done("late");
    desk.settle();
    // then nothing further is tried, and nothing further happens.
    desk.pass_time(60 * SECOND);
    desk.world.take().iter().for_each(|tried| tried.done("again"));
    desk.settle();
    assert!(desk.said().len() <= 1, "{:?}", desk.said());
    desk.left(2, "a", Act::Cook);
    desk.settle();
    desk.world.take_one().done("next");
    desk.settle();
    assert_eq!(desk.said(), ["Answered a Cook 1 late", "Answered a Cook 2 next"]);
}

#[test]
fn the_answer_to_an_older_reign_is_ignored() {
    // Given an attempt of a reign that ended because a commit was lost,
    let mut desk = asked();
    let old = desk.world.take_one();
    desk.notes().faults.push_back(Some(Fault::LostBefore));
    desk.left(2, "b", Act::Note);
    desk.settle();
    desk.settle();
    let new = desk.world.take_one();
    assert!(new.ask_first);
    // when both are answered, then only the one of the reign that now is counts.
    old.done("old");
    desk.settle();
    assert!(desk.said_of("a").is_empty());
    new.done("new");
    old.done("old");
    desk.settle();
    assert_eq!(desk.said_of("a"), ["Answered a Cook 1 new"]);
}

#[test]
fn an_effect_asked_for_again_while_it_is_open_is_performed_and_answered_once() {
    on_both_stores(|mut desk| {
        // Given an effect under way, when it is asked for again under the same key,
        desk.left(1, "a", Act::Cook);
        desk.settle();
        let tried = desk.world.take_one();
        desk.right(1, "x", Act::Note);
        desk.settle();
        desk.clock.turn(SECOND);
        desk.right(2, "a", Act::Nothing);
        let mut again = desk.write("a", 1, Act::Cook);
        desk.settle();
        assert!(again.try_recv().is_ok());
        assert!(desk.world.take().is_empty(), "it is under way already");
        // then its answer is the answer.
        tried.done("fine");
        desk.pass_time(60 * SECOND);
        desk.world.take().iter().for_each(|tried| tried.done("again"));
        desk.settle();
        assert_eq!(desk.said_of("a"), ["Answered a Cook 1 fine"]);
        assert_eq!(desk.read.counts().unwrap().work, 0);
    });
}

#[test]
fn stuck_work_stays_and_is_listed_until_a_person_wants_it_tried() {
    on_both_stores(|mut desk| {
        desk.left(1, "a", Act::Cook);
        desk.settle();
        desk.world.take_one().stuck("the oven is gone");
        desk.settle();
        let mut desk = desk.killed_and_started_again();
        // Given stuck work, it is listed and not tried, however long,
        desk.pass_time(3600 * SECOND);
        assert!(desk.world.take().is_empty());
        assert_eq!(desk.read.counts().unwrap().stuck, 1);
        assert_eq!(desk.read.work_of("a").unwrap()[0].stuck.as_deref(), Some("the oven is gone"));
        // until somebody wishes it, and then it asks first.
        let wish = || Wish::RetryWork(("Cook".into(), "a/1".into()));
        assert_eq!(desk.wish(wish()), Ok("tried again".into()));
        let tried = desk.world.take_one();
        assert!(tried.ask_first);
        assert_eq!(desk.read.counts().unwrap().stuck, 0);
        assert!(desk.wish(wish()).is_err(), "it is not stuck any more");
        tried.done("fine");
        desk.settle();
        assert_eq!(desk.said(), ["Answered a Cook 1 fine"]);
    });
}

#[test]
fn an_answer_that_is_poison_leaves_its_work_stuck() {
    on_both_stores(|mut desk| {
        desk.left(1, "a", Act::Cook);
        desk.settle();
        desk.world.take_one().done("poison");
        desk.settle();
        let work = desk.read.work_of("a").unwrap();
        assert!(work[0].stuck.as_ref().is_some_and(|why| why.contains("told to")), "{work:?}");
        assert!(desk.said().is_empty());
        assert!(desk.wish(Wish::RetryWork(("Cook".into(), "a/1".into()))).is_ok());
        desk.world.take_one().done("fine");
        desk.settle();
        assert_eq!(desk.said(), ["Answered a Cook 1 fine"]);
        assert_eq!(desk.read.counts().unwrap().work, 0);
    });
}
