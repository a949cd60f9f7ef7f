//! What was said about one order and one article, and what may not be said after it.

use choreography::Topic;
use runtime::LogRow;
use shared_events::{Line, inventory::Event};
use std::collections::{BTreeMap, BTreeSet};

/// What was said about an order, by all services.
#[derive(Clone, Debug, Default)]
pub struct OrderFacts {
    said: BTreeSet<String>,
    last: String,
    closed: [u8; 3],
}

/// The closing events of each participant.
const CLOSING: [(&str, &[&str]); 3] = [
    ("inventory", &["StockReleased"]),
    ("payment", &["PaymentVoided", "PaymentRefunded", "PaymentFailed"]),
    ("shipping", &["ShipmentCancelled"]),
];
/// What must have been said before.
const NEEDS: &[(&str, &str)] = &[
    ("OrderConfirmed", "ShipmentScheduled"),
    ("ShipmentScheduled", "PaymentCompleted"),
    ("PaymentRequested", "StockReserved"),
    ("ShipmentReleased", "OrderConfirmed"),
    ("ShipmentDispatched", "ShipmentReleased"),
    ("OrderDispatched", "ShipmentDispatched"),
    ("OrderCompleted", "ShipmentDelivered"),
    ("StockDeducted", "ShipmentDispatched"),
    ("PaymentRefunded", "OrderCancelled"),
    ("StockReleased", "OrderCancelled"),
];
/// What may be said more than once about an order.
const REPEATED: &[&str] = &[
    "OrderUndoProgressed",
    "TrackingUpdated",
    "ShipmentCancellationRequested",
    "EmailSent",
    "EmailFailed",
    "SmsSent",
    "SmsFailed",
];

/// The name of an invariant, and how it is broken.
pub(super) type Broken = (&'static str, String);

impl OrderFacts {
    /// Whether this was said.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.said.contains(name)
    }

    /// Whether nothing more will happen to it.
    #[must_use]
    pub fn settled(&self) -> bool {
        self.has("OrderCompleted") || self.has("OrderUndone")
    }

    /// What was said last.
    #[must_use]
    pub fn last(&self) -> &str {
        &self.last
    }

    /// Something more is said.
    pub(super) fn hear(&mut self, row: &LogRow) -> Result<(), Broken> {
        let name = &*row.name;
        let broken = self.objection(name);
        for (closed, (_, events)) in self.closed.iter_mut().zip(CLOSING) {
            *closed += u8::from(events.contains(&name));
        }
        self.said.insert(name.to_owned());
        name.clone_into(&mut self.last);
        broken.map_or(Ok(()), Err)
    }

    fn objection(&self, name: &str) -> Option<Broken> {
        if self.has(name)
            && !REPEATED.contains(&name)
            && name.chars().next().is_some_and(char::is_uppercase)
            && !name.starts_with("StockReplenished")
            && name != "LowStockWarning"
        {
            return Some(("said_in_order", format!("{name} is said twice")));
        }
        for (closed, (who, events)) in self.closed.iter().zip(CLOSING) {
            if *closed > 0 && events.contains(&name) {
                return Some(("one_closing_event", format!("{who} closes twice, now with {name}")));
            }
        }
        if name == "OrderUndone" && self.closed != [1, 1, 1] {
            return Some(("undone_after_all", "it is undone before everybody has closed".into()));
        }
        if name == "OrderCancelled" && self.has("OrderConfirmed") && !self.has("ShipmentCancelled") {
            return Some(("shipping_decides", "it is cancelled after its confirmation without shipping's word".into()));
        }
        if name.starts_with("Order") && self.settled() {
            return Some(("one_ending", format!("{name} is said after its end")));
        }
        let needs = NEEDS.iter().find(|(what, before)| *what == name && !self.has(before));
        needs.map(|(what, before)| ("caused", format!("{what} is said without {before}")))
    }
}

/// An article's stock, as inventory's log goes by.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shelf {
    available: i64,
    held: i64,
}

fn each(lines: &[Line], shelves: &mut BTreeMap<String, Shelf>, mut change: impl FnMut(&mut Shelf, i64)) {
    for line in lines {
        change(shelves.entry(line.sku.clone()).or_default(), line.quantity);
    }
}

/// Nothing is sold that is not there.
pub(super) fn stock(shelves: &mut BTreeMap<String, Shelf>, row: &LogRow) -> Result<(), Broken> {
    let Ok(event) = Event::decode(&row.name, row.schema, &row.body) else { return Ok(()) };
    match &event {
        Event::StockReplenished(e) => shelves.entry(e.sku.clone()).or_default().available += e.quantity,
        Event::StockReserved(e) => each(&e.lines, shelves, |shelf, units| {
            shelf.available -= units;
            shelf.held += units;
        }),
        Event::StockReleased(e) => each(&e.lines, shelves, |shelf, units| {
            shelf.available += units;
            shelf.held -= units;
        }),
        Event::StockDeducted(e) => each(&e.lines, shelves, |shelf, units| shelf.held -= units),
        Event::StockReservationFailed(_) | Event::LowStockWarning(_) => {}
    }
    let oversold = shelves.iter().find(|(_, shelf)| shelf.available < 0 || shelf.held < 0);
    oversold.map_or(Ok(()), |(sku, shelf)| {
        Err(("no_oversell", format!("of {sku} {} are available and {} held", shelf.available, shelf.held)))
    })
}
