//! How far the log is published is noted with the next batch, or after a second without one; and a store that is behind
//! its own topic never sends.

use crate::support::{
    bus::GENERATION,
    clock::SECOND,
    desk::{Desk, on_both_stores},
    service::{Act, desk::Noted},
};
use choreography::Topic;
use runtime::{
    Foreign, Health, Position, Record, Step,
    bus::{Beginning, Published},
    intake::Wish,
};
use std::sync::Arc;

/// A bus that delivers later: it tells how far it is when a test says so.
fn confirmed(until: u64) -> Published {
    Published { until: Some(until), held_up: None }
}

#[test]
fn what_is_published_is_noted_with_the_next_batch() {
    on_both_stores(|mut desk| {
        desk.bus.script().progress = confirmed(0);
        desk.left(1, "a", Act::Note);
        desk.settle();
        assert_eq!(desk.read.lead().unwrap().published, 0);
        desk.bus.script().progress = confirmed(1);
        desk.left(2, "a", Act::Note);
        desk.settle();
        desk.left(3, "a", Act::Nothing);
        desk.settle();
        assert_eq!(desk.read.lead().unwrap().published, 1);
    });
}

#[test]
fn what_is_published_is_noted_after_a_second_without_a_batch() {
    on_both_stores(|mut desk| {
        desk.bus.script().progress = confirmed(0);
        desk.left(1, "a", Act::Note);
        let begun = desk.now();
        assert_eq!(desk.settle(), Step::Idle(Some(begun + SECOND)));
        desk.bus.script().progress = confirmed(1);
        desk.pass_time(SECOND - 1);
        assert_eq!(desk.read.lead().unwrap().published, 0, "not before");
        desk.pass_time(1);
        assert_eq!(desk.read.lead().unwrap().published, 1);
        // Then there is nothing to look for any more.
        desk.pass_time(10 * SECOND);
        assert_eq!(desk.settle(), Step::Idle(None));
    });
}

#[test]
fn while_rows_are_under_way_the_desk_looks_each_second_and_writes_nothing() {
    let mut desk = Desk::new();
    desk.bus.script().progress = confirmed(0);
    desk.left(1, "a", Act::Note);
    desk.settle();
    let commits = desk.read.lead().unwrap().commits;
    for _ in 0..5 {
        desk.pass_time(SECOND);
        let Step::Idle(Some(wake)) = desk.settle() else { panic!("it would never look again") };
        assert!(wake <= desk.now() + SECOND);
    }
    assert_eq!(desk.read.lead().unwrap().commits, commits);
}

#[test]
fn where_the_log_is_the_topic_nothing_is_written_for_it() {
    let mut desk = Desk::new();
    desk.left(1, "a", Act::Note);
    desk.settle();
    let commits = desk.read.lead().unwrap().commits;
    desk.pass_time(10 * SECOND);
    assert_eq!(desk.settle(), Step::Idle(None));
    assert_eq!(desk.read.lead().unwrap().commits, commits);
}

#[test]
fn why_rows_wait_is_seen_by_everybody() {
    let mut desk = Desk::new();
    desk.bus.script().progress = Published { until: Some(0), held_up: Some("the registry is away".into()) };
    desk.left(1, "a", Act::Note);
    desk.settle();
    assert_eq!(desk.health(), Health::HeldUp("the registry is away".into()));
    desk.bus.script().progress = confirmed(1);
    desk.pass_time(SECOND);
    assert_eq!(desk.health(), Health::Ready);
}

#[test]
fn a_reign_tells_the_bus_where_to_go_on() {
    let mut desk = Desk::new();
    desk.bus.script().progress = confirmed(1);
    let hinted = |seq, hint| Record { hint: Some(hint), ..told(seq) };
    desk.bus.put(hinted(1, 17));
    desk.bus.put(hinted(2, 18));
    desk.settle();
    let mut desk = desk.killed_and_started_again();
    desk.settle();
    let Beginning { head, published, cursors } = desk.bus.script().began.pop().unwrap();
    assert_eq!((head, published), (Position { generation: 7, seq: 2 }, 0));
    let left = cursors.iter().find(|row| row.source == "left").unwrap();
    assert_eq!((left.at.seq, left.offset_hint), (2, Some(18)));
}

fn told(seq: u64) -> Record {
    let told = crate::support::service::left::Told { key: "a".into(), n: seq, act: Act::Note };
    crate::support::bus::record(seq, &crate::support::service::left::Event::from(told))
}

