//! A whole engine on Kafka.

use crate::{
    cluster::{Corner, corner_for, eventually},
    support::{
        desk::{Desk, Sessions},
        service::Act,
    },
    wire::put,
};
use rdkafka::message::OwnedHeaders;
use runtime::{
    Health, Position, Step,
    bus::{Beginning, Bell, Bus, kafka::KafkaBus},
    store::{Batch, MemoryStore, Store},
};
use shared_events::catalog::SchemaFile;
use std::sync::Arc;

const CONTRACT: &[SchemaFile] = &[
    SchemaFile {
        topic: "left",
        name: "Told",
        version: 1,
        text: r#"{"type":"record","name":"Told","namespace":"test.left","fields":[]}"#,
    },
    SchemaFile {
        topic: "desk",
        name: "Noted",
        version: 1,
        text: r#"{"type":"record","name":"Noted","namespace":"test.desk","fields":[]}"#,
    },
];

fn shop() -> Option<Corner> {
    corner_for(&["left", "right", "desk"], CONTRACT)
}

fn desk(corner: &Corner, sessions: Sessions) -> Desk {
    let bus = KafkaBus::connect(corner, "desk", &["left", "right"], sessions.read(), &Arc::<Bell>::default()).unwrap();
    Desk::on_bus(sessions, bus)
}

/// Puts what `left` says onto its topic, through a bus of its own.
pub fn left_says(corner: &Corner, acts: &[(&str, Act)]) {
    use crate::support::{bus::record, service::left};
    let mut store = MemoryStore::new(crate::support::bus::GENERATION);
    let lead = store.begin_reign("here", 1).unwrap();
    let told = |((key, act), seq): (&(&str, Act), u64)| {
        record(seq, &left::Event::from(left::Told { key: (*key).into(), n: seq, act: act.clone() })).row
    };
    let rows: Vec<_> = acts.iter().zip(1..).map(told).collect();
    store.commit(&Batch { lead, log: rows, ..Batch::default() }).unwrap();
    let mut bus = KafkaBus::connect(corner, "left", &[], Arc::new(store), &Arc::<Bell>::default()).unwrap();
    let head = Position { generation: crate::support::bus::GENERATION, seq: acts.len() as u64 };
    bus.begin(&Beginning { head, published: 0, cursors: vec![] }).unwrap();
    eventually("it is published", || bus.published().until == Some(head.seq));
}

#[track_caller]
pub fn until(desk: &mut Desk, what: &str, mut holds: impl FnMut(&mut Desk) -> bool) {
    eventually(what, || {
        desk.clock.turn(1000);
        assert!(!matches!(desk.step(), Step::Ended(_)), "{:?}", desk.health());
        holds(desk)
    });
}

#[test]
fn a_service_reads_decides_and_publishes() {
    let Some(corner) = shop() else { return };
    left_says(&corner, &[("a", Act::Note), ("b", Act::Note), ("a", Act::Note)]);
    let mut desk = desk(&corner, Sessions::sqlite());
    until(&mut desk, "all is noted", |desk| desk.log().len() == 3);
    assert_eq!(desk.said(), ["Noted a 1 by left", "Noted b 2 by left", "Noted a 3 by left"]);
    until(&mut desk, "how far it is published is written down", |desk| desk.read.lead().unwrap().published == 3);
    let left = desk.read.cursors().unwrap().into_iter().find(|row| row.source == "left").unwrap();
    assert_eq!((left.at.seq, left.offset_hint), (3, Some(3)));
}

#[test]
fn a_timer_fires_when_the_brokers_have_told_where_the_lanes_end() {
    let Some(corner) = shop() else { return };
    left_says(&corner, &[("t", Act::Wake(std::time::Duration::from_millis(50)))]);
    let mut desk = desk(&corner, Sessions::memory());
    until(&mut desk, "the timer fires", |desk| desk.said() == ["Rang t"]);
}

#[test]
fn a_stranger_is_parked_once_whatever_starts_again() {
    let Some(corner) = shop() else { return };
    put(&corner, "stranger", OwnedHeaders::new(), b"hello");
    left_says(&corner, &[("a", Act::Note)]);
    let sessions = Sessions::sqlite();
    for _ in 0..3 {
        let mut desk = desk(&corner, sessions.clone());
        until(&mut desk, "both were read", |desk| desk.said().len() == 1 && !desk.parked().is_empty());
        until(&mut desk, "it is at rest", |desk| desk.health() == Health::Ready);
        let parked: Vec<_> = desk.parked().into_iter().map(|(slot, _, _)| slot).collect();
        assert_eq!(parked, [format!("foreign:left {}/0/0", corner.topic("left"))]);
    }
}

#[test]
fn a_store_behind_its_own_topic_refuses_to_run() {
    let Some(corner) = shop() else { return };
    left_says(&corner, &[("a", Act::Note), ("b", Act::Note)]);
    let mut first = desk(&corner, Sessions::memory());
    until(&mut first, "both are published", |desk| desk.log().len() == 2 && desk.read.lead().unwrap().published == 2);
    drop(first);
    // Given a store that was lost, and begun anew under the same generation,
    let mut second = desk(&corner, Sessions::memory());
    // then it says so, and sends nothing.
    let Step::Ended(why) = second.settle() else { panic!("it runs") };
    assert!(why.contains("tutti recover --service desk") && why.contains("tutti reset"), "{why}");
}
