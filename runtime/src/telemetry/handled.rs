//! The spans of a batch that was committed: one for each input that was handled, and one below it for each event that it
//! led to. Names and attributes follow OpenTelemetry's conventions for messaging and CloudEvents where those say
//! something, and begin with `tutti.` where they do not.
//!
//! ```text
//! POST /orders (server)
//!   └ command PlaceOrder (internal)                    order
//!       └ send order.events (producer: OrderPlaced)    order
//!           └ process order.events (consumer)          inventory
//!               └ send inventory.events …
//! ```
//!
//! An event's `traceparent` is its `send` span, work's is the span that asked for it, and an answer's is the attempt that
//! brought it. So each span's parent is known from what is stored, and a trace has no gap across restarts.

use super::{Spans, spans::Sink};
use crate::{
    clock::{Clock, Micros},
    draft::{BEHIND_PARKED, Passed, first_span_of, span_of, span_of_event},
    incoming::{Body, From, Incoming, Reply},
    record::{FOREIGN, Foreign, LogRow, ParkedRow},
    trace::Traceparent,
};
use opentelemetry::{
    Key, KeyValue, Value,
    trace::{Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState},
};
use opentelemetry_sdk::trace::{SpanData, SpanLinks};
use std::{
    borrow::Cow,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A batch, and what there is to know about all of its spans.
struct Batch<'b> {
    sink: &'b Sink,
    /// What carries the events: `kafka`, or `tutti` where the log itself is the topic.
    system: &'static str,
    passed: &'b Passed,
    /// All inputs of a batch are handled together: their spans begin and end together.
    from: Micros,
    until: Micros,
}

impl Spans {
    /// Takes the spans of a batch that was committed.
    pub(crate) fn batch(&self, system: &'static str, inputs: &[Incoming], passed: &Passed, clock: &dyn Clock) {
        let Some(sink) = self.sink() else { return };
        let batch = Batch { sink, system, passed, from: passed.at, until: clock.now() };
        let handled = inputs.iter().zip(&passed.replies).enumerate();
        let mut spans: Vec<SpanData> = handled
            .filter(|(_, (input, _))| sink.takes(&input.trace))
            .filter_map(|(place, (input, reply))| batch.handled(place, input, reply))
            .collect();
        let said =
            passed.log.iter().zip(&passed.said_by).filter_map(|(row, place)| Some((row, *place, inputs.get(*place)?)));
        spans.extend(
            said.filter(|(_, _, input)| sink.takes(&input.trace))
                .map(|(row, place, input)| batch.said(row, place, input)),
        );
        if !spans.is_empty() {
            sink.take(spans);
        }
    }
}

