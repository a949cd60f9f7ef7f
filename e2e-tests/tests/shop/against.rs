//! `tutti demo --against`: the demo in a shop that is running already.

use crate::{
    edge::Edge,
    program::{Ran, run, run_within, tutti},
    shop::Shop,
};
use serde_json::{Value, json};
use std::time::Duration;

/// A demo takes some seconds; the machine may be busy with other tests.
const PLAYED_WITHIN: Duration = Duration::from_secs(180);

async fn demo(url: &str, more: &[&str]) -> Ran {
    let args = [&["--json", "demo", "--orders", "40", "--against", url], more].concat();
    run_within(PLAYED_WITHIN, tutti(&args)).await
}

fn played(ran: &Ran) -> Value {
    assert_eq!(ran.code, 0, "{ran}");
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["ok"], true);
    document
}

fn not_checked(document: &Value) -> String {
    document["not_checked"].to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_plays_in_a_running_shop_twice_and_leaves_its_world_as_it_was() {
    let mut shop = Shop::open(&[]).await;
    let odd = json!({ "gateway": { "decline": 1.0 }, "carrier": { "collects": false, "transit_ms": 7 } });
    shop.client.world(&odd).await;
    let before = shop.client.read("/world").await;
    let url = shop.client.address().unwrap();
    let first = played(&demo(&url, &[]).await);
    assert!(first["verify"].is_object(), "the shop in one process is held against the invariants");
    let told = not_checked(&first);
    assert!(["never collected", "deadline", "crash"].iter().all(|what| told.contains(what)), "{told}");
    assert_eq!(shop.client.read("/world").await, before);

    // The shop is an old one now: little is left of what few there were, and the warehouse has warned before.
    played(&demo(&url, &[]).await);
    assert_eq!(shop.client.read("/world").await, before);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_plays_through_an_edge_and_says_that_it_could_not_verify() {
    let mut shop = Shop::open(&[]).await;
    let edge = Edge::open(&shop).await;
    let flag = tempfile::tempdir().unwrap();
    let mark = flag.path().join("done");
    let command = format!("touch {}", mark.display());
    let ran = demo(&edge.client.address().unwrap(), &["--kill-with", &command]).await;
    let document = played(&ran);
    assert!(mark.exists(), "the command ran in the middle");
    let told = not_checked(&document);
    assert!(document["verify"].is_null() && told.contains("invariants") && !told.contains("crash"), "{told}");
    assert!(edge.terminate().await.success());
    shop.close().await;
}

#[tokio::test]
async fn a_shop_of_somebody_else_s_is_not_played_in() {
    let ran = run(tutti(&["demo", "--against", "somewhere"])).await;
    ran.refused(2, &["--against", "`somewhere`"]);
}
