//! Orders, deliveries and events.

use inventory::domain::{LOW_STOCK, Replenish};
use shared_events::{
    CancelReason, Fingerprint, Line, Money, Sealed, Shortage,
    inventory::{
        Event, LowStockWarning, StockDeducted, StockReleased, StockReplenished, StockReservationFailed, StockReserved,
    },
    order::{OrderCancelled, OrderPlaced},
    shipping::ShipmentDispatched,
};

pub const ORDER: &str = "00000000000000000000000000000001";
pub const OTHER: &str = "00000000000000000000000000000002";

pub fn line(sku: &str, quantity: i64) -> Line {
    Line { sku: sku.into(), quantity, unit_price_minor: 500 }
}
pub fn total() -> Money {
    Money { amount_minor: 2590, currency: "EUR".into() }
}

pub fn placed(order_id: &str, lines: &[Line]) -> OrderPlaced {
    OrderPlaced {
        order_id: order_id.into(),
        customer_id: "c-42".into(),
        lines: lines.to_vec(),
        total_minor: 2590,
        currency: "EUR".into(),
        fingerprint: Fingerprint([1; 32]),
        phone_given: false,
        placed_at: 0,
        deadline_ms: 900_000,
        sealed: Sealed::from_bytes([7; 3]),
    }
}
/// The lines are inventory's to know: what the cancel says of them is not looked at.
pub fn order_cancelled(order_id: &str) -> OrderCancelled {
    OrderCancelled {
        order_id: order_id.into(),
        customer_id: "c-42".into(),
        lines: vec![],
        total: total(),
        reason: CancelReason::Customer,
        closed: vec![],
        sealed: Sealed::from_bytes([7; 3]),
    }
}
pub fn dispatched(order_id: &str) -> ShipmentDispatched {
    ShipmentDispatched { order_id: order_id.into() }
}
pub fn replenish(delivery: &str, sku: &str, quantity: i64) -> Replenish {
    Replenish { sku: sku.into(), delivery: delivery.into(), quantity }
}

pub fn replenished(delivery: &str, sku: &str, quantity: i64) -> Event {
    StockReplenished { sku: sku.into(), delivery: delivery.into(), quantity }.into()
}
pub fn reserved(order_id: &str, lines: &[Line]) -> Event {
    StockReserved {
        order_id: order_id.into(),
        customer_id: "c-42".into(),
        lines: lines.to_vec(),
        total: total(),
        sealed: Sealed::from_bytes([7; 3]),
    }
    .into()
}
pub fn failed(order_id: &str, short: &[(&str, i64, i64)]) -> Event {
    let shortage = |(sku, requested, available): &(&str, i64, i64)| Shortage {
        sku: (*sku).into(),
        requested: *requested,
        available: *available,
    };
    StockReservationFailed { order_id: order_id.into(), short: short.iter().map(shortage).collect() }.into()
}
pub fn released(order_id: &str, lines: &[Line]) -> Event {
    StockReleased { order_id: order_id.into(), lines: lines.to_vec() }.into()
}
pub fn deducted(order_id: &str, lines: &[Line]) -> Event {
    StockDeducted { order_id: order_id.into(), lines: lines.to_vec() }.into()
}
pub fn warning(sku: &str, available: i64) -> Event {
    LowStockWarning { sku: sku.into(), available, threshold: LOW_STOCK }.into()
}
