//! `POST /orders`, `GET /orders/{id}`, its events and its cancellation, field by field.

use crate::{
    request::{has_exactly, is_id, is_instant, order, tea, with},
    shop::Shop,
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const ORDER: &[&str] = &[
    "order_id",
    "customer_id",
    "state",
    "settled",
    "reason",
    "total",
    "lines",
    "version",
    "trace_id",
    "placed_at",
    "waiting_for",
];

/// Whatever state it is in, an order has this shape.
fn is_order(shown: &Value, id: &str, state: &str, settled: bool) {
    has_exactly(shown, ORDER);
    assert_eq!((&shown["order_id"], &shown["trace_id"]), (&json!(id), &json!(id)), "{shown}");
    assert_eq!((&shown["state"], &shown["settled"]), (&json!(state), &json!(settled)), "{shown}");
    assert_eq!(shown["customer_id"], "c-42");
    assert_eq!(shown["total"], json!({ "amount_minor": 3440, "currency": "EUR" }));
    let line = |sku: &str, n: i64, price: i64| json!({ "sku": sku, "quantity": n, "unit_price_minor": price });
    assert_eq!(shown["lines"], json!([line("TEA-001", 2, 1295), line("CUP-001", 1, 850)]));
    assert!(is_instant(&shown["placed_at"]) && shown["version"].as_u64().unwrap() > 0, "{shown}");
    assert_eq!(shown["waiting_for"].is_null(), settled, "{shown}");
    assert_eq!(shown["reason"].is_null(), state != "cancelled", "{shown}");
}

fn waits_for(shown: &Value, event: &str, bounded: bool) {
    let waiting = &shown["waiting_for"];
    has_exactly(waiting, &["service", "event", "since", "until"]);
    assert_eq!((&waiting["service"], &waiting["event"]), (&json!("shipping"), &json!(event)), "{shown}");
    assert!(is_instant(&waiting["since"]) && waiting["until"].is_null() != bounded, "{shown}");
    assert!(!bounded || waiting["since"].as_str() < waiting["until"].as_str(), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_has_its_shape_in_every_state_and_a_repeated_request_its_answer() {
    let shop = Shop::open(&["--world=gateway.fail=1", "--world=carrier.collects=false"]).await;
    let client = &shop.client;
    let request = order("c-42", &[("TEA-001", 2), ("CUP-001", 1)], "tok_ok");

    // Given an order placed while the gateway is down.
    let placed = client.place("k-1", &request).await;
    let accepted = placed.expect(202);
    has_exactly(&accepted, &["order_id", "state", "trace_id"]);
    let id = accepted["order_id"].as_str().unwrap();
    assert!(is_id(&accepted["order_id"]) && accepted["trace_id"] == id && accepted["state"] == "pending");
    assert_eq!(placed.header("location"), format!("/orders/{id}"));
    let again = || async { assert_eq!(client.place("k-1", &request).await.expect(202), accepted) };

    // Then it is pending, and waits until its deadline.
    let pending = client.order(id).await;
    is_order(&pending, id, "pending", false);
    waits_for(&pending, "ShipmentScheduled", true);
    again().await;

    // When the gateway is back, it is confirmed, and waits for the carrier.
    client.world(&json!({ "gateway": { "fail": 0 } })).await;
    let confirmed = client.read(&format!("/orders/{id}?wait=confirmed&timeout_s=60")).await;
    is_order(&confirmed, id, "confirmed", false);
    waits_for(&confirmed, "ShipmentDispatched", false);
    again().await;

    // When the carrier comes, it is on its way, then completed, and waits for nothing.
    client.world(&json!({ "carrier": { "collects": true, "transit_ms": 300 } })).await;
    client.said(id, "OrderDispatched").await;
    again().await;
    is_order(&client.settled(id).await, id, "completed", true);
    again().await;
    assert_eq!(client.all("/orders", "items").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_says_when_who_what_and_why() {
    // Given an order that is over.
    let shop = Shop::open(&["--world=carrier.transit_ms=50", "--world=carrier.pick_up_ms=10"]).await;
    let id = shop.client.placed("k-1", &tea("c-1")).await;
    shop.client.settled(&id).await;
    shop.client.said(&id, "StockDeducted").await;

    // Then its timeline has all services in it, each event whole.
    let timeline = shop.client.read(&format!("/orders/{id}/events")).await;
    assert!(timeline["open"].is_array());
    let events = timeline["items"].as_array().unwrap();
    for event in events {
        let members = ["at", "service", "type", "key", "version", "id", "causation_id", "trace_id", "data"];
        has_exactly(event, &members);
        assert!(is_instant(&event["at"]) && event["key"] == id.as_str() && event["data"].is_object(), "{event}");
        assert!(event["data"].get("sealed").is_none_or(|sealed| sealed == "sealed"), "{event}");
    }
    for service in ["order", "inventory", "payment", "shipping", "email"] {
        let own: Vec<&Value> = events.iter().filter(|event| event["service"] == service).collect();
        let versions: Vec<u64> = own.iter().map(|event| event["version"].as_u64().unwrap()).collect();
        assert_eq!(versions, (1..=own.len() as u64).collect::<Vec<_>>(), "{service}");
        assert!(!own.is_empty(), "{service} said nothing");
    }
    assert_eq!(events[0]["type"], "OrderPlaced");
    assert_eq!(events[0]["causation_id"], "command PlaceOrder");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_ends_when_it_is_so_or_when_its_time_is_up() {
    let shop = Shop::open(&["--world=carrier.collects=false"]).await;
    let id = shop.client.placed("k-1", &tea("c-1")).await;

    // When somebody waits for what does not happen, the order comes as it is, after the time that was named.
    let began = Instant::now();
    let order = shop.client.read(&format!("/orders/{id}?wait=settled&timeout_s=1")).await;
    assert!(began.elapsed() >= Duration::from_secs(1) && order["settled"] == false, "{order}");

    // When it happens while somebody waits, the answer comes at once.
    let waiting = tokio::spawn({
        let (client, path) = (shop.client.clone(), format!("/orders/{id}?wait=settled&timeout_s=60"));
        async move { client.read(&path).await }
    });
    shop.client.cancel(&id).await.expect(202);
    let order = tokio::time::timeout(Duration::from_secs(45), waiting).await.unwrap().unwrap();
    assert_eq!((&order["settled"], &order["reason"]), (&json!(true), &json!("customer")), "{order}");

    // When it is so already, nobody waits; and a cancelled order will never be confirmed.
    for wait in ["wait=confirmed&timeout_s=60", "wait=settled&timeout_s=60", "timeout_s=60", "wait=settled&timeout_s=0"]
    {
        let began = Instant::now();
        shop.client.read(&format!("/orders/{id}?{wait}")).await;
        assert!(began.elapsed() < Duration::from_secs(45), "{wait}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_is_accepted_until_the_parcel_is_out() {
    let shop = Shop::open(&["--world=gateway.fail=1", "--world=carrier.transit_ms=60000"]).await;
    let client = &shop.client;

    // Given a pending order: its cancellation is accepted, also again and again, also without a body.
    let id = client.placed("k-1", &tea("c-1")).await;
    let answer = client.cancel(&id).await.expect(202);
    assert_eq!(
        (&answer["order_id"], &answer["state"], &answer["reason"]),
        (&json!(id), &json!("cancelled"), &json!("customer"))
    );
    client.cancel(&id).await.expect(202);
    let empty = client.request(reqwest::Method::POST, &format!("/orders/{id}/cancellation"));
    client.send(empty).await.expect(202);
    client.world(&json!({ "gateway": { "fail": 0 } })).await;
    client.settled(&id).await;
    client.cancel(&id).await.expect(202);
    let events = client.events(&id).await;
    assert_eq!(events.iter().filter(|event| event["type"] == "OrderCancelled").count(), 1, "{events:#?}");

    // Given an order that is on its way: it is too late, and the problem says why.
    let late = client.placed("k-2", &tea("c-1")).await;
    client.said(&late, "OrderDispatched").await;
    for _ in 0..2 {
        let problem = client.cancel(&late).await.problem(409);
        assert_eq!(problem["reason"], "already_dispatched", "{problem}");
    }

    // Given an order that is nowhere.
    let problem = client.cancel("00000000000000000000000000000000").await.problem(404);
    assert_eq!(problem["reason"], "unknown_order", "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_are_the_shops() {
    let shop = Shop::open(&[]).await;
    let mut request = order("c-1", &[("TEA-001", 1)], "tok_ok");
    request["lines"][0]["unit_price_minor"] = json!(1);
    let problem = shop.client.place("k-1", &request).await.problem(400);
    assert_eq!(problem["field"], "lines[0].unit_price_minor");

    let twice = order("c-1", &[("TEA-001", 1), ("TEA-001", 3)], "tok_ok");
    let id = shop.client.placed("k-2", &with(twice, "/phone", Value::Null)).await;
    assert_eq!(shop.client.order(&id).await["total"]["amount_minor"], 4 * 1295);
}
