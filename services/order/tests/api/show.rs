//! `GET /orders/{id}`.

use crate::shop::{Shop, request};
use runtime::Read;
use serde_json::{Value, json};
use shared_events::{
    DeclineReason, Money,
    inventory::StockReleased,
    payment::{PaymentFailed, PaymentRefunded},
    shipping::{ShipmentCancelled, ShipmentDelivered, ShipmentDispatched, ShipmentScheduled},
};
use std::{sync::Arc, time::Duration};

fn waits_for(order: &Value) -> (&str, &str) {
    let waiting = &order["waiting_for"];
    (waiting["service"].as_str().unwrap_or_default(), waiting["event"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn a_new_order_is_shown_with_what_it_waits_for() {
    let shop = Shop::open();
    let id = shop.placed("k-1", &request()).await;
    let order = shop.get(&format!("/orders/{id}")).await.body;
    let row = &shop.store.log_of(&id).unwrap()[0];
    let due = shop.store.work_of(&id).unwrap()[0].due;
    let expected = json!({ "order_id": id, "customer_id": "c-42", "state": "pending", "settled": false, "reason": null,
        "total": { "amount_minor": 2590, "currency": "EUR" },
        "lines": [{ "sku": "TEA-001", "quantity": 2, "unit_price_minor": 1295 }], "version": 1, "trace_id": id,
        "placed_at": order["placed_at"],
        "waiting_for": { "service": "shipping", "event": "ShipmentScheduled", "since": runtime::rfc3339(row.at),
            "until": runtime::rfc3339(due) } });
    assert_eq!(order, expected);
    assert_eq!(due - row.at, 900 * 1_000_000);
}

#[tokio::test]
async fn an_order_waits_for_the_next_step_until_it_is_completed() {
    let shop = Shop::open();
    let id = shop.placed("k-1", &request()).await;
    shop.said(ShipmentScheduled { order_id: id.clone(), label: "L-1".into(), carrier: "Swift".into() });
    let order = shop.until(&id, |order| order["state"] == "confirmed").await;
    assert_eq!((waits_for(&order), &order["waiting_for"]["until"]), (("shipping", "ShipmentDispatched"), &Value::Null));
    assert_eq!(shop.cancel(&id).await.status, 202);
    let order = shop.get(&format!("/orders/{id}")).await.body;
    assert_eq!((&order["state"], waits_for(&order)), (&"confirmed".into(), ("shipping", "ShipmentCancelled")));
    shop.said(ShipmentDispatched { order_id: id.clone() });
    let order = shop.until(&id, |order| order["version"] == 4).await;
    assert_eq!((&order["state"], waits_for(&order)), (&"confirmed".into(), ("shipping", "ShipmentDelivered")));
    shop.said(ShipmentDelivered { order_id: id.clone(), report_id: "r-1".into() });
    let order = shop.until(&id, |order| order["settled"] == true).await;
    assert_eq!((&order["state"], &order["waiting_for"]), (&"completed".into(), &Value::Null));
}

#[tokio::test]
async fn a_cancelled_order_waits_for_whoever_has_not_closed() {
    let shop = Shop::open();
    let id = shop.placed("k-1", &request()).await;
    shop.said(PaymentFailed { order_id: id.clone(), reason: DeclineReason::Declined });
    let order = shop.until(&id, |order| order["state"] == "cancelled").await;
    assert_eq!((&order["settled"], &order["reason"]), (&false.into(), &"payment_declined".into()));
    assert_eq!(waits_for(&order), ("inventory", "StockReleased"));
    shop.said(StockReleased { order_id: id.clone(), lines: vec![] });
    let order = shop.until(&id, |order| order["version"] == 3).await;
    assert_eq!(waits_for(&order), ("shipping", "ShipmentCancelled"));
    shop.said(ShipmentCancelled { order_id: id.clone() });
    let order = shop.until(&id, |order| order["settled"] == true).await;
    assert_eq!((&order["state"], &order["waiting_for"]), (&"cancelled".into(), &Value::Null));
}

#[tokio::test]
async fn money_that_must_go_back_is_waited_for() {
    let shop = Shop::open();
    let id = shop.placed("k-1", &request()).await;
    shop.cancel(&id).await;
    shop.said(StockReleased { order_id: id.clone(), lines: vec![] });
    let order = shop.until(&id, |order| order["version"] == 3).await;
    assert_eq!(waits_for(&order), ("payment", "PaymentRefunded"));
    let amount = Money { amount_minor: 2590, currency: "EUR".into() };
    shop.said(PaymentRefunded { order_id: id.clone(), amount });
    shop.until(&id, |order| waits_for(order) == ("shipping", "ShipmentCancelled")).await;
}

#[tokio::test]
async fn waiting_ends_when_the_order_gets_there() {
    let shop = Arc::new(Shop::open());
    let id = shop.placed("k-1", &request()).await;
    let waiting = {
        let (shop, uri) = (shop.clone(), format!("/orders/{id}?wait=confirmed&timeout_s=60"));
        tokio::spawn(async move { shop.get(&uri).await })
    };
    tokio::task::yield_now().await;
    shop.said(ShipmentScheduled { order_id: id.clone(), label: "L-1".into(), carrier: "Swift".into() });
    let answer = tokio::time::timeout(Duration::from_secs(10), waiting).await.unwrap().unwrap();
    assert_eq!((answer.status, &answer.body["state"]), (200, &"confirmed".into()));
}

#[tokio::test]
async fn waiting_for_a_confirmation_ends_when_there_will_be_none() {
    let shop = Shop::open();
    let id = shop.placed("k-1", &request()).await;
    shop.cancel(&id).await;
    let answer = shop.get(&format!("/orders/{id}?wait=confirmed&timeout_s=60")).await;
    assert_eq!((answer.status, &answer.body["state"]), (200, &"cancelled".into()));
}

#[tokio::test]
async fn after_the_timeout_the_order_is_shown_as_it_is() {
    let shop = Shop::open();
    let id = shop.placed("k-1", &request()).await;
    let answer = shop.get(&format!("/orders/{id}?wait=settled&timeout_s=0")).await;
    assert_eq!(
        (answer.status, &answer.body["state"], &answer.body["settled"]),
        (200, &"pending".into(), &false.into())
    );
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let shop = Shop::open();
    let id = shop.placed("k-1", &request()).await;
    let cases =
        [("timeout_s=61", "timeout_s"), ("timeout_s=-1", "timeout_s"), ("wait=shipped", "wait"), ("when=now", "when")];
    for (query, field) in cases {
        let answer = shop.get(&format!("/orders/{id}?{query}")).await;
        assert_eq!((answer.status, &answer.body["field"]), (400, &field.into()), "{query}: {}", answer.body);
    }
}

#[tokio::test]
async fn what_is_no_order_is_not_found() {
    let shop = Shop::open();
    let unknown = "0".repeat(32);
    for id in [unknown.as_str(), "x", "%00", "%2E%2E%2Fsecret", &"A".repeat(32), &"0".repeat(5000)] {
        let answer = shop.get(&format!("/orders/{id}?wait=settled")).await;
        assert_eq!((answer.status, &answer.body["reason"]), (404, &"unknown_order".into()), "{id}");
    }
    assert_eq!(shop.get("/orders/%ff").await.status, 400);
}
