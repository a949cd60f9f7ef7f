//! At a bound: 503 with Retry-After, nothing half accepted, and everything accepted goes on.

use crate::{request::tea, shop::Shop, wait::until};
use reqwest::Method;
use rusqlite::Connection;
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_at_once_are_accepted_or_asked_to_come_back() {
    let shop = Shop::open(&["--world=carrier.transit_ms=10", "--world=carrier.pick_up_ms=10"]).await;
    let mut requests = JoinSet::new();
    for number in 0..400 {
        let client = shop.client.clone();
        requests.spawn(async move { client.place(&format!("k-{number}"), &tea(&format!("c-{number}"))).await });
    }
    let mut ids = vec![];
    for answer in requests.join_all().await {
        if answer.status == 503 {
            answer.problem(503);
        } else {
            ids.push(answer.expect(202)["order_id"].as_str().unwrap().to_owned());
        }
    }
    assert!(!ids.is_empty());
    for id in &ids {
        assert_eq!(shop.client.settled(id).await["state"], "completed");
    }
    assert_eq!(shop.client.all("/orders", "items").await.len(), ids.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_turns_away_and_keeps_nothing() {
    // Given a shop whose order service cannot write, because somebody holds its file.
    let shop = Shop::open(&["--world=carrier.transit_ms=10", "--world=carrier.pick_up_ms=10"]).await;
    let client = &shop.client;
    let first = client.placed("k-first", &tea("ada")).await;
    client.settled(&first).await;
    let file = Connection::open(shop.data().join("order.db")).unwrap();
    file.busy_timeout(Duration::from_secs(30)).unwrap();
    file.execute_batch("BEGIN IMMEDIATE").unwrap();

    // When so many requests wait that no more may.
    fill_the_queue(&shop).await;

    // Then new orders are turned away at once; whatever needs no writing there goes on.
    for number in 0..20 {
        client.place(&format!("k-late-{number}"), &tea("late")).await.problem(503);
    }
    assert_eq!(client.order(&first).await["state"], "completed");
    client.post("/stock/TIN-001/replenishments", Some("d-1"), &json!({ "quantity": 1 })).await.expect(202);
    until("the shop says that it is not ready", || not_ready(&shop)).await;

    // And when the file is free again, it is ready, none of those turned away exists, and a second try is accepted.
    file.execute_batch("ROLLBACK").unwrap();
    until("the shop is ready again", || async { (client.get("/health/ready").await.status == 200).then_some(()) })
        .await;
    client.insist("/orders", Some("k-first"), &tea("ada")).await.expect(202);
    assert_eq!(client.all("/orders?customer_id=late", "items").await.len(), 0);
    for number in 0..20 {
        let again = client.insist("/orders", Some(&format!("k-late-{number}")), &tea("late")).await.expect(202);
        assert_eq!(client.settled(again["order_id"].as_str().unwrap()).await["state"], "completed");
    }
    assert_eq!(client.all("/orders", "items").await.len(), 21);
    assert_eq!(client.all("/gateway/ledger", "entries").await.len(), 21);
}

async fn not_ready(shop: &Shop) -> Option<()> {
    let answer = shop.client.get("/health/ready").await;
    let told: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    let order = told["services"].as_array()?.iter().find(|service| service["service"] == "order")?;
    (answer.status == 503 && order["why"].as_str().is_some_and(|why| !why.is_empty())).then_some(())
}

/// Sends the same order again and again, and hangs up without waiting for the answer, until one is turned away. What
/// was sent waits in the queue all the same, and is harmless.
async fn fill_the_queue(shop: &Shop) {
    let full = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    for _ in 0..128 {
        let (client, full) = (shop.client.clone(), full.clone());
        tasks.spawn(async move {
            while !full.load(Ordering::Relaxed) {
                let request =
                    client.request(Method::POST, "/orders").header("Idempotency-Key", "k-first").json(&tea("ada"));
                // An error is our own hanging up.
                if let Ok(answer) = client.try_send(request.timeout(Duration::from_millis(100))).await {
                    answer.problem(503);
                    full.store(true, Ordering::Relaxed);
                }
            }
        });
    }
    tokio::time::timeout(crate::wait::PATIENCE, tasks.join_all()).await.unwrap();
}
