//! Everything that a service keeps, to be held against what it keeps later.

use choreography::Topic;
use runtime::{LogRow, ParkedRow, Position, Read, store::Counts};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// More rows than any test makes.
const ALL: usize = 1_000_000;

/// A service's log, its states by kind and key with how many events each has folded, and what it has set aside.
#[derive(Debug, PartialEq)]
pub struct Kept {
    pub log: Vec<Arc<LogRow>>,
    pub states: BTreeMap<(String, String), (u64, Vec<u8>)>,
    pub parked: Vec<ParkedRow>,
}

impl Kept {
    /// What this service keeps now.
    pub fn of(service: &str, store: &dyn Read) -> Kept {
        let mut states = BTreeMap::new();
        for kind in kinds(service) {
            for row in store.scan(&kind, "", None, ALL).unwrap() {
                states.insert((kind.clone(), row.key), (row.version, row.body));
            }
        }
        let log = store.log_after(0, Position::default(), ALL).unwrap();
        Kept { log, states, parked: store.parked_after(0, ALL).unwrap() }
    }
}

/// The names of the kinds of states in the service's store.
fn kinds(service: &str) -> Vec<String> {
    fn of<T: Topic>(service: &choreography::Service<T>) -> Vec<String> {
        service.kinds().iter().map(|kind| kind.stored_as.clone()).collect()
    }
    match service {
        "order" => of(&order::service()),
        "inventory" => of(&inventory::service()),
        "payment" => of(&payment::service()),
        "shipping" => of(&shipping::service(Duration::ZERO)),
        _ => of(&email::service()),
    }
}

/// Nothing is asked of the world or the clock that is not answered, and nothing is set aside.
pub fn is_idle(store: &dyn Read) -> bool {
    let Counts { work, parked, .. } = store.counts().unwrap();
    work == 0 && parked == 0
}
