//! Calling a parcel back: for a cancelled order, for its customer, or because nobody collected it.

use crate::domain::{CancelLabel, PickUp, Shipment};
use choreography::{Do, Due, cannot_happen, one_of};
use shared_events::{
    CancelledBy,
    order::{OrderCancellationRequested, OrderCancelled},
    shipping::{Event, ShipmentCancellationRejected, ShipmentCancellationRequested, ShipmentCancelled},
};

/// The carrier is asked to void the label. What then counts is its answer, or a report that comes first.
pub type CallBack = (ShipmentCancellationRequested, Do<CancelLabel>);

pub(crate) fn call_back(order_id: &str, label: &str, by: CancelledBy) -> CallBack {
    let void = CancelLabel { order_id: order_id.to_owned(), label: label.to_owned() };
    (ShipmentCancellationRequested { order_id: order_id.to_owned(), by }, Do(void))
}

/// The voiding that was asked for when a parcel was called back.
#[must_use]
pub fn voiding_of(requested: &ShipmentCancellationRequested, before: &Shipment) -> Option<Do<CancelLabel>> {
    match before {
        Shipment::Scheduled { label } | Shipment::Released { label } => {
            Some(call_back(&requested.order_id, label, requested.by).1)
        }
        _ => None, // there is no label yet, or it is being voided already
    }
}

/// What a cancelled order leads to.
#[derive(Clone, Debug, PartialEq)]
pub enum Cancelled {
    /// There is no label; also the tombstone.
    Closed(ShipmentCancelled),
    /// The label that is being booked is voided as soon as it is known.
    WhenBooked(ShipmentCancellationRequested),
    /// The label is voided now.
    Now(CallBack),
    /// Our `ShipmentCancelled` was the answer.
    Answered(()),
}
one_of!(Cancelled: Event {
    Closed(ShipmentCancelled), WhenBooked(ShipmentCancellationRequested), Now(CallBack), Answered(())
});

/// The one undo path, for a parcel that was not released.
#[must_use]
pub fn cancel(cancelled: &OrderCancelled, shipment: &Shipment) -> Cancelled {
    let (order_id, by) = (cancelled.order_id.clone(), CancelledBy::OrderCancelled);
    match shipment {
        Shipment::Unknown | Shipment::Failed => Cancelled::Closed(ShipmentCancelled { order_id }),
        Shipment::Booking => Cancelled::WhenBooked(ShipmentCancellationRequested { order_id, by }),
        Shipment::Scheduled { label } => Cancelled::Now(call_back(&order_id, label, by)),
        Shipment::Closed => Cancelled::Answered(()),
        other => cannot_happen(other, "OrderCancelled"),
    }
}

/// What a customer's wish to cancel a confirmed order leads to.
#[derive(Clone, Debug, PartialEq)]
pub enum Reconsidered {
    /// The label is voided, if the carrier still can.
    Now(CallBack),
    /// It is being voided already; now somebody waits to hear of it.
    Waiting(ShipmentCancellationRequested),
    /// The parcel is out.
    TooLate(ShipmentCancellationRejected),
    /// Our `ShipmentCancelled` was the answer.
    Answered(()),
}
one_of!(Reconsidered: Event {
    Now(CallBack), Waiting(ShipmentCancellationRequested), TooLate(ShipmentCancellationRejected), Answered(())
});

/// The customer wants a confirmed order cancelled: the carrier decides.
#[must_use]
pub fn reconsider(requested: &OrderCancellationRequested, shipment: &Shipment) -> Reconsidered {
    let (order_id, by) = (requested.order_id.clone(), CancelledBy::Customer);
    match shipment {
        Shipment::Released { label } => Reconsidered::Now(call_back(&order_id, label, by)),
        Shipment::Cancelling { asked: false } => Reconsidered::Waiting(ShipmentCancellationRequested { order_id, by }),
        Shipment::Dispatched { .. } | Shipment::Delivered => {
            Reconsidered::TooLate(ShipmentCancellationRejected { order_id })
        }
        Shipment::Closed => Reconsidered::Answered(()),
        other => cannot_happen(other, "OrderCancellationRequested"),
    }
}

/// Nobody collected the parcel in time: the carrier is asked to leave it.
#[must_use]
pub fn not_collected(due: &Due<PickUp>, shipment: &Shipment) -> Option<CallBack> {
    match shipment {
        Shipment::Released { label } => Some(call_back(&due.0.order_id, label, CancelledBy::PickUpDeadline)),
        // Decided before it was due.
        Shipment::Cancelling { .. } | Shipment::Dispatched { .. } | Shipment::Delivered | Shipment::Closed => None,
        other => cannot_happen(other, "Due<PickUp>"),
    }
}
