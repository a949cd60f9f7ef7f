//! Mistakes planted by hand, at least one for every invariant: it is reported, and by no other invariant than named.

use crate::{
    frozen::Frozen,
    scene::{CALLED_BACK, COMPLETED, DECLINED, EXPIRED, NEVER, OPEN, OUT_OF_STOCK, TOO_LATE, every_story},
};
use runtime::ParkedRow;
use shared_events::{
    CancelReason, Line, Money, Participant, Sealed, Template,
    inventory::{LowStockWarning, StockReleased, StockReplenished, StockReserved},
    order::{OrderCancelled, OrderPlaced},
    payment::{PaymentCompleted, PaymentVoided},
    shipping::ShipmentDelivered,
};
use std::{collections::BTreeSet, sync::Arc};
use tutti::invariants::{Entry, INVARIANTS, Message, Parcel, Promise};

/// The invariants that report it, and how it is planted.
type Mistake = (&'static [&'static str], fn(&mut Frozen));

const STOCK: &[Mistake] = &[
    // What inventory's own states refuse to fold is no fold either.
    (&["no_oversell", "state_is_fold"], |shop| shop.edit::<StockReplenished>("TEA", |it| it.quantity = 2)),
    (&["stock_conserved"], |shop| shop.edit::<StockReleased>(CALLED_BACK, |it| it.lines[0].quantity = 2)),
    (&["stock_conserved"], |shop| shop.edit::<StockReserved>(OPEN, |it| it.lines[0].quantity = 3)),
    (&["deliveries_once"], |shop| shop.edit::<StockReplenished>("MUG", |it| it.delivery = "delivery-TEA-100".into())),
];

const ORDERS: &[Mistake] = &[
    (&["accepted_exists"], |shop| shop.entries.push(entry(shop, NEVER, false, 100))),
    (&["accepted_exists"], |shop| shop.messages.push(message(shop, NEVER, Template::Confirmed))),
    (&["accepted_exists"], |shop| shop.promised.push(promise(NEVER))),
    (&["accepted_exists"], |shop| shop.promised.push(Promise { total_minor: Some(1), ..promise(OPEN) })),
    (&["every_order_ends"], |shop| shop.stores.iter_mut().for_each(|store| store.work.clear())),
    (&["cancel_answered"], |shop| shop.remove("shipping", "ShipmentCancellationRejected", TOO_LATE)),
    (&["cancel_answered"], |shop| shop.promised.push(Promise { cancelled: true, ..promise(COMPLETED) })),
    // An order that is cancelled after its parcel has left breaks more than one promise.
    (&["one_ending", "parcel_not_cancelled", "shipping_decides", "customer_told"], |shop| {
        shop.append(cancelled(COMPLETED), "command CancelOrder".into());
    }),
];

const MONEY: &[Mistake] = &[
    (&["one_capture"], |shop| shop.entries.push(entry(shop, COMPLETED, false, 0))),
    (&["refund_after_capture"], |shop| {
        let (capture, refund) = (find_entry(shop, EXPIRED, false), find_entry(shop, EXPIRED, true));
        shop.entries.swap(capture, refund);
        shop.entries.iter_mut().zip(1..).for_each(|(entry, id)| entry.id = id);
    }),
    (&["moved_as_asked"], |shop| {
        shop.entries.push(entry(shop, OUT_OF_STOCK, false, 100));
        shop.entries.push(entry(shop, OUT_OF_STOCK, true, 100));
    }),
    (&["money_as_told"], |shop| {
        let cause = shop.cause("payment", "PaymentRequested", OPEN);
        shop.append(paid(OPEN), cause + " via charge#1");
    }),
    (&["money_settled"], |shop| shop.edit::<OrderPlaced>(COMPLETED, |it| it.total_minor += 100)),
    (&["money_as_told", "money_settled", "refund_after_capture"], |shop| {
        shop.entries.push(entry(shop, EXPIRED, true, 100));
    }),
];

