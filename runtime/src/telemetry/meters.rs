//! The process's metrics: collected once, shown at `/metrics` in Prometheus' format, and exported over OTLP.

use super::{figures::refresh, reach::Reach};
use crate::handle::Handle;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use metrics_opentelemetry::{OpenTelemetryMetrics, OpenTelemetryRecorder};
use metrics_util::layers::FanoutBuilder;
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    metrics::{PeriodicReader, SdkMeterProvider, Temporality, data::ResourceMetrics, exporter::PushMetricExporter},
};
use std::{sync::OnceLock, time::Duration};
use tokio::time::MissedTickBehavior;

/// How often what was measured is summed up, so that it takes no more memory when nobody asks for it.
const UPKEEP_EVERY: Duration = Duration::from_secs(10);
/// The reader's own pace: never, because ours brings the gauges up to date first.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// Histograms with their bounds.
const HISTOGRAMS: [(&str, &[f64]); 4] = [
    ("tutti.batch.inputs", &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0]),
    ("tutti.commit.seconds", &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0]),
    ("tutti.edge.seconds", &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0, 60.0]),
    ("tutti.time_to_settled.seconds", &[1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0, 259_200.0]),
];

static RECORDER: OnceLock<Result<PrometheusHandle, String>> = OnceLock::new();

/// Collects what the process counts. There is one recorder in a process, however many shops it opens.
///
/// # Errors
/// When another recorder was installed before.
pub fn recorder() -> Result<&'static PrometheusHandle, String> {
    install(None);
    match RECORDER.get() {
        Some(recorder) => recorder.as_ref().map_err(Clone::clone),
        None => Err("the metrics' recorder was not installed".into()),
    }
}

/// Installs the recorder, unless it is.
pub(super) fn install(exported: Option<&Exported>) {
    RECORDER.get_or_init(|| {
        let prometheus = prometheus()?;
        let handle = prometheus.handle();
        let installed = match exported {
            None => metrics::set_global_recorder(prometheus).map_err(|error| error.to_string()),
            Some(exported) => {
                let both = FanoutBuilder::default().add_recorder(prometheus).add_recorder(exported.recorder());
                metrics::set_global_recorder(both.build()).map_err(|error| error.to_string())
            }
        };
        describe();
        installed.map(|()| handle)
    });
}

fn prometheus() -> Result<PrometheusRecorder, String> {
    let mut builder = PrometheusBuilder::new();
    for (name, bounds) in HISTOGRAMS {
        builder = builder.set_buckets_for_metric(Matcher::Full(name.into()), bounds).map_err(|e| e.to_string())?;
    }
    Ok(builder.build_recorder())
}

fn describe() {
    use metrics::{Unit, describe_counter as counter, describe_gauge as gauge, describe_histogram as histogram};
    counter!("tutti.commits", "Batches committed.");
    counter!("tutti.inputs", "Inputs that passed the door.");
    counter!("tutti.events", "Events said.");
    counter!("tutti.parked", "Records set aside since the start.");
    counter!("tutti.stuck", "Work set aside since the start.");
    counter!("tutti.work.retried", "Attempts that told nothing, so that the effect is tried again.");
    counter!("tutti.gaps", "Times that a record of a source was missing.");
    counter!("tutti.compensations", "Orders cancelled, by reason.");
    counter!("tutti.telemetry.dropped", "Spans, metrics and log lines that could not be exported.");
    counter!("tutti.edge.requests", "Requests handed on to a service, by how they ended.");
    gauge!("tutti.ready", "1 while the service can do its work.");
    gauge!("tutti.log.head", "The last sequence number of the service's log.");
    gauge!("tutti.unpublished", "Events in the log that are not known to be on the bus.");
    gauge!("tutti.work.open", "Effects and timers that are not answered yet.");
    gauge!("tutti.work.stuck", "Of these, those that a person must look at.");
    gauge!("tutti.parked.open", "Records set aside.");
    gauge!("tutti.gap.open", "1 while a record of the source is missing.");
    gauge!("tutti.lag.records", Unit::Count, "Records of the source that the service has not taken yet.");
    gauge!("tutti.lag.seconds", Unit::Seconds, "How old the last record of the source was when it was taken.");
    gauge!("tutti.orders.open", "Orders that are not settled and older than this.");
    gauge!(
        "tutti.undo.outstanding",
        "Cancelled orders whose participant has not undone its part for longer than this."
    );
    histogram!("tutti.batch.inputs", "Inputs in one batch.");
    histogram!("tutti.commit.seconds", Unit::Seconds, "How long the store took to commit a batch.");
    histogram!("tutti.edge.seconds", Unit::Seconds, "How long a service took to begin its answer, as the edge saw it.");
    histogram!("tutti.time_to_settled.seconds", Unit::Seconds, "From an order's placing to its end.");
}

/// Brings the gauges up to date and exports them, again and again; without an exporter it only sums up.
pub(super) async fn follow(handles: Vec<Handle>, exported: Option<Exported>) {
    let mut ticks = tokio::time::interval(exported.as_ref().map_or(UPKEEP_EVERY, |e| e.every.min(UPKEEP_EVERY)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = tokio::time::Instant::now();
    loop {
        ticks.tick().await;
        if let Some(Ok(recorder)) = RECORDER.get() {
            recorder.run_upkeep();
        }
        let Some(exported) = exported.as_ref().filter(|exported| last.elapsed() >= exported.every) else { continue };
        last = tokio::time::Instant::now();
        if let Err(error) = refresh(&handles).await {
            tracing::warn!(%error, "some metrics are not up to date");
        }
        let provider = exported.provider.clone();
        // Where it failed, the exporter itself has said so.
        _ = tokio::task::spawn_blocking(move || provider.force_flush()).await;
    }
}

/// Metrics on their way to whoever collects them.
#[derive(Clone)]
pub(super) struct Exported {
    provider: SdkMeterProvider,
    every: Duration,
}

impl Exported {
    pub fn new(exporter: impl PushMetricExporter, reach: Reach, resource: Resource, every: Duration) -> Exported {
        let reader = PeriodicReader::builder(Counted { exporter, reach }).with_interval(NEVER).build();
        Exported { provider: SdkMeterProvider::builder().with_resource(resource).with_reader(reader).build(), every }
    }

    fn recorder(&self) -> OpenTelemetryRecorder {
        let mut recorder = OpenTelemetryRecorder::new(OpenTelemetryMetrics::new(self.provider.meter("tutti")));
        for (name, bounds) in HISTOGRAMS {
            recorder.set_histogram_bounds_mut([name].into_iter(), bounds);
        }
        recorder
    }

    /// Exports once more; afterwards no more.
    pub fn end(&self) {
        // Where it failed, the exporter itself has said so.
        _ = self.provider.shutdown();
    }
}

/// An exporter that tells how it goes.
struct Counted<E> {
    exporter: E,
    reach: Reach,
}

impl<E: PushMetricExporter> PushMetricExporter for Counted<E> {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let exported = self.exporter.export(metrics).await;
        self.reach.note(&exported, metrics.scope_metrics().map(|scope| scope.metrics().count()).sum());
        exported
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.exporter.temporality()
    }
}
