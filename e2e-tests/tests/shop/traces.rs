//! Traces as Jaeger tells them.

use serde_json::Value;
use std::{collections::BTreeMap, env};

/// A trace as Jaeger's API answers it.
pub struct Trace {
    pub spans: BTreeMap<String, Span>,
    pub text: String,
}

/// A span of it.
pub struct Span {
    pub service: String,
    pub name: String,
    pub kind: String,
    pub parent: Option<String>,
    pub tags: BTreeMap<String, String>,
}

impl Trace {
    pub fn read(text: String) -> Option<Trace> {
        let answer: Value = serde_json::from_str(&text).ok()?;
        let trace = answer["data"].get(0)?;
        let spans = trace["spans"].as_array()?.iter().map(|span| {
            let parents: Vec<&Value> =
                span["references"].as_array().into_iter().flatten().filter(|r| r["refType"] == "CHILD_OF").collect();
            let tags = span["tags"].as_array().unwrap().iter();
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let tags: BTreeMap<_, _> = tags.map(|tag| (text(&tag["key"]), text(&tag["value"]))).collect();
            let process = &trace["processes"][span["processID"].as_str().unwrap()];
            let read = Span {
                service: text(&process["serviceName"]),
                name: text(&span["operationName"]),
                kind: tags.get("span.kind").cloned().unwrap_or_default(),
                parent: parents.first().map(|parent| text(&parent["spanID"])),
                tags,
            };
            (text(&span["spanID"]), read)
        });
        let (read, all): (BTreeMap<_, _>, _) = (spans.collect(), trace["spans"].as_array()?.len());
        assert_eq!(read.len(), all, "a span id is there twice: {text}");
        Some(Trace { spans: read, text })
    }

    pub fn named<'t>(&'t self, name: &'t str) -> impl Iterator<Item = &'t Span> {
        self.spans.values().filter(move |span| span.name == name)
    }

    /// What was said about the order itself; what was said about a SKU because of it is in the trace too.
    pub fn sent_about<'t>(&'t self, id: &'t str) -> impl Iterator<Item = &'t Span> {
        let about = move |span: &&Span| span.tags.get("cloudevents.event_subject").is_some_and(|subject| subject == id);
        self.spans.values().filter(|span| span.kind == "producer").filter(about)
    }

    /// Whether each span's parent is there.
    pub fn is_whole(&self) -> bool {
        self.spans.values().all(|span| span.parent.as_ref().is_none_or(|parent| self.spans.contains_key(parent)))
    }
}

/// Where to export to and where to ask; nothing where they are not set.
pub fn endpoints() -> Option<(String, String)> {
    let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let both = set("OTEL_EXPORTER_OTLP_ENDPOINT").zip(set("JAEGER_QUERY_URL"));
    if both.is_none() {
        eprintln!("skipped: set OTEL_EXPORTER_OTLP_ENDPOINT and JAEGER_QUERY_URL to a Jaeger that takes OTLP");
    }
    both
}
