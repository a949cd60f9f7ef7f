//! The way of a parcel to the carrier: the label, the release, and what the carrier answers.

use crate::{
    domain::{BookLabel, CancelLabel, HandOver, PickUp, Shipment},
    reports::{Collected, collected},
    undo::{CallBack, call_back},
};
use choreography::{After, Do, Done, cannot_happen, one_of};
use shared_events::{
    CancelledBy,
    order::OrderConfirmed,
    payment::PaymentCompleted,
    shipping::{
        Event, ShipmentCancelled, ShipmentReleased, ShipmentRequested, ShipmentScheduled, ShipmentSchedulingFailed,
    },
};
use std::time::Duration;

/// Books a label for a paid order, unless it is cancelled already.
#[must_use]
pub fn book(paid: &PaymentCompleted, shipment: &Shipment) -> Option<(ShipmentRequested, Do<BookLabel>)> {
    match shipment {
        Shipment::Unknown => {
            let book = BookLabel {
                order_id: paid.order_id.clone(),
                customer_id: paid.customer_id.clone(),
                sealed: paid.sealed.clone(),
            };
            Some((ShipmentRequested { order_id: paid.order_id.clone() }, Do(book)))
        }
        Shipment::Closed => None, // cancelled before it was paid
        other => cannot_happen(other, "PaymentCompleted"),
    }
}

/// What the end of a booking leads to.
#[derive(Clone, Debug, PartialEq)]
pub enum Booked {
    /// There is a label, and it is wanted.
    Scheduled(ShipmentScheduled),
    /// There is none.
    Failed(ShipmentSchedulingFailed),
    /// There is none, and the order is cancelled meanwhile.
    Cancelled(ShipmentCancelled),
    /// There is a label, but the order is cancelled meanwhile.
    Void(Do<CancelLabel>),
}
one_of!(Booked: Event {
    Scheduled(ShipmentScheduled), Failed(ShipmentSchedulingFailed), Cancelled(ShipmentCancelled), Void(Do<CancelLabel>)
});

/// The definite end of a booking, before or after a cancel.
#[must_use]
pub fn booked(done: &Done<BookLabel>, shipment: &Shipment) -> Booked {
    let order_id = done.asked.order_id.clone();
    match (shipment, done.outcome.clone()) {
        (Shipment::Booking, Ok(label)) => {
            Booked::Scheduled(ShipmentScheduled { order_id, label: label.label, carrier: label.carrier })
        }
        (Shipment::Booking, Err(reason)) => Booked::Failed(ShipmentSchedulingFailed { order_id, reason }),
        (Shipment::Undoing, Ok(label)) => Booked::Void(Do(CancelLabel { order_id, label: label.label })),
        (Shipment::Undoing, Err(_)) => Booked::Cancelled(ShipmentCancelled { order_id }),
        (other, Ok(_)) => cannot_happen(other, "Done<BookLabel>"),
        (other, Err(_)) => cannot_happen(other, "Refused<BookLabel>"),
    }
}

/// Lets the carrier collect a confirmed order, for as long as `pick_up`.
#[must_use]
pub fn release(
    confirmed: &OrderConfirmed,
    shipment: &Shipment,
    pick_up: Duration,
) -> (ShipmentReleased, Do<HandOver>, After<PickUp>) {
    let Shipment::Scheduled { label } = shipment else { cannot_happen(shipment, "OrderConfirmed") };
    let (order_id, label) = (confirmed.order_id.clone(), label.clone());
    (
        ShipmentReleased { order_id: order_id.clone() },
        Do(HandOver { order_id: order_id.clone(), label }),
        After(pick_up, PickUp { order_id }),
    )
}

/// The carrier knows that it may collect. If it will not, the parcel is called back.
#[must_use]
pub fn handed_over(done: &Done<HandOver>, shipment: &Shipment) -> Option<CallBack> {
    match (shipment, &done.outcome) {
        (
            Shipment::Released { .. } | Shipment::Cancelling { .. } | Shipment::Dispatched { .. } | Shipment::Delivered,
            Ok(()),
        ) => None, // as expected; what counts is the carrier's report
        (Shipment::Released { label }, Err(_)) => Some(call_back(&done.asked.order_id, label, CancelledBy::Carrier)),
        (Shipment::Cancelling { .. }, Err(_)) => None, // called back already
        (other, Ok(())) => cannot_happen(other, "Done<HandOver>"),
        (other, Err(_)) => cannot_happen(other, "Refused<HandOver>"),
    }
}

/// What the end of voiding a label leads to.
#[derive(Clone, Debug, PartialEq)]
pub enum LabelCancelled {
    /// In time: shipping's closing event.
    Cancelled(ShipmentCancelled),
    /// Too late: that the label is not voided is evidence that the parcel is out.
    Collected(Collected),
    /// Too late, and known already.
    Known(()),
}
one_of!(LabelCancelled: Event { Cancelled(ShipmentCancelled), Collected(Collected), Known(()) });

/// The carrier has decided whether a label could still be voided.
#[must_use]
pub fn label_cancelled(done: &Done<CancelLabel>, shipment: &Shipment) -> LabelCancelled {
    let order_id = done.asked.order_id.clone();
    match (shipment, &done.outcome) {
        (Shipment::Undoing | Shipment::Cancelling { .. }, Ok(())) => {
            LabelCancelled::Cancelled(ShipmentCancelled { order_id })
        }
        (Shipment::Cancelling { asked }, Err(_)) => LabelCancelled::Collected(collected(&order_id, *asked)),
        (Shipment::Dispatched { .. } | Shipment::Delivered, Err(_)) => LabelCancelled::Known(()),
        (other, Ok(())) => cannot_happen(other, "Done<CancelLabel>"),
        (other, Err(_)) => cannot_happen(other, "Refused<CancelLabel>"),
    }
}
