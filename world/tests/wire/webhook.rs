//! The carrier's webhook: from the world's yard over HTTP into the shipment's state.

use crate::{
    served::{Served, serve, until},
    shop::{Shop, secret},
};
use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use reqwest::header::CONTENT_TYPE;
use runtime::{Clock, SystemClock};
use serde_json::{Value, json};
use shipping::signature::{HEADER, WebhookSecret, WebhookSecrets};
use std::sync::{Arc, Mutex, OnceLock};
use world::carrier::webhook::{WEBHOOK_URL, Webhook};

const ORDER: &str = "00000000000000000000000000000001";

fn webhook(address: &str) -> Webhook {
    let url = WEBHOOK_URL.parse(&format!("http://{address}/carrier/reports")).unwrap();
    Webhook::new(&url, secret(), Arc::new(SystemClock)).unwrap()
}

/// A world whose reports go to a shop that opens later.
async fn world(faults: Value) -> (Served, Arc<OnceLock<Webhook>>) {
    let webhook = Arc::<OnceLock<Webhook>>::default();
    let later = webhook.clone();
    let receive = move |report| {
        let later = later.clone();
        async move { later.get().ok_or("the shop is not open yet")?.deliver(report).await }
    };
    (Served::with(faults, receive, |world| world).await, webhook)
}

fn signed(secret: &WebhookSecret, body: &[u8]) -> String {
    secret.sign(body, SystemClock.now())
}

async fn send(shop: &Shop, headers: &[(&str, String)], body: impl Into<Vec<u8>>) -> (u16, Value) {
    let request = reqwest::Client::new().post(format!("http://{}/carrier/reports", shop.address));
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
    let request = request.header(CONTENT_TYPE, "application/json");
    let reply = request.body(body.into()).send().await.unwrap();
    (reply.status().as_u16(), reply.json().await.unwrap_or_default())
}

