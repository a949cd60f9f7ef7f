//! Charges an order once its stock is reserved; gives the money back, once, when the order is cancelled.

pub mod domain;
pub mod gateway;

use choreography::Service;
use domain::{Payment, charge, charged, refunded, undo};
use shared_events::payment::Event;

/// The payment service: the state it keeps, and its decisions.
#[must_use]
pub fn service() -> Service<Event> {
    Service::default()
        .keeps::<Payment>()
        .on(charge) // StockReserved -> PaymentRequested, Do<Charge>
        .on(charged) // Done<Charge> -> PaymentCompleted | PaymentFailed | PaymentVoided | Do<Refund>
        .on(undo) // OrderCancelled -> PaymentVoided | PaymentRefundRequested, perhaps Do<Refund>
        .on(refunded) // Done<Refund> -> PaymentRefunded
}
