//! What a shop exports over OTLP: spans, metrics and log lines, to whoever listens; and what it does when nobody does.

use crate::{
    endings::{self, OPTIONS},
    privacy::{canary_in, dressed},
    request::tea,
    shop::Shop,
    wait::until,
};
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::Uri,
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

/// Everything that was exported, by path. Names and texts stand in it as they are.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

impl Collector {
    /// A collector that listens, and its address.
    async fn start() -> (Collector, String) {
        let collector = Collector::default();
        let take = async |State(collector): State<Collector>, uri: Uri, body: Bytes| {
            collector.0.lock().unwrap().entry(uri.path().to_owned()).or_default().extend(body);
        };
        let router = Router::new().fallback(take).layer(DefaultBodyLimit::disable()).with_state(collector.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, router).await });
        (collector, address)
    }

    fn has(&self, path: &str, text: &str) -> bool {
        let taken = self.0.lock().unwrap();
        taken.get(path).is_some_and(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
    }

    async fn gets(&self, path: &str, text: &str) {
        until(&format!("{text} in {path}"), || async { self.has(path, text).then_some(()) }).await;
    }
}

/// Log lines that say that something cannot be exported.
fn complaints(log: &str) -> Vec<Value> {
    let lines = log.lines().filter(|line| line.contains("telemetry cannot be exported"));
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_metrics_and_log_lines_are_exported_and_nothing_personal_is_in_them() {
    let (collector, address) = Collector::start().await;
    let settings = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*address),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "500"),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "100"),
    ];
    // Given a shop that is watched, and orders of every ending.
    let mut shop = Shop::open_with(OPTIONS, &settings).await;
    let ended = endings::play_in(&shop, dressed).await;

    // Then every service tells of itself under its own name,
    for text in ["command PlaceOrder", "process order.events", "send payment.events", "timer deadline", "charge"] {
        collector.gets("/v1/traces", text).await;
    }
    for service in ["order", "inventory", "payment", "shipping", "email"] {
        collector.gets("/v1/traces", service).await;
    }
    // the metrics that an operator asks for are there,
    for metric in [
        "tutti.orders.open",
        "tutti.time_to_settled.seconds",
        "tutti.compensations",
        "tutti.undo.outstanding",
        "tutti.unpublished",
        "tutti.gap.open",
        "tutti.parked.open",
        "tutti.work.stuck",
        "tutti.work.retried",
        "tutti.lag.records",
        "tutti.lag.seconds",
        "tutti.batch.inputs",
        "tutti.commit.seconds",
    ] {
        collector.gets("/v1/metrics", metric).await;
        let scraped = shop.client.get("/metrics").await.body;
        assert!(scraped.contains(&metric.replace('.', "_")), "{metric} is not in {scraped}");
    }
    // and log lines name their order.
    collector.gets("/v1/logs", &ended[0].id).await;

    // What is left is sent when the shop closes,
    let last = shop.client.placed("last", &dressed(tea("ada"))).await;
    shop.close().await;
    collector.gets("/v1/logs", &last).await;
    // nobody is complained about, and nothing personal was told.
    assert_eq!(complaints(&shop.log()), [Value::Null; 0]);
    for (path, exported) in &*collector.0.lock().unwrap() {
        assert_eq!(canary_in(exported), None, "{path}");
    }
    assert_eq!(canary_in(shop.log().as_bytes()), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_away_is_complained_about_once_and_holds_nothing_up() {
    for protocol in ["grpc", "http/protobuf"] {
        // Given an endpoint at which nobody listens,
        let settings = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_METRIC_EXPORT_INTERVAL", "500"),
            ("OTEL_BSP_SCHEDULE_DELAY", "100"),
            ("OTEL_BLRP_SCHEDULE_DELAY", "100"),
        ];
        let mut shop = Shop::open_with(&["--world=carrier.transit_ms=10"], &settings).await;
        // when orders are placed, then they are settled,
        for n in 0..20 {
            shop.client.placed(&format!("k-{n}"), &tea("ada")).await;
        }
        for order in shop.client.all("/orders", "items").await {
            shop.client.settled(order["order_id"].as_str().unwrap()).await;
        }
        // what is lost is counted,
        until("spans are counted as dropped", || async {
            let scraped = shop.client.get("/metrics").await.body;
            scraped.contains("tutti_telemetry_dropped{signal=\"traces\"}").then_some(())
        })
        .await;
        until("every signal is complained about", || async { (complaints(&shop.log()).len() >= 3).then_some(()) })
            .await;
        shop.close().await;
        // and one line says so for each signal.
        let mut signals: Vec<Value> = complaints(&shop.log()).iter().map(|line| line["signal"].clone()).collect();
        signals.sort_by_key(ToString::to_string);
        assert_eq!(signals, ["logs", "metrics", "traces"], "{protocol}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_never_answers_does_not_keep_the_shop_from_closing() {
    // Given an endpoint that takes connections and says nothing on them.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", silent.local_addr().unwrap());
    let settings = [("OTEL_EXPORTER_OTLP_ENDPOINT", &*address), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")];
    let mut shop = Shop::open_with(&["--world=carrier.transit_ms=10"], &settings).await;
    let id = shop.client.placed("k-1", &tea("ada")).await;
    shop.client.settled(&id).await;
    shop.close().await;
    assert!(shop.log().contains("not all telemetry was sent within 2 s"), "{}", shop.log());
}
