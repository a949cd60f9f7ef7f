//! The suite that every bus passes.

use crate::cluster::corner;
use runtime::{
    bus::{Bell, Bus, kafka::KafkaBus},
    conformance::{self, Wire},
    store::MemoryStore,
};
use std::sync::Arc;

fn wire() -> Option<Wire> {
    let corner = corner(&["left", "desk"])?;
    let store = MemoryStore::new(1_700_000_000_000);
    let log = Arc::new(store.clone());
    let speaker = KafkaBus::connect(&corner, "left", &[], log.clone(), &Arc::default()).unwrap();
    let listener = move || {
        let bell = Arc::new(Bell::default());
        let nothing = Arc::new(MemoryStore::new(1));
        let bus: Box<dyn Bus> = Box::new(KafkaBus::connect(&corner, "desk", &["left"], nothing, &bell).unwrap());
        (bus, bell)
    };
    Some(Wire { source: "left", store: Box::new(store), speaker: Box::new(speaker), listener: Box::new(listener) })
}

#[test]
fn the_bus_on_kafka_conforms() {
    if wire().is_some() {
        conformance::bus(|| wire().unwrap()).unwrap();
    }
}
