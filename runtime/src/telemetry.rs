//! What operators see of a process: its log, its metrics and its spans. All of it is exported over OTLP where an endpoint
//! is set; without one there is the log on stderr, the metrics at `/metrics`, and nothing else is even built.
//!
//! Spans are made of what a batch holds anyway, once it is committed (`handled.rs`); whoever exports them is never waited
//! for (`spans.rs`).

mod attempted;
mod counts;
mod figures;
mod handled;
mod log;
mod meters;
mod reach;
mod requested;
mod sampler;
mod settings;
mod spans;

pub use figures::{Figures, refresh};
pub use meters::recorder;
pub use sampler::Sampler;
pub use settings::{SettingError, Settings};
pub use spans::Spans;

pub(crate) use counts::{Counts, LaneCounts};

use crate::handle::Handle;
use meters::Exported;
use opentelemetry::KeyValue;
use opentelemetry_otlp::{ExporterBuildError, LogExporter, MetricExporter, SpanExporter};
use opentelemetry_sdk::{Resource, logs::SdkLoggerProvider};
use reach::Reach;
use std::{collections::HashMap, fmt, sync::Arc, sync::mpsc, thread, time::Duration};
use tokio::task::JoinHandle;

/// How long the last spans, metrics and log lines may take to be sent when a process ends.
const FLUSH_WITHIN: Duration = Duration::from_secs(2);
/// What several services in one process are called together, where log lines and metrics name the process.
const SHOP: &str = "tutti";

/// A process's telemetry. Clones are the same; with the last one what was not sent yet is sent, within 2 s. The default
/// exports nothing.
#[derive(Clone, Default)]
pub struct Telemetry(Arc<Exporting>);

#[derive(Default)]
struct Exporting {
    spans: HashMap<&'static str, Spans>,
    metrics: Option<Exported>,
    logs: Option<SdkLoggerProvider>,
}

/// Starts the log, the metrics and, where an endpoint is set, their export and that of the spans of `services`, each
/// under its own `service.name`. A process starts its telemetry once, inside an async runtime, before it does anything
/// else.
///
/// # Errors
/// Names the setting that cannot be used.
pub fn start(services: &[&'static str], settings: &Settings) -> Result<Telemetry, SettingError> {
    let process = if let [service] = services { service } else { SHOP };
    let on = |signal: bool| settings.endpoint.as_ref().filter(|_| signal);
    let mut exporting = Exporting::default();
    let logs = on(settings.logs).map(|_| LogExporter::builder().build()).transpose();
    exporting.logs = log::start(settings, logs.map_err(|e| unusable(settings, e))?, &resource(process))?;
    if let Some(endpoint) = on(settings.metrics) {
        let exporter = MetricExporter::builder().build().map_err(|e| unusable(settings, e))?;
        let reach = Reach::new("metrics", endpoint);
        exporting.metrics = Some(Exported::new(exporter, reach, resource(process), settings.metrics_every));
    }
    meters::install(exporting.metrics.as_ref());
    if let Some(endpoint) = on(settings.traces) {
        let reach = Arc::new(Reach::new("traces", endpoint));
        for service in services {
            let exporter = SpanExporter::builder().build().map_err(|e| unusable(settings, e))?;
            let spans = Spans::to(service, exporter, settings.sampler, &resource(service), reach.clone());
            exporting.spans.insert(service, spans);
        }
    }
    Ok(Telemetry(Arc::new(exporting)))
}

fn unusable(settings: &Settings, error: ExporterBuildError) -> SettingError {
    SettingError::new(settings::ENDPOINT, settings.endpoint.as_deref().unwrap_or_default(), error.to_string())
}

/// Who says it. What `OTEL_RESOURCE_ATTRIBUTES` names is added.
fn resource(service: &str) -> Resource {
    let instance = KeyValue::new("service.instance.id", std::process::id().to_string());
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let namespace = KeyValue::new("service.namespace", SHOP);
    Resource::builder().with_attributes([namespace, version, instance]).with_service_name(service.to_owned()).build()
}

impl Telemetry {
    /// Where the spans of a service go.
    #[must_use]
    pub fn spans(&self, service: &str) -> Spans {
        self.0.spans.get(service).cloned().unwrap_or_default()
    }

    /// Keeps the metrics of these services up to date for whoever they are exported to, until the process ends. Must be
    /// called inside an async runtime; the task that is returned goes on until it is aborted.
    #[must_use]
    pub fn follow(&self, handles: Vec<Handle>) -> JoinHandle<()> {
        tokio::spawn(meters::follow(handles, self.0.metrics.clone()))
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry").field("traces", &self.0.spans.keys()).finish_non_exhaustive()
    }
}

impl Drop for Exporting {
    /// An endpoint that does not answer holds up the end of the process no longer than [`FLUSH_WITHIN`]; so the sending
    /// happens on a thread that is left behind when it takes longer.
    fn drop(&mut self) {
        let (spans, metrics, logs) = (std::mem::take(&mut self.spans), self.metrics.take(), self.logs.take());
        if spans.is_empty() && metrics.is_none() && logs.is_none() {
            return;
        }
        let (sent, done) = mpsc::channel();
        let sending = thread::Builder::new().name("telemetry-end".into()).spawn(move || {
            spans.values().for_each(|spans| spans.end(FLUSH_WITHIN));
            metrics.iter().for_each(Exported::end);
            // Where it failed, the exporter itself has said so.
            _ = logs.map(|logs| logs.shutdown_with_timeout(FLUSH_WITHIN));
            _ = sent.send(());
        });
        match sending.map(|_| done.recv_timeout(FLUSH_WITHIN)) {
            Ok(Ok(())) => {}
            Ok(Err(_)) => tracing::warn!("not all telemetry was sent within {} s", FLUSH_WITHIN.as_secs()),
            Err(error) => tracing::warn!(%error, "the last telemetry was not sent"),
        }
    }
}
