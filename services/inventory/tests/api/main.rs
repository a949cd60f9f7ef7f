//! The HTTP API of the inventory service, on the real engine over a store in memory.

#![allow(clippy::unwrap_used, reason = "where a test cannot go on, it has failed")]

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request},
};
use inventory::api::{InventoryApi, router};
use runtime::{
    Engine, Handle, Parts, Read, Shared, SystemClock,
    bus::LogHub,
    host::{self, Running},
    store::MemoryStore,
};
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt;

struct Shop {
    store: MemoryStore,
    handle: Handle,
    running: Option<Running>,
}

/// Opens the inventory service; its neighbours never say anything.
fn open() -> Shop {
    let (store, mut hub) = (MemoryStore::new(1), LogHub::default());
    hub.add("inventory", Arc::new(store.clone()));
    ["order", "shipping"].into_iter().for_each(|name| hub.add(name, Arc::new(MemoryStore::new(1))));
    let (hub, shared) = (Arc::new(hub), Shared::new("inventory", Arc::new(store.clone())));
    let service = inventory::service();
    let bus = Box::new(hub.connect("inventory", &service.sources(), shared.intake.bell()));
    let engine = Engine::new(Parts {
        service,
        store: Box::new(store.clone()),
        bus,
        performers: vec![],
        clock: Arc::new(SystemClock),
        shared: shared.clone(),
        owner: "test".into(),
        build: 1,
    });
    let (ended, _) = tokio::sync::mpsc::unbounded_channel();
    let running = Some(host::start(engine.unwrap(), ended).unwrap());
    Shop { store, handle: Handle::new(shared), running }
}

impl Drop for Shop {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().unwrap();
        }
    }
}

impl Shop {
    fn api(&self) -> InventoryApi {
        InventoryApi::new(self.handle.clone(), ["TEA-001", "TEA-002"].map(str::to_owned))
    }

    fn routes(&self) -> Router {
        runtime::http::finish(router(self.api()).split_for_parts().0)
    }

    async fn send(&self, request: Request<Body>) -> (u16, HeaderMap, Value) {
        let response = self.routes().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        (parts.status.as_u16(), parts.headers, serde_json::from_slice(&body).unwrap())
    }

    async fn stock(&self) -> Value {
        let (status, _, body) = self.send(Request::get("/stock").body(Body::empty()).unwrap()).await;
        assert_eq!(status, 200);
        body
    }

    async fn replenish(&self, sku: &str, key: &str, body: Value) -> (u16, Value) {
        let request = Request::post(format!("/stock/{sku}/replenishments"))
            .header("content-type", "application/json")
            .header("idempotency-key", key)
            .body(Body::from(body.to_string()));
        let (status, headers, body) = self.send(request.unwrap()).await;
        assert!(status < 400 || headers["content-type"] == "application/problem+json");
        (status, body)
    }
}

#[tokio::test]
async fn a_delivery_is_booked_in_and_shown() {
    let shop = open();
    assert_eq!(shop.stock().await, json!({ "items": [] }));
    let stock = json!({ "sku": "TEA-001", "on_hand": 10, "reserved": 0, "available": 10, "replenished": 10 });
    assert_eq!(shop.replenish("TEA-001", "d-1", json!({ "quantity": 10 })).await, (202, stock.clone()));
    assert_eq!(shop.stock().await, json!({ "items": [stock] }));
}

#[tokio::test]
async fn a_delivery_is_booked_in_once() {
    let shop = open();
    for _ in 0..3 {
        let (status, stock) = shop.replenish("TEA-001", "d-1", json!({ "quantity": 10 })).await;
        assert_eq!((status, &stock["on_hand"]), (202, &10.into()));
    }
    let (status, stock) = shop.replenish("TEA-001", "d-2", json!({ "quantity": 5 })).await;
    assert_eq!((status, &stock["on_hand"]), (202, &15.into()));
    assert_eq!(shop.store.log_of("TEA-001").unwrap().len(), 2);
}

#[tokio::test]
async fn a_key_stands_for_one_delivery() {
    let shop = open();
    shop.replenish("TEA-001", "d-1", json!({ "quantity": 10 })).await;
    for (sku, quantity) in [("TEA-001", 11), ("TEA-002", 10)] {
        let (status, problem) = shop.replenish(sku, "d-1", json!({ "quantity": quantity })).await;
        assert_eq!((status, &problem["reason"]), (422, &"idempotency_key_reused".into()));
    }
    assert_eq!(shop.stock().await["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_not_sold_cannot_be_delivered() {
    let shop = open();
    for sku in ["TEA-999", "tea-001", "%00", &"x".repeat(5000)] {
        let (status, problem) = shop.replenish(sku, "d-1", json!({ "quantity": 10 })).await;
        assert_eq!((status, &problem["reason"]), (404, &"unknown_sku".into()));
    }
}

#[tokio::test]
async fn what_does_not_fit_is_named_and_leaves_nothing() {
    let shop = open();
    let cases = [
        (json!({ "quantity": 0 }), "quantity"),
        (json!({ "quantity": -1 }), "quantity"),
        (json!({ "quantity": 1_000_001 }), "quantity"),
        (json!({ "quantity": "10" }), "quantity"),
        (json!({}), "quantity"),
        (json!({ "quantity": 1, "sku": "TEA-001" }), "sku"),
    ];
    for (body, field) in cases {
        let (status, problem) = shop.replenish("TEA-001", "d-1", body).await;
        assert_eq!((status, &problem["field"]), (400, &field.into()), "{problem}");
    }
    let (status, problem) = shop.replenish("TEA-001", "two words", json!({ "quantity": 1 })).await;
    assert_eq!((status, &problem["field"]), (400, &"Idempotency-Key".into()));
    assert_eq!(shop.handle.status().await.unwrap().head, 0);
}

#[tokio::test]
async fn while_the_store_is_away_the_client_is_asked_to_come_back() {
    let shop = open();
    shop.store.set_away(true);
    let (status, headers, _) = shop.send(Request::get("/stock").body(Body::empty()).unwrap()).await;
    assert_eq!((status, headers["retry-after"].to_str().unwrap()), (503, "1"));
    shop.store.set_away(false);
    assert_eq!(shop.stock().await, json!({ "items": [] }));
}

#[tokio::test]
async fn every_operation_is_described() {
    let shop = open();
    let document: Value = serde_json::to_value(router(shop.api()).to_openapi()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.keys().collect::<Vec<_>>(), ["/stock", "/stock/{sku}/replenishments"]);
    for operation in paths.values().flat_map(|path| path.as_object().unwrap().values()) {
        assert!(operation["summary"].is_string(), "{operation}");
        for (status, response) in operation["responses"].as_object().unwrap() {
            let kind = if status.as_str() < "400" { "application/json" } else { "application/problem+json" };
            let schema = response["content"][kind]["schema"]["$ref"].as_str().unwrap();
            assert!(document.pointer(schema.trim_start_matches('#')).is_some(), "{schema}");
        }
    }
}
