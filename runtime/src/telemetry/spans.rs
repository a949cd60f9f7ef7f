//! Where the spans of one service go: into a bounded queue, from which a thread of its own exports them in batches. When
//! they are not taken fast enough they are dropped and counted; nobody ever waits.

use super::{Sampler, reach::Reach};
use crate::trace::{TraceId, Traceparent};
use opentelemetry::InstrumentationScope;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{BatchConfigBuilder, BatchSpanProcessor, SpanData, SpanExporter, SpanProcessor},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Spans that may wait for their export; about 1 kB each.
const MAX_WAITING: usize = 16 * 1024;

/// Where one service's spans go. Clones are the same; the default goes nowhere.
#[derive(Clone, Default)]
pub struct Spans(Option<Arc<Sink>>);

pub(super) struct Sink {
    pub service: &'static str,
    pub scope: InstrumentationScope,
    sampler: Sampler,
    processor: BatchSpanProcessor,
    waiting: Arc<AtomicUsize>,
    reach: Arc<Reach>,
}

impl Spans {
    /// Spans of `service` that `sampler` chooses, to an exporter.
    pub fn to_exporter(service: &'static str, exporter: impl SpanExporter + 'static, sampler: Sampler) -> Spans {
        Spans::to(service, exporter, sampler, &super::resource(service), Arc::new(Reach::new("traces", "the exporter")))
    }

    pub(super) fn to(
        service: &'static str,
        exporter: impl SpanExporter + 'static,
        sampler: Sampler,
        resource: &Resource,
        reach: Arc<Reach>,
    ) -> Spans {
        let waiting = Arc::<AtomicUsize>::default();
        let exporter = Counted { exporter, waiting: waiting.clone(), reach: reach.clone() };
        let config = BatchConfigBuilder::default().with_max_queue_size(MAX_WAITING).build();
        let mut processor = BatchSpanProcessor::new(exporter, config);
        processor.set_resource(resource);
        let scope = InstrumentationScope::builder("tutti").with_version(env!("CARGO_PKG_VERSION")).build();
        Spans(Some(Arc::new(Sink { service, scope, sampler, processor, waiting, reach })))
    }

    pub(super) fn sink(&self) -> Option<&Sink> {
        self.0.as_deref()
    }

    /// A span of this trace as it begins here: with the decision whether the trace is recorded.
    pub(crate) fn begun(&self, at: Traceparent) -> Traceparent {
        Traceparent { sampled: at.sampled && self.begins(at.trace_id), ..at }
    }

    fn begins(&self, trace: TraceId) -> bool {
        self.sink().is_none_or(|sink| sink.sampler.begins(trace))
    }

    /// Sends what waits, and waits for it; for tests.
    ///
    /// # Errors
    /// When it cannot be sent.
    pub fn flush(&self) -> OTelSdkResult {
        self.sink().map_or(Ok(()), |sink| sink.processor.force_flush())
    }

    /// Sends what waits; afterwards nothing is taken any more.
    pub(super) fn end(&self, within: Duration) {
        // Where it failed, the exporter itself has said so.
        _ = self.sink().map(|sink| sink.processor.shutdown_with_timeout(within));
    }
}

impl Sink {
    /// Whether a span with this parent is recorded.
    pub fn takes(&self, parent: &Traceparent) -> bool {
        self.sampler.takes(parent)
    }

    /// Takes spans that are over, if there is room.
    pub fn take(&self, spans: Vec<SpanData>) {
        let count = spans.len();
        if self.waiting.fetch_add(count, Ordering::Relaxed) + count > MAX_WAITING {
            self.waiting.fetch_sub(count, Ordering::Relaxed);
            self.reach.overflowed(count);
            return;
        }
        spans.into_iter().for_each(|span| self.processor.on_end(span));
    }
}

/// An exporter that tells how it goes, and how much has left the queue.
#[derive(Debug)]
struct Counted<E> {
    exporter: E,
    waiting: Arc<AtomicUsize>,
    reach: Arc<Reach>,
}

impl<E: SpanExporter> SpanExporter for Counted<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len();
        let exported = self.exporter.export(batch).await;
        self.waiting.fetch_sub(count, Ordering::Relaxed);
        self.reach.note(&exported, count);
        exported
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::trace::{SpanContext, SpanId, SpanKind};
    use opentelemetry_sdk::error::OTelSdkError;
    use std::sync::Mutex;

    /// Takes nothing until it is let go, and then refuses.
    #[derive(Debug)]
    struct Away(Arc<Mutex<()>>);

    impl SpanExporter for Away {
        async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
            drop(self.0.lock());
            Err(OTelSdkError::InternalFailure("nobody listens".into()))
        }
    }

    fn some(sink: &Sink, count: usize) -> Vec<SpanData> {
        let blank = SpanContext::empty_context();
        let span = super::super::handled::ended(
            sink,
            blank,
            SpanId::INVALID,
            SpanKind::Internal,
            "span".into(),
            (0, 1),
            vec![],
        );
        vec![span; count]
    }

    #[test]
    fn an_exporter_that_is_away_holds_nobody_up_and_what_it_loses_is_counted() {
        let gate = Arc::<Mutex<()>>::default();
        let reach = Arc::new(Reach::new("traces", "nowhere"));
        let resource = Resource::builder_empty().build();
        let spans = Spans::to("desk", Away(gate.clone()), Sampler::default(), &resource, reach.clone());
        let sink = spans.sink().unwrap();
        let shut = gate.lock().unwrap();
        // Given an exporter that hangs, when more comes than the queue holds, then the rest is dropped at once.
        for _ in 0..20 {
            sink.take(some(sink, 1024));
        }
        assert_eq!(reach.lost(), 4 * 1024);
        assert!(reach.is_away());
        // When it fails at last, then all of it is lost, and there is room again.
        drop(shut);
        _ = spans.flush(); // an error only if something was left to send
        assert_eq!((reach.lost(), sink.waiting.load(Ordering::Relaxed)), (20 * 1024, 0));
    }
}