/// What the desk itself once said, as its topic has it.
fn own(generation: i64, seq: u64) -> Record {
    let noted = Noted { key: "a".into(), by: "left".into(), n: 1, text: String::new() };
    let event = crate::support::service::Event::from(noted);
    assert_eq!(event.name(), "Noted");
    crate::support::bus::in_generation(generation, crate::support::bus::record(seq, &event))
}

#[track_caller]
fn assert_refused(desk: &mut Desk) {
    let Step::Ended(why) = desk.settle() else { panic!("it runs") };
    assert!(why.contains("tutti recover --service desk") && why.contains("tutti reset"), "{why}");
    assert!(desk.bus.script().published.is_empty() && desk.bus.script().began.is_empty(), "nothing was sent");
}

#[test]
fn a_store_behind_its_own_topic_refuses_to_run() {
    on_both_stores(|mut desk| {
        desk.bus.put(own(7, 1));
        assert_refused(&mut desk);
    });
}

#[test]
fn a_store_of_an_older_generation_than_its_topic_refuses_to_run() {
    on_both_stores(|mut desk| {
        desk.bus.put(own(GENERATION, 1));
        assert_refused(&mut desk);
    });
}

#[test]
fn a_store_begun_anew_beside_its_old_topic_refuses_to_run() {
    on_both_stores(|mut desk| {
        desk.bus.put(own(6, 99));
        assert_refused(&mut desk);
    });
}

#[test]
fn a_store_ahead_of_its_topic_runs() {
    on_both_stores(|mut desk| {
        desk.left(1, "a", Act::Note);
        desk.left(2, "a", Act::Note);
        desk.settle();
        desk.bus.put(own(7, 1));
        let mut desk = desk.killed_and_started_again();
        desk.settle();
        assert_eq!(desk.health(), Health::Ready);
        desk.bus.put(own(7, 2));
        let mut desk = desk.killed_and_started_again();
        desk.settle();
        assert_eq!(desk.health(), Health::Ready);
    });
}

fn foreign(offset: u64) -> Foreign {
    Foreign {
        source: "left",
        lane: 0,
        topic: Arc::from("left.events"),
        offset,
        body: (*b"hello").into(),
        at: 5,
        why: "it has no header ce_id".into(),
    }
}

#[test]
fn a_foreign_record_is_parked_once_and_holds_nothing_up() {
    on_both_stores(|mut desk| {
        // Given a foreign record, and one more,
        desk.bus.script().foreign = vec![foreign(3), foreign(7)];
        desk.left(1, "a", Act::Note);
        desk.settle();
        // when they are delivered again, also to the next process,
        desk.bus.script().foreign = vec![foreign(3), foreign(7)];
        desk.settle();
        let mut desk = desk.killed_and_started_again();
        desk.bus.script().foreign = vec![foreign(3), foreign(7), foreign(8)];
        desk.left(2, "a", Act::Note);
        desk.settle();
        // then each is parked once, with its bytes and why, and the events go on.
        let parked: Vec<_> = desk.parked().into_iter().map(|(slot, _, _)| slot).collect();
        assert_eq!(parked, [3, 7, 8].map(|offset| format!("foreign:left left.events/0/{offset}")));
        let rows = desk.read.parked_after(0, 10).unwrap();
        assert_eq!((&*rows[0].row.body, &*rows[0].reason), (&b"hello"[..], "it has no header ce_id"));
        assert_eq!(desk.said(), ["Noted a 1 by left", "Noted a 2 by left"]);
        assert_eq!(desk.cursor("left").unwrap().seq, 2, "the lane's own cursor knows nothing of them");
    });
}

#[test]
fn a_foreign_record_can_be_discarded_but_never_taken() {
    on_both_stores(|mut desk| {
        desk.bus.script().foreign = vec![foreign(3)];
        desk.settle();
        let (source, key) = ("foreign:left".to_owned(), "left.events/0/3".to_owned());
        let kept = desk.wish(Wish::Retry { source: source.clone(), key: key.clone() });
        assert!(kept.unwrap_err().contains("discarded"));
        assert_eq!(desk.parked().len(), 1);
        desk.wish(Wish::Discard { source, key }).unwrap();
        assert!(desk.parked().is_empty());
    });
}

#[test]
fn a_topic_flooded_with_foreign_records_is_paused() {
    let mut desk = Desk::new();
    for offset in 0..1001 {
        desk.bus.script().foreign.push(foreign(offset));
    }
    desk.settle();
    assert!(matches!(desk.health(), Health::HeldUp(why) if why.contains("left is paused")));
}
