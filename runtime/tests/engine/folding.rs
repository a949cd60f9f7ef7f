//! A kind of state that a build keeps for the first time, or again, is folded from the log, each event once.

use crate::support::{
    desk::{Desk, assert_folds, on_both_stores},
    service::{self, Act, Event, Page},
};
use choreography::{Key, Service, State, Stored};
use serde::{Deserialize, Serialize};

/// Events about a key, counted by a kind of state that only a newer build keeps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    pub events: u64,
}

impl Stored for Tally {
    fn encode(&self) -> Result<Vec<u8>, String> {
        serde_json::to_vec(self).map_err(|e| e.to_string())
    }
    fn decode(_: u16, bytes: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(bytes).map_err(|e| e.to_string())
    }
}

impl State for Tally {
    type Topic = Event;
    const KIND: &'static str = "tally";
    fn keys(event: &Event) -> Vec<Key> {
        vec![choreography::Topic::key(event).to_owned()]
    }
    fn evolve(&mut self, _: &str, _: &Event) {
        self.events += 1;
    }
}

pub fn newer() -> Service<Event> {
    service::service().keeps::<Tally>()
}

/// More events than are folded in one transaction, over a few keys.
fn busy(desk: &mut Desk, seqs: std::ops::RangeInclusive<u64>) {
    seqs.for_each(|seq| desk.left(seq, ["a", "b", "c"][seq as usize % 3], Act::Note));
    desk.settle();
}

#[test]
fn a_new_kind_is_folded_from_the_log_when_a_build_first_keeps_it() {
    on_both_stores(|mut desk| {
        busy(&mut desk, 1..=5000);
        let mut desk = desk.followed_by(newer);
        desk.settle();
        assert_folds::<Tally>(&desk);
        busy(&mut desk, 5001..=5010);
        assert_folds::<Tally>(&desk);
        assert_folds::<Page>(&desk);
    });
}

#[test]
fn a_kind_that_a_build_did_not_keep_in_between_is_folded_on_without_counting_twice() {
    on_both_stores(|mut desk| {
        busy(&mut desk, 1..=10);
        let mut desk = desk.followed_by(newer);
        busy(&mut desk, 11..=20);
        let mut desk = desk.followed_by(service::service);
        busy(&mut desk, 21..=30);
        let mut desk = desk.followed_by(newer);
        desk.settle();
        assert_folds::<Tally>(&desk);
    });
}
