//! What is handled shows as spans: one tree for each trace, without a gap, whatever happens on the way.

use crate::support::{
    bus::record,
    clock::{SECOND, TestClock},
    desk::{Desk, trace},
    service::{Act, Cook, Write, left},
    world::World,
};
use opentelemetry::{
    Value,
    trace::{SpanId, SpanKind, Status, TraceId},
};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SpanData};
use runtime::{
    Adapter, LogRow, Outcome, Record, Step, Traceparent,
    intake::Wish,
    performer,
    telemetry::{Sampler, Spans},
    trace::current,
};
use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// The span that said every record of the scripted bus.
const SENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Keeps the spans of a desk.
struct Seen {
    exporter: InMemorySpanExporter,
    spans: Spans,
}

impl Seen {
    fn by(sampler: Sampler) -> Seen {
        let exporter = InMemorySpanExporter::default();
        Seen { spans: Spans::to_exporter("desk", exporter.clone(), sampler), exporter }
    }

    fn desk() -> (Seen, Desk) {
        let seen = Seen::by(Sampler::default());
        let desk = Desk::traced(seen.spans.clone(), TestClock::default(), None);
        (seen, desk)
    }

    fn all(&self) -> Vec<SpanData> {
        self.spans.flush().unwrap();
        self.exporter.get_finished_spans().unwrap()
    }

    /// The spans of this name, in the order in which they ended.
    fn named(&self, name: &str) -> Vec<SpanData> {
        self.all().into_iter().filter(|span| span.name == name).collect()
    }

    #[track_caller]
    fn one(&self, name: &str) -> SpanData {
        let mut named = self.named(name);
        assert_eq!(named.len(), 1, "{:?}", self.names());
        named.remove(0)
    }

    fn names(&self) -> Vec<String> {
        self.all().iter().map(|span| span.name.to_string()).collect()
    }

    /// Every span but the first has its parent here, ids are unique, and all are of one trace.
    #[track_caller]
    fn are_one_tree_below(&self, root: &str) {
        let root: Traceparent = root.parse().unwrap();
        let all = self.all();
        let ids: BTreeSet<_> = all.iter().map(|span| id(span).to_bytes()).collect();
        assert_eq!(ids.len(), all.len(), "{:?}", self.names());
        for span in all {
            assert_eq!(span.span_context.trace_id(), TraceId::from_bytes(root.trace_id.0), "{}", span.name);
            let parent = span.parent_span_id;
            assert!(
                parent == SpanId::from(root.span_id) || ids.contains(&parent.to_bytes()),
                "{} has a gap",
                span.name
            );
        }
    }
}

fn id(span: &SpanData) -> SpanId {
    span.span_context.span_id()
}

fn attribute(span: &SpanData, name: &str) -> Option<String> {
    span.attributes.iter().find(|kv| kv.key.as_str() == name).map(|kv| kv.value.to_string())
}

fn failed(span: &SpanData) -> bool {
    matches!(span.status, Status::Error { .. })
}

fn said_in(row: &LogRow) -> SpanId {
    SpanId::from(row.trace.parse::<Traceparent>().unwrap().span_id)
}

fn retry(key: &str) -> Wish {
    Wish::Retry { source: "left".into(), key: key.into() }
}

#[test]
fn a_record_is_processed_below_its_sender_and_what_it_leads_to_is_sent_below_that() {
    let (seen, mut desk) = Seen::desk();
    desk.left(1, "a", Act::Note);
    desk.settle();
    let (processed, sent) = (seen.one("process left.events"), seen.one("send desk.events"));
    assert_eq!((&processed.span_kind, &sent.span_kind), (&SpanKind::Consumer, &SpanKind::Producer));
    assert!(processed.parent_span_is_remote && !sent.parent_span_is_remote);
    assert_eq!(sent.parent_span_id, id(&processed));
    // What reads the event goes on below the span that sent it.
    assert_eq!(said_in(&desk.log()[0]), id(&sent));
    seen.are_one_tree_below(SENT);
}

#[test]
fn messages_are_described_by_the_conventions() {
    let (seen, mut desk) = Seen::desk();
    desk.left(1, "a", Act::Note);
    desk.settle();
    let expected = |operation, destination, id, event, source| {
        [
            ("messaging.system", "tutti"),
            ("messaging.operation.name", operation),
            ("messaging.operation.type", operation),
            ("messaging.destination.name", destination),
            ("messaging.message.id", id),
            ("messaging.message.conversation_id", "4bf92f3577b34da6a3ce929d0e0e4736"),
            ("cloudevents.event_type", event),
            ("cloudevents.event_source", source),
            ("cloudevents.event_subject", "a"),
        ]
    };
    for (span, attributes) in [
        (seen.one("process left.events"), expected("process", "left.events", "1000.0.1", "Told", "left")),
        (seen.one("send desk.events"), expected("send", "desk.events", "7.0.1", "Noted", "desk")),
    ] {
        for (name, value) in attributes {
            assert_eq!(attribute(&span, name).as_deref(), Some(value), "{}: {name}", span.name);
        }
        let size = span.attributes.iter().find(|kv| kv.key.as_str() == "messaging.message.body.size");
        assert!(matches!(size.map(|kv| &kv.value), Some(Value::I64(1..))));
    }
    assert_eq!(attribute(&seen.one("process left.events"), "messaging.consumer.group.name").unwrap(), "tutti.desk");
}

