//! A service that is away, slow, or breaks off.

use crate::opened::{alone, breaking_off_after, open, problem, stand_in, with};
use axum::{Router, routing::get};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;
use tutti::edge::{Settings, WORLD};

#[tokio::test]
async fn a_service_that_is_away_is_named_and_the_others_answer() {
    let inventory = stand_in(Router::new().fallback(|| async { "tea" })).await;
    let edge = open(&with(alone(), "inventory", inventory)).await;
    for (path, service) in [("/orders/o-1", "order"), ("/carrier/reports", "shipping"), ("/world", WORLD)] {
        let refused = problem(edge.get(path).await, 503).await;
        assert!(refused["detail"].as_str().unwrap().contains(&format!("service {service} is away")), "{refused}");
        assert!(refused["retry_after"].as_u64().unwrap() > 0);
        assert!(!refused.to_string().contains("127.0.0.1"), "a customer need not know where it was looked for");
    }
    assert_eq!(edge.get("/stock").await.text().await.unwrap(), "tea");
    let placed = edge.http.post(format!("{}/orders", edge.url)).header("Idempotency-Key", "k-1").body("{}");
    let refused = problem(placed.send().await.unwrap(), 503).await;
    assert!(refused["detail"].as_str().unwrap().contains("Nothing of this request has happened"), "{refused}");
}

#[tokio::test]
async fn a_service_that_is_too_slow_may_have_done_it() {
    let slow = Router::new().fallback(std::future::pending::<&'static str>);
    let settings = Settings { answer_within: Duration::from_millis(50), ..alone() };
    let edge = open(&with(settings, "order", stand_in(slow).await)).await;
    let refused = problem(edge.get("/products").await, 503).await;
    assert!(refused["detail"].as_str().unwrap().contains("may or may not"), "{refused}");
}

#[tokio::test]
async fn a_wait_that_the_customer_asks_for_is_no_slowness() {
    let (arrived, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait_for) = (arrived.clone(), go_on.clone());
    let waits = get(move || async move {
        tell.notify_one();
        wait_for.notified().await;
        "settled"
    });
    let routes = Router::new().route("/orders/o-1", waits).fallback(std::future::pending::<&'static str>);
    let settings = Settings { answer_within: Duration::from_millis(50), ..alone() };
    let edge = open(&with(settings, "order", stand_in(routes).await)).await;
    let waiting = tokio::spawn(edge.http.get(format!("{}/orders/o-1?wait=settled", edge.url)).send());
    arrived.notified().await;
    // Another request, which asks for no wait, is given up meanwhile.
    problem(edge.get("/products").await, 503).await;
    go_on.notify_one();
    assert_eq!(waiting.await.unwrap().unwrap().text().await.unwrap(), "settled");
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_answer_is_a_problem() {
    let edge = open(&with(alone(), "order", breaking_off_after(b"").await)).await;
    let refused = problem(edge.get("/products").await, 503).await;
    assert!(refused["detail"].as_str().unwrap().contains("may or may not"), "{refused}");
}

/// The status has been told by then, so breaking off too is the one way to say that the answer is not whole.
#[tokio::test]
async fn an_answer_that_breaks_off_is_never_taken_for_a_whole_one() {
    for half in [
        &b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[1, 2"[..],
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n[1, 2\r\n",
    ] {
        let edge = open(&with(alone(), "order", breaking_off_after(half).await)).await;
        let answer = edge.http.get(format!("{}/products", edge.url)).send().await;
        // Whether the head still gets through is a matter of luck.
        if let Ok(answer) = answer {
            assert!(answer.bytes().await.is_err());
        }
    }
}
