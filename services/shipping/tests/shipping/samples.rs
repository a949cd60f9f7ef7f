//! One order's inputs and events.

use choreography::{Done, Due, Service};
use shared_events::{
    CancelReason, CancelledBy, Money, NoLabelReason, Sealed,
    order::{OrderCancellationRequested, OrderCancelled, OrderConfirmed},
    payment::PaymentCompleted,
    shipping::{
        Event, ShipmentCancellationRejected, ShipmentCancellationRequested, ShipmentCancelled, ShipmentDelivered,
        ShipmentDispatched, ShipmentReleased, ShipmentRequested, ShipmentScheduled, ShipmentSchedulingFailed,
        TrackingUpdated,
    },
};
use shipping::{
    domain::{AlreadyCollected, BookLabel, CancelLabel, HandOver, Label, NotCollectable, PickUp},
    reports::{Report, ReportKind},
};
use std::time::Duration;

pub const ORDER: &str = "00000000000000000000000000000001";
pub const PICK_UP: Duration = Duration::from_secs(3 * 24 * 60 * 60);

pub fn service() -> Service<Event> {
    shipping::service(PICK_UP)
}
pub fn order_id() -> String {
    ORDER.into()
}
pub fn total() -> Money {
    Money { amount_minor: 2590, currency: "EUR".into() }
}

pub fn paid() -> PaymentCompleted {
    PaymentCompleted {
        order_id: order_id(),
        customer_id: "c-42".into(),
        lines: vec![],
        total: total(),
        receipt: "r-1".into(),
        sealed: Sealed::from_bytes([7; 3]),
    }
}
pub fn order_confirmed() -> OrderConfirmed {
    OrderConfirmed {
        order_id: order_id(),
        customer_id: "c-42".into(),
        total: total(),
        sealed: Sealed::from_bytes([7; 3]),
    }
}
pub fn order_cancellation_requested() -> OrderCancellationRequested {
    OrderCancellationRequested { order_id: order_id(), customer_id: "c-42".into(), sealed: Sealed::from_bytes([7; 3]) }
}
pub fn order_cancelled() -> OrderCancelled {
    OrderCancelled {
        order_id: order_id(),
        customer_id: "c-42".into(),
        lines: vec![],
        total: total(),
        reason: CancelReason::Customer,
        closed: vec![],
        sealed: Sealed::from_bytes([7; 3]),
    }
}

pub fn book_label() -> BookLabel {
    BookLabel { order_id: order_id(), customer_id: "c-42".into(), sealed: Sealed::from_bytes([7; 3]) }
}
pub fn hand_over() -> HandOver {
    HandOver { order_id: order_id(), label: "L-1".into() }
}
pub fn cancel_label() -> CancelLabel {
    CancelLabel { order_id: order_id(), label: "L-1".into() }
}
pub fn booked() -> Done<BookLabel> {
    Done { asked: book_label(), outcome: Ok(Label { label: "L-1".into(), carrier: "Swift".into() }) }
}
pub fn not_booked(reason: NoLabelReason) -> Done<BookLabel> {
    Done { asked: book_label(), outcome: Err(reason) }
}
pub fn handed_over() -> Done<HandOver> {
    Done { asked: hand_over(), outcome: Ok(()) }
}
pub fn not_handed_over() -> Done<HandOver> {
    Done { asked: hand_over(), outcome: Err(NotCollectable { code: "closed".into() }) }
}
pub fn label_void() -> Done<CancelLabel> {
    Done { asked: cancel_label(), outcome: Ok(()) }
}
pub fn already_collected() -> Done<CancelLabel> {
    Done { asked: cancel_label(), outcome: Err(AlreadyCollected) }
}
pub fn pick_up_due() -> Due<PickUp> {
    Due(PickUp { order_id: order_id() })
}

pub fn report(report_id: &str, kind: ReportKind) -> Report {
    Report { order_id: order_id(), report_id: report_id.into(), kind }
}
pub fn out() -> Report {
    report("r-out", ReportKind::Dispatched)
}
pub fn seen_at(report_id: &str, place: &str) -> Report {
    report(report_id, ReportKind::Tracking { place: place.into() })
}
pub fn arrived() -> Report {
    report("r-end", ReportKind::Delivered)
}

pub fn requested() -> Event {
    ShipmentRequested { order_id: order_id() }.into()
}
pub fn scheduled() -> Event {
    ShipmentScheduled { order_id: order_id(), label: "L-1".into(), carrier: "Swift".into() }.into()
}
pub fn failed(reason: NoLabelReason) -> Event {
    ShipmentSchedulingFailed { order_id: order_id(), reason }.into()
}
pub fn released() -> Event {
    ShipmentReleased { order_id: order_id() }.into()
}
pub fn called_back(by: CancelledBy) -> Event {
    ShipmentCancellationRequested { order_id: order_id(), by }.into()
}
pub fn cancelled() -> Event {
    ShipmentCancelled { order_id: order_id() }.into()
}
pub fn rejected() -> Event {
    ShipmentCancellationRejected { order_id: order_id() }.into()
}
pub fn dispatched() -> Event {
    ShipmentDispatched { order_id: order_id() }.into()
}
pub fn tracked(report_id: &str, place: &str) -> Event {
    TrackingUpdated { order_id: order_id(), report_id: report_id.into(), place: place.into() }.into()
}
pub fn delivered() -> Event {
    ShipmentDelivered { order_id: order_id(), report_id: "r-end".into() }.into()
}
