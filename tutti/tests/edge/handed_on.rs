//! What a service gets of a request, and a customer of the answer.

use crate::opened::{alone, open, stand_in, with};
use axum::{
    Json, Router,
    body::{Body, Bytes, to_bytes},
    extract::Request,
    http::HeaderMap,
};
use serde_json::{Value, json};
use std::{convert::Infallible, sync::Arc};
use tokio::sync::{Notify, mpsc};
use tutti::edge::WORLD;

/// Tells what it was asked.
async fn tells(name: &'static str) -> std::net::SocketAddr {
    stand_in(Router::new().fallback(move |request: Request| async move {
        let (parts, body) = request.into_parts();
        let headers: Value = parts
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap())))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let body = to_bytes(body, 1 << 20).await.unwrap();
        let mut answer = HeaderMap::new();
        answer.insert("location", "/orders/o-1".parse().unwrap());
        answer.insert("keep-alive", "timeout=5".parse().unwrap());
        (
            axum::http::StatusCode::ACCEPTED,
            answer,
            Json(json!({ "who": name, "method": parts.method.as_str(),
            "uri": parts.uri.to_string(), "headers": headers, "body": String::from_utf8(body.to_vec()).unwrap() })),
        )
    }))
    .await
}

#[tokio::test]
async fn each_path_leads_to_the_service_that_answers_it() {
    let mut settings = alone();
    for service in ["order", "inventory", "shipping", WORLD] {
        settings = with(settings, service, tells(service).await);
    }
    let edge = open(&settings).await;
    for (path, service) in [
        ("/orders?customer_id=c-1", "order"),
        ("/orders/o-1?wait=settled&timeout_s=60", "order"),
        ("/orders/a%2Fb%20c", "order"),
        ("/orders/o-1/cancellation", "order"),
        ("/products", "order"),
        ("/stock", "inventory"),
        ("/stock/TEA-001/replenishments", "inventory"),
        ("/carrier/reports", "shipping"),
        ("/carrier/parcels?limit=3", "world"),
        ("/gateway/ledger", "world"),
        ("/mailbox", "world"),
        ("/world", "world"),
    ] {
        let (status, told) = edge.read(path).await;
        assert_eq!((status, &told["who"], &told["uri"]), (202, &json!(service), &json!(path)), "{told}");
    }
}

#[tokio::test]
async fn a_request_arrives_as_it_was_sent_but_for_what_is_about_its_connection() {
    let edge = open(&with(alone(), "order", tells("order").await)).await;
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let request = edge.http.post(format!("{}/orders", edge.url)).header("Idempotency-Key", "k-1");
    let request = request.header("traceparent", traceparent).header("tracestate", "a=b").header("te", "trailers");
    let request = request.header("connection", "x-only-here").header("x-only-here", "1");
    let answer = request.header("x-forwarded-for", "192.0.2.1").json(&json!({ "lines": [] })).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["location"]), (202, &"/orders/o-1".parse().unwrap()));
    assert!(!answer.headers().contains_key("keep-alive"));
    let told: Value = answer.json().await.unwrap();
    assert_eq!((&told["method"], &told["body"]), (&json!("POST"), &json!("{\"lines\":[]}")));
    let headers = &told["headers"];
    let expected = [
        ("idempotency-key", "k-1"),
        ("traceparent", traceparent),
        ("tracestate", "a=b"),
        ("content-type", "application/json"),
        ("x-forwarded-for", "192.0.2.1, 127.0.0.1"),
    ];
    expected.iter().for_each(|(name, value)| assert_eq!(headers[name], *value, "{headers}"));
    assert!(headers.get("te").is_none() && headers.get("x-only-here").is_none(), "{headers}");
    assert_ne!(headers["host"], edge.url.trim_start_matches("http://"));
}

#[tokio::test]
async fn a_body_that_no_service_would_take_is_refused_at_once() {
    let edge = open(&with(alone(), "order", tells("order").await)).await;
    let answer = edge.http.post(format!("{}/orders", edge.url)).body(vec![b' '; 65 * 1024]).send().await.unwrap();
    let refused = crate::opened::problem(answer, 413).await;
    assert_eq!(refused["type"], "/problems/body-too-large");
}

/// An answer whose second half comes only after its first half was read.
#[tokio::test]
async fn an_answer_is_handed_on_while_it_still_comes_in() {
    let read = Arc::new(Notify::new());
    let wait_for = read.clone();
    let halves = Router::new().fallback(move || async move {
        let (send, receive) = mpsc::channel::<Result<Bytes, Infallible>>(1);
        tokio::spawn(async move {
            send.send(Ok(Bytes::from_static(b"first "))).await.unwrap();
            wait_for.notified().await;
            send.send(Ok(Bytes::from_static(b"second"))).await.unwrap();
        });
        Body::new(Halves(receive))
    });
    let edge = open(&with(alone(), "order", stand_in(halves).await)).await;
    let mut answer = edge.get("/products").await;
    assert_eq!(answer.chunk().await.unwrap().unwrap(), "first ");
    read.notify_one();
    assert_eq!(answer.chunk().await.unwrap().unwrap(), "second");
    assert_eq!(answer.chunk().await.unwrap(), None);
}

struct Halves(mpsc::Receiver<Result<Bytes, Infallible>>);

impl http_body::Body for Halves {
    type Data = Bytes;
    type Error = Infallible;
    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|half| half.map(|half| half.map(http_body::Frame::data)))
    }
}

#[tokio::test]
async fn closing_finishes_what_is_under_way() {
    let (arrived, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait_for) = (arrived.clone(), go_on.clone());
    let slow = Router::new().fallback(move || async move {
        tell.notify_one();
        wait_for.notified().await;
        "done"
    });
    let edge = open(&with(alone(), "order", stand_in(slow).await)).await;
    let asking = tokio::spawn(edge.http.get(format!("{}/products", edge.url)).send());
    arrived.notified().await;
    let closing = tokio::spawn(edge.server.close());
    go_on.notify_one();
    assert_eq!(asking.await.unwrap().unwrap().text().await.unwrap(), "done");
    closing.await.unwrap().unwrap();
}