/// Sends a report as the carrier would.
async fn report(shop: &Shop, report: &Value) -> (u16, Value) {
    let body = report.to_string();
    send(shop, &[(HEADER, signed(&secret(), body.as_bytes()))], body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_carrier_reports_arrives_once_although_each_report_comes_twice() {
    let faults = json!({"carrier": {"pick_up_ms": 0, "transit_ms": 40, "repeat_reports": 1.0, "fail": 0.2}});
    let (served, hook) = world(faults).await;
    let mut shop = Shop::at(&served).await;
    assert!(hook.set(webhook(&shop.address)).is_ok());
    shop.release(ORDER).await;
    shop.said(ORDER, "ShipmentDelivered").await;
    let expected = [
        "ShipmentRequested",
        "ShipmentScheduled",
        "ShipmentReleased",
        "ShipmentDispatched",
        "TrackingUpdated",
        "ShipmentDelivered",
    ];
    assert_eq!(shop.log(ORDER).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_answered_once_it_is_stored_and_may_be_repeated() {
    let (served, _) = world(json!({"carrier": {"collects": false}})).await;
    let mut shop = Shop::at(&served).await;
    shop.release(ORDER).await;
    let seen = json!({"report_id": "r-1", "order_id": ORDER, "kind": "tracking", "place": "Köln"});
    for _ in 0..3 {
        assert_eq!(report(&shop, &seen).await, (204, Value::Null));
        let log = shop.log(ORDER).await;
        assert_eq!(log[3..], ["ShipmentDispatched", "TrackingUpdated"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_carrier_did_not_sign_changes_nothing() {
    let (served, _) = world(json!({"carrier": {"collects": false}})).await;
    let mut shop = Shop::at(&served).await;
    shop.release(ORDER).await;
    let body = json!({"report_id": "r-1", "order_id": ORDER, "kind": "delivered"}).to_string();
    let right = signed(&secret(), body.as_bytes());
    let other = WebhookSecret::parse("CARRIER_WEBHOOK_SECRET", "a secret of somebody else").unwrap();
    let old = secret().sign(body.as_bytes(), SystemClock.now() - 301_000_000);
    for headers in [
        vec![],
        vec![(HEADER, String::new())],
        vec![(HEADER, signed(&other, body.as_bytes()))],
        vec![(HEADER, signed(&secret(), b"another body"))],
        vec![(HEADER, old)],
        vec![(HEADER, right.clone()), (HEADER, right.clone())],
    ] {
        let (status, problem) = send(&shop, &headers, body.clone()).await;
        assert_eq!((status, &problem["field"]), (401, &json!(HEADER)), "{headers:?}: {problem}");
        assert_eq!(problem["type"], "/problems/bad-signature");
    }
    assert_eq!(shop.log(ORDER).await.last().unwrap(), "ShipmentReleased");
    assert_eq!(send(&shop, &[(HEADER, right)], body).await.0, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_report_that_does_not_fit_is_refused_by_name() {
    let (served, _) = world(json!({})).await;
    let shop = Shop::at(&served).await;
    let fits = json!({"report_id": "r-1", "order_id": ORDER, "kind": "tracking", "place": "Köln"});
    for (member, value) in [
        ("weight", json!(1)),
        ("report_id", json!("")),
        ("report_id", json!("r".repeat(129))),
        ("report_id", json!("r 1")),
        ("order_id", json!("o-1")),
        ("order_id", json!(7)),
        ("kind", json!("lost")),
        ("place", json!(null)),
        ("place", json!("")),
        ("place", json!("Kö\nln")),
        ("place", json!("ö".repeat(201))),
    ] {
        let mut misfit = fits.clone();
        misfit[member] = value;
        let (status, problem) = report(&shop, &misfit).await;
        assert_eq!((status, &problem["field"]), (400, &json!(member)), "{misfit}: {problem}");
    }
    let placed = json!({"report_id": "r-1", "order_id": ORDER, "kind": "dispatched", "place": "Köln"});
    assert_eq!(report(&shop, &placed).await.1["field"], "place");
    let long = json!({"report_id": "r-1", "order_id": ORDER, "kind": "tracking", "place": "x".repeat(70_000)});
    assert_eq!(report(&shop, &long).await.0, 413);
    assert_eq!(send(&shop, &[(HEADER, signed(&secret(), b"{"))], "{").await.0, 400);
    // It fits, but nothing was ever released for this order: a mistake, which leaves nothing.
    assert_eq!(report(&shop, &fits).await.0, 500);
    assert_eq!(shop.log(ORDER).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_sent_and_signed_anew_until_it_gets_a_2xx() {
    let taken = Arc::<Mutex<Vec<(String, Bytes)>>>::default();
    let takes = taken.clone();
    let answers = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::UNAUTHORIZED, StatusCode::FOUND, StatusCode::ACCEPTED];
    let shop = Router::new().route(
        "/carrier/reports",
        post(move |headers: HeaderMap, body: Bytes| {
            let mut taken = takes.lock().unwrap();
            let answer = answers[taken.len().min(3)];
            taken.push((headers[HEADER].to_str().unwrap().to_owned(), body));
            async move { answer }
        }),
    );
    let (served, hook) = world(json!({"carrier": {"pick_up_ms": 0, "transit_ms": 3_600_000}})).await;
    assert!(hook.set(webhook(&serve(shop).await)).is_ok());
    let booking = world::carrier::Booking {
        order_id: ORDER.into(),
        name: "Ada".into(),
        street: "Weg 1".into(),
        city: "Berlin".into(),
        postal_code: "10115".into(),
        country: "DE".into(),
    };
    let carrier = &served.world.carrier;
    let Ok(world::carrier::Answer::Booked { label }) = carrier.book("b", booking).await else { panic!("no label") };
    carrier.hand_over("h", ORDER, &label).await.unwrap();
    until("four attempts", || async { (taken.lock().unwrap().len() >= 4).then_some(()) }).await;
    let secrets = WebhookSecrets { current: secret(), previous: None };
    let taken = taken.lock().unwrap();
    for (signature, body) in taken.iter() {
        assert_eq!(secrets.verify(signature, body, SystemClock.now()), Ok(()));
        let report: Value = serde_json::from_slice(body).unwrap();
        assert_eq!(
            report,
            json!({"report_id": format!("{label}-dispatched"), "order_id": ORDER, "kind": "dispatched"})
        );
    }
    assert_eq!(taken.len(), 4);
}
