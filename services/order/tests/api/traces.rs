//! Each request that asks for something is a span: the root of the order's trace, or a span in it.

use crate::shop::{Answer, Shop, request, with};
use axum::http::Request;
use opentelemetry::trace::{SpanId, SpanKind};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SpanData};
use runtime::{
    Read, TraceId, Traceparent,
    telemetry::{Sampler, Spans},
};

struct Traced {
    shop: Shop,
    spans: Spans,
    exporter: InMemorySpanExporter,
}

fn traced() -> Traced {
    let exporter = InMemorySpanExporter::default();
    let spans = Spans::to_exporter("order", exporter.clone(), Sampler::default());
    Traced { shop: Shop::traced(spans.clone()), spans, exporter }
}

impl Traced {
    /// The spans of this name, by when they began.
    fn named(&self, name: &str) -> Vec<SpanData> {
        self.spans.flush().unwrap();
        let mut named = self.exporter.get_finished_spans().unwrap();
        named.retain(|span| span.name == name);
        named.sort_by_key(|span| span.start_time);
        named
    }
}

fn root(order_id: &str) -> Traceparent {
    Traceparent::from(order_id.parse::<TraceId>().unwrap())
}

fn id(span: &SpanData) -> SpanId {
    span.span_context.span_id()
}

fn attribute(span: &SpanData, name: &str) -> String {
    span.attributes.iter().find(|kv| kv.key.as_str() == name).map(|kv| kv.value.to_string()).unwrap_or_default()
}

async fn placed(shop: &Shop, key: &str) -> String {
    shop.placed(key, &request()).await
}

#[tokio::test]
async fn the_request_that_places_an_order_is_the_root_of_its_trace() {
    let traced = traced();
    let order_id = placed(&traced.shop, "k-1").await;
    let (requests, commands) = (traced.named("POST /orders"), traced.named("command PlaceOrder"));
    assert_eq!((requests.len(), commands.len()), (1, 1));
    let request = &requests[0];
    assert_eq!(request.span_context.trace_id().to_string(), order_id);
    assert_eq!((id(request), request.parent_span_id), (SpanId::from(root(&order_id).span_id), SpanId::INVALID));
    assert_eq!(request.span_kind, SpanKind::Server);
    assert_eq!(commands[0].parent_span_id, id(request));
    for (name, value) in [
        ("http.request.method", "POST"),
        ("http.route", "/orders"),
        ("url.path", "/orders"),
        ("http.response.status_code", "202"),
    ] {
        assert_eq!(attribute(request, name), value, "{name}");
    }
    assert!(request.start_time <= commands[0].start_time && commands[0].start_time <= request.end_time);
}

#[tokio::test]
async fn a_cancel_is_a_span_of_its_own_in_the_orders_trace() {
    let traced = traced();
    let order_id = placed(&traced.shop, "k-1").await;
    for _ in 0..2 {
        assert_eq!(traced.shop.cancel(&order_id).await.status, 202);
    }
    let requests = traced.named("POST /orders/{id}/cancellation");
    assert_eq!(requests.len(), 2);
    assert_ne!(id(&requests[0]), id(&requests[1]));
    for (request, command) in requests.iter().zip(traced.named("command CancelOrder")) {
        assert_eq!(request.parent_span_id, SpanId::from(root(&order_id).span_id));
        assert_eq!(command.parent_span_id, id(request));
    }
}

#[tokio::test]
async fn a_repeated_request_has_a_trace_of_its_own_that_is_linked_to_the_orders() {
    let traced = traced();
    let order_id = placed(&traced.shop, "k-1").await;
    // Two requests within one millisecond would be one trace.
    while traced.named("POST /orders").len() < 2
        || traced.named("POST /orders").iter().all(|span| span.links.is_empty())
    {
        assert_eq!(placed(&traced.shop, "k-1").await, order_id);
    }
    let requests = traced.named("POST /orders");
    let in_trace = requests.iter().filter(|span| span.span_context.trace_id().to_string() == order_id);
    let roots = in_trace.filter(|span| span.parent_span_id == SpanId::INVALID);
    assert_eq!(roots.count(), 1, "an order's trace has one root");
    let repeated = requests.iter().find(|span| !span.links.is_empty()).unwrap();
    assert_eq!(repeated.links[0].span_context.span_id(), SpanId::from(root(&order_id).span_id));
    assert_eq!(repeated.links[0].span_context.trace_id().to_string(), order_id);
    assert_eq!(repeated.parent_span_id, SpanId::INVALID);
}

#[tokio::test]
async fn a_clients_own_trace_is_linked_and_does_not_replace_the_orders() {
    let traced = traced();
    let client = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let builder = Request::post("/orders").header("content-type", "application/json").header("idempotency-key", "k-1");
    let Answer { status, body, .. } =
        traced.shop.send(builder.header("traceparent", client), request().to_string()).await;
    assert_eq!(status, 202, "{body}");
    let request = traced.named("POST /orders").remove(0);
    assert_eq!(request.span_context.trace_id().to_string(), body["order_id"].as_str().unwrap());
    assert_eq!(request.links[0].span_context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(request.links[0].span_context.span_id().to_string(), "00f067aa0ba902b7");
}

#[tokio::test]
async fn what_only_looks_or_is_no_order_has_no_span() {
    let traced = traced();
    let order_id = placed(&traced.shop, "k-1").await;
    traced.shop.get(&format!("/orders/{order_id}")).await;
    traced.shop.place("k-2", &with("/lines/0/quantity", 0)).await;
    traced.spans.flush().unwrap();
    let names: Vec<String> =
        traced.exporter.get_finished_spans().unwrap().iter().map(|span| span.name.to_string()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
}

#[tokio::test]
async fn a_span_holds_nothing_personal() {
    let traced = traced();
    let order_id = placed(&traced.shop, "k-1").await;
    traced.shop.cancel(&order_id).await;
    traced.spans.flush().unwrap();
    let told = format!("{:?}", traced.exporter.get_finished_spans().unwrap());
    for personal in ["ada@example.com", "+49301234567", "Lovelace", "Invalidenstr", "10115", "tok_ok"] {
        assert!(!told.contains(personal), "{personal}");
    }
    assert!(told.contains(&order_id) && traced.shop.store.lead().unwrap().head > 0);
}
