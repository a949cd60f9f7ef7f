//! Goes over the books when all is over: what was promised, what was taken, what is on the shelves, what was written.
//! Only by what customers and the outside world can see; `tutti verify` looks inside as well.

use crate::{
    client::{Client, items},
    customers::Accepted,
    wait::until,
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that was accepted exists, once, as accepted, and is over; money, stock and mail are right.
pub async fn all_is_right(client: &Client, accepted: &[Accepted]) {
    let orders = settled(client, accepted).await;
    let by_id: BTreeMap<&str, &Value> = orders.iter().map(|order| (text(order, "order_id"), order)).collect();
    assert_eq!(by_id.len(), orders.len(), "an order is listed twice");
    for one in accepted {
        as_accepted(one, by_id.get(one.id.as_str()).unwrap_or_else(|| panic!("order {} is lost", one.id)));
    }
    let ids: BTreeSet<&str> = accepted.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids.len(), accepted.len(), "two keys share an order");
    for order in &orders {
        assert!(ids.contains(text(order, "order_id")), "nobody has placed {order}");
    }
    cancellations_ended(client, accepted).await;
    money_is_right(client, &orders).await;
    stock_is_right(client, &orders).await;
    mail_is_right(client, &orders).await;
}

fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value[member].as_str().unwrap_or_else(|| panic!("no {member} in {value}"))
}

async fn settled(client: &Client, accepted: &[Accepted]) -> Vec<Value> {
    for one in accepted {
        client.settled(&one.id).await;
    }
    client.all("/orders", "items").await
}

/// Wanted quantities, by SKU.
fn wanted(lines: &Value) -> BTreeMap<&str, i64> {
    let mut units = BTreeMap::new();
    for line in lines.as_array().unwrap() {
        *units.entry(text(line, "sku")).or_default() += line["quantity"].as_i64().unwrap();
    }
    units
}

fn as_accepted(one: &Accepted, order: &Value) {
    assert_eq!(
        (text(order, "customer_id"), wanted(&order["lines"])),
        (one.customer.as_str(), wanted(&one.body["lines"]))
    );
    assert_eq!(order["settled"], true, "{order}");
    let (token, short) = (text(&one.body, "payment_token"), wanted(&one.body["lines"]).contains_key("POT-RARE"));
    let undeliverable = one.body["shipping_address"]["country"] == "XX";
    let declined = matches!(token, "tok_declined" | "tok_insufficient_funds");
    let expected = match (short, declined, undeliverable) {
        (true, _, _) => Some("out_of_stock"),
        (_, true, _) => Some("payment_declined"),
        (_, _, true) => Some("no_carrier"),
        _ => None,
    };
    let by_customer = one.cancelled == Some(202) && order["reason"] == "customer";
    assert!(by_customer || order["reason"].as_str() == expected, "{order} of {}", one.body);
    assert_eq!(text(order, "state"), if order["reason"].is_null() { "completed" } else { "cancelled" });
    assert!(one.cancelled != Some(409) || order["state"] == "completed", "too late, and cancelled: {order}");
}

/// Every cancel answered 202 ended in an undone order, or the customer was told that it came too late.
async fn cancellations_ended(client: &Client, accepted: &[Accepted]) {
    for one in accepted.iter().filter(|one| one.cancelled == Some(202)) {
        until(&format!("an answer to the cancellation of {}", one.id), || async {
            let events = client.events(&one.id).await;
            events
                .iter()
                .any(|e| matches!(text(e, "type"), "OrderUndone" | "ShipmentCancellationRejected"))
                .then_some(())
        })
        .await;
    }
}

async fn money_is_right(client: &Client, orders: &[Value]) {
    let entries = client.all("/gateway/ledger", "entries").await;
    let keys: BTreeSet<&str> = entries.iter().map(|entry| text(entry, "key")).collect();
    assert_eq!(keys.len(), entries.len(), "a key of the gateway was used twice");
    let mut moved: BTreeMap<(&str, &str), Vec<i64>> = BTreeMap::new();
    for entry in &entries {
        assert_ne!(entry["outcome"], "pending", "{entry}");
        if entry["outcome"] == "succeeded" {
            moved
                .entry((text(entry, "order_id"), text(entry, "kind")))
                .or_default()
                .push(entry["amount_minor"].as_i64().unwrap());
        }
    }
    let mut known = BTreeSet::new();
    for order in orders {
        let id = text(order, "order_id");
        known.insert(id);
        let of = |kind: &'static str| moved.get(&(id, kind)).cloned().unwrap_or_default();
        let (captured, refunded) = (of("capture"), of("refund"));
        if order["state"] == "completed" {
            assert_eq!(
                (captured, refunded),
                (vec![order["total"]["amount_minor"].as_i64().unwrap()], vec![]),
                "{order}"
            );
        } else {
            assert!(captured == refunded && captured.len() <= 1, "{captured:?} {refunded:?} {order}");
        }
    }
    assert!(moved.keys().all(|(id, _)| known.contains(id)), "money was taken for no order");
}

async fn stock_is_right(client: &Client, orders: &[Value]) {
    let mut sold: BTreeMap<&str, i64> = BTreeMap::new();
    for order in orders.iter().filter(|order| order["state"] == "completed") {
        for (sku, units) in wanted(&order["lines"]) {
            *sold.entry(sku).or_default() += units;
        }
    }
    // An order may complete a moment before the warehouse has noted that its parcel is out.
    until("nothing is reserved any more", || async {
        let stock = items(client.read("/stock").await, "items");
        stock.iter().all(|row| row["reserved"] == 0).then_some(())
    })
    .await;
    for row in items(client.read("/stock").await, "items") {
        let number = |member: &str| row[member].as_i64().unwrap();
        let deducted = sold.get(text(&row, "sku")).copied().unwrap_or(0);
        assert_eq!(number("replenished") - deducted, number("on_hand"), "{row}");
        assert_eq!(number("available"), number("on_hand"), "{row}");
    }
}

/// Each customer was told how it ended, and nothing twice.
async fn mail_is_right(client: &Client, orders: &[Value]) {
    let last_word = |order: &Value| if order["state"] == "completed" { "delivered" } else { "undone" };
    let told = until("the last mails", || async {
        let told = client.all("/mailbox", "messages").await;
        let mails: BTreeSet<(&str, &str)> = told
            .iter()
            .filter(|m| m["channel"] == "mail")
            .map(|m| (text(m, "order_id"), text(m, "template")))
            .collect();
        let complete = orders.iter().all(|order| mails.contains(&(text(order, "order_id"), last_word(order))));
        complete.then_some(told)
    })
    .await;
    let mut seen = BTreeSet::new();
    for message in &told {
        let once = seen.insert((text(message, "order_id"), text(message, "channel"), text(message, "template")));
        assert!(once, "told twice: {message}");
    }
    let ids: BTreeSet<&str> = told.iter().map(|message| text(message, "message_id")).collect();
    assert_eq!(ids.len(), told.len(), "two messages share an id");
}
