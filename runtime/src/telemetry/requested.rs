//! The span of a request over HTTP, after OpenTelemetry's conventions for HTTP servers.

use super::{
    Spans,
    handled::{context, ended, links, text},
};
use crate::{
    clock::{Micros, micros},
    http::{Told, UnderWay},
    trace::Traceparent,
};
use opentelemetry::{
    KeyValue,
    trace::{SpanId, SpanKind, Status},
};
use std::time::{SystemTime, UNIX_EPOCH};

impl Spans {
    /// A span below another that nothing derives: of a request that may come repeatedly. Where no span goes anywhere it
    /// is the other itself.
    pub(crate) fn drawn_below(&self, parent: &Traceparent) -> Traceparent {
        let mut drawn = [0; 8];
        match getrandom::fill(&mut drawn) {
            Ok(()) if self.sink().is_some() => Traceparent { span_id: u64::from_be_bytes(drawn).max(1), ..*parent },
            _ => *parent,
        }
    }

    /// Takes the span of a request that is over.
    pub(crate) fn requested(&self, request: &UnderWay, told: &Told) {
        let Some(sink) = self.sink().filter(|_| told.span.sampled) else { return };
        let route = request.route.as_ref().map_or("", |route| route.as_str());
        let mut attributes = vec![
            text("http.request.method", request.method.to_string()),
            text("http.route", route.to_owned()),
            text("url.path", request.path.clone()),
            KeyValue::new("url.scheme", "http"),
        ];
        attributes.extend(request.status.map(|status| KeyValue::new("http.response.status_code", i64::from(status))));
        let parent = told.parent.map_or(SpanId::INVALID, |parent| SpanId::from(parent.span_id));
        let times = (at(request.begun), at(SystemTime::now()));
        let name = format!("{} {route}", request.method).into();
        let mut span = ended(sink, context(&told.span), parent, SpanKind::Server, name, times, attributes);
        // One order is one trace, so a client's own span is not the parent.
        span.links = links(told.link.into_iter().chain(request.client));
        match request.status {
            None => {
                span.attributes.push(KeyValue::new("error.type", "client_gone"));
                span.status = Status::error("the client did not wait for the answer");
            }
            Some(status) if status >= 500 => {
                span.attributes.push(text("error.type", status.to_string()));
                span.status = Status::error("");
            }
            Some(_) => {}
        }
        sink.take(vec![span]);
    }
}

fn at(time: SystemTime) -> Micros {
    micros(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}
