//! `GET /products`, `GET /stock` and `POST /stock/{sku}/replenishments`.

use crate::{
    client::items,
    request::{has_exactly, order},
    shop::Shop,
};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn everything_sold_is_in_the_warehouse() {
    let shop = Shop::open(&[]).await;
    let products = items(shop.client.read("/products").await, "items");
    let stock = items(shop.client.read("/stock").await, "items");
    assert_eq!((products.len(), stock.len()), (8, 8));
    for (product, row) in products.iter().zip(&stock) {
        has_exactly(product, &["sku", "name", "unit_price_minor", "currency"]);
        has_exactly(row, &["sku", "on_hand", "reserved", "available", "replenished"]);
        assert_eq!(product["sku"], row["sku"]);
        assert!(product["unit_price_minor"].as_i64().unwrap() > 0 && product["currency"] == "EUR", "{product}");
        assert!(row["on_hand"] == row["replenished"] && row["available"] == row["on_hand"] && row["reserved"] == 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_holds_its_stock_until_the_parcel_is_out() {
    // Given an order for two of three pots that nobody collects.
    let shop = Shop::open(&["--world=carrier.collects=false", "--world=carrier.transit_ms=10"]).await;
    let client = &shop.client;
    let id = client.placed("k-1", &order("ada", &[("POT-RARE", 2)], "tok_ok")).await;
    client.order_when(&id, |order| order["state"] == "confirmed").await;
    let pots = |on_hand: i64, reserved: i64, replenished: i64| {
        json!({ "sku": "POT-RARE", "on_hand": on_hand,
        "reserved": reserved, "available": on_hand - reserved, "replenished": replenished })
    };
    assert_eq!(client.stock("POT-RARE").await, pots(3, 2, 3));

    // Then another two are not available, and all or nothing is reserved.
    let refused = client.placed("k-2", &order("bob", &[("TIN-001", 1), ("POT-RARE", 2)], "tok_ok")).await;
    assert_eq!(client.settled(&refused).await["reason"], "out_of_stock");
    assert_eq!(client.stock("TIN-001").await["available"], 20);
    assert_eq!(client.stock("POT-RARE").await, pots(3, 2, 3));

    // When new ones come in, they are.
    let delivered = client.post("/stock/POT-RARE/replenishments", Some("d-1"), &json!({ "quantity": 4 })).await;
    assert_eq!(delivered.expect(202), pots(7, 2, 7));
    let second = client.placed("k-3", &order("bob", &[("POT-RARE", 5)], "tok_ok")).await;
    client.order_when(&second, |order| order["state"] == "confirmed").await;
    assert_eq!(client.stock("POT-RARE").await, pots(7, 7, 7));

    // When the parcels are out, they are gone.
    client.world(&json!({ "carrier": { "collects": true } })).await;
    for id in [&id, &second] {
        client.settled(id).await;
        client.said(id, "StockDeducted").await;
    }
    assert_eq!(client.stock("POT-RARE").await, pots(0, 0, 7));
    let warnings = items(client.read("/stock/POT-RARE/events").await, "items");
    assert!(warnings.iter().any(|event| event["type"] == "LowStockWarning"), "{warnings:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_booked_in_once() {
    let shop = Shop::open(&[]).await;
    let client = &shop.client;
    let deliver = |key: &'static str, sku: &'static str, quantity: i64| async move {
        client.post(&format!("/stock/{sku}/replenishments"), Some(key), &json!({ "quantity": quantity })).await
    };
    for _ in 0..3 {
        assert_eq!(deliver("d-1", "TIN-001", 10).await.expect(202)["on_hand"], 30);
    }
    for (sku, quantity) in [("TIN-001", 11), ("CUP-001", 10)] {
        assert_eq!(deliver("d-1", sku, quantity).await.problem(422)["reason"], "idempotency_key_reused");
    }
    assert_eq!(deliver("d-2", "TIN-001", 10).await.expect(202)["on_hand"], 40);
    assert_eq!(client.stock("CUP-001").await["on_hand"], 100_000);
}
