//! The second start: ready quickly, and whatever was in flight goes on, under the deadlines it had.

use crate::{request::tea, shop::Shop, verified};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn orders_in_flight_go_on_after_a_kill() {
    // Given orders that wait for the carrier, and orders that wait for the gateway.
    let mut shop = Shop::open(&["--world=carrier.collects=false"]).await;
    let mut ids: Vec<String> = vec![];
    for number in 0..20 {
        if number == 10 {
            for id in &ids {
                shop.client.order_when(id, |order: &Value| order["state"] == "confirmed").await;
            }
            shop.client.world(&json!({ "gateway": { "fail": 1 } })).await;
        }
        ids.push(shop.client.placed(&format!("k-{number}"), &tea("ada")).await);
    }
    shop.client.said(&ids[19], "PaymentRequested").await;

    // When the shop is killed and started again while the world is as broken as it was.
    shop.kill().await;
    let began = Instant::now();
    shop.start_with(&["--world=carrier.collects=false", "--world=gateway.fail=1"]).await;
    let took = began.elapsed();
    println!("ready {took:?} after the second start");
    // A debug build on a busy machine proves nothing about speed, but it proves that nothing is waited for.
    let bound = if cfg!(debug_assertions) { 10 } else { 1 };
    assert!(took < Duration::from_secs(bound), "ready only after {took:?}");
    shop.client.get("/health/ready").await.expect(200);
    for (number, id) in ids.iter().enumerate() {
        assert_eq!(shop.client.order(id).await["state"], if number < 10 { "confirmed" } else { "pending" });
    }

    // Then they all go on once the world is mended.
    shop.client.world(&json!({ "carrier": { "collects": true, "transit_ms": 10 }, "gateway": { "fail": 0 } })).await;
    for id in &ids {
        assert_eq!(shop.client.settled(id).await["state"], "completed");
    }
    assert_eq!(shop.client.all("/gateway/ledger", "entries").await.len(), 20);
    verified::verify(&mut shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deadlines_survive_a_restart() {
    // Given an order that has a few seconds to be confirmed, and one whose parcel has a few seconds to be collected.
    let mut shop = Shop::open(&["--order-deadline=5s", "--pick-up=5s", "--world=carrier.collects=false"]).await;
    let uncollected = shop.client.placed("k-1", &tea("ada")).await;
    shop.client.order_when(&uncollected, |order| order["state"] == "confirmed").await;
    shop.client.world(&json!({ "gateway": { "fail": 1 } })).await;
    let unpaid = shop.client.placed("k-2", &tea("ada")).await;
    let until = shop.client.order(&unpaid).await["waiting_for"]["until"].clone();

    // When the shop is killed, and started again with far longer deadlines for orders to come.
    shop.kill().await;
    shop.start_with(&[
        "--order-deadline=1h",
        "--pick-up=1h",
        "--world=carrier.collects=false",
        "--world=gateway.fail=1",
    ])
    .await;

    // Then they are held to their own.
    let order = shop.client.order_when(&unpaid, |order| order["state"] == "cancelled").await;
    assert_eq!(order["reason"], "deadline", "{order}");
    let events = shop.client.events(&unpaid).await;
    let cancelled = events.iter().find(|event| event["type"] == "OrderCancelled").unwrap();
    assert!(cancelled["at"].as_str() >= until.as_str(), "before its deadline {until}: {cancelled}");
    shop.client.world(&json!({ "gateway": { "fail": 0 } })).await;
    assert_eq!(shop.client.settled(&uncollected).await["reason"], "no_carrier");
    shop.client.settled(&unpaid).await;
    verified::verify(&mut shop).await;
}
