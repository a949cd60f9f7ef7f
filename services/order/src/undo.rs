//! Notes who has undone their step of a cancelled order, until everybody has.

use crate::domain::{Order, PARTICIPANTS, cancelled};
use choreography::{cannot_happen, one_of};
use shared_events::{
    CancelReason, Participant,
    inventory::StockReleased,
    order::{Event, OrderCancelled, OrderUndoProgressed, OrderUndone},
    payment::{PaymentRefunded, PaymentVoided},
    shipping::ShipmentCancelled,
};

/// What a closing event leads to.
#[derive(Clone, Debug, PartialEq)]
pub enum Closed {
    /// Somebody is still to close.
    Progressed(OrderUndoProgressed),
    /// That was the last.
    Undone(OrderUndone),
}
one_of!(Closed: Event { Progressed(OrderUndoProgressed), Undone(OrderUndone) });

/// What an event leads to that cancels an order, or closes one that is cancelled already.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// It cancels the order, and its participant has closed with it.
    Cancelled(OrderCancelled),
    /// It answers a cancel.
    Closed(Closed),
}
one_of!(Ended: Event { Cancelled(OrderCancelled), Closed(Closed) });

/// Inventory has given everything back.
#[must_use]
pub fn stock_released(_: &StockReleased, order: &Order) -> Closed {
    close(order, Participant::Inventory, "StockReleased")
}

/// Payment has taken nothing and never will.
#[must_use]
pub fn payment_voided(_: &PaymentVoided, order: &Order) -> Closed {
    close(order, Participant::Payment, "PaymentVoided")
}

/// Payment has given back what it took.
#[must_use]
pub fn payment_refunded(_: &PaymentRefunded, order: &Order) -> Closed {
    close(order, Participant::Payment, "PaymentRefunded")
}

/// There is no parcel any more. After the confirmation this is what cancels the order: shipping decides then.
#[must_use]
pub fn shipment_cancelled(_: &ShipmentCancelled, order: &Order) -> Ended {
    let shipping = vec![Participant::Shipping];
    match order {
        Order::Confirmed(placed) => Ended::Cancelled(cancelled(placed, CancelReason::NoCarrier, shipping)),
        Order::CancelAsked(placed) => Ended::Cancelled(cancelled(placed, CancelReason::Customer, shipping)),
        other => Ended::Closed(close(other, Participant::Shipping, "ShipmentCancelled")),
    }
}

/// Notes that `by` has closed. Everybody closes exactly once, so a second time is a pair that cannot happen.
pub(crate) fn close(order: &Order, by: Participant, event: &str) -> Closed {
    let Order::Cancelled(cancellation) = order else { cannot_happen(order, event) };
    if cancellation.closed.contains(&by) {
        cannot_happen(order, event);
    }
    let (placed, closed) = (&cancellation.placed, &cancellation.closed);
    if PARTICIPANTS.iter().all(|p| *p == by || closed.contains(p)) {
        return Closed::Undone(OrderUndone {
            order_id: placed.order_id.clone(),
            customer_id: placed.customer_id.clone(),
            sealed: placed.sealed.clone(),
        });
    }
    Closed::Progressed(OrderUndoProgressed { order_id: placed.order_id.clone(), participant: by })
}
