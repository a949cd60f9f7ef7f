//! Lists of orders as ranges over keys: newest first, of one customer and of all.

use crate::domain::placed;
use choreography::{Key, State};
use serde::{Deserialize, Serialize};
use shared_events::{OrderId, order::Event};

/// One order in its customer's list, under `<customer>/<newest first>/<order>`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerOrder {
    /// The order.
    pub order_id: OrderId,
}

/// One order in the list of all, under `<newest first>/<order>`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedOrder {
    /// The order.
    pub order_id: OrderId,
}

shared_events::stored!(CustomerOrder, PlacedOrder);

impl CustomerOrder {
    /// What the keys of all orders of a customer begin with, and no key of another.
    #[must_use]
    pub fn prefix(customer_id: &str) -> String {
        format!("{}/", customer_id.replace('%', "%25").replace('/', "%2F"))
    }

    /// The key of one order.
    #[must_use]
    pub fn key(customer_id: &str, placed_at: i64, order_id: &str) -> Key {
        format!("{}{}", CustomerOrder::prefix(customer_id), PlacedOrder::key(placed_at, order_id))
    }
}

impl PlacedOrder {
    /// The key of one order: the later it was placed, the earlier it sorts.
    #[must_use]
    pub fn key(placed_at: i64, order_id: &str) -> Key {
        format!("{:020}/{order_id}", i64::MAX.abs_diff(placed_at))
    }
}

impl State for CustomerOrder {
    type Topic = Event;
    const KIND: &'static str = "customer_order";

    fn keys(event: &Event) -> Vec<Key> {
        let key = placed(event).map(|p| CustomerOrder::key(&p.customer_id, p.placed_at, &p.order_id));
        key.into_iter().collect()
    }

    fn evolve(&mut self, _key: &str, event: &Event) {
        if let Some(placed) = placed(event) {
            self.order_id.clone_from(&placed.order_id);
        }
    }
}

impl State for PlacedOrder {
    type Topic = Event;
    const KIND: &'static str = "placed_order";

    fn keys(event: &Event) -> Vec<Key> {
        placed(event).map(|p| PlacedOrder::key(p.placed_at, &p.order_id)).into_iter().collect()
    }

    fn evolve(&mut self, _key: &str, event: &Event) {
        if let Some(placed) = placed(event) {
            self.order_id.clone_from(&placed.order_id);
        }
    }
}
