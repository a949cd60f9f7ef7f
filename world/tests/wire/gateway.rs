//! The payment gateway's port.

use crate::served::{PATIENCE, Served};
use payment::gateway::{
    CaptureRequest, Gateway, GatewayError, conformance,
    http::{HttpGateway, PAYMENT_GATEWAY_URL},
};
use serde_json::json;
use shared_events::Money;

fn client(served: &Served) -> HttpGateway {
    HttpGateway::new(served.url(PAYMENT_GATEWAY_URL, "gateway"), PATIENCE).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_simulator_in_this_process_passes_the_suite() {
    let served = Served::new(json!({"gateway": {"slow_ms": 50, "unknown_ms": 50}})).await;
    conformance::gateway(&served.world.gateway, "in-process").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn client_and_server_pass_the_suite() {
    // A slow card is slower than the client is patient.
    let served = Served::new(json!({"gateway": {"slow_ms": 2_500, "unknown_ms": 300}})).await;
    conformance::gateway(&client(&served), "over/http").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_reach_the_client_as_no_answer() {
    let served = Served::new(json!({})).await;
    let gateway = client(&served);
    let amount = Money { amount_minor: 2_590, currency: "EUR".into() };
    let paying = CaptureRequest { order_id: "o-1".into(), amount, token: "tok_ok".into() };
    served.world.set(&json!({"gateway": {"fail": 1.0}})).unwrap();
    let failed = gateway.capture("failed", &paying).await;
    assert!(matches!(&failed, Err(GatewayError::Unavailable(why)) if why.contains("503")), "{failed:?}");
    served.world.set(&json!({"gateway": {"fail": 0.0, "lose_answer": 1.0}})).unwrap();
    let lost = gateway.capture("lost", &paying).await;
    assert!(matches!(&lost, Err(GatewayError::Unavailable(why)) if why == "no reply in time"), "{lost:?}");
    served.world.set(&json!({"gateway": {"lose_answer": 0.0}})).unwrap();
    assert_eq!(gateway.find("failed").await, Ok(None));
    assert!(matches!(gateway.find("lost").await, Ok(Some(_))));
}
