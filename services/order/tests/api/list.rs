//! `GET /orders`.

use crate::shop::{Shop, request, with};
use serde_json::Value;

fn ids(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|order| order["order_id"].as_str().unwrap().to_owned()).collect()
}

/// All pages of a list.
async fn all(shop: &Shop, query: &str) -> (Vec<String>, usize) {
    let (mut found, mut pages, mut after) = (vec![], 0, String::new());
    loop {
        let page = shop.get(&format!("/orders?{query}{after}")).await.body;
        found.extend(ids(&page));
        pages += 1;
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return (found, pages),
        }
    }
}

#[tokio::test]
async fn every_order_is_on_exactly_one_page() {
    let shop = Shop::open();
    let mut placed = vec![];
    for number in 0..7 {
        placed.push(shop.placed(&format!("k-{number}"), &request()).await);
    }
    let (found, pages) = all(&shop, "limit=3").await;
    assert_eq!((found.len(), pages), (7, 3));
    let mut sorted = found.clone();
    sorted.sort();
    placed.sort();
    assert_eq!(sorted, placed);
    assert_eq!(all(&shop, "limit=200").await, (found.clone(), 1));
    assert_eq!(all(&shop, "customer_id=c-42&limit=2").await.0, found);
}

#[tokio::test]
async fn newer_orders_come_first() {
    let shop = Shop::open();
    let older = shop.placed("k-1", &request()).await;
    let placed_at = |order: &Value| order["placed_at"].as_str().unwrap().to_owned();
    let first = placed_at(&shop.get(&format!("/orders/{older}")).await.body);
    // The list is by the millisecond; orders are placed until one is in a later one.
    let newer = loop {
        let id = shop.placed(&format!("k-{:?}", std::time::Instant::now()).replace(' ', ""), &request()).await;
        if placed_at(&shop.get(&format!("/orders/{id}")).await.body) > first {
            break id;
        }
    };
    let page = shop.get("/orders").await.body;
    assert_eq!((ids(&page).first(), ids(&page).len() >= 2), (Some(&newer), true));
    assert!(ids(&page).iter().position(|id| *id == older) > Some(0));
}

#[tokio::test]
async fn a_list_can_be_of_one_customer_and_of_one_state() {
    let shop = Shop::open();
    let mine = shop.placed("k-1", &request()).await;
    let cancelled = shop.placed("k-2", &request()).await;
    let other = shop.placed("k-1", &with("/customer_id", "c-4")).await;
    shop.cancel(&cancelled).await;
    shop.cancel(&other).await;
    assert_eq!(all(&shop, "customer_id=c-4").await.0, std::slice::from_ref(&other));
    assert_eq!(all(&shop, "customer_id=c-42&state=pending").await.0, [mine]);
    assert_eq!(all(&shop, "customer_id=c-42&state=cancelled&limit=1").await.0, std::slice::from_ref(&cancelled));
    let mut both = all(&shop, "state=cancelled").await.0;
    both.sort();
    let mut expected = [other, cancelled];
    expected.sort();
    assert_eq!(both, expected);
    assert_eq!(all(&shop, "state=completed").await, (vec![], 1));
}

#[tokio::test]
async fn an_item_is_the_order_without_what_it_waits_for() {
    let shop = Shop::open();
    let id = shop.placed("k-1", &request()).await;
    let mut order = shop.get(&format!("/orders/{id}")).await.body;
    order.as_object_mut().unwrap().remove("waiting_for");
    assert_eq!(shop.get("/orders").await.body["items"][0], order);
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let shop = Shop::open();
    let cases = [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("state=shipped", "state"),
        ("customer_id=a/b", "customer_id"),
        ("customer_id=", "customer_id"),
        ("after=x", "after"),
        ("after=00000000000000000000-zz", "after"),
        ("page=2", "page"),
    ];
    for (query, field) in cases {
        let answer = shop.get(&format!("/orders?{query}")).await;
        assert_eq!((answer.status, &answer.body["field"]), (400, &field.into()), "{query}: {}", answer.body);
    }
}
