//! Invariant 2, orders: none is lost, each has one ending, and every cancel is answered.

use super::{
    facts::Order,
    list::{How, Invariant, Verdict, When, must},
    said::Said,
};

pub(super) const ACCEPTED_EXISTS: Invariant = Invariant {
    number: 2,
    name: "accepted_exists",
    statement: "Every order that was accepted, or that anybody knows of, was placed as it was accepted",
    when: When::Always,
    how: How::Order(exists),
};
pub(super) const ONE_ENDING: Invariant = Invariant {
    number: 2,
    name: "one_ending",
    statement: "No order is both dispatched or completed and cancelled",
    when: When::Always,
    how: How::Order(one_ending),
};
pub(super) const EVERY_ORDER_ENDS: Invariant = Invariant {
    number: 2,
    name: "every_order_ends",
    statement: "An order for which nothing more is under way is completed or undone",
    when: When::AtRest,
    how: How::OrderAtRest(ends),
};
pub(super) const CANCEL_ANSWERED: Invariant = Invariant {
    number: 2,
    name: "cancel_answered",
    statement: "Every accepted cancel ended in OrderUndone or in ShipmentCancellationRejected",
    when: When::AtRest,
    how: How::OrderAtRest(cancel_answered),
};

impl Order {
    /// Something is known of it from before the logs' ends were looked up, so that its placing must have been read.
    fn is_known(&self) -> bool {
        let booked = self.captures > 0 || !self.refunded.is_zero() || self.parcel.labels > 0;
        booked || self.mail.boxed != [0, 0] || !self.marked.is_empty() || self.promise.accepted
    }
}

fn exists(order: &Order) -> Verdict {
    order.is_known().then(|| {
        must(order.said.has(Said::OrderPlaced), || "something is known of it, but it was never placed".into())?;
        let promised = order.promise.total.unwrap_or(order.total.minor);
        must(promised == order.total.minor, || {
            format!("it was accepted at {promised} and placed at {}", order.total.minor)
        })
    })
}

fn one_ending(order: &Order) -> Verdict {
    let off = order.said.first(&[Said::OrderUndone, Said::OrderCancelled]);
    let out = order.said.first(&[Said::OrderCompleted, Said::OrderDispatched]);
    match (off, out) {
        (None, None) => None,
        (Some(off), Some(out)) => Some(Err(format!("it is {} and {}", off.name(), out.name()))),
        _ => Some(Ok(())),
    }
}

fn ends(order: &Order) -> Verdict {
    order.is_still().then(|| {
        let last = "nothing more is under way for it, but it is neither completed nor undone";
        must(order.settled() || order.parcel.under_way, || last.into())
    })
}

fn cancel_answered(order: &Order) -> Verdict {
    let asked = order.said.has(Said::OrderCancellationRequested) || order.promise.cancelled;
    (asked && order.at_rest()).then(|| {
        let answered = order.said.any(&[Said::OrderUndone, Said::ShipmentCancellationRejected]);
        must(answered, || "a cancel was accepted, but it was neither undone nor the cancel rejected".into())
    })
}