const PARCELS: &[Mistake] = &[
    (&["parcel_earned"], |shop| shop.parcels.push(Parcel { out: true, void: false, ..parcel(shop, OPEN) })),
    (&["parcel_not_cancelled"], |shop| {
        let parcel = find_parcel(shop, CALLED_BACK);
        (parcel.out, parcel.void) = (true, false);
    }),
    (&["parcel_not_cancelled"], |shop| find_parcel(shop, COMPLETED).void = true),
    (&["one_parcel"], |shop| shop.parcels.push(parcel(shop, COMPLETED))),
    (&["parcel_as_told"], |shop| find_parcel(shop, COMPLETED).delivered = false),
    (&["no_live_label"], |shop| find_parcel(shop, CALLED_BACK).void = false),
];

const CLOSING: &[Mistake] = &[
    (&["one_closing_event"], |shop| {
        let cause = shop.cause("payment", "PaymentRequested", EXPIRED);
        shop.append(PaymentVoided { order_id: EXPIRED.into() }, cause + " via charge#1");
    }),
    (&["undone_after_all"], |shop| {
        let too_early = OrderCancelled { closed: vec![Participant::Payment], ..cancelled(OPEN) };
        shop.append(too_early, "command CancelOrder".into());
    }),
    (&["shipping_decides"], |shop| shop.edit::<OrderCancelled>(CALLED_BACK, |it| it.closed.clear())),
    (&["steps_undone"], |shop| {
        let cause = shop.row("payment", "PaymentRefundRequested", CALLED_BACK).cause.clone();
        let row = shop.row("payment", "PaymentRefunded", CALLED_BACK);
        (row.name, row.cause) = ("PaymentVoided".into(), cause);
        row.body =
            choreography::Event::encode(&PaymentVoided { order_id: CALLED_BACK.into() }).expect("a datum").into();
        shop.refold();
    }),
    (&["completed_whole"], |shop| shop.remove("inventory", "StockDeducted", COMPLETED)),
];

const MAIL: &[Mistake] = &[
    (&["mail_has_cause"], |shop| shop.messages.push(message(shop, OPEN, Template::Confirmed))),
    (&["mail_has_cause"], |shop| {
        shop.messages.push(Message { template: "advert".into(), ..message(shop, OPEN, Template::Confirmed) })
    }),
    (&["mail_once"], |shop| {
        let again = message(shop, COMPLETED, Template::Delivered);
        shop.messages.push(Message { message_id: "another".into(), ..again });
    }),
    (&["mail_in_order"], |shop| {
        let confirmed = find_mail(shop, CALLED_BACK, Template::Confirmed);
        let cancelled = find_mail(shop, CALLED_BACK, Template::Cancelled);
        shop.messages.swap(confirmed, cancelled);
        shop.messages.iter_mut().zip(1..).for_each(|(message, id)| message.id = id);
    }),
    (&["mail_as_told"], |shop| shop.messages.retain(|it| !(it.sms && it.order_id == COMPLETED))),
    (&["customer_told"], |shop| shop.remove("email", "EmailSent", COMPLETED)),
];

const LOGS: &[Mistake] = &[
    (&["dense"], |shop| {
        shop.shift("payment", 3, 1);
        shop.store("payment").lead.head += 1;
    }),
    (&["head"], |shop| shop.store("payment").lead.head += 1),
    (&["head"], |shop| shop.store("payment").lead.published = 1_000_000),
    (&["readable"], |shop| shop.row("email", "SmsSent", COMPLETED).body = vec![1, 2, 3].into()),
    (&["readable"], |shop| {
        let other = shop.row("email", "SmsSent", TOO_LATE).body.clone();
        shop.row("email", "SmsSent", COMPLETED).body = other;
    }),
    (&["time_forward"], |shop| shop.row("payment", "PaymentCompleted", COMPLETED).at -= 3_600_000_000),
    (&["epochs"], |shop| shop.store("payment").log[0].epoch = 2),
    (&["epochs"], |shop| {
        // The reservation and the warning that it leaves few were said at once.
        let scarce = shop.row("inventory", "LowStockWarning", "MUG").seq;
        shop.store("inventory").lead.epoch = 2;
        shop.store("inventory").log.iter_mut().filter(|row| row.seq >= scarce).for_each(|row| row.epoch = 2);
    }),
];