#[test]
fn what_is_not_decided_has_no_span() {
    let (seen, mut desk) = Seen::desk();
    desk.left(1, "a", Act::Nothing);
    desk.settle();
    assert_eq!(seen.names(), ["process left.events"]);
    // Neither what comes again, nor what lies behind a gap, nor what nobody reacts to.
    desk.bus.replay("left");
    desk.left(3, "a", Act::Note);
    desk.bus.put(record(2, &left::Event::from(left::Hummed { key: "a".into() })));
    desk.bus.lose("left", 2);
    desk.settle();
    assert_eq!(seen.names().len(), 1);
    desk.bus.mend();
    desk.pass_time(2 * SECOND);
    assert_eq!(seen.names(), ["process left.events", "process left.events", "send desk.events"]);
}

#[test]
fn a_timer_fires_below_what_set_it() {
    let (seen, mut desk) = Seen::desk();
    desk.left(1, "a", Act::Wake(Duration::from_secs(5)));
    desk.settle();
    desk.pass_time(6 * SECOND);
    let timer = seen.one("timer Wake");
    assert_eq!(
        (timer.span_kind.clone(), timer.parent_span_id),
        (SpanKind::Internal, id(&seen.one("process left.events")))
    );
    assert_eq!(seen.one("send desk.events").parent_span_id, id(&timer));
    seen.are_one_tree_below(SENT);
}

#[test]
fn a_timer_that_fires_after_a_restart_is_in_the_same_tree() {
    let (seen, mut desk) = Seen::desk();
    desk.left(1, "a", Act::Wake(Duration::from_secs(5)));
    desk.settle();
    let mut desk = desk.killed_and_started_again();
    desk.settle();
    desk.pass_time(6 * SECOND);
    assert_eq!(seen.one("timer Wake").parent_span_id, id(&seen.one("process left.events")));
    seen.are_one_tree_below(SENT);
}

#[test]
fn a_command_is_carried_out_below_the_span_it_comes_from() {
    let (seen, mut desk) = Seen::desk();
    _ = desk.write("a", 1, Act::Note);
    _ = desk.write("b", 1, Act::Refuse);
    _ = desk.write("c", 1, Act::Panic);
    desk.settle();
    let root = Traceparent::from(trace());
    let commands = seen.named("command Write");
    assert!(commands.iter().all(|span| span.parent_span_id == SpanId::from(root.span_id)));
    assert_eq!(attribute(&commands[1], "tutti.refused").as_deref(), Some("closed"));
    assert_eq!(commands.iter().map(failed).collect::<Vec<_>>(), [false, false, true]);
    assert_eq!(seen.one("send desk.events").parent_span_id, id(&commands[0]));
    seen.are_one_tree_below(&root.to_string());
}

#[test]
fn a_retry_from_parking_is_a_span_with_a_link_to_the_one_that_parked_it() {
    let (seen, mut desk) = Seen::desk();
    // Given a record that was set aside, and one behind it,
    desk.notes().refused_keys.push("a".into());
    desk.left(1, "a", Act::Note);
    desk.left(2, "a", Act::Note);
    desk.settle();
    let parked = seen.named("process left.events");
    assert_eq!(parked.iter().map(failed).collect::<Vec<_>>(), [true, true]);
    assert_eq!(attribute(&parked[0], "error.type").as_deref(), Some("parked"));
    // when they are retried by another process, first in vain and then well,
    let mut desk = desk.killed_and_started_again();
    desk.notes().refused_keys.push("a".into());
    assert!(desk.wish(retry("a")).is_err());
    desk.notes().refused_keys.clear();
    assert_eq!(desk.wish(retry("a")), Ok("2 taken".into()));
    // then each try is a span of its own, beside the old one and linked to it.
    let tries = &seen.named("process left.events")[2..];
    let linked: Vec<_> = tries.iter().map(|span| span.links.links[0].span_context.span_id()).collect();
    assert!(tries.len() >= 2 && tries.iter().all(|span| span.parent_span_id == parked[0].parent_span_id));
    let last_two = &tries[tries.len() - 2..];
    assert_eq!(linked[linked.len() - 2..], [id(&parked[0]), id(&parked[1])]);
    assert!(last_two.iter().all(|span| !failed(span)));
    assert_eq!(seen.named("send desk.events").len(), 2);
    seen.are_one_tree_below(SENT);
}

