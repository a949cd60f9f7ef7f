//! `/health/*`, `/metrics`, `/openapi.json`, `/choreography`: what operators and their tools ask.

use crate::{
    request::{has_exactly, tea},
    shop::Shop,
};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const SERVICES: [&str; 5] = ["order", "inventory", "payment", "shipping", "email"];

#[tokio::test(flavor = "multi_thread")]
async fn health_tells_of_every_service() {
    let shop = Shop::open(&[]).await;
    assert_eq!(shop.client.get("/health/live").await.status, 200);
    let ready = shop.client.read("/health/ready").await;
    assert_eq!(ready["ready"], true);
    let services: Vec<&str> =
        ready["services"].as_array().unwrap().iter().map(|s| s["service"].as_str().unwrap()).collect();
    assert_eq!(services, SERVICES);
    assert!(ready["services"].as_array().unwrap().iter().all(|s| s["ready"] == true && s["why"].is_null()), "{ready}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_scrape_has_every_metric_since_the_start() {
    let shop = Shop::open(&[]).await;
    let id = shop.client.placed("k-1", &tea("ada")).await;
    shop.client.settled(&id).await;
    let scraped = shop.client.get("/metrics").await;
    assert_eq!(scraped.status, 200);
    assert!(scraped.header("content-type").starts_with("text/plain; version=0.0.4"), "{scraped:?}");
    for service in SERVICES {
        for name in [
            "tutti_ready",
            "tutti_log_head",
            "tutti_work_open",
            "tutti_work_stuck",
            "tutti_parked_open",
            "tutti_events",
        ] {
            let series = format!("{name}{{service=\"{service}\"}} ");
            let line = scraped.body.lines().find(|line| line.starts_with(&series));
            let value: f64 = line
                .and_then(|line| line[series.len()..].parse().ok())
                .unwrap_or_else(|| panic!("no {series}: {}", scraped.body));
            let at_least = if matches!(name, "tutti_ready" | "tutti_log_head" | "tutti_events") { 1.0 } else { 0.0 };
            assert!(value >= at_least, "{series}{value}");
        }
    }
}

/// What the issue promises, and what else there is.
const ROUTES: &[(&str, &[&str])] = &[
    ("/carrier/parcels", &["get"]),
    ("/choreography", &["get"]),
    ("/gateway/ledger", &["get"]),
    ("/health/live", &["get"]),
    ("/health/ready", &["get"]),
    ("/mailbox", &["get"]),
    ("/metrics", &["get"]),
    ("/orders", &["get", "post"]),
    ("/orders/{id}", &["get"]),
    ("/orders/{id}/cancellation", &["post"]),
    ("/orders/{id}/events", &["get"]),
    ("/products", &["get"]),
    ("/stock", &["get"]),
    ("/stock/{sku}/events", &["get"]),
    ("/stock/{sku}/replenishments", &["post"]),
    ("/verify", &["get"]),
    ("/world", &["get", "patch"]),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_document_lists_what_is_served_and_nothing_else() {
    let shop = Shop::open(&[]).await;
    let document = shop.client.read("/openapi.json").await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3."), "{}", document["openapi"]);
    for (path, methods) in ROUTES {
        has_exactly(&document["paths"][path], methods);
    }
    // What more it lists is served as well: no path of it is unknown, and each takes exactly the methods listed.
    for (path, methods) in document["paths"].as_object().unwrap() {
        let asked = path.replace("{id}", "0af7651916cd43dd8448eb211c80319c").replace("{sku}", "TEA-001");
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let listed = methods.get(method.as_str().to_lowercase()).is_some();
            let answer = shop.client.send(shop.client.request(method.clone(), &asked)).await;
            assert_eq!(answer.status != 405, listed, "{method} {path}: {answer:?}");
            assert!(!answer.body.contains("no-such-path"), "{method} {path} is not served");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_answered_is_what_the_document_describes() {
    let shop = Shop::open(&[]).await;
    let document = shop.client.read("/openapi.json").await;
    let id = shop.client.placed("k-1", &tea("ada")).await;
    for path in ["/orders", "/products", "/stock", "/health/ready", "/world"] {
        fits(&document, path, "get", "200", &shop.client.read(path).await);
    }
    fits(&document, "/orders/{id}", "get", "200", &shop.client.order(&id).await);
    shop.client.settled(&id).await;
    fits(&document, "/orders/{id}", "get", "200", &shop.client.order(&id).await);
    fits(&document, "/orders/{id}/events", "get", "200", &shop.client.read(&format!("/orders/{id}/events")).await);
    for path in ["/gateway/ledger", "/mailbox", "/carrier/parcels"] {
        fits(&document, path, "get", "200", &shop.client.read(path).await);
    }
    fits(&document, "/orders", "post", "202", &shop.client.place("k-1", &tea("ada")).await.expect(202));
}

fn fits(document: &Value, path: &str, method: &str, status: &str, answer: &Value) {
    let described = &document["paths"][path][method]["responses"][status]["content"]["application/json"]["schema"];
    assert!(described.is_object(), "{method} {path} {status} is not described");
    check(document, described, answer, path);
}

/// Every member that is required is there, and every one that is there is described; all the way down.
fn check(document: &Value, schema: &Value, value: &Value, at: &str) {
    let (properties, required) = members(document, schema);
    if let (Value::Object(found), false) = (value, properties.is_empty()) {
        let known: BTreeSet<&str> = properties.iter().map(|(name, _)| name.as_str()).collect();
        for name in found.keys() {
            assert!(known.contains(name.as_str()), "{at}.{name} is not described");
        }
        for name in required {
            assert!(found.contains_key(&name), "{at}.{name} is missing");
        }
        for (name, inner) in &properties {
            check(document, inner, value.get(name).unwrap_or(&Value::Null), &format!("{at}.{name}"));
        }
    }
    for item in value.as_array().into_iter().flatten() {
        check(document, &resolved(document, schema)["items"], item, &format!("{at}[]"));
    }
}

fn resolved<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    match schema["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).unwrap(),
        None => schema,
    }
}

/// The members of an object, also of one that is put together of several.
fn members(document: &Value, schema: &Value) -> (Vec<(String, Value)>, Vec<String>) {
    let schema = resolved(document, schema);
    let own = schema["properties"].as_object().cloned().unwrap_or_default().into_iter().collect();
    let needed = schema["required"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap().to_owned());
    let mut found: (Vec<(String, Value)>, Vec<String>) = (own, needed.collect());
    for kind in ["allOf", "oneOf"] {
        for part in schema[kind].as_array().into_iter().flatten() {
            let (properties, required) = members(document, part);
            found.0.extend(properties);
            // Of alternatives, one of which is null, nothing is required unless the value is there: see `check`.
            found.1.extend(required);
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn the_map_shows_who_reacts_to_what() {
    let shop = Shop::open(&[]).await;
    let map = shop.client.read("/choreography").await;
    let services = map["services"].as_array().unwrap();
    let of = |event: &str| -> BTreeSet<&str> {
        let reacts = |service: &&Value| {
            let decisions = service["decisions"].as_array().unwrap();
            decisions.iter().any(|decision| decision["on"]["event"] == event)
        };
        services.iter().filter(reacts).map(|service| service["service"].as_str().unwrap()).collect()
    };
    assert_eq!(services.len(), SERVICES.len());
    assert_eq!(of("OrderPlaced"), BTreeSet::from(["inventory"]), "{}", json!(services));
    assert_eq!(of("StockReserved"), BTreeSet::from(["payment"]));
    assert_eq!(of("PaymentCompleted"), BTreeSet::from(["shipping"]));
    assert!(of("OrderCancelled").is_superset(&BTreeSet::from(["inventory", "payment", "shipping"])));
}
