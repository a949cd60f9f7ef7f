//! The adapter against a carrier that answers as told.

use crate::samples::*;
use runtime::{
    Adapter, Outcome,
    keyring::{KeyAnswer, KeyError, Keyring},
};
use shared_events::{CustomerKey, NoLabelReason, Personal, Sealed};
use shipping::{
    carrier::{BookRequest, Carrier, CarrierAnswer, CarrierError, ParcelCarrier},
    domain::{AlreadyCollected, BookLabel, Label, NotCollectable},
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

type Told = Result<CarrierAnswer, CarrierError>;

/// Answers every call as told, or never, and remembers what it was asked.
struct FakeCarrier {
    answer: Option<Told>,
    asked: Mutex<Vec<String>>,
}

impl FakeCarrier {
    async fn told(&self, asked: String) -> Told {
        self.asked.lock().unwrap().push(asked);
        match &self.answer {
            Some(answer) => answer.clone(),
            None => std::future::pending().await,
        }
    }
}

impl Carrier for FakeCarrier {
    async fn book(&self, key: &str, ask: &BookRequest) -> Told {
        let BookRequest { order_id, name, street, city, postal_code, country } = ask;
        self.told(format!("{key} book {order_id} {name}, {street}, {postal_code} {city}, {country}")).await
    }
    async fn hand_over(&self, key: &str, order_id: &str, label: &str) -> Told {
        self.told(format!("{key} hand over {order_id} {label}")).await
    }
    async fn cancel(&self, key: &str, order_id: &str, label: &str) -> Told {
        self.told(format!("{key} cancel {order_id} {label}")).await
    }
    async fn find(&self, key: &str) -> Result<Option<CarrierAnswer>, CarrierError> {
        match &self.answer {
            Some(Ok(CarrierAnswer::NotServed { code })) if code == "unknown_key" => Ok(None),
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

fn sealed_booking() -> BookLabel {
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
    BookLabel { sealed: Sealed::seal(&key(), "c-42", &personal).unwrap(), ..book_label() }
}

fn adapter(answer: Option<Told>, key: Result<CustomerKey, KeyError>) -> (Arc<FakeCarrier>, ParcelCarrier<FakeCarrier>) {
    let carrier = Arc::new(FakeCarrier { answer, asked: Mutex::default() });
    let adapter = ParcelCarrier::new(carrier.clone(), Arc::new(FakeKeyring(key)), Duration::from_millis(20));
    (carrier, adapter)
}

fn says(answer: CarrierAnswer) -> ParcelCarrier<FakeCarrier> {
    adapter(Some(Ok(answer)), Ok(key())).1
}
fn label() -> CarrierAnswer {
    CarrierAnswer::Booked { label: "L-1".into(), carrier: "Swift".into() }
}
fn not_served(code: &str) -> CarrierAnswer {
    CarrierAnswer::NotServed { code: code.into() }
}

#[tokio::test]
async fn a_label_is_booked_for_the_sealed_address_under_its_key() {
    let (carrier, adapter) = adapter(Some(Ok(label())), Ok(key()));
    let done = Outcome::Done(Label { label: "L-1".into(), carrier: "Swift".into() });
    assert_eq!(adapter.call("shipping/book_label/o", &sealed_booking()).await, done);
    let asked = carrier.asked.lock().unwrap().join("; ");
    assert_eq!(asked, format!("shipping/book_label/o book {ORDER} Ada, Weg 1, 10115 Berlin, DE"));
}

#[tokio::test]
async fn a_booking_the_carrier_does_not_serve_is_refused_with_the_reason() {
    for (code, reason) in [
        ("country_not_served", NoLabelReason::CountryNotServed),
        ("address_refused", NoLabelReason::AddressRefused),
        ("some_new_code", NoLabelReason::CountryNotServed),
    ] {
        let adapter = says(not_served(code));
        assert_eq!(adapter.call("k", &sealed_booking()).await, Outcome::Refused(reason));
        assert_eq!(adapter.ask("k", &sealed_booking()).await, Some(Outcome::Refused(reason)));
    }
}

#[tokio::test]
async fn a_hand_over_is_done_when_noted_or_collected_and_refused_otherwise() {
    let (carrier, adapter) = adapter(Some(Ok(CarrierAnswer::Accepted)), Err(KeyError::Forgotten));
    assert_eq!(adapter.call("k", &hand_over()).await, Outcome::Done(()));
    assert_eq!(*carrier.asked.lock().unwrap(), [format!("k hand over {ORDER} L-1")]);
    assert_eq!(says(CarrierAnswer::AlreadyCollected).call("k", &hand_over()).await, Outcome::Done(()));
    let refused = |code: &str| Outcome::Refused(NotCollectable { code: code.into() });
    assert_eq!(says(CarrierAnswer::LabelVoid).call("k", &hand_over()).await, refused("label_void"));
    assert_eq!(says(not_served("strike")).ask("k", &hand_over()).await, Some(refused("strike")));
}

#[tokio::test]
async fn a_cancel_is_refused_for_one_reason_only_and_any_other_refusal_is_stuck() {
    let (carrier, adapter) = adapter(Some(Ok(CarrierAnswer::Accepted)), Err(KeyError::Forgotten));
    assert_eq!(adapter.call("k", &cancel_label()).await, Outcome::Done(()));
    assert_eq!(*carrier.asked.lock().unwrap(), [format!("k cancel {ORDER} L-1")]);
    assert_eq!(says(CarrierAnswer::LabelVoid).call("k", &cancel_label()).await, Outcome::Done(()));
    let collected = says(CarrierAnswer::AlreadyCollected).call("k", &cancel_label()).await;
    assert_eq!(collected, Outcome::Refused(AlreadyCollected));
    for odd in [not_served("unknown_label"), label()] {
        assert!(matches!(says(odd.clone()).call("k", &cancel_label()).await, Outcome::Stuck(_)));
        assert!(matches!(says(odd).ask("k", &cancel_label()).await, Some(Outcome::Stuck(_))));
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_unclear() {
    for told in [None, Some(Err(CarrierError::Unavailable("503".into())))] {
        let (_, adapter) = adapter(told, Ok(key()));
        assert!(matches!(adapter.call("k", &sealed_booking()).await, Outcome::Unclear(_)));
        assert!(matches!(adapter.ask("k", &sealed_booking()).await, Some(Outcome::Unclear(_))));
        assert!(matches!(adapter.call("k", &hand_over()).await, Outcome::Unclear(_)));
        assert!(matches!(adapter.ask("k", &hand_over()).await, Some(Outcome::Unclear(_))));
        assert!(matches!(adapter.call("k", &cancel_label()).await, Outcome::Unclear(_)));
        assert!(matches!(adapter.ask("k", &cancel_label()).await, Some(Outcome::Unclear(_))));
    }
}

#[tokio::test]
async fn a_key_the_carrier_does_not_know_may_be_called() {
    let adapter = says(not_served("unknown_key"));
    assert_eq!(adapter.ask("k", &sealed_booking()).await, None);
    assert_eq!(adapter.ask("k", &hand_over()).await, None);
    assert_eq!(adapter.ask("k", &cancel_label()).await, None);
}

#[tokio::test]
async fn without_the_customers_key_the_carrier_is_not_asked() {
    let (carrier, forgotten) = adapter(Some(Ok(label())), Err(KeyError::Forgotten));
    assert_eq!(forgotten.call("k", &sealed_booking()).await, Outcome::Refused(NoLabelReason::Forgotten));
    assert!(carrier.asked.lock().unwrap().is_empty());
    for no_key in [KeyError::Unknown, KeyError::Away("disk".into())] {
        let (carrier, adapter) = adapter(Some(Ok(label())), Err(no_key));
        assert!(matches!(adapter.call("k", &sealed_booking()).await, Outcome::Unclear(_)));
        assert!(carrier.asked.lock().unwrap().is_empty());
    }
    let (carrier, wrong) = adapter(Some(Ok(label())), Ok(CustomerKey::from_bytes([6; 32])));
    assert!(matches!(wrong.call("k", &sealed_booking()).await, Outcome::Stuck(_)));
    assert!(carrier.asked.lock().unwrap().is_empty());
}

#[test]
fn a_request_does_not_show_the_address() {
    let request = BookRequest {
        order_id: order_id(),
        name: "Ada".into(),
        street: "Weg 1".into(),
        city: "Berlin".into(),
        postal_code: "10115".into(),
        country: "DE".into(),
    };
    let shown = format!("{request:?}");
    assert!(["Ada", "Weg", "Berlin", "10115"].iter().all(|word| !shown.contains(word)), "{shown}");
}
