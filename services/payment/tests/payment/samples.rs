//! One order's inputs and events.

use choreography::Done;
use payment::domain::{Charge, Refund};
use shared_events::{
    CancelReason, DeclineReason, Line, Money, Sealed,
    inventory::StockReserved,
    order::OrderCancelled,
    payment::{
        Event, PaymentCompleted, PaymentFailed, PaymentRefundRequested, PaymentRefunded, PaymentRequested,
        PaymentVoided,
    },
};

pub const ORDER: &str = "00000000000000000000000000000001";

pub fn order_id() -> String {
    ORDER.into()
}
pub fn amount() -> Money {
    Money { amount_minor: 2590, currency: "EUR".into() }
}
pub fn lines() -> Vec<Line> {
    vec![Line { sku: "TEA-001".into(), quantity: 2, unit_price_minor: 1295 }]
}

pub fn stock_reserved() -> StockReserved {
    StockReserved {
        order_id: order_id(),
        customer_id: "c-42".into(),
        lines: lines(),
        total: amount(),
        sealed: Sealed::from_bytes([7; 3]),
    }
}
pub fn order_cancelled() -> OrderCancelled {
    OrderCancelled {
        order_id: order_id(),
        customer_id: "c-42".into(),
        lines: lines(),
        total: amount(),
        reason: CancelReason::Customer,
        closed: vec![],
        sealed: Sealed::from_bytes([7; 3]),
    }
}

pub fn charge() -> Charge {
    Charge {
        order_id: order_id(),
        customer_id: "c-42".into(),
        lines: lines(),
        amount: amount(),
        sealed: Sealed::from_bytes([7; 3]),
    }
}
pub fn refund() -> Refund {
    Refund { order_id: order_id(), amount: amount() }
}
pub fn charge_done() -> Done<Charge> {
    Done { asked: charge(), outcome: Ok("r-1".into()) }
}
pub fn charge_refused(reason: DeclineReason) -> Done<Charge> {
    Done { asked: charge(), outcome: Err(reason) }
}
pub fn refund_done() -> Done<Refund> {
    Done { asked: refund(), outcome: Ok(()) }
}

pub fn requested() -> Event {
    PaymentRequested { order_id: order_id(), amount: amount() }.into()
}
pub fn completed() -> Event {
    PaymentCompleted {
        order_id: order_id(),
        customer_id: "c-42".into(),
        lines: lines(),
        total: amount(),
        receipt: "r-1".into(),
        sealed: Sealed::from_bytes([7; 3]),
    }
    .into()
}
pub fn failed(reason: DeclineReason) -> Event {
    PaymentFailed { order_id: order_id(), reason }.into()
}
pub fn voided() -> Event {
    PaymentVoided { order_id: order_id() }.into()
}
pub fn refund_requested() -> Event {
    PaymentRefundRequested { order_id: order_id() }.into()
}
pub fn refunded() -> Event {
    PaymentRefunded { order_id: order_id(), amount: amount() }.into()
}
