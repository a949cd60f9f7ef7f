//! The carrier's port.

use crate::served::{PATIENCE, Served, until};
use serde_json::json;
use shipping::carrier::{
    conformance,
    http::{CARRIER_URL, HttpCarrier},
};
use world::carrier::Step;

async fn not_coming() -> Served {
    Served::new(json!({"carrier": {"collects": false, "pick_up_ms": 0, "transit_ms": 3_600_000}})).await
}

/// Lets the carrier come, and waits until it has collected this order's parcel.
async fn collect(served: &Served, order_id: String) {
    served.world.set(&json!({"carrier": {"collects": true}})).unwrap();
    until("a parcel that is out", || async {
        let parcels = served.world.carrier.parcels(Some(&order_id), 0, 1).await.unwrap();
        parcels.into_iter().find(|parcel| parcel.step == Step::Out)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_simulator_in_this_process_passes_the_suite() {
    let served = not_coming().await;
    conformance::carrier(&served.world.carrier, "in-process", async |order_id| collect(&served, order_id).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn client_and_server_pass_the_suite() {
    let served = not_coming().await;
    let client = HttpCarrier::new(served.url(CARRIER_URL, "carrier"), PATIENCE).unwrap();
    conformance::carrier(&client, "over-http", async |order_id| collect(&served, order_id).await).await;
}
