//! What operators ask of a service's process over HTTP: what it said, how it is, what was set aside.

use crate::support::{
    bus::record,
    desk::Desk,
    service::{Act, left},
};
use axum::{Router, body::Body, http::Request};
use runtime::{LogRow, ParkedRow, Store, http::admin, store::Batch};
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt;

async fn ask(admin: &Router, method: &str, path: &str, body: Value) -> (u16, Value) {
    let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    let request = request.body(if body.is_null() { Body::empty() } else { Body::from(body.to_string()) }).unwrap();
    let answer = admin.clone().oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).into()))
}

/// Asks while the engine works.
async fn wish(desk: &mut Desk, admin: &Router, path: &str, body: Value) -> (u16, Value) {
    let asking = tokio::spawn({
        let (admin, path) = (admin.clone(), path.to_owned());
        async move { ask(&admin, "POST", &path, body).await }
    });
    while !asking.is_finished() {
        desk.settle();
        tokio::task::yield_now().await;
    }
    asking.await.unwrap()
}

#[tokio::test]
async fn a_log_has_what_was_said_under_a_key_and_what_is_waited_for() {
    let mut desk = Desk::new();
    desk.left(1, "a", Act::Note);
    desk.left(2, "a/b", Act::Note);
    desk.settle();
    let admin = admin(desk.handle());
    let (status, log) = ask(&admin, "GET", "/log/a", Value::Null).await;
    assert_eq!((status, log["items"].as_array().unwrap().len()), (200, 1), "{log}");
    let said = &log["items"][0];
    assert_eq!(
        (&said["service"], &said["type"], &said["version"], &said["id"]),
        (&json!("desk"), &json!("Noted"), &json!(1), &json!("7.0.1"))
    );
    let (_, log) = ask(&admin, "GET", "/log/a%2Fb", Value::Null).await;
    assert_eq!(log["items"][0]["key"], "a/b");
    let (status, log) = ask(&admin, "GET", "/log/nobody", Value::Null).await;
    assert_eq!((status, log), (200, json!({ "items": [], "open": [] })));
}

#[tokio::test]
async fn its_health_is_red_until_it_has_begun_and_its_status_says_how_far_it_is() {
    let mut desk = Desk::new();
    let admin = admin(desk.handle());
    let (status, ready) = ask(&admin, "GET", "/health/ready", Value::Null).await;
    assert_eq!((status, &ready["ready"], &ready["services"][0]["why"]), (503, &json!(false), &json!("it is starting")));
    assert_eq!(ask(&admin, "GET", "/health/live", Value::Null).await, (200, json!("alive\n")));
    desk.left(1, "a", Act::Note);
    desk.settle();
    let (status, ready) = ask(&admin, "GET", "/health/ready", Value::Null).await;
    assert_eq!((status, ready["ready"].clone()), (200, json!(true)), "{ready}");
    let (_, shown) = ask(&admin, "GET", "/status", Value::Null).await;
    assert_eq!((&shown["service"], &shown["head"], &shown["led_by"]), (&json!("desk"), &json!(1), &Value::Null));
    assert!(
        shown["read"].as_array().unwrap().iter().any(|read| read["source"] == "left" && read["id"] == "1000.0.1"),
        "{shown}"
    );
    // A standby is ready too, and says who leads.
    let mut standby = desk.rival();
    standby.notes().led_by = Some("10.0.0.7:8080".into());
    standby.settle();
    let admin = runtime::http::admin(standby.handle());
    assert_eq!(ask(&admin, "GET", "/health/ready", Value::Null).await.0, 200);
    assert_eq!(ask(&admin, "GET", "/status", Value::Null).await.1["led_by"], "10.0.0.7:8080");
    let (status, told) = ask(&admin, "POST", "/work/retry", json!({ "name": "Cook", "key": "a" })).await;
    assert!(status == 409 && told["detail"].as_str().unwrap().contains("10.0.0.7:8080"), "{told}");
}

