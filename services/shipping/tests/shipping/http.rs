//! The carrier over HTTP: which reply ends a call, and which tells nothing.

use axum::{Router, http::StatusCode, http::header::CONTENT_TYPE};
use shipping::carrier::{
    BookRequest, Carrier, CarrierAnswer, CarrierError,
    http::{CARRIER_URL, HttpCarrier},
};
use std::time::Duration;
use tokio::net::TcpListener;

/// A carrier behind a server that replies this to everything.
async fn replies(status: u16, body: &'static str) -> HttpCarrier {
    let status = StatusCode::from_u16(status).unwrap();
    let routes = Router::new().fallback(move || async move { (status, [(CONTENT_TYPE, "application/json")], body) });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = CARRIER_URL.parse(&format!("http://{}/carrier", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    HttpCarrier::new(url, Duration::from_secs(10)).unwrap()
}

async fn called(carrier: &HttpCarrier) -> [Result<CarrierAnswer, CarrierError>; 3] {
    let text = String::new;
    let (name, street, city, postal_code, country) = (text(), text(), text(), text(), text());
    let request = BookRequest { order_id: "o".into(), name, street, city, postal_code, country };
    let booked = carrier.book("k", &request).await;
    [booked, carrier.hand_over("k", "o", "l").await, carrier.cancel("k", "o", "l").await]
}

const BOOKED: &str = r#"{"outcome":"booked","label":"WP1","carrier":"Wayfarer"}"#;
const NOT_SERVED: &str = r#"{"outcome":"not_served","code":"country_not_served"}"#;
const ACCEPTED: &str = r#"{"outcome":"accepted"}"#;
const COLLECTED: &str = r#"{"outcome":"already_collected"}"#;
const VOID: &str = r#"{"outcome":"label_void"}"#;
const UNKNOWN: &str = r#"{"outcome":"unknown"}"#;

#[tokio::test]
async fn the_carriers_own_words_under_their_status_end_a_call() {
    let booked = CarrierAnswer::Booked { label: "WP1".into(), carrier: "Wayfarer".into() };
    let not_served = CarrierAnswer::NotServed { code: "country_not_served".into() };
    for (status, body, answer) in [
        (200, BOOKED, booked),
        (422, NOT_SERVED, not_served),
        (200, ACCEPTED, CarrierAnswer::Accepted),
        (409, COLLECTED, CarrierAnswer::AlreadyCollected),
        (409, VOID, CarrierAnswer::LabelVoid),
    ] {
        for told in called(&replies(status, body).await).await {
            assert_eq!(told, Ok(answer.clone()), "{status} {body}");
        }
        assert_eq!(replies(200, body).await.find("k").await, Ok(Some(answer)), "{body}");
    }
    assert_eq!(replies(404, UNKNOWN).await.find("k").await, Ok(None));
}

#[tokio::test]
async fn a_wrong_credential_address_or_proxy_decides_about_no_parcel() {
    for status in [301, 400, 401, 403, 404, 405, 408, 409, 422, 429, 500, 502, 503, 200] {
        for body in ["", "<html>no</html>", r#"{"type":"/problems/x"}"#, r#"{"outcome":"pending"}"#] {
            let carrier = replies(status, body).await;
            for told in called(&carrier).await {
                assert!(matches!(told, Err(CarrierError::Unavailable(_))), "{status} {body}: {told:?}");
            }
            let found = carrier.find("k").await;
            assert!(matches!(found, Err(CarrierError::Unavailable(_))), "{status} {body}: {found:?}");
        }
    }
}

#[tokio::test]
async fn words_under_a_status_that_contradicts_them_end_nothing() {
    for (status, body) in [
        (422, BOOKED),
        (409, ACCEPTED),
        (200, NOT_SERVED),
        (401, NOT_SERVED),
        (200, COLLECTED),
        (503, VOID),
        (404, UNKNOWN),
        (200, r#"{"outcome":"booked","label":"","carrier":"Wayfarer"}"#),
    ] {
        for told in called(&replies(status, body).await).await {
            assert!(matches!(told, Err(CarrierError::Unavailable(_))), "{status} {body}: {told:?}");
        }
    }
    for (status, body) in [(404, ACCEPTED), (409, VOID), (200, UNKNOWN), (500, UNKNOWN)] {
        let found = replies(status, body).await.find("k").await;
        assert!(matches!(found, Err(CarrierError::Unavailable(_))), "{status} {body}: {found:?}");
    }
}
