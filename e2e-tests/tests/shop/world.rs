//! The outside world's own books: `GET /gateway/ledger`, `GET /mailbox`; and its settings.

use crate::{
    request::{is_instant, order, tea, with},
    shop::Shop,
    wait::until,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Three orders that are over: completed, declined, refunded.
async fn shop_with_three() -> (Shop, [String; 3]) {
    let shop = Shop::open(&["--world=carrier.transit_ms=10", "--world=carrier.pick_up_ms=10"]).await;
    let completed = shop.client.placed("k-1", &tea("ada")).await;
    let declined = shop.client.placed("k-2", &order("ada", &[("TEA-001", 1)], "tok_declined")).await;
    let undeliverable = with(tea("ada"), "/shipping_address/country", "XX");
    let refunded = shop.client.placed("k-3", &undeliverable).await;
    let ids = [completed, declined, refunded];
    for (id, ending) in ids.iter().zip([json!(null), json!("payment_declined"), json!("no_carrier")]) {
        assert_eq!(shop.client.settled(id).await["reason"], ending);
    }
    (shop, ids)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_tells_what_the_gateway_did() {
    let (shop, [completed, declined, refunded]) = shop_with_three().await;
    let all = shop.client.all("/gateway/ledger", "entries").await;
    for entry in &all {
        let documented = ["key", "order_id", "kind", "outcome", "amount_minor", "currency", "at"];
        assert!(documented.iter().all(|member| entry.get(member).is_some()), "{entry}");
        assert!(is_instant(&entry["at"]) && entry["currency"] == "EUR", "{entry}");
    }
    let keys: BTreeSet<&str> = all.iter().map(|entry| entry["key"].as_str().unwrap()).collect();
    assert_eq!(keys.len(), all.len(), "{all:?}");

    let of = |id: &str| {
        let mine = all.iter().filter(|entry| entry["order_id"] == id);
        mine.map(|e| {
            format!("{} {} {}", e["kind"].as_str().unwrap(), e["outcome"].as_str().unwrap(), e["amount_minor"])
        })
        .collect::<Vec<_>>()
    };
    assert_eq!(of(&completed), ["capture succeeded 2590"]);
    assert_eq!(of(&declined), ["capture declined 1295"]);
    assert_eq!(of(&refunded), ["capture succeeded 2590", "refund succeeded 2590"]);

    let filtered = shop.client.all(&format!("/gateway/ledger?order_id={refunded}"), "entries").await;
    assert_eq!(filtered.len(), 2);
    let paged = shop.client.read("/gateway/ledger?limit=1").await;
    assert_eq!(paged["entries"].as_array().unwrap().len(), 1);
    assert_eq!(shop.client.read("/gateway/ledger?order_id=nobody").await["entries"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mailbox_tells_what_the_customer_was_told() {
    let (shop, [completed, declined, _]) = shop_with_three().await;
    let told = |id: String, count: usize| {
        let client = shop.client.clone();
        async move {
            let path = format!("/mailbox?order_id={id}");
            let enough = |told: &Vec<Value>| told.len() >= count;
            until("the mails", || async { Some(client.all(&path, "messages").await).filter(enough) }).await
        }
    };
    let told_of_completed = told(completed.clone(), 4).await;
    for message in &told_of_completed {
        let documented = ["order_id", "channel", "template", "to", "subject", "body", "message_id", "at"];
        assert!(documented.iter().all(|member| message.get(member).is_some()), "{message}");
        assert!(is_instant(&message["at"]) && message["order_id"] == completed.as_str(), "{message}");
        assert!(message["body"].as_str().unwrap().contains(&completed), "{message}");
        let to = if message["channel"] == "sms" { "+49301234567" } else { "ada@example.com" };
        assert_eq!(message["to"], to, "{message}");
    }
    let templates = |told: &[Value]| {
        let name = |m: &Value| format!("{} {}", m["channel"].as_str().unwrap(), m["template"].as_str().unwrap());
        told.iter().map(name).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    assert_eq!(
        templates(&told_of_completed),
        ["mail confirmed", "mail delivered", "mail dispatched", "sms dispatched"]
    );
    assert_eq!(templates(&told(declined, 2).await), ["mail cancelled", "mail undone"]);
    let all = shop.client.all("/mailbox", "messages").await;
    let ids: BTreeSet<&str> = all.iter().map(|message| message["message_id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), all.len(), "{all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_world_is_set_in_parts_and_what_it_does_not_know_is_named() {
    let shop = Shop::open(&["--world=gateway.decline=0.25"]).await;
    let patch = |body: Value| shop.client.send(shop.client.request(reqwest::Method::PATCH, "/world").json(&body));
    let before = shop.client.read("/world").await;
    assert_eq!((&before["gateway"]["decline"], &before["carrier"]["collects"]), (&json!(0.25), &json!(true)));
    let after = patch(json!({ "carrier": { "collects": false } })).await.expect(200);
    assert_eq!((&after["gateway"]["decline"], &after["carrier"]["collects"]), (&json!(0.25), &json!(false)));
    for (wrong, field) in [
        (json!({ "gateway": { "decline": 2 } }), "gateway.decline"),
        (json!({ "gateway": { "decline": -0.1 } }), "gateway.decline"),
        (json!({ "gateway": { "decline": "often" } }), "gateway.decline"),
        (json!({ "gateway": { "mood": 1 } }), "gateway.mood"),
        (json!({ "weather": { "rain": true } }), "weather"),
        (json!({ "carrier": { "collects": true, "transit_ms": -1 } }), "carrier.transit_ms"),
        (json!({ "carrier": { "transit_ms": 3_600_001 } }), "carrier.transit_ms"),
        (json!({ "carrier": true }), "carrier"),
    ] {
        assert_eq!(patch(wrong.clone()).await.problem(422)["field"], field, "{wrong}");
    }
    patch(json!([])).await.problem(400);
    assert_eq!(shop.client.read("/world").await, after);
}
