//! While services are replaced one after the other, old and new builds speak at once: events of an older schema version
//! lie on the topic among newer ones, and the new build takes each for what it is.

use crate::{site::Site, wait::until};
use runtime::{
    LogRow,
    bus::{
        Beginning, Bell, Bus,
        kafka::{KafkaBus, Settings},
    },
    store::{Batch, MemoryStore, Store},
};
use serde_json::Value;
use std::sync::Arc;

const GENERATION: i64 = 1_700_000_000_000;
/// The golden bytes are of this order.
const GOLDEN_ORDER: &[u8] = b"5f0c1d";

/// `OrderPlaced` about an order, as a build wrote it that knew no later version.
fn placed(seq: u64, order_id: &str, version: u16) -> Arc<LogRow> {
    let golden = match version {
        1 => include_str!("../../../schemas/order/OrderPlaced.v1.golden.json"),
        _ => include_str!("../../../schemas/order/OrderPlaced.v2.golden.json"),
    };
    let golden: Value = serde_json::from_str(golden).unwrap();
    let hex = golden["datum"].as_str().unwrap();
    let mut datum: Vec<u8> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
    let at = datum.windows(GOLDEN_ORDER.len()).position(|bytes| bytes == GOLDEN_ORDER).unwrap();
    datum[at..at + GOLDEN_ORDER.len()].copy_from_slice(order_id.as_bytes());
    Arc::new(LogRow {
        lane: 0,
        generation: GENERATION,
        seq,
        key: order_id.to_owned(),
        name: "OrderPlaced".into(),
        schema: version,
        body: datum.into(),
        cause: "command PlaceOrder".into(),
        trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into(),
        epoch: 1,
        at: 1_700_000_000_000_000 + seq.cast_signed(),
    })
}

/// Publishes these as the order service would.
async fn publish(settings: Settings, rows: Vec<Arc<LogRow>>) {
    let last = rows.last().unwrap().seq;
    let mut bus = tokio::task::spawn_blocking(move || begin(&settings, rows)).await.unwrap();
    until("all rows are published", || {
        let published = bus.published().until;
        async move { (published == Some(last)).then_some(()) }
    })
    .await;
}

/// A bus whose log holds these rows and whose topic lacks them. Calls block.
fn begin(settings: &Settings, rows: Vec<Arc<LogRow>>) -> KafkaBus {
    let mut store = MemoryStore::new(GENERATION);
    let lead = store.begin_reign("an older build", 1).unwrap();
    let head = rows.last().unwrap().position();
    store.commit(&Batch { lead, log: rows, ..Batch::default() }).unwrap();
    let mut bus = KafkaBus::connect(settings, "order", &[], Arc::new(store), &Arc::<Bell>::default()).unwrap();
    bus.begin(&Beginning { head, published: 0, cursors: vec![] }).unwrap();
    bus
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_an_older_version_among_newer_ones_are_read_for_what_they_are() {
    let Some(mut site) = Site::new(&[]).await else { return };
    site.process("inventory").start();
    site["inventory"].ready().await;
    let orders = ["5f0c1a", "5f0c1b", "5f0c1c", "5f0c1e"];
    let rows = orders.iter().zip([1, 2, 1, 2]).zip(1..).map(|((id, version), seq)| placed(seq, id, version)).collect();
    publish(site.servers.kafka.clone(), rows).await;
    for id in orders {
        let admin = &site["inventory"].admin;
        let said = until(&format!("inventory says something about {id}"), || async {
            admin.read(&format!("/log/{id}")).await["items"].get(0).cloned()
        })
        .await;
        let cause = said["causation_id"].as_str().unwrap();
        assert!(cause.starts_with(&format!("order/{GENERATION}.0.")), "{said}");
    }
    let status = site["inventory"].status().await;
    assert_eq!(status["parked"], 0, "{status}");
}
