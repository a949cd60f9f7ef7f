//! A process that stands by sends what it must not do itself to the one that leads, over real HTTP.

use crate::support::desk::Desk;
use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode, Uri},
    routing::{any, get},
};
use runtime::http::{finish, forwarding};
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};
use tokio::net::TcpListener;

async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Answers with what it was asked, under a status and a header of its own.
fn mirror(name: &'static str) -> Router {
    let answer = move |uri: Uri, headers: HeaderMap, body: Bytes| async move {
        let header = |header: &str| headers.get(header).map(|value| value.to_str().unwrap().to_owned());
        let seen = json!({ "by": name, "path": uri.to_string(), "body": String::from_utf8_lossy(&body), "key": header("idempotency-key"),
            "hop": header("x-hop"), "kept": header("x-kept"), "forwarded": header("tutti-forwarded") });
        (StatusCode::ACCEPTED, [("location", "/orders/1"), ("x-by", name)], axum::Json(seen))
    };
    Router::new().route("/{*path}", any(answer))
}

/// A process that stands by while the one at this address leads.
fn standby(owner: &str) -> Desk {
    let mut desk = Desk::new();
    desk.notes().led_by = Some(owner.into());
    desk.settle();
    desk
}

async fn in_front_of(desk: &Desk, routes: Router) -> SocketAddr {
    serve(finish(forwarding(routes, desk.handle()).unwrap())).await
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().unwrap()
}

fn post(standby: SocketAddr) -> reqwest::RequestBuilder {
    http().post(format!("http://{standby}/orders/a%20b?x=1&y=%2F")).header("Idempotency-Key", "k-1").body("the body")
}

async fn answer(request: reqwest::RequestBuilder) -> (u16, HeaderMap, Value) {
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.headers().clone(), answer.json().await.unwrap())
}

#[tokio::test]
async fn a_command_goes_to_the_leader_whole_and_its_answer_comes_back_whole() {
    let leader = serve(mirror("leader")).await;
    let desk = standby(&leader.to_string());
    let at = in_front_of(&desk, mirror("standby")).await;
    let request = post(at).header("connection", "x-hop").header("x-hop", "1").header("x-kept", "1");
    let (status, headers, seen) = answer(request).await;
    assert_eq!(
        (status, &headers["location"], &headers["x-by"]),
        (202, &"/orders/1".parse().unwrap(), &"leader".parse().unwrap())
    );
    let expected = json!({ "by": "leader", "path": "/orders/a%20b?x=1&y=%2F", "body": "the body", "key": "k-1", "hop": null, "kept": "1", "forwarded": "1" });
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn what_only_looks_what_was_forwarded_once_and_what_comes_to_a_leader_is_served_here() {
    let leader = serve(mirror("leader")).await;
    let desk = standby(&leader.to_string());
    let at = in_front_of(&desk, mirror("standby")).await;
    let looked = http().get(format!("http://{at}/orders"));
    assert_eq!(answer(looked).await.2["by"], "standby");
    assert_eq!(answer(post(at).header("Tutti-Forwarded", "1")).await.2["by"], "standby");
    // When it takes over, it serves commands itself.
    let mut desk = desk;
    desk.notes().led_by = None;
    desk.pass_time(250_000);
    assert_eq!(answer(post(at)).await.2["by"], "standby");
}

#[tokio::test]
async fn a_leader_that_cannot_be_reached_is_answered_with_the_time_to_come_back() {
    let gone = { TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string() };
    for owner in [&*gone, "", "no address", "a/b:1"] {
        let desk = standby(owner);
        let at = in_front_of(&desk, mirror("standby")).await;
        let (status, headers, problem) = answer(post(at)).await;
        assert_eq!((status, &headers["retry-after"]), (503, &"1".parse().unwrap()), "{owner}");
        assert_eq!(headers["content-type"], "application/problem+json");
        assert!(!problem.to_string().contains(&gone), "{problem}");
    }
}

#[tokio::test]
async fn bodies_are_bounded_both_ways() {
    let long = "x".repeat(2 << 20);
    let leader = Router::new().route("/orders/{id}", get(|| async { "" }).post(|| async { long }));
    let leader = serve(leader).await;
    let desk = standby(&leader.to_string());
    let at = in_front_of(&desk, mirror("standby")).await;
    assert_eq!(answer(post(at).body("x".repeat(65 * 1024))).await.0, 413);
    assert_eq!(answer(post(at)).await.0, 503);
}
