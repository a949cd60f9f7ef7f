//! The payment gateway over HTTP: which reply ends a call, and which tells nothing.

use crate::samples::{amount, order_id};
use axum::{Router, http::StatusCode, http::header::CONTENT_TYPE};
use payment::gateway::{
    CaptureRequest, Gateway, GatewayAnswer, GatewayError, RefundRequest,
    http::{HttpGateway, PAYMENT_GATEWAY_URL},
};
use std::time::Duration;
use tokio::net::TcpListener;

/// A gateway behind a server that replies this to everything.
async fn replies(status: u16, body: String) -> HttpGateway {
    let status = StatusCode::from_u16(status).unwrap();
    let routes = Router::new().fallback(move || async move { (status, [(CONTENT_TYPE, "application/json")], body) });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = PAYMENT_GATEWAY_URL.parse(&format!("http://{}/gateway", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    HttpGateway::new(url, Duration::from_secs(10)).unwrap()
}

async fn captured(gateway: &HttpGateway) -> Result<GatewayAnswer, GatewayError> {
    let request = CaptureRequest { order_id: order_id(), amount: amount(), token: "tok_ok".into() };
    gateway.capture("k", &request).await
}

async fn refunded(gateway: &HttpGateway) -> Result<GatewayAnswer, GatewayError> {
    let request = RefundRequest { order_id: order_id(), amount: amount(), capture_key: "c".into() };
    gateway.refund("k", &request).await
}

fn succeeded() -> GatewayAnswer {
    GatewayAnswer::Succeeded { receipt: "R-1".into() }
}
fn declined() -> GatewayAnswer {
    GatewayAnswer::Declined { code: "card_declined".into() }
}

const SUCCEEDED: &str = r#"{"outcome":"succeeded","receipt":"R-1","said_since_v2":true}"#;
const DECLINED: &str = r#"{"outcome":"declined","code":"card_declined"}"#;
const PENDING: &str = r#"{"outcome":"pending"}"#;
const UNKNOWN: &str = r#"{"outcome":"unknown"}"#;

#[tokio::test]
async fn the_gateways_own_words_under_their_status_end_a_call() {
    for (status, body, answer) in
        [(200, SUCCEEDED, succeeded()), (402, DECLINED, declined()), (422, DECLINED, declined())]
    {
        let gateway = replies(status, body.into()).await;
        assert_eq!(captured(&gateway).await, Ok(answer.clone()), "{status} {body}");
        assert_eq!(refunded(&gateway).await, Ok(answer), "{status} {body}");
    }
    assert_eq!(replies(200, SUCCEEDED.into()).await.find("k").await, Ok(Some(succeeded())));
    assert_eq!(replies(200, DECLINED.into()).await.find("k").await, Ok(Some(declined())));
    assert_eq!(replies(404, UNKNOWN.into()).await.find("k").await, Ok(None));
}

#[tokio::test]
async fn a_wrong_credential_address_or_proxy_declines_no_card() {
    for status in [301, 400, 401, 403, 404, 405, 407, 408, 409, 413, 415, 422, 429, 402, 500, 502, 503, 504, 200, 204] {
        for body in ["", "<html>no</html>", r#"{"type":"/problems/x","status":1}"#, r#"{"outcome":"excused"}"#, PENDING]
        {
            let gateway = replies(status, body.into()).await;
            for told in [captured(&gateway).await, refunded(&gateway).await] {
                assert!(matches!(told, Err(GatewayError::Unavailable(_))), "{status} {body}: {told:?}");
            }
            let found = gateway.find("k").await;
            assert!(matches!(found, Err(GatewayError::Unavailable(_))), "{status} {body}: {found:?}");
        }
    }
}

#[tokio::test]
async fn words_under_a_status_that_contradicts_them_end_nothing() {
    for (status, body) in [
        (200, DECLINED.to_owned()),
        (402, SUCCEEDED.into()),
        (500, SUCCEEDED.into()),
        (503, DECLINED.into()),
        (401, DECLINED.into()),
        (404, UNKNOWN.into()),
        (200, r#"{"outcome":"succeeded","receipt":""}"#.into()),
        (200, format!(r#"{{"outcome":"succeeded","receipt":"{}"}}"#, "R".repeat(256))),
        (200, r#"{"outcome":"succeeded","receipt":"R\n1"}"#.into()),
    ] {
        let told = captured(&replies(status, body.clone()).await).await;
        assert!(matches!(told, Err(GatewayError::Unavailable(_))), "{status} {body}: {told:?}");
    }
    for (status, body) in [(404, DECLINED), (402, DECLINED), (200, UNKNOWN), (500, UNKNOWN)] {
        let found = replies(status, body.into()).await.find("k").await;
        assert!(matches!(found, Err(GatewayError::Unavailable(_))), "{status} {body}: {found:?}");
    }
}
