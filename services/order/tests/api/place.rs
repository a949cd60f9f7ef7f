//! `POST /orders`.

use crate::shop::{FORGOTTEN, Shop, UNREACHABLE, request, with};
use axum::http::Request;
use order::{catalogue::Catalogue, domain::Order};
use runtime::Read;
use serde_json::json;
use shared_events::{CustomerKey, inventory::StockReservationFailed};

#[tokio::test]
async fn an_accepted_order_is_stored_and_says_where_it_is() {
    let shop = Shop::open();
    let answer = shop.place("k-1", &request()).await;
    let id = answer.body["order_id"].as_str().unwrap();
    assert!(id.len() == 32 && id.bytes().all(|b| b"0123456789abcdef".contains(&b)), "{id}");
    assert_eq!(answer.body, json!({ "order_id": id, "state": "pending", "trace_id": id }));
    assert_eq!((answer.status, answer.headers["location"].to_str().unwrap()), (202, format!("/orders/{id}").as_str()));
    let log = shop.store.log_of(id).unwrap();
    assert_eq!(log.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["OrderPlaced"]);
    assert!(log[0].trace.contains(id), "one order is one trace");
}

#[tokio::test]
async fn the_same_request_again_has_the_same_answer_whatever_became_of_the_order() {
    let shop = Shop::open();
    let first = shop.place("k-1", &request()).await;
    let id = first.body["order_id"].as_str().unwrap().to_owned();
    assert_eq!(shop.place("k-1", &request()).await.body, first.body);
    shop.said(StockReservationFailed { order_id: id.clone(), short: vec![] });
    shop.until(&id, |order| order["state"] == "cancelled").await;
    let again = shop.place("k-1", &request()).await;
    assert_eq!((again.status, again.body), (202, first.body));
    assert_eq!(shop.store.log_of(&id).unwrap().iter().filter(|row| row.name == "OrderPlaced").count(), 1);
}

#[tokio::test]
async fn another_request_under_the_same_key_is_refused() {
    let shop = Shop::open();
    let id = shop.placed("k-1", &request()).await;
    let answer = shop.place("k-1", &with("/lines/0/quantity", 3)).await;
    assert_eq!((answer.status, &answer.body["reason"]), (422, &"idempotency_key_reused".into()));
    assert_eq!(shop.get(&format!("/orders/{id}")).await.body["lines"][0]["quantity"], 2);
}

#[tokio::test]
async fn a_key_belongs_to_its_customer() {
    let shop = Shop::open();
    let first = shop.placed("k-1", &request()).await;
    assert_ne!(shop.placed("k-1", &with("/customer_id", "c-43")).await, first);
    assert_ne!(shop.placed("k-2", &request()).await, first);
}

#[tokio::test]
async fn personal_data_is_stored_sealed_and_only_so() {
    let shop = Shop::open();
    let id = shop.placed("k-1", &request()).await;
    let bytes = shop.store.log_of(&id).unwrap()[0].body.to_vec();
    for personal in ["ada@example.com", "+49301234567", "Ada Lovelace", "Invalidenstr", "Berlin", "10115", "tok_ok"] {
        assert!(!bytes.windows(personal.len()).any(|window| window == personal.as_bytes()), "{personal}");
    }
    let order = shop.handle.state::<Order>(&id).await.unwrap().unwrap().state;
    let placed = order.placed().unwrap();
    let personal = placed.sealed.open(&CustomerKey::from_bytes([7; 32]), "c-42").unwrap();
    assert_eq!((personal.street.as_str(), personal.payment_token.as_str()), ("Invalidenstr. 1", "tok_ok"));
    assert!(placed.phone_given);
}

#[tokio::test]
async fn a_request_that_cannot_be_taken_names_its_field_and_leaves_nothing() {
    let shop = Shop::open();
    let mut with_price = request();
    with_price["lines"][0]["unit_price_minor"] = 1.into();
    let mut without_email = request();
    without_email.as_object_mut().unwrap().remove("email");
    let cases = [
        (with("/lines/0/quantity", 0), 400, "lines[0].quantity"),
        (with("/lines/0/quantity", "2"), 400, "lines[0].quantity"),
        (with("/lines/0/sku", "TEA-999"), 422, "lines[0].sku"),
        (with("/shipping_address/country", "Germany"), 400, "shipping_address.country"),
        (with_price, 400, "lines[0].unit_price_minor"),
        (without_email, 400, "email"),
        (with("/customer_id", FORGOTTEN), 422, "customer_id"),
    ];
    for (request, status, field) in cases {
        let answer = shop.place("k-1", &request).await;
        assert_eq!((answer.status, &answer.body["field"]), (status, &field.into()), "{}", answer.body);
    }
    assert_eq!(shop.handle.status().await.unwrap().head, 0);
}

#[tokio::test]
async fn without_an_idempotency_key_nothing_is_placed() {
    let shop = Shop::open();
    let builder = Request::post("/orders").header("content-type", "application/json");
    let answer = shop.send(builder, request().to_string()).await;
    assert_eq!((answer.status, &answer.body["field"]), (400, &"Idempotency-Key".into()));
    assert_eq!(shop.handle.status().await.unwrap().head, 0);
}

#[tokio::test]
async fn while_the_keyring_is_away_the_client_is_asked_to_come_back() {
    let shop = Shop::open();
    let answer = shop.place("k-1", &with("/customer_id", UNREACHABLE)).await;
    assert_eq!((answer.status, answer.headers["retry-after"].to_str().unwrap()), (503, "1"));
}

#[tokio::test]
async fn a_repeated_request_is_answered_also_when_its_article_is_no_longer_sold() {
    let mut shop = Shop::open();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("catalogue.json");
    let article = json!([{ "sku": "NEW", "name": "n", "unit_price_minor": 1, "currency": "EUR" }]);
    std::fs::write(&file, article.to_string()).unwrap();
    let id = shop.placed("k-1", &request()).await;
    shop.now_selling(Catalogue::load(&file).unwrap());
    assert_eq!(shop.placed("k-1", &request()).await, id);
    assert_eq!(shop.place("k-2", &request()).await.status, 422);
    assert_eq!(shop.place("k-1", &with("/email", "b@example.com")).await.status, 422);
}
