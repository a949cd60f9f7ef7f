//! `POST /orders/{id}/cancellation`.

use crate::shop::{Shop, request};
use axum::http::Request;
use runtime::Read;
use serde_json::json;
use shared_events::shipping::{ShipmentDispatched, ShipmentScheduled};

#[tokio::test]
async fn a_pending_order_is_cancelled_once_however_often_it_is_asked() {
    let shop = Shop::open();
    let id = shop.placed("k-1", &request()).await;
    for _ in 0..3 {
        let answer = shop.cancel(&id).await;
        assert_eq!(
            (answer.status, &answer.body["state"], &answer.body["reason"]),
            (202, &"cancelled".into(), &"customer".into())
        );
    }
    assert_eq!(shop.store.log_of(&id).unwrap().len(), 2);
}

#[tokio::test]
async fn once_the_parcel_is_known_to_be_out_it_is_too_late() {
    let shop = Shop::open();
    let id = shop.placed("k-1", &request()).await;
    shop.said(ShipmentScheduled { order_id: id.clone(), label: "L-1".into(), carrier: "Swift".into() });
    shop.until(&id, |order| order["state"] == "confirmed").await;
    shop.said(ShipmentDispatched { order_id: id.clone() });
    shop.until(&id, |order| order["version"] == 3).await;
    let answer = shop.cancel(&id).await;
    assert_eq!((answer.status, &answer.body["reason"]), (409, &"already_dispatched".into()));
}

#[tokio::test]
async fn what_was_never_placed_cannot_be_cancelled() {
    let shop = Shop::open();
    for id in ["0".repeat(32), "x".into()] {
        let answer = shop.cancel(&id).await;
        assert_eq!((answer.status, &answer.body["reason"]), (404, &"unknown_order".into()));
    }
    assert_eq!(shop.handle.status().await.unwrap().head, 0);
}

#[tokio::test]
async fn a_reason_is_taken_within_its_bound_and_not_stored() {
    let shop = Shop::open();
    let id = shop.placed("k-1", &request()).await;
    let ask = || Request::post(format!("/orders/{id}/cancellation")).header("content-type", "application/json");
    for (body, field) in [
        (json!({ "reason": "x".repeat(501) }), "reason"),
        (json!({ "why": "x" }), "why"),
        (json!({ "reason": 7 }), "reason"),
    ] {
        let answer = shop.send(ask(), body.to_string()).await;
        assert_eq!((answer.status, &answer.body["field"]), (400, &field.into()), "{}", answer.body);
    }
    assert_eq!(shop.send(ask(), json!({ "reason": "my address was wrong" }).to_string()).await.status, 202);
    for row in shop.store.log_of(&id).unwrap() {
        assert!(!String::from_utf8_lossy(&row.body).contains("my address"), "{}", row.name);
    }
}
