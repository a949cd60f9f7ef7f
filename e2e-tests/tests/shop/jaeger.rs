//! Orders of every ending as Jaeger shows them: one trace each, all services in it, no gap. Needs a Jaeger that takes
//! OTLP: set OTEL_EXPORTER_OTLP_ENDPOINT (and OTEL_EXPORTER_OTLP_PROTOCOL) and JAEGER_QUERY_URL.

use crate::{
    endings::{Ended, OPTIONS, play_in},
    privacy::{canary_in, dressed},
    shop::Shop,
    traces::{Span, Trace, endpoints},
    wait::until,
};
use serde_json::Value;
use std::collections::BTreeSet;

/// The trace, once it has a span for each event that was said about the order, and no gap.
async fn trace_of(shop: &Shop, jaeger: &str, Ended { story, id }: &Ended) -> (Trace, Vec<Value>) {
    until(&format!("the whole trace of {story}, {id}"), || async {
        let answer = reqwest::get(format!("{jaeger}/api/traces/{id}")).await.unwrap().text().await.unwrap();
        let (trace, events) = (Trace::read(answer)?, shop.client.events(id).await);
        let sent = trace.sent_about(id).count();
        let mails = events.iter().filter(|event| event["service"] == "email").count();
        (trace.is_whole() && sent == events.len() && mails > 0).then_some((trace, events))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_ending_is_one_trace_of_all_services_without_a_gap() {
    let Some((endpoint, jaeger)) = endpoints() else { return };
    let settings = [("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint), ("OTEL_BSP_SCHEDULE_DELAY", "200")];
    let shop = Shop::open_with(OPTIONS, &settings).await;
    let ended = play_in(&shop, dressed).await;
    for order in &ended {
        let (trace, events) = trace_of(&shop, &jaeger, order).await;
        is_one_tree(order, &trace);
        tells_every_event(order, &trace, &events);
        is_named_by_the_conventions(order, &trace);
        tells_the_story(order, &trace);
        assert_eq!(canary_in(trace.text.as_bytes()), None, "{}", order.story);
    }
}

fn is_one_tree(Ended { story, .. }: &Ended, trace: &Trace) {
    let roots: Vec<_> = trace.spans.values().filter(|span| span.parent.is_none()).collect();
    assert_eq!(roots.len(), 1, "{story}: {}", trace.text);
    assert_eq!((&*roots[0].name, &*roots[0].kind, &*roots[0].service), ("POST /orders", "server", "order"), "{story}");
}

/// Each event has the span that sent it, in the service that said it; and all services that said one are there.
fn tells_every_event(Ended { story, id }: &Ended, trace: &Trace, events: &[Value]) {
    let sent: BTreeSet<_> = trace.sent_about(id).map(event_of).collect();
    let said: BTreeSet<_> = events
        .iter()
        .map(|event| ["service", "type", "id"].map(|member| event[member].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(sent, said, "{story}");
    let services: BTreeSet<&str> = trace.spans.values().map(|span| &*span.service).collect();
    assert_eq!(services, BTreeSet::from(["order", "inventory", "payment", "shipping", "email"]), "{story}");
}

fn event_of(span: &Span) -> [String; 3] {
    [span.service.clone(), span.tags["cloudevents.event_type"].clone(), span.tags["messaging.message.id"].clone()]
}

fn is_named_by_the_conventions(Ended { story, id }: &Ended, trace: &Trace) {
    for span in trace.spans.values() {
        let tag = |name: &str| span.tags.get(name).map_or("", String::as_str);
        match &*span.kind {
            "producer" | "consumer" => {
                let (operation, topic) = (tag("messaging.operation.name"), tag("messaging.destination.name"));
                assert_eq!(span.name, format!("{operation} {topic}"), "{story}");
                assert_eq!(operation, if span.kind == "producer" { "send" } else { "process" }, "{story}");
                assert_eq!(tag("messaging.message.conversation_id"), id, "{story}");
                let source = topic.strip_suffix(".events").unwrap();
                assert!(span.kind == "consumer" || source == span.service, "{story}: {}", span.name);
            }
            "server" => assert_eq!(span.name, format!("POST {}", tag("http.route")), "{story}"),
            "client" => assert!(tag("tutti.effect.key").ends_with(&format!("{}/{}", span.name, tag("tutti.key")))),
            _ => {
                let kinds = ["command ", "answer ", "timer "];
                assert!(kinds.iter().any(|kind| span.name.starts_with(kind)), "{story}: {}", span.name);
            }
        }
        // A consumer is below the producer of the very record.
        if span.kind == "consumer" {
            let parent = &trace.spans[span.parent.as_ref().unwrap()];
            assert_eq!(
                (&*parent.kind, &parent.tags["messaging.message.id"]),
                ("producer", &span.tags["messaging.message.id"])
            );
        }
    }
}

/// What the ending is about shows: effects, attempts, timers, commands.
fn tells_the_story(Ended { story, .. }: &Ended, trace: &Trace) {
    let count = |name: &str| trace.named(name).count();
    let cancels = if story.contains("cancel") { 1 } else { 0 };
    assert_eq!(count("POST /orders/{id}/cancellation"), cancels, "{story}");
    assert_eq!(count("command CancelOrder"), cancels, "{story}");
    assert_eq!(count("charge") > 0, *story != "out of stock", "{story}");
    let repeated = ["deadline", "too late to cancel", "never collected"].contains(story);
    assert_eq!(count("charge") > 1, repeated, "{story}");
    let unclear = trace.named("charge").filter(|span| span.tags.get("error").is_some_and(|error| error == "true"));
    assert_eq!(unclear.count() > 0, repeated, "{story}");
    let timer = match *story {
        "deadline" => "timer deadline",
        "never collected" => "timer pick_up",
        _ => return,
    };
    let fired = trace.spans.iter().find(|(_, span)| span.name == timer).unwrap_or_else(|| panic!("{story}")).0;
    let led_to = trace.spans.values().filter(|span| span.parent.as_ref() == Some(fired));
    assert!(led_to.count() > 0, "{story}: {timer} led to nothing");
}
