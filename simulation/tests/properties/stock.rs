//! Inventory against the simplest thing that could be right: two numbers per article.

use choreography::testing::given;
use inventory::domain::{Replenish, Stock};
use shared_events::{
    CancelReason, Fingerprint, Line, Money, Sealed,
    order::{OrderCancelled, OrderPlaced},
    shipping::ShipmentDispatched,
};
use simulation::dice::Dice;
use std::collections::BTreeMap;

const ARTICLES: [&str; 3] = ["A", "B", "C"];

/// What an order is to the reference.
#[derive(Clone, Debug, PartialEq)]
enum Fate {
    Held(Vec<Line>),
    Refused,
    Over,
}

fn lines(dice: &mut Dice) -> Vec<Line> {
    let count = dice.between(1, 3);
    let line = |dice: &mut Dice| Line {
        sku: (*dice.pick(&ARTICLES).unwrap_or(&"A")).into(),
        quantity: dice.between(1, 4),
        unit_price_minor: 1,
    };
    (0..count).map(|_| line(dice)).collect()
}

fn euros() -> Money {
    Money { amount_minor: 1, currency: "EUR".into() }
}

fn placed(order_id: &str, lines: Vec<Line>) -> OrderPlaced {
    OrderPlaced {
        order_id: order_id.into(),
        customer_id: "c".into(),
        lines,
        total_minor: 1,
        currency: "EUR".into(),
        fingerprint: Fingerprint([0; 32]),
        phone_given: false,
        placed_at: 0,
        deadline_ms: 1,
        sealed: Sealed::from_bytes(vec![]),
    }
}

fn cancelled(order_id: &str) -> OrderCancelled {
    OrderCancelled {
        order_id: order_id.into(),
        customer_id: "c".into(),
        lines: vec![],
        total: euros(),
        reason: CancelReason::Customer,
        closed: vec![],
        sealed: Sealed::from_bytes(vec![]),
    }
}

fn units(lines: &[Line]) -> BTreeMap<&str, i64> {
    let mut units = BTreeMap::new();
    lines.iter().for_each(|line| *units.entry(&*line.sku).or_default() += line.quantity);
    units
}

#[test]
fn stock_is_what_two_numbers_per_article_say() {
    for seed in 0..300 {
        let mut dice = Dice::new(seed, "stock");
        let mut service = given(inventory::service(), []);
        let mut available: BTreeMap<&str, i64> = ARTICLES.iter().map(|sku| (*sku, 0)).collect();
        let mut orders: BTreeMap<String, Fate> = BTreeMap::new();
        for step in 0..60 {
            match dice.below(4) {
                0 => {
                    let (sku, quantity) = (*dice.pick(&ARTICLES).unwrap_or(&"A"), dice.between(1, 6));
                    service.when(&Replenish { sku: sku.into(), delivery: format!("d{step}"), quantity });
                    *available.entry(sku).or_default() += quantity;
                }
                1 => {
                    let (id, lines) = (format!("o{step}"), lines(&mut dice));
                    let wanted = units(&lines);
                    let fits = wanted.iter().all(|(sku, units)| available[*sku] >= *units);
                    service.when(&placed(&id, lines.clone()));
                    if fits {
                        available.iter_mut().for_each(|(sku, left)| *left -= wanted.get(*sku).copied().unwrap_or(0));
                    }
                    orders.insert(id, if fits { Fate::Held(lines) } else { Fate::Refused });
                }
                choice => {
                    let open: Vec<String> =
                        orders.iter().filter(|(_, fate)| **fate != Fate::Over).map(|(id, _)| id.clone()).collect();
                    let Some(id) = dice.pick(&open) else { continue };
                    let held = if let Fate::Held(lines) = &orders[id] { lines.clone() } else { vec![] };
                    if choice == 2 && !held.is_empty() {
                        service.when(&ShipmentDispatched { order_id: id.clone() });
                    } else {
                        service.when(&cancelled(id));
                        let back = units(&held);
                        available.iter_mut().for_each(|(sku, left)| *left += back.get(*sku).copied().unwrap_or(0));
                    }
                    orders.insert(id.clone(), Fate::Over);
                }
            }
            for sku in ARTICLES {
                assert_eq!(service.state::<Stock>(sku).available(), available[sku], "seed {seed}, step {step}, {sku}");
            }
        }
    }
}
