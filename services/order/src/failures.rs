//! What cancels an order that is not confirmed yet: a step of another service that failed.

use crate::{
    domain::{Order, cancelled},
    undo::{Ended, close},
};
use choreography::cannot_happen;
use shared_events::{
    CancelReason, Participant, inventory::StockReservationFailed, order::OrderCancelled, payment::PaymentFailed,
    shipping::ShipmentSchedulingFailed,
};

/// Not everything ordered is there.
#[must_use]
pub fn out_of_stock(_: &StockReservationFailed, order: &Order) -> Option<OrderCancelled> {
    match order {
        Order::Pending(placed) => Some(cancelled(placed, CancelReason::OutOfStock, vec![])),
        Order::Cancelled(_) => None, // said before the cancel got there
        other => cannot_happen(other, "StockReservationFailed"),
    }
}

/// Nobody will carry it.
#[must_use]
pub fn no_carrier(_: &ShipmentSchedulingFailed, order: &Order) -> Option<OrderCancelled> {
    match order {
        Order::Pending(placed) => Some(cancelled(placed, CancelReason::NoCarrier, vec![])),
        Order::Cancelled(_) => None, // said before the cancel got there
        other => cannot_happen(other, "ShipmentSchedulingFailed"),
    }
}

/// The charge was refused. That closes payment at once, so it counts as its closing event in a cancelled order too.
#[must_use]
pub fn payment_failed(_: &PaymentFailed, order: &Order) -> Ended {
    match order {
        Order::Pending(placed) => {
            Ended::Cancelled(cancelled(placed, CancelReason::PaymentDeclined, vec![Participant::Payment]))
        }
        other => Ended::Closed(close(other, Participant::Payment, "PaymentFailed")),
    }
}
