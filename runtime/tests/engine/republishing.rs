//! What a topic lacks of its service's log is found, and published again.

use crate::support::{bus::ScriptedBus, clock::SECOND, desk::Desk, service::Act, shaky::Shaky};
use runtime::{
    Position, Record,
    bus::{Bell, Published},
    republish::{self, Lacking, RepublishError},
    store::{MemoryStore, Store},
};
use std::sync::Arc;

/// A desk that has said this much.
fn said(count: u64) -> Desk {
    let mut desk = Desk::new();
    (1..=count).for_each(|seq| desk.left(seq, "a", Act::Note));
    desk.settle();
    desk
}

fn put(desk: &Desk, seqs: impl IntoIterator<Item = u64>) {
    let log = desk.log();
    seqs.into_iter().for_each(|seq| desk.bus.put(Record::new("desk", log[seq as usize - 1].clone())));
}

fn lacking(desk: &Desk) -> Result<Option<Lacking>, RepublishError> {
    republish::lacking("desk", &*desk.read, &mut desk.bus.clone(), &Bell::default(), &|_, _| {})
}

fn behind(seq: u64, events: u64) -> Option<Lacking> {
    let after = if seq == 0 { Position::default() } else { Position { generation: 7, seq } };
    Some(Lacking { after, events })
}

fn job(desk: &Desk, bus: &ScriptedBus) -> Result<Option<Lacking>, RepublishError> {
    let parts = republish::Parts {
        service: "desk",
        store: Box::new(Shaky { inner: desk.sessions.store(), notes: desk.shared_notes(), naive: None }),
        read: desk.read.clone(),
        bus: Box::new(bus.clone()),
        bell: Arc::default(),
        build: 1,
    };
    republish::republish(parts, &|_, _| {})
}

#[test]
fn a_topic_is_compared_with_the_log() {
    let desk = said(5);
    assert_eq!(lacking(&desk), Ok(behind(0, 5)), "an empty topic");
    put(&desk, 1..=3);
    assert_eq!(lacking(&desk), Ok(behind(3, 2)), "it lacks its end");
    put(&desk, 5..=5);
    assert_eq!(lacking(&desk), Ok(behind(3, 2)), "it has a hole");
    put(&desk, 4..=4);
    assert_eq!(lacking(&desk), Ok(None));
}

#[test]
fn a_topic_that_lacks_its_beginning_is_told_from_one_that_is_old() {
    let desk = said(5);
    put(&desk, 3..=5);
    assert_eq!(lacking(&desk), Ok(behind(0, 5)), "it was created anew");
    desk.bus.script().earliest.insert("desk", Position { generation: 7, seq: 2 });
    assert_eq!(lacking(&desk), Ok(None), "retention has deleted what was before");
}

#[test]
fn a_store_behind_its_topic_is_not_what_is_published() {
    let (desk, ahead) = (said(2), said(3));
    for row in ahead.log() {
        desk.bus.put(Record::new("desk", row));
    }
    assert_eq!(lacking(&desk), Err(RepublishError::Behind("desk")));
}

#[test]
fn another_shop_s_topic_is_told_apart() {
    let desk = said(2);
    put(&desk, 1..=2);
    let other = runtime::LogRow { body: (*b"other").into(), ..(*desk.log()[0]).clone() };
    desk.bus.put(Record::new("desk", Arc::new(other)));
    assert!(matches!(lacking(&desk), Err(RepublishError::Other { event, .. }) if event == "7.0.1"));
}

#[test]
fn a_stopped_service_s_log_is_published_in_its_place() {
    let desk = said(5);
    put(&desk, [1, 2, 4]);
    desk.bus.script().progress = Published { until: Some(5), held_up: None };
    assert_eq!(job(&desk, &desk.bus), Ok(behind(2, 3)));
    assert_eq!(lacking(&desk), Ok(None));
    assert_eq!(desk.read.lead().unwrap().published, 5);
    assert_eq!(job(&desk, &desk.bus), Ok(None), "and once more there is nothing to do");
}

#[test]
fn beside_a_leader_that_knows_of_nothing_to_publish_it_is_refused() {
    let mut desk = said(5);
    put(&desk, [1, 2, 4]);
    // Given a leader that has noted that all is published,
    desk.bus.script().progress = Published { until: Some(5), held_up: None };
    desk.pass_time(2 * SECOND);
    desk.notes().led_by = Some("there".into());
    let refused = job(&desk, &desk.bus).unwrap_err();
    assert!(refused.to_string().contains("the process at there leads"), "{refused}");
    assert_eq!(lacking(&desk), Ok(behind(2, 3)), "nothing was published");
}

#[test]
fn every_generation_of_a_log_is_compared() {
    let desk = said(2);
    let mut store: MemoryStore = desk.memory().clone();
    let lead = store.begin_reign("here", 1).unwrap();
    let renewal = runtime::store::Renewal { generation: 9, epoch: 1, kinds: vec!["page.1".into(), "moves.1".into()] };
    store.renew(&runtime::store::Batch { lead, ..Default::default() }, &renewal).unwrap();
    let mut desk = desk.killed_and_started_again();
    desk.left(3, "a", Act::Note);
    desk.settle();
    assert_eq!(desk.log().len(), 3);
    put(&desk, [1, 3]);
    assert_eq!(lacking(&desk), Ok(behind(1, 2)), "the end of the first one");
    put(&desk, [2]);
    assert_eq!(lacking(&desk), Ok(None));
}
