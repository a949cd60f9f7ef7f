//! The adapter against a gateway that answers as told.

use crate::samples::*;
use payment::{
    domain::Charge,
    gateway::{CaptureRequest, Gateway, GatewayAnswer, GatewayError, PaymentGateway, RefundRequest},
};
use runtime::{
    Adapter, Outcome,
    keyring::{KeyAnswer, KeyError, Keyring},
};
use shared_events::{CustomerKey, DeclineReason, Personal, Sealed};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

type Told = Result<GatewayAnswer, GatewayError>;

/// Answers every call as told, or never, and remembers what it was asked.
struct FakeGateway {
    answer: Option<Told>,
    asked: Mutex<Vec<String>>,
}

impl FakeGateway {
    async fn told(&self, asked: String) -> Told {
        self.asked.lock().unwrap().push(asked);
        match &self.answer {
            Some(answer) => answer.clone(),
            None => std::future::pending().await,
        }
    }
}

impl Gateway for FakeGateway {
    async fn capture(&self, key: &str, ask: &CaptureRequest) -> Told {
        self.told(format!("{key} capture {} {} {}", ask.order_id, ask.amount, ask.token)).await
    }
    async fn refund(&self, key: &str, ask: &RefundRequest) -> Told {
        self.told(format!("{key} refund {} {} {}", ask.order_id, ask.amount, ask.capture_key)).await
    }
    async fn find(&self, key: &str) -> Result<Option<GatewayAnswer>, GatewayError> {
        match &self.answer {
            Some(Ok(GatewayAnswer::Declined { code })) if code == "unknown_key" => Ok(None),
            _ => self.told(format!("{key} find")).await.map(Some),
        }
    }
}

/// One key for everybody, or none.
struct FakeKeyring(Result<CustomerKey, KeyError>);

impl Keyring for FakeKeyring {
    fn make_or_get<'a>(&'a self, customer: &'a str) -> KeyAnswer<'a> {
        self.get(customer)
    }
    fn get<'a>(&'a self, _: &'a str) -> KeyAnswer<'a> {
        Box::pin(std::future::ready(self.0.clone()))
    }
}

fn key() -> CustomerKey {
    CustomerKey::from_bytes([5; 32])
}

fn sealed_charge() -> Charge {
    let personal = Personal {
        email: "a@example.com".into(),
        phone: None,
        name: "Ada".into(),
        street: "Weg 1".into(),
        city: "Berlin".into(),
        postal_code: "10115".into(),
        country: "DE".into(),
        payment_token: "tok_ok".into(),
    };
    Charge { sealed: Sealed::seal(&key(), "c-42", &personal).unwrap(), ..charge() }
}

fn adapter(
    answer: Option<Told>,
    key: Result<CustomerKey, KeyError>,
) -> (Arc<FakeGateway>, PaymentGateway<FakeGateway>) {
    let gateway = Arc::new(FakeGateway { answer, asked: Mutex::default() });
    let adapter = PaymentGateway::new(gateway.clone(), Arc::new(FakeKeyring(key)), Duration::from_millis(20));
    (gateway, adapter)
}

fn succeeded() -> Told {
    Ok(GatewayAnswer::Succeeded { receipt: "r-1".into() })
}
fn declined(code: &str) -> Told {
    Ok(GatewayAnswer::Declined { code: code.into() })
}
fn away() -> Told {
    Err(GatewayError::Unavailable("503".into()))
}

#[tokio::test]
async fn a_charge_takes_the_amount_from_the_sealed_token_under_its_key() {
    let (gateway, adapter) = adapter(Some(succeeded()), Ok(key()));
    assert_eq!(adapter.call("payment/charge/o", &sealed_charge()).await, Outcome::Done("r-1".into()));
    let asked = gateway.asked.lock().unwrap().join("; ");
    assert_eq!(asked, format!("payment/charge/o capture {ORDER} 25.90 EUR tok_ok"));
}

#[tokio::test]
async fn a_declined_charge_is_refused_with_the_reason() {
    for (code, reason) in [
        ("card_declined", DeclineReason::Declined),
        ("insufficient_funds", DeclineReason::InsufficientFunds),
        ("some_new_code", DeclineReason::Declined),
    ] {
        let (_, adapter) = adapter(Some(declined(code)), Ok(key()));
        assert_eq!(adapter.call("k", &sealed_charge()).await, Outcome::Refused(reason));
        assert_eq!(adapter.ask("k", &sealed_charge()).await, Some(Outcome::Refused(reason)));
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_unclear() {
    for told in [None, Some(away())] {
        let (_, adapter) = adapter(told, Ok(key()));
        assert!(matches!(adapter.call("k", &sealed_charge()).await, Outcome::Unclear(_)));
        assert!(matches!(adapter.ask("k", &sealed_charge()).await, Some(Outcome::Unclear(_))));
        assert!(matches!(adapter.call("k", &refund()).await, Outcome::Unclear(_)));
        assert!(matches!(adapter.ask("k", &refund()).await, Some(Outcome::Unclear(_))));
    }
}

#[tokio::test]
async fn a_key_the_gateway_does_not_know_may_be_called() {
    let (_, adapter) = adapter(Some(declined("unknown_key")), Ok(key()));
    assert_eq!(adapter.ask("k", &sealed_charge()).await, None);
    assert_eq!(adapter.ask("k", &refund()).await, None);
}

#[tokio::test]
async fn a_forgotten_customer_is_not_charged_and_the_gateway_not_asked() {
    let (gateway, adapter) = adapter(Some(succeeded()), Err(KeyError::Forgotten));
    assert_eq!(adapter.call("k", &sealed_charge()).await, Outcome::Refused(DeclineReason::Forgotten));
    assert!(gateway.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_keyring_that_is_away_or_does_not_know_the_customer_is_unclear() {
    for no_key in [KeyError::Unknown, KeyError::Away("disk".into())] {
        let (gateway, adapter) = adapter(Some(succeeded()), Err(no_key));
        assert!(matches!(adapter.call("k", &sealed_charge()).await, Outcome::Unclear(_)));
        assert!(gateway.asked.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn sealed_data_that_does_not_open_is_stuck_for_a_person() {
    let (gateway, adapter) = adapter(Some(succeeded()), Ok(CustomerKey::from_bytes([6; 32])));
    assert!(matches!(adapter.call("k", &sealed_charge()).await, Outcome::Stuck(_)));
    assert!(gateway.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_refund_names_its_capture_and_needs_no_key_of_the_customer() {
    let (gateway, adapter) = adapter(Some(succeeded()), Err(KeyError::Forgotten));
    assert_eq!(adapter.call("payment/refund/o", &refund()).await, Outcome::Done(()));
    let asked = gateway.asked.lock().unwrap().join("; ");
    assert_eq!(asked, format!("payment/refund/o refund {ORDER} 25.90 EUR payment/charge/{ORDER}"));
}

#[tokio::test]
async fn a_refused_refund_is_stuck_for_a_person() {
    let (_, adapter) = adapter(Some(declined("refund_refused")), Ok(key()));
    assert!(matches!(adapter.call("k", &refund()).await, Outcome::Stuck(why) if why.contains("refund_refused")));
    assert!(matches!(adapter.ask("k", &refund()).await, Some(Outcome::Stuck(_))));
}

#[test]
fn a_request_does_not_show_the_token() {
    let request = CaptureRequest { order_id: order_id(), amount: amount(), token: "tok_secret".into() };
    assert!(!format!("{request:?}").contains("tok_secret"));
}
