//! Personal data is in the outside world's books and nowhere else: not in the logs, the answers, or the files.

use crate::{
    endings::{Ended, play},
    request::{order, with},
    wait::until,
};
use serde_json::{Value, json};
use std::{fs, path::Path};

/// Personal data that is nothing else, so that finding it means that it leaked.
const CANARIES: [&str; 7] = [
    "Zebulon Quakenbush",
    "Xylophone Crescent 77",
    "Vladivostokville",
    "ZIP-90417-Q",
    "zq.canary@mail.example",
    "+4915799887766",
    "tok_canary_4242",
];

pub fn dressed(request: Value) -> Value {
    let [name, street, city, postal_code, email, phone, _] = CANARIES;
    let request = with(with(request, "/email", email), "/phone", phone);
    let country = request["shipping_address"]["country"].clone();
    with(
        request,
        "/shipping_address",
        json!({ "name": name, "street": street, "city": city, "postal_code": postal_code, "country": country }),
    )
}

pub fn canary_in(bytes: &[u8]) -> Option<&'static str> {
    CANARIES.into_iter().find(|canary| bytes.windows(canary.len()).any(|window| window == canary.as_bytes()))
}

#[tokio::test(flavor = "multi_thread")]
async fn personal_data_is_in_no_log_no_answer_and_no_file_of_the_shop() {
    // Given orders of every ending, one paid with a card of its own, and wrong ones.
    let (mut shop, ended) = play(dressed).await;
    let mut ids: Vec<String> = ended.into_iter().map(|Ended { id, .. }| id).collect();
    let paid_otherwise = dressed(order("ada", &[("TEA-001", 1)], CANARIES[6]));
    ids.push(shop.client.placed("k-token", &paid_otherwise).await);
    shop.client.settled(ids.last().unwrap()).await;
    for wrong in [
        with(paid_otherwise.clone(), "/lines", json!([])),
        with(paid_otherwise.clone(), "/lines/0/sku", "NONE"),
        with(paid_otherwise, "/email", json!([CANARIES[4]])),
    ] {
        let answer = shop.client.place("k-wrong", &wrong).await;
        assert!(answer.status >= 400 && canary_in(answer.body.as_bytes()).is_none(), "{answer:?}");
    }

    // Then the customer was written to: the data is where it belongs.
    let addressed = until("the mails", || async {
        let told = shop.client.all("/mailbox", "messages").await;
        (told.iter().any(|m| m["to"] == CANARIES[4]) && told.iter().any(|m| m["to"] == CANARIES[5])).then_some(())
    });
    addressed.await;

    // And what the shop tells of its orders holds none of it.
    let mut paths = vec!["/orders".to_owned(), "/metrics".into(), "/gateway/ledger".into(), "/health/ready".into()];
    paths.extend(ids.iter().flat_map(|id| [format!("/orders/{id}"), format!("/orders/{id}/events")]));
    for path in paths {
        assert_eq!(canary_in(shop.client.get(&path).await.body.as_bytes()), None, "{path}");
    }

    // Nor do its files, as they are after a kill, write-ahead logs and all.
    shop.kill().await;
    let mut looked_at = 0;
    for entry in fs::read_dir(shop.data()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            assert_eq!(canary_in(&fs::read(&path).unwrap()), None, "{}", path.display());
            looked_at += 1;
        }
    }
    assert!(looked_at > 10, "only {looked_at} files");
    assert!(
        canary_in(&fs::read(shop.data().join("world/mailbox.db-wal")).unwrap()).is_some(),
        "the search finds nothing at all"
    );

    // Nor does its log.
    assert_eq!(canary_in(shop.log().as_bytes()), None);
    is_structured(&shop.log(), &ids[0], &shop.data());
}

/// Every line is a JSON object; what is logged about an order names its trace, the order, and the event.
fn is_structured(log: &str, id: &str, data: &Path) {
    let lines: Vec<Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect();
    assert!(lines.iter().all(|line| line["timestamp"].is_string() && line["level"].is_string()), "{}", data.display());
    let placed = lines.iter().find(|line| line["event"] == "OrderPlaced" && line["key"] == id);
    let placed = placed.unwrap_or_else(|| panic!("nothing is logged about order {id}"));
    assert_eq!((&placed["trace_id"], &placed["service"]), (&json!(id), &json!("order")), "{placed}");
    for event in ["StockReserved", "PaymentRequested", "ShipmentCancelled", "OrderUndone", "EmailSent"] {
        let logged = lines.iter().find(|line| line["event"] == event && line["key"] == id);
        assert_eq!(logged.map(|line| &line["trace_id"]), Some(&json!(id)), "{event}");
    }
}
