//! What spans all services: timelines, readiness, and what the edge says of itself.

use crate::opened::{alone, open, problem, stand_in, with_admin};
use axum::{Json, Router, http::StatusCode, routing::get};
use serde_json::{Value, json};
use tutti::edge::SERVICES;

fn said(service: &str, name: &str, second: u8, id: &str, cause: &str) -> Value {
    json!({ "at": format!("2026-01-31T12:04:{second:02}.000Z"), "service": service, "type": name, "key": "o-1",
        "version": 1, "id": id, "causation_id": cause, "trace_id": "o-1", "data": { "a": [1] } })
}

/// An admin port that tells this part of the timeline, and that the service is ready.
async fn telling(items: Vec<Value>, open: Vec<Value>) -> std::net::SocketAddr {
    let part = json!({ "items": items, "open": open });
    let routes = Router::new().route("/log/o-1", get(move || async move { Json(part) }));
    stand_in(routes.route("/health/ready", get(|| async { "ready\n" }))).await
}

#[tokio::test]
async fn a_timeline_is_merged_from_the_parts_of_those_that_are_there() {
    let waiting = json!({ "service": "order", "name": "deadline", "due": "2026-01-31T12:19:00.000Z", "stuck": null });
    let placed = said("order", "OrderPlaced", 1, "7.0.1", "command place");
    let order = telling(vec![placed.clone()], vec![waiting.clone()]).await;
    let reserved = said("inventory", "StockReserved", 2, "7.0.1", "order/7.0.1");
    let inventory = telling(vec![reserved.clone()], vec![]).await;
    let edge = open(&with_admin(with_admin(alone(), "order", order), "inventory", inventory)).await;
    let (status, told) = edge.read("/orders/o-1/events").await;
    let expected = json!({ "items": [placed, reserved], "open": [waiting], "away": ["payment", "shipping", "email"] });
    assert_eq!((status, told), (200, expected));
}

#[tokio::test]
async fn a_timeline_of_nothing_is_unknown_only_if_the_service_that_speaks_first_says_so() {
    let nothing = telling(vec![], vec![]).await;
    let edge = open(&with_admin(alone(), "order", nothing)).await;
    assert_eq!(problem(edge.get("/orders/o-1/events").await, 404).await["type"], "/problems/unknown-order");
    let unknown = problem(edge.get("/stock/o-1/events").await, 503).await;
    assert!(unknown["detail"].as_str().unwrap().contains("inventory is away"), "{unknown}");
}

#[tokio::test]
async fn the_shop_is_ready_when_all_services_are() {
    let mut settings = alone();
    for service in SERVICES {
        settings = with_admin(settings, service, telling(vec![], vec![]).await);
    }
    let (status, told) = open(&settings).await.read("/health/ready").await;
    assert_eq!((status, &told["ready"]), (200, &json!(true)), "{told}");

    let held_up =
        json!({ "ready": false, "services": [{ "service": "payment", "ready": false, "why": "its store is away" }] });
    let held_up = get(move || async move { (StatusCode::SERVICE_UNAVAILABLE, Json(held_up)) });
    settings = with_admin(settings, "payment", stand_in(Router::new().route("/health/ready", held_up)).await);
    settings = with_admin(settings, "email", crate::opened::nobody());
    let (status, told) = open(&settings).await.read("/health/ready").await;
    assert_eq!((status, &told["ready"]), (503, &json!(false)));
    let held_up: Vec<(&Value, &Value)> = told["services"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["ready"] == false)
        .map(|one| (&one["service"], &one["why"]))
        .collect();
    assert_eq!(held_up, [(&json!("payment"), &json!("its store is away")), (&json!("email"), &json!("it is away"))]);
}

#[tokio::test]
async fn the_edge_answers_for_itself_when_everybody_is_away() {
    let edge = open(&alone()).await;
    // The program collects metrics from its start; in a test they are collected from the first look at them.
    edge.get("/metrics").await;
    assert_eq!(edge.get("/health/live").await.text().await.unwrap(), "alive\n");
    assert_eq!(edge.read("/choreography").await.0, 200);
    assert!(edge.read("/openapi.json").await.1["paths"]["/orders/{id}/events"].is_object());
    let refused = problem(edge.get("/verify").await, 501).await;
    assert!(refused["detail"].as_str().unwrap().contains("tutti demo --against"), "{refused}");
    edge.get("/products").await;
    let metrics = edge.get("/metrics").await.text().await.unwrap();
    let counted = r#"tutti_edge_requests{service="order",outcome="not_reached"}"#;
    assert!(metrics.contains(counted), "{metrics}");
}
