//! The good way of an order: confirmed, dispatched, completed.

use crate::domain::Order;
use choreography::cannot_happen;
use shared_events::{
    order::{OrderCompleted, OrderConfirmed, OrderDispatched},
    shipping::{ShipmentDelivered, ShipmentDispatched, ShipmentScheduled},
};

/// Confirms on the label alone: it was caused by the payment, and that by the reservation.
#[must_use]
pub fn confirm(_: &ShipmentScheduled, order: &Order) -> Option<OrderConfirmed> {
    match order {
        Order::Pending(placed) => Some(OrderConfirmed {
            order_id: placed.order_id.clone(),
            customer_id: placed.customer_id.clone(),
            total: placed.total.clone(),
            sealed: placed.sealed.clone(),
        }),
        Order::Cancelled(_) => None, // said before the cancel got there
        other => cannot_happen(other, "ShipmentScheduled"),
    }
}

/// The parcel is out, also where the customer has asked to cancel: the carrier decides.
#[must_use]
pub fn dispatch(_: &ShipmentDispatched, order: &Order) -> OrderDispatched {
    let (placed, cancel_was_asked) = match order {
        Order::Confirmed(placed) => (placed, false),
        Order::CancelAsked(placed) => (placed, true),
        other => cannot_happen(other, "ShipmentDispatched"),
    };
    OrderDispatched {
        order_id: placed.order_id.clone(),
        customer_id: placed.customer_id.clone(),
        cancel_was_asked,
        phone_given: placed.phone_given,
        sealed: placed.sealed.clone(),
    }
}

/// Delivered: the good end.
#[must_use]
pub fn complete(_: &ShipmentDelivered, order: &Order) -> OrderCompleted {
    match order {
        Order::Dispatched(placed) => OrderCompleted {
            order_id: placed.order_id.clone(),
            customer_id: placed.customer_id.clone(),
            total: placed.total.clone(),
            sealed: placed.sealed.clone(),
        },
        other => cannot_happen(other, "ShipmentDelivered"),
    }
}
