//! The structs of versions that are no longer written, as builds of that time had them.

use crate::samples;
use serde::{Deserialize, Serialize};
use shared_events::{Fingerprint, Line, Personal, Sealed, codec::Avro};

/// `OrderPlaced` version 1: everything cost euros.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderPlaced {
    pub order_id: String,
    pub customer_id: String,
    pub lines: Vec<Line>,
    pub total_minor: i64,
    pub fingerprint: Fingerprint,
    pub phone_given: bool,
    pub placed_at: i64,
    pub deadline_ms: i64,
    pub sealed: Sealed<Personal>,
}

impl OrderPlaced {
    pub fn sample() -> OrderPlaced {
        let today = samples::order_placed();
        OrderPlaced {
            order_id: today.order_id,
            customer_id: today.customer_id,
            lines: today.lines,
            total_minor: today.total_minor,
            fingerprint: today.fingerprint,
            phone_given: today.phone_given,
            placed_at: today.placed_at,
            deadline_ms: today.deadline_ms,
            sealed: today.sealed,
        }
    }

    pub fn encode(&self) -> Vec<u8> {
        Avro::encode(self, "order", "OrderPlaced", 1).unwrap()
    }

    /// As a build of that time, which got the schema of the newer `written` version from a registry.
    pub fn decode(written: u16, datum: &[u8]) -> Result<OrderPlaced, String> {
        Avro::decode("order", "OrderPlaced", written, 1, datum)
    }
}
