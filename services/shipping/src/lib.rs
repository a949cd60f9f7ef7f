//! Owns the parcel, and an order's fate once it is confirmed; from the hand-over on the carrier decides.

pub mod api;
pub mod carrier;
pub mod domain;
pub mod labels;
pub mod reports;
pub mod signature;
pub mod undo;

use choreography::Service;
use domain::Shipment;
use labels::{book, booked, handed_over, label_cancelled, release};
use reports::report;
use shared_events::{order::OrderConfirmed, shipping::Event};
use std::time::Duration;
use undo::{cancel, not_collected, reconsider, voiding_of};

/// The shipping service: the state it keeps, and its decisions. A parcel that the carrier has not collected within
/// `pick_up` after its release is called back.
#[must_use]
pub fn service(pick_up: Duration) -> Service<Event> {
    let release = move |confirmed: &OrderConfirmed, shipment: &Shipment| release(confirmed, shipment, pick_up);
    Service::default()
        .keeps::<Shipment>()
        .on(book) // PaymentCompleted -> ShipmentRequested, Do<BookLabel>
        .on(booked) // Done<BookLabel> -> ShipmentScheduled | ShipmentSchedulingFailed | ShipmentCancelled | Do<CancelLabel>
        .on(release) // OrderConfirmed -> ShipmentReleased, Do<HandOver>, After<PickUp>
        .on(handed_over) // Done<HandOver> -> nothing | ShipmentCancellationRequested, Do<CancelLabel>
        .on(report) // Report -> ShipmentDispatched, ShipmentCancellationRejected, TrackingUpdated | ShipmentDelivered
        .on(not_collected) // Due<PickUp> -> ShipmentCancellationRequested, Do<CancelLabel>
        .on(reconsider) // OrderCancellationRequested -> ShipmentCancellationRequested… | ShipmentCancellationRejected
        .on(cancel) // OrderCancelled -> ShipmentCancelled | ShipmentCancellationRequested, perhaps Do<CancelLabel>
        .on(label_cancelled) // Done<CancelLabel> -> ShipmentCancelled | ShipmentDispatched, ShipmentCancellationRejected
        .recalls(voiding_of) // ShipmentCancellationRequested: Do<CancelLabel>
}
