//! What inventory remembers: the stock of each SKU, what each order holds, and which deliveries are booked.

use choreography::{Key, State, Topic, cannot_happen};
use serde::{Deserialize, Serialize};
use shared_events::{Line, Sku, inventory::Event};

/// Fewer units than this are few: a warning is said once when the stock falls below.
pub const LOW_STOCK: i64 = 10;

/// The stock of one SKU.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stock {
    /// Units in the house, also those that orders hold.
    pub on_hand: i64,
    /// Units that orders hold.
    pub reserved: i64,
    /// Units ever delivered.
    pub replenished: i64,
    /// A warning was said, and there have not been enough units since.
    pub warned: bool,
}

impl Stock {
    /// Units that may still be promised.
    #[must_use]
    pub fn available(&self) -> i64 {
        self.on_hand - self.reserved
    }

    /// Whether so many units can be added without leaving what can be counted. Units in the house are among those ever
    /// delivered, so their sum bounds all the others.
    #[must_use]
    pub fn has_room_for(&self, quantity: i64) -> bool {
        quantity >= 1 && self.replenished.checked_add(quantity).is_some()
    }

    /// The stock after a change; a change that leads below nothing or past what can be counted is poison.
    fn after(&self, event: &Event, on_hand: i64, reserved: i64, replenished: i64) -> Stock {
        let changed = || {
            let stock = Stock {
                on_hand: self.on_hand.checked_add(on_hand)?,
                reserved: self.reserved.checked_add(reserved)?,
                replenished: self.replenished.checked_add(replenished)?,
                warned: self.warned,
            };
            (stock.reserved >= 0 && stock.on_hand >= stock.reserved).then_some(stock)
        };
        let mut stock: Stock = changed().unwrap_or_else(|| cannot_happen(self, event.name()));
        stock.warned &= stock.available() < LOW_STOCK;
        stock
    }
}

/// What one order holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Reservation {
    /// Never seen.
    #[default]
    Unknown,
    /// It holds these lines.
    Held(Vec<Line>),
    /// Not everything was available, so it holds nothing.
    Refused,
    /// What it held has left the house.
    Deducted,
    /// Cancelled; it holds nothing any more.
    Closed,
}

/// What one delivery brought.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Nothing until it is booked.
    pub booked: Option<Booked>,
}

/// What was booked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booked {
    /// What was delivered.
    pub sku: Sku,
    /// How many units.
    pub quantity: i64,
}

shared_events::stored!(Stock, Reservation, Delivery);

impl State for Stock {
    type Topic = Event;
    const KIND: &'static str = "stock";

    fn keys(event: &Event) -> Vec<Key> {
        match event {
            Event::StockReserved(e) => skus(&e.lines),
            Event::StockReleased(e) => skus(&e.lines),
            Event::StockDeducted(e) => skus(&e.lines),
            Event::StockReplenished(e) => vec![e.sku.clone()],
            Event::LowStockWarning(e) => vec![e.sku.clone()],
            Event::StockReservationFailed(_) => vec![],
        }
    }

    fn evolve(&mut self, sku: &str, event: &Event) {
        *self = match event {
            Event::StockReserved(e) => self.after(event, 0, quantity(&e.lines, sku), 0),
            Event::StockReleased(e) => self.after(event, 0, -quantity(&e.lines, sku), 0),
            Event::StockDeducted(e) => self.after(event, -quantity(&e.lines, sku), -quantity(&e.lines, sku), 0),
            Event::StockReplenished(e) => self.after(event, e.quantity, 0, e.quantity),
            Event::LowStockWarning(_) => Stock { warned: true, ..self.clone() },
            Event::StockReservationFailed(_) => return,
        }
    }
}

impl State for Reservation {
    type Topic = Event;
    const KIND: &'static str = "reservation";

    fn keys(event: &Event) -> Vec<Key> {
        match event {
            Event::StockReserved(_)
            | Event::StockReservationFailed(_)
            | Event::StockReleased(_)
            | Event::StockDeducted(_) => vec![event.key().to_owned()],
            Event::StockReplenished(_) | Event::LowStockWarning(_) => vec![],
        }
    }

    fn evolve(&mut self, _order_id: &str, event: &Event) {
        *self = match event {
            Event::StockReserved(e) => Reservation::Held(e.lines.clone()),
            Event::StockReservationFailed(_) => Reservation::Refused,
            Event::StockDeducted(_) => Reservation::Deducted,
            Event::StockReleased(_) => Reservation::Closed,
            Event::StockReplenished(_) | Event::LowStockWarning(_) => return,
        }
    }
}

impl State for Delivery {
    type Topic = Event;
    const KIND: &'static str = "delivery";

    fn keys(event: &Event) -> Vec<Key> {
        match event {
            Event::StockReplenished(e) => vec![e.delivery.clone()],
            Event::StockReserved(_)
            | Event::StockReservationFailed(_)
            | Event::StockReleased(_)
            | Event::StockDeducted(_)
            | Event::LowStockWarning(_) => vec![],
        }
    }

    fn evolve(&mut self, _delivery: &str, event: &Event) {
        match event {
            Event::StockReplenished(e) => self.booked = Some(Booked { sku: e.sku.clone(), quantity: e.quantity }),
            Event::StockReserved(_)
            | Event::StockReservationFailed(_)
            | Event::StockReleased(_)
            | Event::StockDeducted(_)
            | Event::LowStockWarning(_) => {}
        }
    }
}

/// Several lines may name the same SKU; what they ask for adds up.
fn quantity(lines: &[Line], sku: &str) -> i64 {
    lines.iter().filter(|line| line.sku == sku).fold(0, |sum, line| sum.saturating_add(line.quantity))
}

fn skus(lines: &[Line]) -> Vec<Sku> {
    let mut skus: Vec<Sku> = lines.iter().map(|line| line.sku.clone()).collect();
    skus.sort();
    skus.dedup();
    skus
}
