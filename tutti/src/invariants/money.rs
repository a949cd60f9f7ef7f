//! Invariant 3, money: what payment says against the gateway's own ledger.

use super::{
    facts::Order,
    list::{How, Invariant, Verdict, When, must},
    said::Said::{
        OrderCompleted, OrderUndone, PaymentCompleted, PaymentFailed, PaymentRefundRequested, PaymentRefunded,
        PaymentRequested, PaymentVoided,
    },
};

pub(super) const ONE_CAPTURE: Invariant = Invariant {
    number: 3,
    name: "one_capture",
    statement: "No order was charged more than once",
    when: When::Always,
    how: How::Order(one_capture),
};
pub(super) const REFUND_AFTER_CAPTURE: Invariant = Invariant {
    number: 3,
    name: "refund_after_capture",
    statement: "Money went back only after it was taken, and never more than that",
    when: When::Always,
    how: How::Order(refund_after_capture),
};
pub(super) const MOVED_AS_ASKED: Invariant = Invariant {
    number: 3,
    name: "moved_as_asked",
    statement: "The gateway moved money only where payment had said that it asks for it",
    when: When::Always,
    how: How::Order(moved_as_asked),
};
pub(super) const MONEY_AS_TOLD: Invariant = Invariant {
    number: 3,
    name: "money_as_told",
    statement: "What payment says was taken and given back is what the gateway's ledger says",
    when: When::Always,
    how: How::Order(as_told),
};
pub(super) const MONEY_SETTLED: Invariant = Invariant {
    number: 3,
    name: "money_settled",
    statement: "Of a completed order exactly its total is kept, of an undone one nothing",
    when: When::AtRest,
    how: How::Order(settled),
};

fn one_capture(order: &Order) -> Verdict {
    (order.captures > 0).then(|| must(order.captures == 1, || format!("it was charged {} times", order.captures)))
}

fn refund_after_capture(order: &Order) -> Verdict {
    (!order.refunded.is_zero()).then(|| {
        must(!order.refund_first, || "money went back before any was taken".into())?;
        let (taken, back) = (order.captured.minor, order.refunded.minor);
        must(back <= taken, || format!("{back} went back, but only {taken} were taken"))
    })
}

fn moved_as_asked(order: &Order) -> Verdict {
    let (charged, repaid) = (order.captures > 0, !order.refunded.is_zero());
    (charged || repaid).then(|| {
        must(!charged || order.said.has(PaymentRequested), || "it was charged, but payment never asked".into())?;
        must(!repaid || order.said.has(PaymentRefundRequested), || "money went back, but payment never asked".into())
    })
}

fn as_told(order: &Order) -> Verdict {
    let Order { marked, captured, refunded, paid, repaid, .. } = order;
    marked.any(&[PaymentCompleted, PaymentRefunded, PaymentVoided, PaymentFailed]).then(|| {
        must(!marked.has(PaymentCompleted) || captured == paid, || {
            format!("payment says {} were taken, the ledger says {}", paid.minor, captured.minor)
        })?;
        must(!marked.has(PaymentRefunded) || refunded == repaid, || {
            format!("payment says {} went back, the ledger says {}", repaid.minor, refunded.minor)
        })?;
        let nothing_kept = !marked.any(&[PaymentVoided, PaymentFailed]) || captured == refunded;
        must(nothing_kept, || format!("payment says nothing was taken, the ledger says {}", captured.minor))
    })
}

fn settled(order: &Order) -> Verdict {
    let Order { captured, refunded, total, .. } = order;
    if order.marked.has(OrderCompleted) {
        let kept = captured == total && refunded.is_zero();
        let (total, taken, back) = (total.minor, captured.minor, refunded.minor);
        return Some(must(kept, || format!("it is completed at {total}, but {taken} were taken and {back} went back")));
    }
    order.marked.has(OrderUndone).then(|| {
        let (taken, back) = (captured.minor, refunded.minor);
        must(captured == refunded, || format!("it is undone, but of {taken} only {back} went back"))
    })
}
