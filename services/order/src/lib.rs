//! Owns an order's fate until it is confirmed, and its deadline. From then on it asks, and notes how it ends.

pub mod api;
pub mod catalogue;
pub mod domain;
pub mod failures;
pub mod figures;
pub mod listing;
pub mod progress;
pub mod request;
pub mod requests;
pub mod undo;

use choreography::Service;
use domain::{Order, cancel, deadline_of, expire, place};
use failures::{no_carrier, out_of_stock, payment_failed};
use listing::{CustomerOrder, PlacedOrder};
use progress::{complete, confirm, dispatch};
use requests::Request;
use shared_events::order::Event;
use undo::{payment_refunded, payment_voided, shipment_cancelled, stock_released};

/// The order service: the states it keeps, and its decisions.
#[must_use]
pub fn service() -> Service<Event> {
    Service::default()
        .keeps::<Order>()
        .keeps::<Request>()
        .keeps::<CustomerOrder>()
        .keeps::<PlacedOrder>()
        .on(place) // PlaceOrder -> OrderPlaced, After<Deadline> | refused
        .on(cancel) // CancelOrder -> OrderCancelled | OrderCancellationRequested | refused
        .on(expire) // Due<Deadline> -> OrderCancelled
        .on(out_of_stock) // StockReservationFailed -> OrderCancelled
        .on(payment_failed) // PaymentFailed -> OrderCancelled | OrderUndoProgressed | OrderUndone
        .on(no_carrier) // ShipmentSchedulingFailed -> OrderCancelled
        .on(confirm) // ShipmentScheduled -> OrderConfirmed
        .on(dispatch) // ShipmentDispatched -> OrderDispatched
        .on(complete) // ShipmentDelivered -> OrderCompleted
        .on(shipment_cancelled) // ShipmentCancelled -> OrderCancelled | OrderUndoProgressed | OrderUndone
        .on(stock_released) // StockReleased -> OrderUndoProgressed | OrderUndone
        .on(payment_voided) // PaymentVoided -> OrderUndoProgressed | OrderUndone
        .on(payment_refunded) // PaymentRefunded -> OrderUndoProgressed | OrderUndone
        .recalls(deadline_of) // OrderPlaced: After<Deadline>
}
