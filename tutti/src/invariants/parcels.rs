//! Invariant 4, parcels: what shipping says against the carrier's own book.

use super::{
    facts::Order,
    list::{How, Invariant, Verdict, When, must},
    said::Said::{
        OrderCancelled, OrderConfirmed, PaymentCompleted, PaymentRefundRequested, PaymentVoided, ShipmentCancelled,
        ShipmentDelivered, ShipmentDispatched, ShipmentReleased, ShipmentScheduled, StockReleased, StockReserved,
    },
};

pub(super) const PARCEL_EARNED: Invariant = Invariant {
    number: 4,
    name: "parcel_earned",
    statement: "A parcel is out only if its order was reserved, paid, confirmed and released",
    when: When::Always,
    how: How::Order(earned),
};
pub(super) const PARCEL_NOT_CANCELLED: Invariant = Invariant {
    number: 4,
    name: "parcel_not_cancelled",
    statement: "No parcel is out of which the order, the label, the stock or the money was called back",
    when: When::Always,
    how: How::Order(not_cancelled),
};
pub(super) const ONE_PARCEL: Invariant = Invariant {
    number: 4,
    name: "one_parcel",
    statement: "No order has more than one label",
    when: When::Always,
    how: How::Order(one_parcel),
};
pub(super) const PARCEL_AS_TOLD: Invariant = Invariant {
    number: 4,
    name: "parcel_as_told",
    statement: "What shipping says was booked, dispatched and delivered is so in the carrier's book",
    when: When::Always,
    how: How::Order(as_told),
};
pub(super) const NO_LIVE_LABEL: Invariant = Invariant {
    number: 4,
    name: "no_live_label",
    statement: "After ShipmentCancelled the order has no label with which it could be collected",
    when: When::Always,
    how: How::Order(no_live_label),
};

fn earned(order: &Order) -> Verdict {
    order.parcel.out.then(|| {
        let needs = [StockReserved, PaymentCompleted, OrderConfirmed, ShipmentReleased];
        let lacks = needs.into_iter().find(|said| !order.said.has(*said));
        lacks.map_or(Ok(()), |said| Err(format!("its parcel is out without {}", said.name())))
    })
}

fn not_cancelled(order: &Order) -> Verdict {
    order.parcel.out.then(|| {
        must(!order.parcel.out_and_void, || "its parcel is out on a void label".into())?;
        let off = [OrderCancelled, ShipmentCancelled, StockReleased, PaymentRefundRequested, PaymentVoided];
        order.said.first(&off).map_or(Ok(()), |said| Err(format!("its parcel is out in spite of {}", said.name())))
    })
}

fn one_parcel(order: &Order) -> Verdict {
    let labels = order.parcel.labels;
    (labels > 0).then(|| must(labels == 1, || format!("it has {labels} labels")))
}

fn as_told(order: &Order) -> Verdict {
    let (said, parcel) = (order.marked, order.parcel);
    said.any(&[ShipmentScheduled, ShipmentDispatched, ShipmentDelivered]).then(|| {
        must(!said.has(ShipmentScheduled) || parcel.labels > 0, || "it has no label, but shipping says so".into())?;
        must(!said.has(ShipmentDispatched) || parcel.out, || "its parcel is not out, but shipping says so".into())?;
        must(!said.has(ShipmentDelivered) || parcel.delivered, || "it has not arrived, but shipping says so".into())
    })
}

fn no_live_label(order: &Order) -> Verdict {
    let live = order.parcel.live;
    order.marked.has(ShipmentCancelled).then(|| must(live == 0, || "it has a label that is not void".into()))
}
