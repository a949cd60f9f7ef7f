//! New, exactly: each record is taken once, in order, nothing behind a gap, newer generations from their beginning.

use crate::support::{
    bus::{GENERATION, in_generation, record},
    clock::SECOND,
    desk::{Desk, assert_dense, assert_folds, on_both_stores},
    service::{Act, Moves, Page, left},
};
use runtime::{Health, Position, Record};

fn told(seq: u64, key: &str) -> Record {
    record(seq, &left::Event::from(left::Told { key: key.into(), n: seq, act: Act::Note }))
}

#[test]
fn records_are_taken_in_order_and_folded() {
    on_both_stores(|mut desk| {
        (1..=300).for_each(|seq| desk.left(seq, ["a", "b", "c"][seq as usize % 3], Act::Note));
        (1..=300).for_each(|seq| desk.right(seq, "a", Act::Move("b".into())));
        desk.settle();
        assert_eq!(desk.log().len(), 600);
        assert_dense(&desk.log());
        assert_folds::<Page>(&desk);
        assert_folds::<Moves>(&desk);
        assert_eq!(desk.cursor("left"), Some(Position { generation: GENERATION, seq: 300 }));
    });
}

#[test]
fn a_duplicate_in_the_same_batch_is_not_taken_again() {
    let mut desk = Desk::new();
    desk.step();
    for seq in [1, 2, 3, 2, 3, 1, 4, 4] {
        desk.bus.repeat(told(seq, "a"));
    }
    desk.settle();
    assert_eq!(desk.said(), [1, 2, 3, 4].map(|n| format!("Noted a {n} by left")));
}

#[test]
fn a_duplicate_in_a_later_batch_is_not_taken_again() {
    let mut desk = Desk::new();
    (1..=3).for_each(|seq| desk.left(seq, "a", Act::Note));
    desk.settle();
    desk.bus.repeat(told(2, "a"));
    desk.bus.repeat(told(3, "a"));
    desk.left(4, "a", Act::Note);
    desk.settle();
    assert_eq!(desk.said(), [1, 2, 3, 4].map(|n| format!("Noted a {n} by left")));
}

#[test]
fn a_replay_from_zero_changes_nothing() {
    on_both_stores(|mut desk| {
        (1..=50).for_each(|seq| desk.left(seq, "a", [Act::Note, Act::Cook, Act::Panic][seq as usize % 3].clone()));
        desk.settle();
        let (said, parked) = (desk.said(), desk.parked());
        let mut desk = desk.killed_and_started_again();
        desk.bus.replay("left");
        desk.settle();
        assert_eq!((desk.said(), desk.parked()), (said, parked));
    });
}

#[test]
fn nothing_behind_a_gap_is_taken_until_it_is_mended() {
    let mut desk = Desk::new();
    (1..=5).for_each(|seq| desk.left(seq, "a", Act::Note));
    desk.right(1, "b", Act::Note);
    desk.bus.lose("left", 3);
    // When a record is missing,
    desk.settle();
    // then what comes before it is taken and nothing behind it, and other sources flow;
    assert_eq!(desk.said_of("a"), ["Noted a 1 by left", "Noted a 2 by left"]);
    assert_eq!(desk.said_of("b"), ["Noted b 1 by right"]);
    assert!(desk.bus.calls().contains(&"reread left.0 after 2".to_owned()));
    assert!(matches!(desk.health(), Health::HeldUp(why) if why.contains("left") && why.contains("missing")));
    // it stays so however often it is looked for;
    (0..5).for_each(|_| _ = desk.pass_time(2 * SECOND));
    assert_eq!(desk.said_of("a").len(), 2);
    // and once it is there, everything is taken in order.
    desk.bus.mend();
    desk.pass_time(2 * SECOND);
    assert_eq!(desk.said_of("a"), [1, 2, 3, 4, 5].map(|n| format!("Noted a {n} by left")));
    assert_eq!(desk.health(), Health::Ready);
}

#[test]
fn a_lane_that_stands_at_a_gap_is_not_asked_all_the_time() {
    let mut desk = Desk::new();
    (1..=3).for_each(|seq| desk.left(seq, "a", Act::Note));
    desk.bus.lose("left", 2);
    desk.settle();
    desk.bus.calls();
    for n in 1..=100 {
        desk.right(n, "b", Act::Note);
        desk.settle();
    }
    assert!(!desk.bus.calls().iter().any(|call| call.starts_with("fetch left")));
    desk.pass_time(SECOND);
    assert!(desk.bus.calls().contains(&"fetch left.0 after 1".to_owned()));
}

