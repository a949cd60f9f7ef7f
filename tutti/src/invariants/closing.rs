//! Invariant 5, undo: one closing event each, the end only after all, and every step taken back.

use super::{
    facts::{Order, bit_of},
    list::{How, Invariant, Verdict, When, must},
    said::{
        Said::{
            self, OrderCancelled, OrderCompleted, OrderConfirmed, OrderUndoProgressed, OrderUndone, PaymentCompleted,
            PaymentFailed, PaymentRefunded, PaymentVoided, ShipmentCancelled, ShipmentDelivered, ShipmentRequested,
            StockDeducted, StockReleased, StockReserved,
        },
        Set,
    },
};
use shared_events::Participant;

pub(super) const ONE_CLOSING_EVENT: Invariant = Invariant {
    number: 5,
    name: "one_closing_event",
    statement: "No participant says more than one closing event about an order",
    when: When::Always,
    how: How::Order(one_closing),
};
pub(super) const UNDONE_AFTER_ALL: Invariant = Invariant {
    number: 5,
    name: "undone_after_all",
    statement: "An order counts a participant as closed only after its closing event; undone, all three",
    when: When::Always,
    how: How::Order(after_all),
};
pub(super) const SHIPPING_DECIDES: Invariant = Invariant {
    number: 5,
    name: "shipping_decides",
    statement: "A confirmed order is cancelled only because shipping has said ShipmentCancelled",
    when: When::Always,
    how: How::Order(shipping_decides),
};
pub(super) const STEPS_UNDONE: Invariant = Invariant {
    number: 5,
    name: "steps_undone",
    statement: "Of an undone order, reservation, payment and shipment are taken back if they were made",
    when: When::AtRest,
    how: How::Order(steps_undone),
};
pub(super) const COMPLETED_WHOLE: Invariant = Invariant {
    number: 5,
    name: "completed_whole",
    statement: "A completed order was reserved, paid and delivered, and its goods are deducted",
    when: When::AtRest,
    how: How::OrderAtRest(completed_whole),
};

/// Each participant with its closing events.
const CLOSING: [(Participant, &[Said]); 3] = [
    (Participant::Inventory, &[StockReleased]),
    (Participant::Payment, &[PaymentVoided, PaymentRefunded, PaymentFailed]),
    (Participant::Shipping, &[ShipmentCancelled]),
];

fn one_closing(order: &Order) -> Verdict {
    let closed = |events: &[Said]| events.iter().filter(|said| order.said.has(**said)).count();
    CLOSING.iter().any(|(_, events)| closed(events) > 0).then(|| {
        for (participant, events) in CLOSING {
            let once = closed(events) < 2 && !order.twice.any(events);
            must(once, || format!("{participant} has closed it more than once"))?;
        }
        Ok(())
    })
}

fn after_all(order: &Order) -> Verdict {
    let marked: Set = order.marked;
    marked.any(&[OrderCancelled, OrderUndoProgressed, OrderUndone]).then(|| {
        for (participant, events) in CLOSING {
            let counted = marked.has(OrderUndone)
                || (marked.has(OrderCancelled) && order.closed_at_cancel & bit_of(participant) != 0)
                || (marked.has(OrderUndoProgressed) && order.closed_later & bit_of(participant) != 0);
            must(!counted || order.said.any(events), || {
                format!("{participant} counts as closed, but said no closing event")
            })?;
        }
        Ok(())
    })
}

fn shipping_decides(order: &Order) -> Verdict {
    order.marked.all(&[OrderConfirmed, OrderCancelled]).then(|| {
        let by_shipping = order.closed_at_cancel & bit_of(Participant::Shipping) != 0;
        must(by_shipping && order.said.has(ShipmentCancelled), || {
            "it was cancelled after its confirmation without shipping having said so".into()
        })
    })
}

fn steps_undone(order: &Order) -> Verdict {
    let steps =
        [(StockReserved, StockReleased), (PaymentCompleted, PaymentRefunded), (ShipmentRequested, ShipmentCancelled)];
    order.marked.has(OrderUndone).then(|| {
        for (step, undo) in steps {
            must(!order.said.has(step) || order.said.has(undo), || {
                format!("it is undone, but {} was never followed by {}", step.name(), undo.name())
            })?;
        }
        Ok(())
    })
}

fn completed_whole(order: &Order) -> Verdict {
    (order.marked.has(OrderCompleted) && order.is_still()).then(|| {
        let whole = [StockReserved, PaymentCompleted, ShipmentDelivered, StockDeducted];
        let lacks = whole.into_iter().find(|said| !order.said.has(*said));
        lacks.map_or(Ok(()), |said| Err(format!("it is completed without {}", said.name())))
    })
}