const INPUTS: &[Mistake] = &[
    (&["cursors"], |shop| shop.store("shipping").cursors[0].at.seq += 5),
    (&["taken_once"], |shop| {
        let cause = shop.cause("order", "OrderPlaced", COMPLETED);
        shop.append(LowStockWarning { sku: "MUG".into(), available: 7, threshold: 10 }, cause);
    }),
    (&["said_in_order"], |shop| {
        let again = ShipmentDelivered { order_id: COMPLETED.into(), report_id: "r9".into() };
        shop.append(again, "command Report".into());
    }),
    (&["not_past_parked"], |shop| {
        let row = Arc::new(shop.row("payment", "PaymentRequested", COMPLETED).clone());
        let parked = ParkedRow { id: 1, source: "payment".into(), row, reason: "planted".into(), since: 0 };
        shop.store("shipping").parked.push(parked);
    }),
];

const STATES: &[Mistake] = &[
    (&["state_is_fold"], |shop| shop.store("order").states[0].version += 1),
    (&["state_is_fold"], |shop| drop(shop.store("payment").states.pop())),
    (&["state_is_fold"], |shop| {
        let states = &mut shop.store("payment").states;
        states[0].body = states[1].body.clone();
    }),
    (&["state_is_fold"], |shop| {
        let states = &mut shop.store("shipping").states;
        let invented = runtime::record::StateRow { key: NEVER.into(), ..states[0].clone() };
        states.push(invented);
    }),
];

const CAUSES: &[Mistake] = &[
    // Shipping does not answer OrderPlaced.
    (&["caused"], |shop| set_cause(shop, |shop| shop.cause("order", "OrderPlaced", COMPLETED))),
    // About another order.
    (&["caused"], |shop| set_cause(shop, |shop| shop.cause("payment", "PaymentFailed", DECLINED))),
    // Never said.
    (&["caused"], |shop| {
        set_cause(shop, |shop| {
            let head = shop.store("payment").lead;
            format!("payment/{}.0.{}", head.generation, head.head + 7)
        });
    }),
    (&["caused"], |shop| set_cause(shop, |_| "command OpenSesame".into())),
    (&["caused"], |shop| set_cause(shop, |_| "the weather".into())),
    (&["one_trace"], |shop| {
        let other = shop.row("order", "OrderPlaced", OPEN).trace.clone();
        shop.row("payment", "PaymentCompleted", COMPLETED).trace = other;
    }),
];

const ALL: &[&[Mistake]] = &[STOCK, ORDERS, MONEY, PARCELS, CLOSING, MAIL, LOGS, INPUTS, STATES, CAUSES];

#[track_caller]
fn each_is_reported(mistakes: &[Mistake]) {
    let before = every_story().freeze();
    for (number, (expected, plant)) in mistakes.iter().enumerate() {
        let mut shop = before.clone();
        plant(&mut shop);
        let report = shop.verify();
        let broken: BTreeSet<&str> =
            report.invariants.iter().filter(|it| it.violated > 0).map(|it| it.name.as_str()).collect();
        let expected: BTreeSet<&str> = expected.iter().copied().collect();
        assert_eq!(broken, expected, "mistake {number}: {:#?}", report.violations);
        assert!(report.violations.iter().all(|it| !it.sentence.is_empty() && !it.key.is_empty()));
    }
}

