//! One fully populated value of every event, always the same.

use choreography::{Event, Topic};
use serde::{Serialize, de::DeserializeOwned};
use shared_events::{
    CancelReason, CancelledBy, DeclineReason, Fingerprint, Line, Money, NoLabelReason, NotSentReason, OrderId,
    Participant, Personal, Sealed, Shortage, Template, email, inventory, order, payment, shipping,
};

/// An event, forgetting its type.
pub struct Sample {
    pub topic: &'static str,
    pub name: &'static str,
    pub version: u16,
    /// The datum under the current schema.
    pub datum: Vec<u8>,
    /// What serde makes of the struct: its fields in the struct's order.
    pub json: String,
    /// Reads a datum of any version into the struct, and shows that as JSON.
    pub decode: fn(u16, &[u8]) -> Result<String, String>,
}

fn sample<E: Event + Serialize + DeserializeOwned>(event: E) -> Sample {
    Sample {
        topic: E::Topic::NAME,
        name: E::NAME,
        version: E::VERSION,
        datum: event.encode().unwrap(),
        json: serde_json::to_string(&event).unwrap(),
        decode: |version, datum| E::decode(version, datum).map(|event| serde_json::to_string(&event).unwrap()),
    }
}

pub fn all() -> Vec<Sample> {
    [of_order(), of_inventory(), of_payment(), of_shipping(), of_email()].into_iter().flatten().collect()
}

pub fn order_id() -> OrderId {
    "5f0c1d".into()
}

pub fn customer_id() -> String {
    "c-42".into()
}

pub fn sealed() -> Sealed<Personal> {
    Sealed::from_bytes((0..80).collect::<Vec<u8>>())
}

pub fn lines() -> Vec<Line> {
    let line = |sku: &str, quantity, unit_price_minor| Line { sku: sku.into(), quantity, unit_price_minor };
    vec![line("TEA-001", 2, 1_295), line("CUP-007", 1, 70_000)]
}

pub fn total() -> Money {
    Money { amount_minor: 72_590, currency: "CHF".into() }
}

pub fn order_placed() -> order::OrderPlaced {
    order::OrderPlaced {
        order_id: order_id(),
        customer_id: customer_id(),
        lines: lines(),
        total_minor: 72_590,
        currency: "CHF".into(),
        fingerprint: Fingerprint(std::array::from_fn(|at| 0xa0 + at as u8)),
        phone_given: true,
        placed_at: 1_767_225_600_000,
        deadline_ms: 30_000,
        sealed: sealed(),
    }
}

pub fn order_cancelled() -> order::OrderCancelled {
    order::OrderCancelled {
        order_id: order_id(),
        customer_id: customer_id(),
        lines: lines(),
        total: total(),
        reason: CancelReason::PaymentDeclined,
        closed: vec![Participant::Payment, Participant::Shipping],
        sealed: sealed(),
    }
}

fn of_order() -> Vec<Sample> {
    let (order_id, customer_id) = (order_id(), customer_id());
    let (o, c) = (|| order_id.clone(), || customer_id.clone());
    vec![
        sample(order_placed()),
        sample(order::OrderConfirmed { order_id: o(), customer_id: c(), total: total(), sealed: sealed() }),
        sample(order::OrderCancellationRequested { order_id: o(), customer_id: c(), sealed: sealed() }),
        sample(order::OrderDispatched {
            order_id: o(),
            customer_id: c(),
            cancel_was_asked: true,
            phone_given: false,
            sealed: sealed(),
        }),
        sample(order::OrderCompleted { order_id: o(), customer_id: c(), total: total(), sealed: sealed() }),
        sample(order_cancelled()),
        sample(order::OrderUndoProgressed { order_id: o(), participant: Participant::Inventory }),
        sample(order::OrderUndone { order_id: o(), customer_id: c(), sealed: sealed() }),
    ]
}

fn of_inventory() -> Vec<Sample> {
    vec![
        sample(inventory::StockReserved {
            order_id: order_id(),
            customer_id: customer_id(),
            lines: lines(),
            total: total(),
            sealed: sealed(),
        }),
        sample(inventory::StockReservationFailed {
            order_id: order_id(),
            short: vec![Shortage { sku: "TEA-001".into(), requested: 2, available: 1 }],
        }),
        sample(inventory::StockReleased { order_id: order_id(), lines: lines() }),
        sample(inventory::StockDeducted { order_id: order_id(), lines: lines() }),
        sample(inventory::StockReplenished { sku: "TEA-001".into(), delivery: "d-7".into(), quantity: 100 }),
        sample(inventory::LowStockWarning { sku: "TEA-001".into(), available: 4, threshold: 5 }),
    ]
}

fn of_payment() -> Vec<Sample> {
    vec![
        sample(payment::PaymentRequested { order_id: order_id(), amount: total() }),
        sample(payment::PaymentCompleted {
            order_id: order_id(),
            customer_id: customer_id(),
            lines: lines(),
            total: total(),
            receipt: "ch_1".into(),
            sealed: sealed(),
        }),
        sample(payment::PaymentFailed { order_id: order_id(), reason: DeclineReason::InsufficientFunds }),
        sample(payment::PaymentVoided { order_id: order_id() }),
        sample(payment::PaymentRefundRequested { order_id: order_id() }),
        sample(payment::PaymentRefunded { order_id: order_id(), amount: total() }),
    ]
}

fn of_shipping() -> Vec<Sample> {
    let o = order_id;
    vec![
        sample(shipping::ShipmentRequested { order_id: o() }),
        sample(shipping::ShipmentScheduled { order_id: o(), label: "lbl-1".into(), carrier: "swift".into() }),
        sample(shipping::ShipmentSchedulingFailed { order_id: o(), reason: NoLabelReason::AddressRefused }),
        sample(shipping::ShipmentReleased { order_id: o() }),
        sample(shipping::ShipmentDispatched { order_id: o() }),
        sample(shipping::TrackingUpdated { order_id: o(), report_id: "r-1".into(), place: "Leipzig".into() }),
        sample(shipping::ShipmentDelivered { order_id: o(), report_id: "r-2".into() }),
        sample(shipping::ShipmentCancellationRequested { order_id: o(), by: CancelledBy::PickUpDeadline }),
        sample(shipping::ShipmentCancelled { order_id: o() }),
        sample(shipping::ShipmentCancellationRejected { order_id: o() }),
    ]
}

fn of_email() -> Vec<Sample> {
    let (order_id, message_id) = (order_id, || "5f0c1d.confirmed@tutti.example".to_owned());
    let (template, reason) = (Template::TooLateToCancel, NotSentReason::NotResent);
    vec![
        sample(email::EmailSent { order_id: order_id(), template, message_id: message_id() }),
        sample(email::EmailFailed { order_id: order_id(), template, message_id: message_id(), reason }),
        sample(email::SmsSent { order_id: order_id(), template, message_id: message_id() }),
        sample(email::SmsFailed { order_id: order_id(), template, message_id: message_id(), reason }),
    ]
}

#[test]
fn there_is_one_of_every_event_of_every_topic() {
    let said: Vec<_> = all().iter().map(|sample| (sample.topic, sample.name)).collect();
    let mut expected = Vec::new();
    fn events<T: Topic>(expected: &mut Vec<(&'static str, &'static str)>) {
        expected.extend(T::EVENTS.iter().map(|name| (T::NAME, *name)));
    }
    events::<order::Event>(&mut expected);
    events::<inventory::Event>(&mut expected);
    events::<payment::Event>(&mut expected);
    events::<shipping::Event>(&mut expected);
    events::<email::Event>(&mut expected);
    assert_eq!(said, expected);
}