#[tokio::test]
async fn parked_records_are_listed_retried_and_discarded() {
    let mut desk = Desk::new();
    for seq in 1..=3 {
        desk.left(seq, "a", if seq == 1 { Act::Panic } else { Act::Note });
    }
    desk.settle();
    let admin = admin(desk.handle());
    let (_, parked) = ask(&admin, "GET", "/parked", Value::Null).await;
    let first = &parked["items"][0];
    assert_eq!((parked["items"].as_array().unwrap().len(), &parked["next"]), (3, &Value::Null), "{parked}");
    assert_eq!((&first["source"], &first["key"], &first["event"]), (&json!("left"), &json!("a"), &json!("1000.0.1")));
    let which = json!({ "source": "left", "key": "a" });
    let (status, told) = wish(&mut desk, &admin, "/parked/retry", which.clone()).await;
    assert!(status == 409 && told["detail"].as_str().unwrap().contains("stays parked"), "{told}");
    assert_eq!(wish(&mut desk, &admin, "/parked/discard", which.clone()).await, (200, json!({ "done": "1 taken" })));
    assert_eq!(wish(&mut desk, &admin, "/parked/retry", which.clone()).await, (200, json!({ "done": "2 taken" })));
    assert_eq!(desk.said_of("a"), ["Noted a 2 by left", "Noted a 3 by left"]);
    for path in ["/parked/retry", "/parked/discard"] {
        assert_eq!(wish(&mut desk, &admin, path, which.clone()).await.0, 409, "{path}");
    }
}

#[tokio::test]
async fn the_trigger_of_an_undo_is_dropped_only_by_force() {
    // Given one that was set aside behind another order's, by an earlier reign.
    let mut desk = Desk::new();
    let parked = |seq: u64, key: &str, name: &str| {
        let told = record(seq, &left::Event::from(left::Told { key: key.into(), n: seq, act: Act::Note }));
        let row = Arc::new(LogRow { name: name.into(), ..(*told.row).clone() });
        ParkedRow { id: 0, source: "left".into(), row, reason: "nobody can read it".into(), since: 1 }
    };
    let mut store = desk.memory().clone();
    let lead = store.begin_reign("here", 1).unwrap();
    let set_aside = vec![parked(1, "b", "Told"), parked(2, "a", "OrderCancelled")];
    store.commit(&Batch { lead, parked: set_aside, ..Batch::default() }).unwrap();
    desk.settle();
    let admin = admin(desk.handle());
    let which = json!({ "source": "left", "key": "a" });
    let (status, problem) = wish(&mut desk, &admin, "/parked/discard", which.clone()).await;
    assert_eq!((status, &problem["field"]), (409, &json!("force")), "{problem}");
    assert_eq!(desk.parked().len(), 2);
    let forced = json!({ "source": "left", "key": "a", "force": true });
    assert_eq!(wish(&mut desk, &admin, "/parked/discard", forced).await.0, 200);
    let other = json!({ "source": "left", "key": "b" });
    assert_eq!(wish(&mut desk, &admin, "/parked/discard", other).await.0, 200);
    assert!(desk.parked().is_empty());
}

#[tokio::test]
async fn bad_requests_are_named() {
    let mut desk = Desk::new();
    desk.settle();
    let admin = admin(desk.handle());
    let (status, problem) = ask(&admin, "POST", "/parked/retry", json!({ "source": "left" })).await;
    assert_eq!((status, &problem["field"]), (400, &json!("key")));
    assert_eq!(
        ask(&admin, "POST", "/parked/discard", json!({ "source": "left", "key": "a", "forse": true })).await.0,
        400
    );
    assert_eq!(ask(&admin, "GET", "/parked?after=x", Value::Null).await.0, 400);
    assert_eq!(ask(&admin, "GET", "/parked/retry", Value::Null).await.0, 405);
    assert_eq!(ask(&admin, "GET", "/orders", Value::Null).await.0, 404);
}
