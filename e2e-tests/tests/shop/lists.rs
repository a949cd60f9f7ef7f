//! `GET /orders`: filters and pages.

use crate::{
    request::{has_exactly, order, tea},
    shop::Shop,
};
use serde_json::{Value, json};

/// Eleven orders of one customer, of which three are cancelled; and two of another.
async fn shop_with_orders() -> (Shop, Vec<String>) {
    let shop = Shop::open(&["--world=carrier.transit_ms=10", "--world=carrier.pick_up_ms=10"]).await;
    let mut ids = vec![];
    for number in 0..11 {
        let token = if number % 4 == 3 { "tok_declined" } else { "tok_ok" };
        ids.push(shop.client.placed(&format!("k-{number}"), &order("ada", &[("TEA-001", 1)], token)).await);
    }
    ids.pop();
    ids.push(shop.client.placed("k-last", &order("ada", &[("TEA-001", 1)], "tok_declined")).await);
    for number in 0..2 {
        shop.client.placed(&format!("k-{number}"), &tea("bob")).await;
    }
    for row in shop.client.all("/orders", "items").await {
        shop.client.settled(row["order_id"].as_str().unwrap()).await;
    }
    (shop, ids)
}

fn ids_of(rows: &[Value]) -> Vec<String> {
    rows.iter().map(|row| row["order_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_listed_by_customer_and_state_a_page_at_a_time() {
    let (shop, _) = shop_with_orders().await;
    let client = &shop.client;

    // All of them, newest first, each as it would be shown alone.
    let all = client.all("/orders", "items").await;
    assert_eq!(all.len(), 14);
    let placed: Vec<&str> = all.iter().map(|row| row["placed_at"].as_str().unwrap()).collect();
    assert!(placed.is_sorted_by(|newer, older| newer >= older), "{placed:?}");
    for row in &all {
        let alone = client.order(row["order_id"].as_str().unwrap()).await;
        for (member, value) in row.as_object().unwrap() {
            assert_eq!(&alone[member], value, "{member} of {row}");
        }
    }

    // By customer, by state, by both.
    for (filter, count) in [
        ("customer_id=ada", 12),
        ("customer_id=bob", 2),
        ("customer_id=eve", 0),
        ("state=completed", 11),
        ("state=cancelled", 3),
        ("state=pending", 0),
        ("state=confirmed", 0),
        ("customer_id=ada&state=cancelled", 3),
        ("customer_id=bob&state=cancelled", 0),
    ] {
        let rows = client.all(&format!("/orders?{filter}"), "items").await;
        assert_eq!(rows.len(), count, "{filter}");
        for wanted in filter.split('&') {
            let (member, value) = wanted.split_once('=').unwrap();
            assert!(rows.iter().all(|row| row[member] == value), "{filter}");
        }
    }

    // A page at a time: nothing twice, nothing missing, and an end.
    for (filter, limit) in [("", 1), ("", 5), ("", 14), ("customer_id=ada&", 5), ("state=cancelled&", 2)] {
        let (mut paged, mut after) = (vec![], String::new());
        loop {
            let page = client.read(&format!("/orders?{filter}limit={limit}{after}")).await;
            has_exactly(&page, &["items", "next"]);
            let rows = page["items"].as_array().unwrap();
            assert!(rows.len() <= limit);
            paged.extend(ids_of(rows));
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        assert_eq!(paged, ids_of(&client.all(&format!("/orders?{filter}"), "items").await), "{filter}{limit}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_order_is_listed_by_the_state_it_is_in() {
    let shop = Shop::open(&["--world=gateway.fail=1", "--world=carrier.collects=false"]).await;
    let id = shop.client.placed("k-1", &tea("ada")).await;
    let listed = async |state: &str| ids_of(&shop.client.all(&format!("/orders?state={state}"), "items").await);
    assert_eq!((listed("pending").await, listed("confirmed").await), (vec![id.clone()], vec![]));
    shop.client.world(&json!({ "gateway": { "fail": 0 } })).await;
    shop.client.order_when(&id, |order| order["state"] == "confirmed").await;
    assert_eq!((listed("pending").await, listed("confirmed").await), (vec![], vec![id]));
}
