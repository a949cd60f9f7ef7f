//! However much is asked for, a bounded part of it is in memory, and all of it gets done.

use crate::support::{
    clock::SECOND,
    desk::{Desk, Sessions},
    service::Act,
};
use std::collections::HashSet;

/// What the agenda may hold.
const IN_MEMORY: usize = 32_768;
const MANY: usize = 100_000;
/// A little more than fits.
const TOO_MANY: usize = 40_000;

/// Given as many rows asked for at once, in a process that was started again.
fn started_again(mut desk: Desk, rows: usize, act: fn(u64) -> Act) -> Desk {
    desk.left(1, "a", act(rows as u64));
    desk.settle();
    assert_eq!(desk.read.counts().unwrap().work as usize, rows);
    desk.killed_and_started_again()
}

/// What is in memory was read and is not performed yet.
#[track_caller]
fn assert_bounded(desk: &Desk, performed: usize) {
    let notes = desk.notes();
    assert!(notes.work_rows <= performed + IN_MEMORY, "{} rows were read, {performed} performed", notes.work_rows);
    assert!(notes.largest_page <= IN_MEMORY / 2);
}

#[test]
fn many_timers_are_held_in_part_and_all_fire() {
    let mut desk = started_again(Desk::on(Sessions::sqlite()), MANY, Act::WakeAll);
    desk.settle();
    assert_bounded(&desk, desk.log().len());
    for _ in 0..11 {
        desk.pass_time(10 * SECOND);
        assert_bounded(&desk, desk.read.lead().unwrap().head as usize);
    }
    let rang: HashSet<_> = desk.said().into_iter().collect();
    assert_eq!((rang.len(), desk.log().len()), (MANY, MANY), "each of them once");
    assert_eq!(desk.read.counts().unwrap().work, 0);
}

#[test]
fn many_effects_are_held_in_part_and_all_are_performed() {
    let mut desk = started_again(Desk::new(), MANY, Act::CookAll);
    let mut performed = HashSet::new();
    desk.settle();
    loop {
        let tried = desk.world.take();
        if tried.is_empty() {
            break;
        }
        assert!(tried.len() <= 1024, "{} under way at a time", tried.len());
        for tried in tried {
            assert!(performed.insert(tried.key.clone()), "{} was performed twice", tried.key);
            tried.done("fine");
        }
        desk.settle();
        assert_bounded(&desk, performed.len());
    }
    assert_eq!((performed.len(), desk.log().len()), (MANY, MANY));
    assert_eq!(desk.read.counts().unwrap().work, 0);
}

#[test]
fn rows_asked_for_in_this_life_leave_memory_too_and_come_back() {
    // Given more timers than fit, asked for in one decision,
    let mut desk = Desk::new();
    desk.left(1, "a", Act::WakeAll(TOO_MANY as u64));
    desk.settle();
    assert_eq!(desk.notes().work_rows, 0, "nothing needs to be read yet");
    // when time passes, then those that did not fit are read again, once, and all fire.
    (0..5).for_each(|_| _ = desk.pass_time(10 * SECOND));
    assert_eq!(desk.log().len(), TOO_MANY);
    let read = desk.notes().work_rows;
    assert!((TOO_MANY - IN_MEMORY..=TOO_MANY).contains(&read), "{read} rows were read");
}

#[test]
fn many_effects_in_one_turn_are_held_in_part_and_run_in_order() {
    let mut desk = started_again(Desk::new(), TOO_MANY, Act::CookInTurn);
    desk.settle();
    assert_bounded(&desk, 0);
    for n in 1..=100 {
        let tried = desk.world.take_one();
        tried.done("fine");
        desk.settle();
        assert_eq!(desk.log().len(), n);
    }
    assert_bounded(&desk, 100);
}

#[test]
fn an_effect_at_its_bound_holds_up_no_other() {
    // Given as many attempts of one effect under way as there may be, all of them slow,
    let mut desk = Desk::new();
    desk.left(1, "a", Act::CookAll(5000));
    desk.settle();
    let slow = desk.world.take();
    assert_eq!(slow.len(), 1024);
    // when another effect is asked for, then it is performed at once;
    desk.left(2, "b", Act::NoteAndClear);
    desk.settle();
    desk.world.take_one().done("fine");
    // and an answer makes room for one more.
    slow[7].done("fine");
    desk.settle();
    assert_eq!(desk.world.take_one().effect, "Cook");
}

#[test]
fn unclear_effects_do_not_keep_the_others_from_memory() {
    // Given many effects whose first attempts all end unclear,
    let mut desk = started_again(Desk::new(), TOO_MANY, Act::CookAll);
    desk.settle();
    let mut performed = HashSet::new();
    for round in 0.. {
        let tried = desk.world.take();
        if performed.len() == TOO_MANY {
            break;
        }
        assert!(round < 2000, "only {} were performed", performed.len());
        for tried in tried {
            // when each second attempt succeeds,
            if round % 2 == 0 {
                tried.unclear();
            } else {
                assert!(performed.insert(tried.key.clone()), "{} was performed twice", tried.key);
                tried.done("fine");
            }
        }
        desk.settle();
        desk.pass_time(20 * SECOND);
    }
    // then all of them are answered, each once.
    desk.settle();
    assert_eq!(desk.log().len(), TOO_MANY);
}
