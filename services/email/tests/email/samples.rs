//! One order's events and messages.

use email::domain::{About, SendMail, SendSms};
use shared_events::{
    CancelReason, CustomerKey, Line, Money, Personal, Sealed, Template,
    order::{OrderCancellationRequested, OrderCancelled, OrderCompleted, OrderConfirmed, OrderDispatched, OrderUndone},
};

pub const ORDER: &str = "00000000000000000000000000000001";

pub fn order_id() -> String {
    ORDER.into()
}
pub fn customer_id() -> String {
    "c-42".into()
}
pub fn total() -> Money {
    Money { amount_minor: 2590, currency: "EUR".into() }
}
pub fn lines() -> Vec<Line> {
    vec![
        Line { sku: "TEA-001".into(), quantity: 2, unit_price_minor: 1000 },
        Line { sku: "CUP-007".into(), quantity: 1, unit_price_minor: 590 },
    ]
}
pub fn sealed() -> Sealed<Personal> {
    Sealed::from_bytes([7; 3])
}

pub fn confirmed() -> OrderConfirmed {
    OrderConfirmed { order_id: order_id(), customer_id: customer_id(), total: total(), sealed: sealed() }
}
pub fn cancellation_requested() -> OrderCancellationRequested {
    OrderCancellationRequested { order_id: order_id(), customer_id: customer_id(), sealed: sealed() }
}
pub fn dispatched(cancel_was_asked: bool, phone_given: bool) -> OrderDispatched {
    let (order_id, customer_id, sealed) = (order_id(), customer_id(), sealed());
    OrderDispatched { order_id, customer_id, cancel_was_asked, phone_given, sealed }
}
pub fn completed() -> OrderCompleted {
    OrderCompleted { order_id: order_id(), customer_id: customer_id(), total: total(), sealed: sealed() }
}
pub fn cancelled(reason: CancelReason) -> OrderCancelled {
    OrderCancelled {
        order_id: order_id(),
        customer_id: customer_id(),
        lines: lines(),
        total: total(),
        reason,
        closed: vec![],
        sealed: sealed(),
    }
}
pub fn undone() -> OrderUndone {
    OrderUndone { order_id: order_id(), customer_id: customer_id(), sealed: sealed() }
}

pub fn mail(template: Template, about: About) -> SendMail {
    SendMail { order_id: order_id(), customer_id: customer_id(), template, about, sealed: sealed() }
}
pub fn sms(template: Template) -> SendSms {
    SendSms { order_id: order_id(), customer_id: customer_id(), template, sealed: sealed() }
}
pub fn knows_total() -> About {
    About { total: Some(total()), ..About::default() }
}
pub fn knows_all(reason: CancelReason) -> About {
    About { total: Some(total()), lines: lines(), reason: Some(reason) }
}

pub fn key() -> CustomerKey {
    CustomerKey::from_bytes([5; 32])
}
pub fn ada() -> Personal {
    Personal {
        email: "ada@example.com".into(),
        phone: Some("+49301234567".into()),
        name: "Ada".into(),
        street: "Weg 1".into(),
        city: "Berlin".into(),
        postal_code: "10115".into(),
        country: "DE".into(),
        payment_token: "tok_ok".into(),
    }
}
