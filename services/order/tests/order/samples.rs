//! One order's inputs and events.

use choreography::Due;
use order::domain::{CancelOrder, Deadline, PlaceOrder};
use shared_events::{
    CancelReason, DeclineReason, Fingerprint, Line, Money, NoLabelReason, Participant, Sealed,
    inventory::{StockReleased, StockReservationFailed},
    order::{
        Event, OrderCancellationRequested, OrderCancelled, OrderCompleted, OrderConfirmed, OrderDispatched,
        OrderPlaced, OrderUndoProgressed, OrderUndone,
    },
    payment::{PaymentFailed, PaymentRefunded, PaymentVoided},
    shipping::{ShipmentCancelled, ShipmentDelivered, ShipmentDispatched, ShipmentScheduled, ShipmentSchedulingFailed},
};
use std::time::Duration;

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
    vec![Line { sku: "TEA-001".into(), quantity: 2, unit_price_minor: 1295 }]
}
pub fn sealed<T>() -> Sealed<T> {
    Sealed::from_bytes([7; 3])
}

pub fn place() -> PlaceOrder {
    PlaceOrder {
        order_id: order_id(),
        customer_id: customer_id(),
        lines: lines(),
        total: total(),
        fingerprint: Fingerprint([1; 32]),
        phone_given: true,
        placed_at: 1_700_000_000_000,
        deadline: Duration::from_secs(900),
        sealed: sealed(),
    }
}
/// The same key with another body.
pub fn place_other() -> PlaceOrder {
    PlaceOrder { fingerprint: Fingerprint([2; 32]), ..place() }
}
/// The same request as it really comes again: later, and sealed anew.
pub fn place_again() -> PlaceOrder {
    PlaceOrder { placed_at: 1_700_000_005_000, sealed: Sealed::from_bytes([8; 3]), ..place() }
}
pub fn cancel() -> CancelOrder {
    CancelOrder { order_id: order_id() }
}
pub fn deadline() -> Deadline {
    Deadline { order_id: order_id() }
}
pub fn deadline_due() -> Due<Deadline> {
    Due(deadline())
}

pub fn stock_reservation_failed() -> StockReservationFailed {
    StockReservationFailed { order_id: order_id(), short: vec![] }
}
pub fn stock_released() -> StockReleased {
    StockReleased { order_id: order_id(), lines: lines() }
}
pub fn payment_failed() -> PaymentFailed {
    PaymentFailed { order_id: order_id(), reason: DeclineReason::Declined }
}
pub fn payment_voided() -> PaymentVoided {
    PaymentVoided { order_id: order_id() }
}
pub fn payment_refunded() -> PaymentRefunded {
    PaymentRefunded { order_id: order_id(), amount: total() }
}
pub fn shipment_scheduled() -> ShipmentScheduled {
    ShipmentScheduled { order_id: order_id(), label: "L-1".into(), carrier: "Swift".into() }
}
pub fn shipment_scheduling_failed() -> ShipmentSchedulingFailed {
    ShipmentSchedulingFailed { order_id: order_id(), reason: NoLabelReason::CountryNotServed }
}
pub fn shipment_dispatched() -> ShipmentDispatched {
    ShipmentDispatched { order_id: order_id() }
}
pub fn shipment_delivered() -> ShipmentDelivered {
    ShipmentDelivered { order_id: order_id(), report_id: "r-end".into() }
}
pub fn shipment_cancelled() -> ShipmentCancelled {
    ShipmentCancelled { order_id: order_id() }
}

pub fn placed() -> Event {
    OrderPlaced {
        order_id: order_id(),
        customer_id: customer_id(),
        lines: lines(),
        total_minor: 2590,
        currency: "EUR".into(),
        fingerprint: Fingerprint([1; 32]),
        phone_given: true,
        placed_at: 1_700_000_000_000,
        deadline_ms: 900_000,
        sealed: sealed(),
    }
    .into()
}
pub fn confirmed() -> Event {
    OrderConfirmed { order_id: order_id(), customer_id: customer_id(), total: total(), sealed: sealed() }.into()
}
pub fn cancellation_requested() -> Event {
    OrderCancellationRequested { order_id: order_id(), customer_id: customer_id(), sealed: sealed() }.into()
}
pub fn dispatched(cancel_was_asked: bool) -> Event {
    OrderDispatched {
        order_id: order_id(),
        customer_id: customer_id(),
        cancel_was_asked,
        phone_given: true,
        sealed: sealed(),
    }
    .into()
}
pub fn completed() -> Event {
    OrderCompleted { order_id: order_id(), customer_id: customer_id(), total: total(), sealed: sealed() }.into()
}
pub fn cancelled(reason: CancelReason, closed: &[Participant]) -> Event {
    OrderCancelled {
        order_id: order_id(),
        customer_id: customer_id(),
        lines: lines(),
        total: total(),
        reason,
        closed: closed.to_vec(),
        sealed: sealed(),
    }
    .into()
}
pub fn progressed(participant: Participant) -> Event {
    OrderUndoProgressed { order_id: order_id(), participant }.into()
}
pub fn undone() -> Event {
    OrderUndone { order_id: order_id(), customer_id: customer_id(), sealed: sealed() }.into()
}