#[test]
fn mistakes_with_the_stock() {
    each_is_reported(STOCK);
}
#[test]
fn mistakes_with_orders() {
    each_is_reported(ORDERS);
}
#[test]
fn mistakes_with_money() {
    each_is_reported(MONEY);
}
#[test]
fn mistakes_with_parcels() {
    each_is_reported(PARCELS);
}
#[test]
fn mistakes_with_closing() {
    each_is_reported(CLOSING);
}
#[test]
fn mistakes_with_mail() {
    each_is_reported(MAIL);
}
#[test]
fn mistakes_in_logs() {
    each_is_reported(LOGS);
}
#[test]
fn mistakes_with_inputs() {
    each_is_reported(INPUTS);
}
#[test]
fn mistakes_in_states() {
    each_is_reported(STATES);
}
#[test]
fn mistakes_with_causes() {
    each_is_reported(CAUSES);
}

#[test]
fn no_invariant_is_without_a_mistake_that_it_reports_alone() {
    let alone: BTreeSet<&str> =
        ALL.iter().copied().flatten().filter(|(names, _)| names.len() == 1).map(|(names, _)| names[0]).collect();
    let without: Vec<_> = INVARIANTS.iter().map(|it| it.name).filter(|name| !alone.contains(name)).collect();
    // These two cannot be broken alone; see where they are planted.
    assert_eq!(without, ["no_oversell", "one_ending"]);
}

fn entry(shop: &Frozen, order_id: &str, refund: bool, amount_minor: i64) -> Entry {
    let id = shop.entries.len() as i64 + 1;
    Entry { id, order_id: order_id.into(), refund, succeeded: true, amount_minor, currency: "EUR".into() }
}

fn find_entry(shop: &Frozen, order_id: &str, refund: bool) -> usize {
    shop.entries.iter().position(|it| it.order_id == order_id && it.refund == refund).expect("it moved")
}

/// A void label.
fn parcel(shop: &Frozen, order_id: &str) -> Parcel {
    let id = shop.parcels.len() as i64 + 1;
    Parcel { id, order_id: order_id.into(), out: false, delivered: false, void: true, under_way: false }
}

fn find_parcel<'s>(shop: &'s mut Frozen, order_id: &str) -> &'s mut Parcel {
    shop.parcels.iter_mut().find(|it| it.order_id == order_id).expect("a label")
}

fn message(shop: &Frozen, order_id: &str, template: Template) -> Message {
    let id = shop.messages.len() as i64 + 1;
    let template = template.to_string();
    Message { id, order_id: order_id.into(), sms: false, template, message_id: "planted".into() }
}

fn find_mail(shop: &Frozen, order_id: &str, template: Template) -> usize {
    let is_it = |it: &Message| it.order_id == order_id && !it.sms && it.template == template.as_str();
    shop.messages.iter().position(is_it).expect("it was sent")
}

fn promise(order_id: &str) -> Promise {
    Promise { order_id: order_id.into(), total_minor: None, cancelled: false }
}

fn eur(amount_minor: i64) -> Money {
    Money { amount_minor, currency: "EUR".into() }
}

fn tea(quantity: i64) -> Vec<Line> {
    vec![Line { sku: "TEA".into(), quantity, unit_price_minor: 500 }]
}

fn cancelled(order_id: &str) -> OrderCancelled {
    OrderCancelled {
        order_id: order_id.into(),
        customer_id: "c-42".into(),
        lines: tea(5),
        total: eur(2500),
        reason: CancelReason::Customer,
        closed: vec![],
        sealed: Sealed::from_bytes([]),
    }
}

fn paid(order_id: &str) -> PaymentCompleted {
    PaymentCompleted {
        order_id: order_id.into(),
        customer_id: "c-42".into(),
        lines: tea(4),
        total: eur(2000),
        receipt: "R-2".into(),
        sealed: Sealed::from_bytes([]),
    }
}

fn set_cause(shop: &mut Frozen, cause: impl FnOnce(&mut Frozen) -> String) {
    let cause = cause(shop);
    shop.row("shipping", "ShipmentRequested", COMPLETED).cause = cause;
}
