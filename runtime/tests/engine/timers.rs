//! A timer due at t fires once everything that was said up to t has been taken; so whatever delays knowledge delays
//! deadlines as much, and nothing delays them for ever.

use crate::support::{
    bus::record,
    clock::SECOND,
    desk::{Desk, on_both_stores},
    service::{Act, left, right},
    shaky::Fault,
};
use choreography::Event;
use runtime::{Health, Micros, Position, Record, Step, intake::Wish};
use std::time::Duration;

const HOUR: Micros = 3600 * SECOND;

fn wake_after(seconds: u64) -> Act {
    Act::Wake(Duration::from_secs(seconds))
}

/// A desk with a timer under `t`, due in ten seconds.
fn with_timer() -> Desk {
    let mut desk = Desk::new();
    desk.left(1, "t", wake_after(10));
    desk.settle();
    desk
}

#[test]
fn a_timer_fires_when_it_is_due_and_not_before() {
    on_both_stores(|mut desk| {
        desk.left(1, "t", wake_after(10));
        let due = desk.now() + 10 * SECOND;
        let Step::Idle(Some(wake)) = desk.settle() else { panic!("it does not wait") };
        assert!(wake <= due, "it would sleep through it");
        desk.pass_time(10 * SECOND - 1);
        assert!(desk.said().is_empty());
        desk.pass_time(1);
        assert_eq!(desk.said(), ["Rang t"]);
        assert_eq!(desk.log()[0].cause, "left/1000.0.1 via Wake");
        desk.pass_time(HOUR);
        assert_eq!(desk.said().len(), 1);
        assert_eq!(desk.read.counts().unwrap().work, 0);
    });
}

#[test]
fn the_desk_sleeps_no_longer_than_until_its_next_timer() {
    let mut desk = with_timer();
    desk.pass_time(2 * SECOND);
    desk.settle();
    assert_eq!(desk.settle(), Step::Idle(Some(desk.now() + 8 * SECOND)));
}

#[test]
fn a_timer_that_came_due_while_nothing_ran_fires_at_the_next_start() {
    on_both_stores(|mut desk| {
        desk.left(1, "t", wake_after(10));
        desk.settle();
        let mut desk = desk.killed_and_started_again();
        desk.pass_time(HOUR);
        assert_eq!(desk.said(), ["Rang t"]);
        let mut desk = desk.killed_and_started_again();
        desk.settle();
        assert_eq!(desk.said().len(), 1);
    });
}

#[test]
fn a_timer_waits_until_everything_said_before_it_was_due_is_taken() {
    on_both_stores(|mut desk| {
        // Given a timer that came due while a lot was said that nobody read,
        desk.left(1, "t", wake_after(10));
        desk.settle();
        desk.clock.turn(10 * SECOND);
        (2..=5000).for_each(|seq| desk.left(seq, "a", Act::Note));
        (1..=100).for_each(|seq| desk.right(seq, "b", Act::Note));
        // when it is read, then the timer comes after all of it.
        desk.settle();
        assert_eq!(desk.said().len(), 4999 + 100 + 1);
        assert_eq!(desk.said().last().map(String::as_str), Some("Rang t"));
    });
}

#[test]
fn a_timer_does_not_wait_for_what_is_said_after_it_was_due() {
    // Given sources that never stop, so that no lane is ever read to its end,
    let mut desk = with_timer();
    desk.bus.never_ends("left", |place| said(place, |n| left::Told { key: "a".into(), n, act: Act::Note }));
    desk.bus.never_ends("right", |place| said(place, |n| right::Told { key: "b".into(), n, act: Act::Note }));
    desk.clock.turn(10 * SECOND);
    // when what was said until the timer was due is taken, then it fires.
    let mut steps = 0;
    while !desk.said_of("t").contains(&"Rang t".to_owned()) {
        desk.clock.turn(1000);
        assert_eq!(desk.step(), Step::Worked);
        steps += 1;
        assert!(steps < 100, "it starves");
    }
}

fn said<E: Event>(place: Position, event: fn(u64) -> E) -> Record {
    record::<E::Topic>(place.seq + 1, &event(place.seq + 1).into())
}

#[test]
fn a_lane_that_stands_at_a_gap_counts_as_followed() {
    let mut desk = with_timer();
    desk.left(2, "a", Act::Note);
    desk.left(3, "a", Act::Note);
    desk.bus.lose("left", 2);
    desk.settle();
    desk.pass_time(10 * SECOND);
    assert_eq!(desk.said(), ["Rang t"]);
}

