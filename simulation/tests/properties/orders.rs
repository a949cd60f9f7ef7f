//! Events about an order, with what no decision looks at left out.

use shared_events::{
    CancelReason, Fingerprint, Line, Money, Sealed,
    inventory::StockReserved,
    order::{OrderCancelled, OrderPlaced},
};

pub fn euros(amount_minor: i64) -> Money {
    Money { amount_minor, currency: "EUR".into() }
}

pub fn placed(order_id: &str, lines: Vec<Line>) -> OrderPlaced {
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

pub fn reserved(order_id: &str, total: Money) -> StockReserved {
    let (lines, sealed) = (vec![], Sealed::from_bytes(vec![]));
    StockReserved { order_id: order_id.into(), customer_id: "c".into(), lines, total, sealed }
}

pub fn cancelled(order_id: &str) -> OrderCancelled {
    OrderCancelled {
        order_id: order_id.into(),
        customer_id: "c".into(),
        lines: vec![],
        total: euros(1),
        reason: CancelReason::Customer,
        closed: vec![],
        sealed: Sealed::from_bytes(vec![]),
    }
}
