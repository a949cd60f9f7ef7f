//! One order's timeline, rendered from what the API answers.

#![allow(clippy::unwrap_used)] // Clippy knows of test functions that they may, not of their helpers.

use insta::assert_snapshot;
use serde_json::json;
use tutti::{
    client::{Events, Order},
    screen::Screen,
    time::At,
    timeline,
};

const ORDER: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn event(at: &str, service: &str, name: &str, id: &str, cause: &str) -> serde_json::Value {
    let at = format!("2026-01-31T12:05:{at}Z");
    json!({ "at": at, "service": service, "type": name, "key": ORDER, "id": id, "causation_id": cause, "data": {} })
}

fn undo_under_way() -> (Order, Events) {
    let order = json!({ "order_id": ORDER, "customer_id": "c-42", "state": "cancelled", "settled": false,
        "reason": "customer", "total": { "amount_minor": 1205, "currency": "EUR" }, "waiting_for": {
            "service": "payment", "event": "PaymentRefunded", "since": "2026-01-31T12:05:03.000000Z", "until": null } });
    let events = json!({
        "items": [
            event("00.000000", "order", "OrderPlaced", "7.0.1", "command PlaceOrder"),
            event("00.003000", "inventory", "StockReserved", "8.0.1", "order/7.0.1"),
            event("00.005500", "payment", "PaymentRequested", "9.0.1", "inventory/8.0.1"),
            event("02.205500", "payment", "PaymentCompleted", "9.0.2", "payment/9.0.1 via charge#3"),
            event("02.900000", "order", "OrderCancelled", "7.0.2", "command CancelOrder"),
            event("03.000000", "payment", "PaymentRefundRequested", "9.0.3", "order/7.0.2"),
            event("03.001000", "inventory", "StockReleased", "8.0.2", "order/7.0.2"),
            event("03.002000", "shipping", "ShipmentCancelled", "5.0.1", "order/999.0.1"),
        ],
        "open": [
            { "service": "payment", "name": "refund", "due": "2026-01-31T12:05:09.000000Z", "stuck": null },
            { "service": "payment", "name": "charge", "due": null, "stuck": "the gateway refuses it" },
        ]
    });
    (serde_json::from_value(order).unwrap(), serde_json::from_value(events).unwrap())
}

fn now() -> At {
    At::parse("2026-01-31T12:05:08.000000Z").unwrap()
}

#[test]
fn an_open_order_s_timeline_says_who_said_what_and_why_and_what_it_waits_for() {
    let (order, events) = undo_under_way();
    assert_snapshot!(timeline::render(&order, &events, now(), &Screen::plain()));
}

#[test]
fn a_deadline_is_shown_where_there_is_one() {
    let (mut order, events) = undo_under_way();
    order.waiting_for.as_mut().unwrap().until = At::parse("2026-01-31T12:20:00Z");
    let standing = timeline::standing(&order, &events, now(), &Screen::plain());
    assert!(standing.ends_with("since 12:05:03.000 (5.0 s), until 12:20:00.000"), "{standing}");
}

#[test]
fn a_settled_order_says_how_it_ended_and_after_how_long() {
    let (mut order, events) = undo_under_way();
    order.settled = true;
    let standing = timeline::standing(&order, &events, now(), &Screen::plain());
    assert_eq!(standing, "cancelled (customer), everything undone after 3.0 s");
}

#[test]
fn a_terminal_gets_colours_and_a_pipe_the_same_words_without() {
    let (order, events) = undo_under_way();
    let coloured = timeline::render(&order, &events, now(), &Screen { colour: true, ..Screen::plain() });
    let plain = timeline::render(&order, &events, now(), &Screen::plain());
    assert!(coloured.contains("\x1b[33mOrderCancelled\x1b[0m"));
    assert!(!plain.contains('\x1b'));
}