#[test]
fn a_paused_source_counts_as_followed() {
    let mut desk = with_timer();
    (2..=2500).for_each(|seq| desk.left(seq, &format!("key-{seq}"), Act::Panic));
    desk.settle();
    assert!(matches!(desk.health(), Health::HeldUp(why) if why.contains("paused")));
    desk.pass_time(10 * SECOND);
    assert_eq!(desk.said(), ["Rang t"]);
}

#[test]
fn while_a_source_is_away_timers_wait_for_a_day_at_most() {
    on_both_stores(|mut desk| {
        desk.left(1, "t", wake_after(10));
        desk.settle();
        // Given a source that cannot be reached, when a timer comes due,
        desk.bus.set_away("left", true);
        desk.pass_time(10 * SECOND);
        // then it waits, and everybody can see why;
        for _ in 0..23 {
            desk.pass_time(HOUR);
            assert!(desk.said().is_empty());
        }
        assert!(matches!(desk.health(), Health::HeldUp(why) if why.contains("left is switched off")));
        desk.right(1, "b", Act::Note);
        desk.pass_time(2 * SECOND);
        assert_eq!(desk.said(), ["Noted b 1 by right"], "everything else goes on");
        // and after a day it fires all the same.
        desk.pass_time(HOUR);
        assert_eq!(desk.said_of("t"), ["Rang t"]);
    });
}

#[test]
fn a_source_that_is_back_is_read_before_timers_fire() {
    let mut desk = with_timer();
    desk.bus.set_away("left", true);
    desk.pass_time(HOUR);
    desk.left(2, "a", Act::Note);
    desk.bus.set_away("left", false);
    desk.pass_time(2 * SECOND);
    assert_eq!(desk.said(), ["Noted a 2 by left", "Rang t"]);
    assert_eq!(desk.health(), Health::Ready);
}

#[test]
fn after_a_start_timers_wait_until_every_source_was_reached() {
    let desk = with_timer();
    desk.clock.turn(HOUR);
    desk.left(2, "a", Act::Note);
    desk.bus.set_away("left", true);
    let mut desk = desk.killed_and_started_again();
    desk.settle();
    assert!(desk.said().is_empty());
    desk.bus.set_away("left", false);
    desk.pass_time(2 * SECOND);
    assert_eq!(desk.said(), ["Noted a 2 by left", "Rang t"]);
}

#[test]
fn a_timer_set_again_fires_once_at_its_new_time() {
    on_both_stores(|mut desk| {
        desk.left(1, "t", wake_after(10));
        desk.settle();
        desk.pass_time(5 * SECOND);
        desk.left(2, "t", wake_after(10));
        desk.settle();
        desk.pass_time(9 * SECOND);
        assert!(desk.said().is_empty(), "it was put off");
        desk.pass_time(SECOND);
        assert_eq!(desk.said(), ["Rang t"]);
        desk.pass_time(HOUR);
        assert_eq!(desk.said().len(), 1);
        assert_eq!(desk.read.counts().unwrap().work, 0);
    });
}

#[test]
fn a_timer_fires_once_although_its_commit_was_lost() {
    for fault in [Fault::LostBefore, Fault::LostAfter] {
        let mut desk = with_timer();
        desk.clock.turn(10 * SECOND);
        desk.notes().faults.push_back(Some(fault));
        desk.settle();
        desk.settle();
        assert_eq!(desk.said(), ["Rang t"], "{fault:?}");
    }
}

#[test]
fn a_poison_timer_is_stuck_and_can_be_tried_again() {
    on_both_stores(|mut desk| {
        desk.left(1, "poison", wake_after(1));
        desk.left(2, "t", wake_after(1));
        desk.settle();
        desk.pass_time(SECOND);
        assert_eq!(desk.said(), ["Rang t"]);
        let work = desk.read.work_of("poison").unwrap();
        assert!(work[0].stuck.as_ref().is_some_and(|why| why.contains("told to")), "{work:?}");
        let mut desk = desk.killed_and_started_again();
        desk.pass_time(HOUR);
        assert_eq!(desk.wish(Wish::RetryWork(("Wake".into(), "poison".into()))), Ok("tried again".into()));
        assert_eq!(desk.read.counts().unwrap().stuck, 1, "it is still poison");
    });
}

#[test]
fn timers_due_together_all_fire_and_in_order() {
    on_both_stores(|mut desk| {
        desk.left(1, "t", Act::WakeAll(3000));
        desk.settle();
        desk.pass_time(HOUR);
        let expected: Vec<_> = (0..3000).map(|i| format!("Rang t-1-{i}")).collect();
        assert_eq!(desk.said(), expected);
    });
}
