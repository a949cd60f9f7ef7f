//! Plays one order of each ending, as fast as the outside world allows.

use crate::{
    request::{tea, with},
    shop::Shop,
};
use serde_json::{Value, json};

/// An order that is over.
pub struct Ended {
    /// What happened to it.
    pub story: &'static str,
    pub id: String,
}

/// The deadline is late enough for a busy machine to confirm what is to be confirmed, and early enough to wait for.
pub const OPTIONS: &[&str] = &[
    "--order-deadline=8s",
    "--pick-up=5s",
    "--world=gateway.slow_ms=700",
    "--world=gateway.unknown_ms=9000",
    "--world=carrier.pick_up_ms=10",
    "--world=carrier.transit_ms=100",
];

/// A shop in which one order of each ending is over. `dress` may change what is sent.
pub async fn play(dress: impl Fn(Value) -> Value) -> (Shop, Vec<Ended>) {
    let shop = Shop::open(OPTIONS).await;
    let all = play_in(&shop, dress).await;
    (shop, all)
}

/// Plays in a shop that was opened with [`OPTIONS`].
pub async fn play_in(shop: &Shop, dress: impl Fn(Value) -> Value) -> Vec<Ended> {
    let place = async |story: &'static str, token: &str, country: &str, quantity: i64| {
        let request = with(with(tea("ada"), "/payment_token", token), "/shipping_address/country", country);
        let request = with(
            request,
            "/lines",
            json!([{ "sku": "TEA-001", "quantity": 1 }, { "sku": "POT-RARE", "quantity": quantity }]),
        );
        Ended { story, id: shop.client.placed(&story.replace(' ', "-"), &dress(request)).await }
    };
    let slow = place("cancelled while charging", "tok_slow", "DE", 1).await;
    shop.client.said(&slow.id, "PaymentRequested").await;
    shop.client.cancel(&slow.id).await.expect(202);
    let mut all = vec![slow, place("deadline", "tok_unknown", "DE", 1).await];
    // Of three pots two are held now; each of the others asks for one, and gives it back or takes it away.
    all.push(place("out of stock", "tok_ok", "DE", 4).await);
    all.push(place("declined", "tok_declined", "DE", 1).await);
    shop.client.settled(&all[3].id).await;
    all.push(place("no carrier", "tok_ok", "XX", 1).await);
    shop.client.settled(&all[4].id).await;
    all.push(place("completed", "tok_ok", "DE", 1).await);
    shop.client.settled(&all[5].id).await;
    shop.client.post("/stock/POT-RARE/replenishments", Some("more"), &json!({ "quantity": 10 })).await.expect(202);
    let late = place("too late to cancel", "tok_flaky", "DE", 1).await;
    shop.client.said(&late.id, "OrderDispatched").await;
    shop.client.cancel(&late.id).await.problem(409);
    all.push(late);
    shop.client.world(&json!({ "carrier": { "collects": false } })).await;
    all.push(place("never collected", "tok_timeout_then_success", "DE", 1).await);
    let confirmed = place("cancelled when confirmed", "tok_ok", "DE", 1).await;
    shop.client.order_when(&confirmed.id, |order| order["state"] == "confirmed").await;
    shop.client.cancel(&confirmed.id).await.expect(202);
    all.push(confirmed);
    for Ended { id, .. } in &all {
        shop.client.settled(id).await;
    }
    all
}

/// How the API tells each story's end: state and reason.
pub fn ending_of(story: &str) -> (&'static str, Option<&'static str>) {
    match story {
        "completed" | "too late to cancel" => ("completed", None),
        "cancelled while charging" | "cancelled when confirmed" => ("cancelled", Some("customer")),
        "declined" => ("cancelled", Some("payment_declined")),
        "out of stock" => ("cancelled", Some("out_of_stock")),
        "no carrier" | "never collected" => ("cancelled", Some("no_carrier")),
        "deadline" => ("cancelled", Some("deadline")),
        other => panic!("{other} is no story"),
    }
}
