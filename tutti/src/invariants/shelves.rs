//! Invariant 1, stock: what is on the shelves at every prefix of inventory's log, and what each order took from them.

use super::{
    cut::shown,
    facts::{Order, hash, units},
    findings::Findings,
    list::{How, Invariant, Verdict, When, must},
    said::Said,
};
use runtime::LogRow;
use shared_events::{Line, inventory::Event};
use std::collections::{HashMap, HashSet};

/// Inventory's place among the services.
const INVENTORY: usize = 1;

pub(super) const NO_OVERSELL: Invariant = Invariant {
    number: 1,
    name: "no_oversell",
    statement: "Never, at any row, has inventory promised or sent more of an article than was delivered",
    when: When::Always,
    how: How::Rows,
};
pub(super) const STOCK_CONSERVED: Invariant = Invariant {
    number: 1,
    name: "stock_conserved",
    statement: "An order reserves what was ordered, and gives back or takes along what it reserved",
    when: When::Always,
    how: How::Order(conserved),
};
pub(super) const DELIVERIES_ONCE: Invariant = Invariant {
    number: 1,
    name: "deliveries_once",
    statement: "Each delivery of goods is booked once",
    when: When::Always,
    how: How::Rows,
};

fn conserved(order: &Order) -> Verdict {
    let reserved = order.said.has(Said::StockReserved);
    let gone = order.said.any(&[Said::StockReleased, Said::StockDeducted]);
    (reserved || gone).then(|| {
        must(!reserved || order.held == order.ordered, || "it reserved something else than was ordered".into())?;
        let released = !order.said.has(Said::StockReleased) || order.released == order.held;
        must(released, || "it gave back something else than it had reserved".into())?;
        let deducted = !order.said.has(Said::StockDeducted) || order.deducted == order.held;
        must(deducted, || "it took along something else than it had reserved".into())
    })
}

/// What there is of one article.
#[derive(Clone, Copy, Default)]
struct Shelf {
    on_hand: i64,
    reserved: i64,
}

/// All articles.
#[derive(Default)]
pub(super) struct Shelves {
    shelves: HashMap<String, Shelf>,
    deliveries: HashSet<u64>,
}

impl Shelves {
    /// Takes the next event of inventory's log.
    pub fn take(&mut self, event: &Event, row: &LogRow, findings: &mut Findings) {
        match event {
            Event::StockReplenished(e) => {
                findings.checked(&DELIVERIES_ONCE);
                if !self.deliveries.insert(hash(&e.delivery)) {
                    let sentence = format!("delivery {} was booked a second time", e.delivery);
                    findings.found(&DELIVERIES_ONCE, &e.sku, sentence, vec![shown(INVENTORY, row)]);
                }
                self.change(&e.sku, e.quantity, 0, row, findings);
            }
            Event::StockReserved(e) => self.change_all(&e.lines, (0, 1), row, findings),
            Event::StockReleased(e) => self.change_all(&e.lines, (0, -1), row, findings),
            Event::StockDeducted(e) => self.change_all(&e.lines, (-1, -1), row, findings),
            Event::StockReservationFailed(_) | Event::LowStockWarning(_) => {}
        }
    }

    fn change_all(&mut self, lines: &[Line], (on_hand, reserved): (i64, i64), row: &LogRow, findings: &mut Findings) {
        for (sku, units) in units(lines) {
            self.change(sku, on_hand * units, reserved * units, row, findings);
        }
    }

    fn change(&mut self, sku: &str, on_hand: i64, reserved: i64, row: &LogRow, findings: &mut Findings) {
        if !self.shelves.contains_key(sku) {
            self.shelves.insert(sku.to_owned(), Shelf::default());
        }
        let Some(shelf) = self.shelves.get_mut(sku) else { return };
        shelf.on_hand = shelf.on_hand.saturating_add(on_hand);
        shelf.reserved = shelf.reserved.saturating_add(reserved);
        findings.checked(&NO_OVERSELL);
        let Shelf { on_hand, reserved } = *shelf;
        if reserved < 0 || on_hand < reserved {
            let sentence = format!("{on_hand} are in the house and {reserved} of them are promised");
            findings.found(&NO_OVERSELL, sku, sentence, vec![shown(INVENTORY, row)]);
        }
    }
}
