//! What operators ask on the services' admin ports, no customer can ask through the edge.

use crate::opened::{alone, open, problem, stand_in, with, with_admin};
use axum::{Router, extract::Request};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tutti::edge::SERVICES;

const ADMIN: [&str; 6] = ["/log/o-1", "/status", "/parked", "/parked/retry", "/parked/discard", "/work/retry"];

#[tokio::test]
async fn no_admin_route_is_reachable() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let secret = Router::new().fallback(move |_: Request| async move {
        count.fetch_add(1, Ordering::Relaxed);
        "secret"
    });
    let (address, mut settings) = (stand_in(secret).await, alone());
    for service in SERVICES {
        settings = with_admin(with(settings, service, address), service, address);
    }
    let edge = open(&settings).await;
    for path in ADMIN {
        problem(edge.get(path).await, 404).await;
        let posted = edge.http.post(format!("{}{path}", edge.url)).send().await.unwrap();
        problem(posted, 404).await;
    }
    for line in [
        "GET /orders/../status",
        "GET //status",
        "GET /status/",
        "GET http://order:8081/status",
        "GET /orders/o-1/../../status",
        "GET /gateway/operations/payment%2Fcharge%2Fo-1",
    ] {
        let answer = edge.raw(line).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{line}: {answer}");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 0);
}

/// A key is one part of the path on the admin port, whatever is in it.
#[tokio::test]
async fn a_timeline_asks_for_nothing_but_a_log() {
    let asked = Arc::new(std::sync::Mutex::new(vec![]));
    let noted = asked.clone();
    let log = Router::new().fallback(move |request: Request| async move {
        noted.lock().unwrap().push(request.uri().to_string());
        axum::Json(serde_json::json!({ "items": [], "open": [] }))
    });
    let edge = open(&with_admin(alone(), "order", stand_in(log).await)).await;
    for key in ["..%2Fstatus", "a%2F..%2F..%2Fparked", "o-1%3Fx=y%23z"] {
        problem(edge.get(&format!("/orders/{key}/events")).await, 404).await;
    }
    let asked = asked.lock().unwrap();
    let one_part = |uri: &String| uri.strip_prefix("/log/").is_some_and(|key| !key.contains(['/', '?']));
    assert!(asked.len() == 3 && asked.iter().all(one_part), "{asked:?}");
}
