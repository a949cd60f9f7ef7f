//! Which order a request placed, so that the same request again is the same order.

use crate::domain::placed;
use choreography::{Key, State};
use serde::{Deserialize, Serialize};
use shared_events::{OrderId, order::Event};

/// Digits of an order's id that tell when it was placed: milliseconds since 1970, in hexadecimal. Ids therefore sort by
/// time, and rows about orders that are under way lie together in every index that begins with one.
const TIME: usize = 12;

/// One customer's request under one Idempotency-Key, by the digits of the order's id that are derived from the two.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The order it placed; none yet.
    pub order_id: Option<OrderId>,
}

shared_events::stored!(Request);

/// The id of an order that is placed now: when, and by which request.
#[must_use]
pub fn order_id(placed_at: i64, mac: &[u8; 32]) -> OrderId {
    let request: String = mac.iter().take((32 - TIME) / 2).map(|byte| format!("{byte:02x}")).collect();
    // 48 bits of milliseconds last until the year 10889.
    format!("{:012x}{request}", placed_at.clamp(0, 0xffff_ffff_ffff))
}

/// When an order was placed, in milliseconds since 1970, as its id says; nothing for text that is no order's id.
#[must_use]
pub fn placed_at(order_id: &str) -> Option<i64> {
    i64::from_str_radix(order_id.get(..TIME)?, 16).ok()
}

/// An id that sorts before those of all orders placed at or after a time in milliseconds since 1970.
#[must_use]
pub fn first_id_of(placed_at: i64) -> OrderId {
    format!("{:012x}", placed_at.clamp(0, 0xffff_ffff_ffff))
}

/// The part of an order's id that names the request.
#[must_use]
pub fn request_of(order_id: &str) -> &str {
    order_id.get(TIME..).unwrap_or(order_id)
}

impl State for Request {
    type Topic = Event;
    const KIND: &'static str = "request";

    fn keys(event: &Event) -> Vec<Key> {
        placed(event).map(|placed| request_of(&placed.order_id).to_owned()).into_iter().collect()
    }

    fn evolve(&mut self, _request: &str, event: &Event) {
        if let Some(placed) = placed(event) {
            self.order_id = Some(placed.order_id.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_id_says_when_and_by_which_request() {
        let id = order_id(1_700_000_000_000, &[0xab; 32]);
        assert_eq!(id, "018bcfe56800abababababababababab");
        assert_eq!(request_of(&id), request_of(&order_id(1_700_000_000_001, &[0xab; 32])));
        assert_eq!(order_id(-1, &[0; 32]), "0".repeat(32));
        assert_eq!((placed_at(&id), placed_at("o")), (Some(1_700_000_000_000), None));
        assert!(first_id_of(1_700_000_000_000) < id && id < first_id_of(1_700_000_000_001));
    }

    #[test]
    fn what_is_no_order_id_is_a_request_of_its_own() {
        assert_eq!(request_of("o"), "o");
        assert_eq!(request_of("äääääääääääääää"), "äääääääää");
    }
}