impl Batch<'_> {
    /// Nothing where nothing was decided.
    fn handled(&self, place: usize, input: &Incoming, reply: &Reply) -> Option<SpanData> {
        let mut span = match (&input.from, &input.body, reply) {
            (_, Body::Skip, _) | (_, _, Reply::Seen | Reply::Early | Reply::Led(_)) => return None,
            (From::Parked(_), _, Reply::Parked(why)) if why == BEHIND_PARKED => return None,
            (From::Record(record), ..) => self.processed(record.source, &record.row),
            (From::Foreign(foreign), ..) => self.foreign(foreign),
            (From::Parked(parked), body, _) => self.taken_up(parked, input, matches!(body, Body::Discard)),
            (From::Work { attempts: 0, .. }, ..) => self.internal(format!("timer {}", input.name()), &input.key),
            (From::Work { .. }, ..) => self.internal(format!("answer {}", input.name()), &input.key),
            (From::Caller, ..) => self.internal(format!("command {}", input.name()), &input.key),
        };
        span.span_context = context(&span_of(self.sink.service, self.passed.lead, input, place));
        span.parent_span_id = SpanId::from(input.trace.span_id);
        span.parent_span_is_remote = !matches!(input.from, From::Work { .. });
        note(&mut span, reply);
        Some(span)
    }

    /// A record of another service.
    fn processed(&self, source: &str, row: &LogRow) -> SpanData {
        let mut attributes = self.message(source, row, "process");
        attributes.push(text("messaging.consumer.group.name", format!("tutti.{}", self.sink.service)));
        self.span(SpanKind::Consumer, format!("process {source}.events"), attributes)
    }

    /// A record that no service of the shop wrote.
    fn foreign(&self, foreign: &Foreign) -> SpanData {
        let topic = text("messaging.destination.name", foreign.topic.to_string());
        let system = KeyValue::new("messaging.system", self.system);
        self.span(SpanKind::Consumer, format!("process {}", foreign.topic), vec![system, topic])
    }

    /// A record that was set aside, decided again or dropped at last: linked to the span in which it was set aside.
    fn taken_up(&self, parked: &ParkedRow, input: &Incoming, dropped: bool) -> SpanData {
        let mut span = self.processed(parked.source.strip_prefix(FOREIGN).unwrap_or(&parked.source), &parked.row);
        if dropped {
            span.span_kind = SpanKind::Internal;
            span.name = Cow::from(format!("discard {}", parked.row.name));
        }
        span.links = links([first_span_of(self.sink.service, &input.trace, &parked.row)]);
        span
    }

    /// An event that was said.
    fn said(&self, row: &LogRow, place: usize, input: &Incoming) -> SpanData {
        let service = self.sink.service;
        let decided = span_of(service, self.passed.lead, input, place);
        let mut span =
            self.span(SpanKind::Producer, format!("send {service}.events"), self.message(service, row, "send"));
        span.span_context = context(&span_of_event(service, &decided, row.generation, row.seq));
        span.parent_span_id = SpanId::from(decided.span_id);
        span
    }

    /// What is known about a message.
    fn message(&self, source: &str, row: &LogRow, operation: &'static str) -> Vec<KeyValue> {
        let mut attributes = vec![
            KeyValue::new("messaging.system", self.system),
            KeyValue::new("messaging.operation.name", operation),
            KeyValue::new("messaging.operation.type", operation),
            text("messaging.destination.name", format!("{source}.events")),
            text("messaging.message.id", row.id().to_string()),
            text("messaging.message.conversation_id", row.trace.get(3..35).unwrap_or_default().to_owned()),
            KeyValue::new("messaging.message.body.size", i64::try_from(row.body.len()).unwrap_or(i64::MAX)),
            text("cloudevents.event_type", row.name.clone()),
            text("cloudevents.event_source", source.to_owned()),
            text("cloudevents.event_subject", row.key.clone()),
        ];
        if self.system == "kafka" {
            attributes.push(text("messaging.kafka.message.key", row.key.clone()));
        }
        attributes
    }

    fn internal(&self, name: String, key: &str) -> SpanData {
        self.span(SpanKind::Internal, name, vec![text("tutti.key", key.to_owned())])
    }

    fn span(&self, kind: SpanKind, name: String, attributes: Vec<KeyValue>) -> SpanData {
        let blank = SpanContext::empty_context();
        ended(self.sink, blank, SpanId::INVALID, kind, name.into(), (self.from, self.until), attributes)
    }
}

/// How it ended, where it did not end well.
fn note(span: &mut SpanData, reply: &Reply) {
    let (kind, why) = match reply {
        Reply::Parked(why) => ("parked", why),
        Reply::Stuck(why) => ("stuck", why),
        Reply::Failed(why) => ("failed", why),
        Reply::Refused(refused) => {
            span.attributes.push(KeyValue::new("tutti.refused", refused.reason));
            return;
        }
        _ => return,
    };
    span.attributes.push(KeyValue::new("error.type", kind));
    span.status = Status::error(why.clone());
}

/// A span that is over.
pub(super) fn ended(
    sink: &Sink,
    span_context: SpanContext,
    parent_span_id: SpanId,
    span_kind: SpanKind,
    name: Cow<'static, str>,
    (from, until): (Micros, Micros),
    attributes: Vec<KeyValue>,
) -> SpanData {
    SpanData {
        span_context,
        parent_span_id,
        parent_span_is_remote: false,
        span_kind,
        name,
        start_time: instant(from),
        end_time: instant(until.max(from)),
        attributes,
        dropped_attributes_count: 0,
        events: Default::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: sink.scope.clone(),
    }
}

/// A span as OpenTelemetry names it.
pub(super) fn context(span: &Traceparent) -> SpanContext {
    let (trace, id) = (TraceId::from_bytes(span.trace_id.0), SpanId::from(span.span_id));
    SpanContext::new(trace, id, TraceFlags::SAMPLED, false, TraceState::NONE)
}

pub(super) fn links(to: impl IntoIterator<Item = Traceparent>) -> SpanLinks {
    let mut links = SpanLinks::default();
    links.links.extend(to.into_iter().map(|span| Link::with_context(context(&span))));
    links
}

fn instant(at: Micros) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(u64::try_from(at).unwrap_or_default())
}

pub(super) fn text(name: &'static str, value: String) -> KeyValue {
    KeyValue::new(Key::from_static_str(name), Value::from(value))
}
