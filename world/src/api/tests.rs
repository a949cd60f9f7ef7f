//! Given a world with something in its books, when somebody asks over HTTP, then this is answered.

use super::router;
use crate::{
    gateway::Capture,
    post::{Channel, Letter},
    testing::Scene,
};
use reqwest::StatusCode;
use serde_json::{Value, json};

async fn served(scene: &Scene) -> String {
    let (routes, _) = router(scene.world.clone()).split_for_parts();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, runtime::http::finish(routes)).await });
    format!("http://{address}")
}

async fn get(url: &str) -> (StatusCode, Value) {
    let answer = reqwest::get(url).await.expect("an answer");
    (answer.status(), answer.json().await.expect("JSON"))
}

async fn patch(url: &str, body: &Value) -> (StatusCode, Value) {
    let answer = reqwest::Client::new().patch(url).json(body).send().await.expect("an answer");
    (answer.status(), answer.json().await.expect("JSON"))
}

#[tokio::test]
async fn the_ledger_shows_what_was_taken() {
    let scene = Scene::new(json!({}));
    for (key, token) in [("k-1", "tok_ok"), ("k-2", "tok_declined")] {
        let (order_id, currency, token) = ("o-1".into(), "EUR".into(), token.into());
        let capture = Capture { order_id, amount_minor: 2_590, currency, token };
        scene.world.gateway.capture(key, capture).await.expect("an answer");
    }
    let url = served(&scene).await;
    let (status, mut page) = get(&format!("{url}/gateway/ledger?order_id=o-1&limit=1")).await;
    let at = page["entries"][0]["at"].take();
    assert!(at.as_str().is_some_and(|at| at.ends_with('Z')), "{at}");
    let first = json!({"key": "k-1", "order_id": "o-1", "kind": "capture", "outcome": "succeeded", "code": null,
        "amount_minor": 2590, "currency": "EUR", "capture_key": null, "at": null});
    assert_eq!((status, page), (StatusCode::OK, json!({"entries": [first], "next": 1})));
    let (_, rest) = get(&format!("{url}/gateway/ledger?after=1")).await;
    assert_eq!(rest["entries"][0]["outcome"], "declined");
    assert_eq!(rest["entries"][0]["code"], "card_declined");
    assert_eq!(rest["next"], Value::Null);
}

#[tokio::test]
async fn the_mailbox_and_the_parcels_are_shown_by_order() {
    let scene = Scene::new(json!({}));
    let letter = Letter {
        order_id: "o-1".into(),
        channel: Channel::Sms,
        template: "dispatched".into(),
        to: "+4930123456".into(),
        subject: String::new(),
        body: "It is on its way.".into(),
        message_id: "m-1".into(),
    };
    scene.world.post.take(letter).await.expect("taken");
    let url = served(&scene).await;
    let (_, page) = get(&format!("{url}/mailbox?order_id=o-1")).await;
    assert_eq!(page["messages"][0]["channel"], "sms");
    assert_eq!(page["messages"][0]["message_id"], "m-1");
    assert_eq!(page["messages"][0]["copies"], 1);
    assert_eq!(get(&format!("{url}/mailbox?order_id=o-2")).await.1, json!({"messages": [], "next": null}));
    assert_eq!(get(&format!("{url}/carrier/parcels")).await.1, json!({"parcels": [], "next": null}));
}

#[tokio::test]
async fn faults_are_shown_and_set() {
    let scene = Scene::new(json!({}));
    let url = format!("{}/world", served(&scene).await);
    let (status, before) = get(&url).await;
    assert_eq!((status, &before["carrier"]["collects"]), (StatusCode::OK, &json!(true)));
    let (status, after) = patch(&url, &json!({"carrier": {"collects": false}})).await;
    assert_eq!((status, &after["carrier"]["collects"]), (StatusCode::OK, &json!(false)));
    assert_eq!(after["gateway"], before["gateway"]);
    assert_eq!(get(&url).await.1, after);
    assert!(!scene.world.faults().carrier.collects);
}

#[tokio::test]
async fn what_does_not_fit_is_a_problem_that_names_the_field() {
    let scene = Scene::new(json!({}));
    let url = served(&scene).await;
    let (status, problem) = patch(&format!("{url}/world"), &json!({"gateway": {"fail": 2}})).await;
    assert_eq!((status, &problem["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("gateway.fail")));
    let (status, problem) = patch(&format!("{url}/world"), &json!(3)).await;
    assert_eq!((status, problem.get("field")), (StatusCode::UNPROCESSABLE_ENTITY, None));
    for (query, field) in [("limit=0", "limit"), ("limit=1001", "limit"), ("after=x", "after"), ("order=1", "order")] {
        let (status, problem) = get(&format!("{url}/gateway/ledger?{query}")).await;
        assert_eq!((status, &problem["field"]), (StatusCode::BAD_REQUEST, &json!(field)), "{query}");
    }
}

#[tokio::test]
async fn every_route_is_described() {
    let (_, description) = router(Scene::new(json!({})).world).split_for_parts();
    let paths: Vec<&String> = description.paths.paths.keys().collect();
    assert_eq!(paths, ["/carrier/parcels", "/gateway/ledger", "/mailbox", "/world"]);
}
