//! Reserves stock for placed orders, gives it back when an order is cancelled, and warns when something gets scarce.

pub mod api;
pub mod domain;
pub mod opening;
mod states;

use choreography::Service;
use domain::{Delivery, Reservation, Stock, deduct, release, replenish, reserve};
use shared_events::inventory::Event;

/// The inventory service: the states it keeps, and its decisions.
#[must_use]
pub fn service() -> Service<Event> {
    Service::default()
        .keeps::<Stock>()
        .keeps::<Reservation>()
        .keeps::<Delivery>()
        .on(replenish) // Replenish -> StockReplenished | refused
        .on(reserve) // OrderPlaced -> StockReserved, LowStockWarning… | StockReservationFailed
        .on(release) // OrderCancelled -> StockReleased
        .on(deduct) // ShipmentDispatched -> StockDeducted
}
