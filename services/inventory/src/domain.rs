//! Stock and what orders hold of it: states, how own events change them, and the decisions.

use choreography::{Input, Key, Origin, Refused, States, cannot_happen};
use shared_events::{
    Line, Shortage, Sku,
    inventory::{
        LowStockWarning, StockDeducted, StockReleased, StockReplenished, StockReservationFailed, StockReserved,
    },
    order::{OrderCancelled, OrderPlaced},
    shipping::ShipmentDispatched,
};
use std::collections::BTreeMap;

pub use crate::states::{Booked, Delivery, LOW_STOCK, Reservation, Stock};

/// Books a delivery into the stock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replenish {
    /// What was delivered; the caller has checked that the shop sells it.
    pub sku: Sku,
    /// The delivery, made from the Idempotency-Key: one key is one delivery, whatever it brought.
    pub delivery: String,
    /// How many units.
    pub quantity: i64,
}

impl Input for Replenish {
    const ORIGIN: Origin = Origin::Command("Replenish");
    fn key(&self) -> Key {
        self.sku.clone()
    }
}

/// Adds what a delivery brought, once per delivery.
///
/// # Errors
/// `idempotency_key_reused` when the delivery brought something else before, `quantity_out_of_range` when the quantity
/// is below one or more than can be counted.
pub fn replenish(ask: &Replenish, now: &States) -> Result<Option<StockReplenished>, Refused> {
    let Replenish { sku, delivery, quantity } = ask.clone();
    match &now.of::<Delivery>(&ask.delivery).booked {
        Some(booked) if booked.sku == sku && booked.quantity == quantity => Ok(None), // asked again: the same answer
        Some(_) => Err(Refused::new(
            "idempotency_key_reused",
            "This Idempotency-Key was used for another replenishment; send a new key with a changed request.",
        )),
        None if !now.of::<Stock>(&sku).has_room_for(quantity) => Err(Refused::new(
            "quantity_out_of_range",
            format!("{quantity} is no quantity that can be added to the stock of {sku}."),
        )),
        None => Ok(Some(StockReplenished { sku, delivery, quantity })),
    }
}

/// Reserves all lines or none. Says in the same breath what has become scarce by it.
pub fn reserve(
    placed: &OrderPlaced,
    now: &States,
) -> Result<(StockReserved, Vec<LowStockWarning>), StockReservationFailed> {
    let reservation = now.of::<Reservation>(&placed.order_id);
    if *reservation != Reservation::Unknown {
        cannot_happen(reservation, "OrderPlaced");
    }
    let wanted = units(&placed.lines);
    let order_id = placed.order_id.clone();
    let short: Vec<Shortage> = wanted.iter().filter_map(|(sku, units)| units.shortage(sku, now.of(sku))).collect();
    if !short.is_empty() {
        return Err(StockReservationFailed { order_id, short });
    }
    let scarce = wanted.iter().filter_map(|(sku, units)| now.of::<Stock>(sku).warning(sku, units.total)).collect();
    let reserved = StockReserved {
        order_id,
        customer_id: placed.customer_id.clone(),
        lines: placed.lines.clone(),
        total: placed.total(),
        sealed: placed.sealed.clone(),
    };
    Ok((reserved, scarce))
}

/// Gives back what the order holds, perhaps nothing: inventory's closing event.
#[must_use]
pub fn release(cancelled: &OrderCancelled, reservation: &Reservation) -> StockReleased {
    let lines = match reservation {
        Reservation::Held(lines) => lines.clone(),
        Reservation::Refused => vec![],
        other => cannot_happen(other, "OrderCancelled"),
    };
    StockReleased { order_id: cancelled.order_id.clone(), lines }
}

/// The parcel is out: what was held has left the house.
#[must_use]
pub fn deduct(dispatched: &ShipmentDispatched, reservation: &Reservation) -> StockDeducted {
    match reservation {
        Reservation::Held(lines) => StockDeducted { order_id: dispatched.order_id.clone(), lines: lines.clone() },
        other => cannot_happen(other, "ShipmentDispatched"),
    }
}

/// What an order wants of one SKU, over all its lines.
#[derive(Clone, Copy, Debug, Default)]
struct Units {
    total: i64,
    /// A line asks for less than one unit, or together they ask for more than can be counted: never available.
    impossible: bool,
}

fn units(lines: &[Line]) -> BTreeMap<&str, Units> {
    let mut wanted: BTreeMap<&str, Units> = BTreeMap::new();
    for line in lines {
        let units = wanted.entry(&line.sku).or_default();
        let sum = units.total.checked_add(line.quantity);
        units.impossible |= line.quantity < 1 || sum.is_none();
        units.total = sum.unwrap_or(i64::MAX);
    }
    wanted
}

impl Units {
    fn shortage(&self, sku: &str, stock: &Stock) -> Option<Shortage> {
        let available = stock.available();
        (self.impossible || self.total > available).then(|| Shortage {
            sku: sku.to_owned(),
            requested: self.total,
            available,
        })
    }
}

impl Stock {
    /// The warning to say when so many units more are reserved: once until there is enough again.
    fn warning(&self, sku: &str, reserved: i64) -> Option<LowStockWarning> {
        let available = self.available() - reserved;
        (!self.warned && available < LOW_STOCK).then(|| LowStockWarning {
            sku: sku.to_owned(),
            available,
            threshold: LOW_STOCK,
        })
    }
}