#[test]
fn a_newer_generation_begins_at_one_and_an_older_one_is_skipped() {
    on_both_stores(|mut desk| {
        (1..=2).for_each(|seq| desk.bus.put(told(seq, "old")));
        (1..=2).for_each(|seq| desk.bus.put(in_generation(GENERATION + 1, told(seq, "new"))));
        desk.settle();
        // Given a source in its second generation, when records of the first come again, also ones never seen,
        desk.bus.repeat(told(2, "old"));
        desk.bus.repeat(told(3, "old"));
        desk.bus.put(in_generation(GENERATION + 1, told(3, "new")));
        desk.settle();
        // then they are skipped.
        assert_eq!(desk.said_of("old").len(), 2);
        assert_eq!(desk.said_of("new").len(), 3);
        assert_eq!(desk.cursor("left"), Some(Position { generation: GENERATION + 1, seq: 3 }));
        let mut desk = desk.killed_and_started_again();
        desk.bus.replay("left");
        desk.settle();
        assert_eq!(desk.log().len(), 5);
    });
}

#[test]
fn a_newer_generation_that_does_not_begin_at_one_is_a_gap() {
    let mut desk = Desk::new();
    desk.bus.put(told(1, "old"));
    desk.bus.put(in_generation(GENERATION + 1, told(2, "new")));
    desk.settle();
    assert!(desk.said_of("new").is_empty());
    desk.bus.put(in_generation(GENERATION + 1, told(1, "new")));
    desk.pass_time(2 * SECOND);
    assert_eq!(desk.said_of("new").len(), 2);
}

#[test]
fn a_source_never_read_before_starts_at_its_earliest_record() {
    let mut desk = Desk::new();
    (1..=6).for_each(|seq| desk.left(seq, "a", Act::Note));
    desk.bus.set_earliest("left", 4);
    desk.settle();
    assert_eq!(desk.said(), ["Noted a 5 by left", "Noted a 6 by left"]);
}

#[test]
fn a_service_that_starts_now_skips_what_was_said_before() {
    let mut desk = Desk::from_now_on();
    (1..=3).for_each(|seq| desk.left(seq, "a", Act::Note));
    desk.step();
    desk.left(4, "a", Act::Note);
    desk.settle();
    assert_eq!(desk.said(), ["Noted a 4 by left"]);
}

#[test]
fn the_first_cursor_is_written_before_the_first_read() {
    // Given a service that starts now,
    let mut desk = Desk::from_now_on();
    (1..=3).for_each(|seq| desk.left(seq, "a", Act::Note));
    // when it dies after its start, before it read anything,
    desk.step();
    assert!(!desk.bus.calls().iter().any(|call| call.starts_with("fetch")));
    assert_eq!(desk.cursor("left"), Some(Position { generation: GENERATION, seq: 3 }));
    assert_eq!(desk.cursor("right"), Some(Position { generation: GENERATION, seq: 0 }));
    desk.left(4, "a", Act::Note);
    // then "now" is still what it was then.
    let mut desk = desk.killed_and_started_again();
    desk.settle();
    assert_eq!(desk.said(), ["Noted a 4 by left"]);
}

#[test]
fn an_event_that_nobody_reacts_to_moves_only_the_cursor() {
    let mut desk = Desk::new();
    desk.bus.put(record(1, &left::Event::from(left::Hummed { key: "a".into() })));
    desk.left(2, "a", Act::Note);
    desk.settle();
    assert_eq!(desk.said(), ["Noted a 2 by left"]);
    assert!(desk.parked().is_empty());
    assert_eq!(desk.cursor("left").map(|at| at.seq), Some(2));
}

#[test]
fn everything_said_is_published_once_and_in_order() {
    let mut desk = Desk::new();
    (1..=400).for_each(|seq| desk.left(seq, "a", Act::Note));
    desk.settle();
    assert_eq!(desk.bus.script().published, desk.log());
}

#[test]
fn time_in_the_log_never_runs_backwards() {
    let mut desk = Desk::new();
    desk.left(1, "a", Act::Note);
    desk.settle();
    desk.clock.turn(-3600 * SECOND);
    desk.left(2, "a", Act::Note);
    desk.settle();
    let mut desk = desk.killed_and_started_again();
    desk.left(3, "a", Act::Note);
    desk.settle();
    assert_eq!(desk.log().len(), 3);
    assert_dense(&desk.log());
}
