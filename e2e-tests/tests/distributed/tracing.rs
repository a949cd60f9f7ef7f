//! One trace per order through five processes, as Jaeger has it. Needs a Jaeger that takes OTLP as well.

use crate::{
    endings::place_all,
    site::Site,
    traces::{Trace, endpoints},
    wait::until,
};
use serde_json::json;
use std::collections::BTreeSet;

/// The trace, once no parent is missing and the customer was told the end.
async fn whole_trace(site: &Site, jaeger: &str, story: &str, id: &str) -> Trace {
    until(&format!("the whole trace of {story}, {id}"), || async {
        let answer = reqwest::get(format!("{jaeger}/api/traces/{id}")).await.unwrap().text().await.unwrap();
        let trace = Trace::read(answer)?;
        let mut said = 0;
        for service in site.services.values() {
            said += service.admin.read(&format!("/log/{id}")).await["items"].as_array().unwrap().len();
        }
        let told = trace.sent_about(id).any(|span| span.service == "email");
        (trace.is_whole() && trace.sent_about(id).count() == said && told).then_some(trace)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_ending_is_one_trace_through_all_processes_without_a_gap() {
    let Some((endpoint, jaeger)) = endpoints() else { return };
    let protocol = std::env::var("OTEL_EXPORTER_OTLP_PROTOCOL").unwrap_or_else(|_| "http/protobuf".to_owned());
    let settings = [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", &*protocol),
        ("ORDER_DEADLINE_S", "6"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint),
        ("OTEL_BSP_SCHEDULE_DELAY", "200"),
    ];
    let Some(mut site) = Site::new(&settings).await else { return };
    site.open().await;
    let quick = json!({ "gateway": { "slow_ms": 1500, "unknown_ms": 30000 }, "carrier": { "pick_up_ms": 20, "transit_ms": 200 } });
    site.world.client.world(&quick).await;
    for ((story, state, _), id) in place_all(&site, "traced").await {
        let order = site.orders().settled(&id).await;
        assert_eq!(order["state"], state, "{story}: {order}");
        let trace = whole_trace(&site, &jaeger, story, &id).await;
        let roots: Vec<_> = trace.spans.values().filter(|span| span.parent.is_none()).collect();
        assert_eq!(roots.len(), 1, "{story}: {}", trace.text);
        assert_eq!((&*roots[0].name, &*roots[0].service), ("POST /orders", "order"), "{story}");
        let services: BTreeSet<&str> = trace.spans.values().map(|span| &*span.service).collect();
        assert_eq!(services, BTreeSet::from(["order", "inventory", "payment", "shipping", "email"]), "{story}");
        for span in trace.spans.values().filter(|span| matches!(&*span.kind, "producer" | "consumer")) {
            let tag = |name: &str| span.tags.get(name).map_or("", String::as_str);
            let named = format!("{} {}", tag("messaging.operation.name"), tag("messaging.destination.name"));
            assert_eq!((&*span.name, tag("messaging.system")), (&*named, "kafka"), "{story}");
        }
    }
}
