//! `Idempotency-Key`: one key of a customer is one order, whatever happens.

use crate::{
    request::{order, tea, with},
    shop::Shop,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread")]
async fn another_body_under_a_used_key_is_refused_and_changes_nothing() {
    let shop = Shop::open(&[]).await;
    let client = &shop.client;
    let id = client.placed("k-1", &tea("c-1")).await;
    let others = [
        with(tea("c-1"), "/lines/0/quantity", 3),
        with(tea("c-1"), "/lines/0/sku", "TEA-002"),
        with(tea("c-1"), "/email", "b@example.com"),
        with(tea("c-1"), "/phone", Value::Null),
        with(tea("c-1"), "/payment_token", "tok_slow"),
        with(tea("c-1"), "/shipping_address/city", "Bern"),
    ];

    // When the order is new, and when it is over.
    for settled in [false, true] {
        for other in &others {
            let problem = client.place("k-1", other).await.problem(422);
            assert_eq!(problem["reason"], "idempotency_key_reused", "{problem}");
        }
        if !settled {
            client.settled(&id).await;
        }
    }
    let order = client.order(&id).await;
    assert_eq!((&order["state"], &order["lines"][0]["quantity"]), (&json!("completed"), &json!(2)), "{order}");
    assert_eq!(client.all("/orders", "items").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_written_otherwise_is_the_same() {
    let shop = Shop::open(&[]).await;
    let id = shop.client.placed("k-1", &tea("c-1")).await;
    let text = serde_json::to_string_pretty(&tea("c-1")).unwrap();
    let mut members: Vec<(String, Value)> = tea("c-1").as_object().unwrap().clone().into_iter().collect();
    members.reverse();
    let reversed: Vec<String> = members.iter().map(|(name, value)| format!("{name:?}: {value}")).collect();
    for body in [text, format!("  {{ {} }}\n", reversed.join(" , "))] {
        let request = shop.client.request(reqwest::Method::POST, "/orders").header("Idempotency-Key", "k-1");
        let request = request.header("Content-Type", "application/json; charset=utf-8").body(body);
        assert_eq!(shop.client.send(request).await.expect(202)["order_id"], id.as_str());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_belongs_to_its_customer() {
    let shop = Shop::open(&[]).await;
    let (ada, bob) = (shop.client.placed("k-1", &tea("ada")).await, shop.client.placed("k-1", &tea("bob")).await);
    assert_ne!(ada, bob);
    assert_eq!(shop.client.all("/orders?customer_id=bob", "items").await[0]["order_id"], bob.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_identical_requests_at_once_make_one_order() {
    let shop = Shop::open(&[]).await;
    let request = order("c-1", &[("TEA-001", 1)], "tok_ok");
    let mut requests = JoinSet::new();
    for _ in 0..50 {
        let (client, request) = (shop.client.clone(), request.clone());
        requests.spawn(async move { client.placed("the-key", &request).await });
    }
    let ids: BTreeSet<String> = requests.join_all().await.into_iter().collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    let id = ids.first().unwrap();

    shop.client.settled(id).await;
    shop.client.said(id, "StockDeducted").await;
    assert_eq!(shop.client.all("/orders", "items").await.len(), 1);
    assert_eq!(shop.client.all("/gateway/ledger", "entries").await.len(), 1);
    assert_eq!(shop.client.stock("TEA-001").await["on_hand"], 999_999);
}
