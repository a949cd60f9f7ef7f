//! Inventory against the simplest thing that could be right: a number per article.

use crate::orders::{cancelled, placed};
use choreography::testing::given;
use inventory::domain::{Replenish, Stock};
use proptest::prelude::*;
use shared_events::{Line, shipping::ShipmentDispatched};
use std::collections::BTreeMap;

const ARTICLES: [&str; 3] = ["A", "B", "C"];

/// Units of articles.
type Units = BTreeMap<&'static str, i64>;

/// The reference: what is left, and what each order holds of what is gone; nothing if it was refused.
#[derive(Default)]
struct Shelf {
    left: Units,
    held: BTreeMap<usize, Units>,
}

impl Shelf {
    fn reserves(&mut self, order: usize, wanted: Units) {
        let fits = wanted.iter().all(|(article, units)| self.left.get(article).is_some_and(|left| left >= units));
        let held = if fits { wanted } else { Units::new() };
        held.iter().for_each(|(article, units)| *self.left.entry(article).or_default() -= units);
        self.held.insert(order, held);
    }

    fn gives_back(&mut self, held: &Units) {
        held.iter().for_each(|(article, units)| *self.left.entry(article).or_default() += units);
    }
}

#[derive(Clone, Debug)]
enum Happens {
    Delivered(&'static str, i64),
    Placed(Vec<(&'static str, i64)>),
    /// One of the orders that are open; this one of them, counted around.
    Cancelled(usize),
    Dispatched(usize),
}

fn happens() -> impl Strategy<Value = Happens> {
    let article = || prop::sample::select(&ARTICLES[..]);
    prop_oneof![
        (article(), 1..7i64).prop_map(|(article, units)| Happens::Delivered(article, units)),
        // Several lines may name one article.
        prop::collection::vec((article(), 1..5i64), 1..4).prop_map(Happens::Placed),
        any::<usize>().prop_map(Happens::Cancelled),
        any::<usize>().prop_map(Happens::Dispatched),
    ]
}

fn line((article, quantity): (&'static str, i64)) -> Line {
    Line { sku: article.into(), quantity, unit_price_minor: 1 }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn stock_is_what_a_number_per_article_says(history in prop::collection::vec(happens(), 1..60)) {
        let (mut shelf, mut inventory) = (Shelf::default(), given(inventory::service(), []));
        for (n, happens) in history.into_iter().enumerate() {
            match happens {
                Happens::Delivered(article, quantity) => {
                    inventory.when(&Replenish { sku: article.into(), delivery: format!("d{n}"), quantity });
                    *shelf.left.entry(article).or_default() += quantity;
                }
                Happens::Placed(lines) => {
                    let mut wanted = Units::new();
                    lines.iter().for_each(|(article, units)| *wanted.entry(article).or_default() += units);
                    inventory.when(&placed(&format!("o{n}"), lines.into_iter().map(line).collect()));
                    shelf.reserves(n, wanted);
                }
                Happens::Cancelled(which) | Happens::Dispatched(which) => {
                    let Some(order) = shelf.held.keys().nth(which % shelf.held.len().max(1)).copied() else { continue };
                    let (order_id, held) = (format!("o{order}"), shelf.held.remove(&order).unwrap());
                    if matches!(happens, Happens::Dispatched(_)) && !held.is_empty() {
                        inventory.when(&ShipmentDispatched { order_id });
                    } else {
                        inventory.when(&cancelled(&order_id));
                        shelf.gives_back(&held);
                    }
                }
            }
            for article in ARTICLES {
                let left = shelf.left.get(article).copied().unwrap_or_default();
                prop_assert_eq!(inventory.state::<Stock>(article).available(), left, "{}", article);
            }
        }
    }
}