#[test]
fn what_is_discarded_is_linked_to_the_span_that_parked_it() {
    let (seen, mut desk) = Seen::desk();
    desk.left(1, "a", Act::Panic);
    desk.settle();
    assert!(desk.wish(Wish::Discard { source: "left".into(), key: "a".into() }).is_ok());
    let discarded = seen.one("discard Told");
    assert_eq!(discarded.links.links[0].span_context.span_id(), id(&seen.one("process left.events")));
}

#[test]
fn a_trace_that_is_not_recorded_leaves_no_span_and_says_so_onwards() {
    let (seen, mut desk) = Seen::desk();
    let told = record(1, &left::Event::from(left::Told { key: "a".into(), n: 1, act: Act::Note }));
    let trace = SENT.replace("-01", "-00");
    desk.bus.put(Record { row: Arc::new(LogRow { trace, ..(*told.row).clone() }), ..told });
    desk.settle();
    assert_eq!(seen.names(), [""; 0]);
    assert!(desk.log()[0].trace.ends_with("-00"));
}

#[test]
fn a_trace_that_begins_here_is_recorded_if_the_sampler_says_so() {
    let off = Sampler::named(Some("parentbased_always_off"), None).unwrap();
    for (sampler, flag, spans) in [(Sampler::default(), "-01", 2), (off, "-00", 0)] {
        let seen = Seen::by(sampler);
        let mut desk = Desk::traced(seen.spans.clone(), TestClock::default(), None);
        let handle = desk.handle();
        let tokio = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let write = Write { key: "a".into(), n: 1, act: Act::Note };
        tokio.block_on(async { tokio::join!(handle.command(write, trace()), async { desk.settle() }) }).0.unwrap();
        assert!(desk.log()[0].trace.ends_with(flag));
        assert_eq!(seen.names().len(), spans);
    }
}

/// What the other side answers next, and in which spans it was called.
#[derive(Default)]
struct Calls {
    answers: VecDeque<Outcome<Cook>>,
    heard: Vec<Traceparent>,
}

/// The other side: it is done unless a test says otherwise.
#[derive(Clone, Default)]
struct Kitchen(Arc<Mutex<Calls>>);

impl Kitchen {
    fn answer(&self) -> Outcome<Cook> {
        let mut calls = self.0.lock().unwrap();
        calls.heard.extend(current());
        calls.answers.pop_front().unwrap_or(Outcome::Done("done".into()))
    }
}

impl Adapter<Cook> for Kitchen {
    async fn call(&self, _: &str, _: &Cook) -> Outcome<Cook> {
        self.answer()
    }
    async fn ask(&self, _: &str, _: &Cook) -> Option<Outcome<Cook>> {
        Some(self.answer())
    }
}

#[test]
fn each_attempt_at_an_effect_is_a_span_and_the_answer_is_below_the_attempt_that_brought_it() {
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let within = tokio.enter();
    let (seen, clock, kitchen) = (Seen::by(Sampler::default()), TestClock::default(), Kitchen::default());
    kitchen.0.lock().unwrap().answers.push_back(Outcome::Unclear("a timeout".into()));
    let clear = World::default().performers().remove(1);
    let performers = vec![performer::<Cook>(kitchen.clone(), Arc::new(clock.clone())), clear];
    let mut desk = Desk::traced(seen.spans.clone(), clock, Some(performers));
    // Given an effect whose first attempt tells nothing,
    desk.left(1, "a", Act::NoteAndCook);
    let deadline = Instant::now() + Duration::from_secs(30);
    while desk.said().len() < 2 {
        assert!(Instant::now() < deadline, "no answer");
        if let Step::Idle(Some(until)) = desk.settle() {
            desk.clock.turn((until - desk.now()).clamp(0, SECOND / 10));
        }
        desk.shared.intake.bell().wait(Some(Duration::from_millis(20)));
    }
    // then both attempts are below the span that asked for it,
    let (asked, attempts) = (seen.one("process left.events"), seen.named("Cook"));
    assert!(attempts.iter().all(|span| span.span_kind == SpanKind::Client && span.parent_span_id == id(&asked)));
    assert_eq!(attempts.iter().map(failed).collect::<Vec<_>>(), [true, false]);
    let numbers: Vec<_> = attempts.iter().filter_map(|span| attribute(span, "tutti.effect.attempt")).collect();
    assert_eq!(numbers, ["1", "2"]);
    assert_eq!(attribute(&attempts[1], "tutti.effect.key").as_deref(), Some("desk/Cook/a/1"));
    // what the adapter sends carries the attempt's own span,
    let heard: Vec<_> = kitchen.0.lock().unwrap().heard.iter().map(|span| SpanId::from(span.span_id)).collect();
    assert_eq!(heard, [id(&attempts[0]), id(&attempts[1])]);
    // and what follows from the answer is below the attempt that brought it.
    let answer = seen.one("answer Cook");
    assert_eq!(answer.parent_span_id, id(&attempts[1]));
    assert_eq!(said_in(&desk.log()[1]), id(seen.named("send desk.events").last().unwrap()));
    seen.are_one_tree_below(SENT);
    drop(within);
}
