//! One order is one trace and one graph of causes, however it ends.

use crate::endings::{Ended, ending_of, play};
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[tokio::test(flavor = "multi_thread")]
async fn every_ending_is_one_trace_and_one_connected_graph() {
    let (shop, ended) = play(|request| request).await;
    for Ended { story, id } in &ended {
        let order = shop.client.order(id).await;
        let (state, reason) = ending_of(story);
        assert_eq!(
            (&order["state"], &order["reason"], &order["waiting_for"]),
            (&json!(state), &json!(reason), &Value::Null),
            "{story}: {order}"
        );
        if state == "completed" {
            shop.client.said(id, "StockDeducted").await;
        }
        let events = shop.client.events(id).await;
        is_one_trace(story, id, &events);
        is_one_graph(story, &events);
        ends_whole(story, state, &events);
    }
}

fn is_one_trace(story: &str, id: &str, events: &[Value]) {
    for event in events {
        assert_eq!((&event["trace_id"], &event["key"]), (&json!(id), &json!(id)), "{story}: {event}");
    }
}

fn text<'v>(event: &'v Value, member: &str) -> &'v str {
    event[member].as_str().unwrap()
}

/// Every event has a cause that stands before it: an event of the same order, or a command. A command about an order
/// follows what its service last said about it, except for the one that begins it all.
fn is_one_graph(story: &str, events: &[Value]) {
    let mut place: BTreeMap<String, usize> = BTreeMap::new();
    let mut last_of: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, event) in events.iter().enumerate() {
        let (service, cause) = (text(event, "service"), text(event, "causation_id"));
        let command = cause.strip_prefix("command ").map(|name| name.split(' ').next().unwrap());
        let before = match command {
            Some("PlaceOrder") => None,
            Some(_) => {
                Some(*last_of.get(service).unwrap_or_else(|| panic!("{story}: a command begins {service}: {event}")))
            }
            None => {
                let id = cause.split(" via ").next().unwrap();
                Some(
                    *place
                        .get(id)
                        .unwrap_or_else(|| panic!("{story}: the cause {cause} does not stand before {event}")),
                )
            }
        };
        // Causes stand before what they cause, so there is no circle; only the first has none, so all are connected.
        assert_eq!(before.is_none(), index == 0, "{story}: {event}");
        assert!(before.is_none_or(|before| before < index), "{story}: {event}");
        let known = place.insert(format!("{service}/{}", text(event, "id")), index);
        assert!(known.is_none(), "{story}: there are two of {event}");
        last_of.insert(service, index);
    }
}

/// Completed, or undone with one closing event of each participant; never both.
fn ends_whole(story: &str, state: &str, events: &[Value]) {
    let count = |names: &[&str]| events.iter().filter(|event| names.contains(&text(event, "type"))).count();
    let completed = usize::from(state == "completed");
    assert_eq!(count(&["OrderCompleted"]), completed, "{story}");
    assert_eq!(count(&["StockDeducted"]), completed, "{story}");
    for closing in [
        &["OrderCancelled"][..],
        &["OrderUndone"],
        &["StockReleased"],
        &["PaymentVoided", "PaymentRefunded", "PaymentFailed"],
        &["ShipmentCancelled"],
    ] {
        assert_eq!(count(closing), 1 - completed, "{story}: {closing:?}");
    }
    assert_eq!(count(&["OrderPlaced"]), 1, "{story}");
}
