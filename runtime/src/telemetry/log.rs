//! The process's log: on stderr, as lines for a person at a terminal and as JSON otherwise; and exported over OTLP, where
//! each line belongs to the trace that it names.

use super::{SettingError, Settings, reach::Reach, settings};
use opentelemetry::{
    InstrumentationScope,
    logs::{AnyValue, LogRecord},
    trace::{SpanId, TraceId},
};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    logs::{LogBatch, LogExporter, LogProcessor, SdkLogRecord, SdkLoggerProvider},
};
use std::{io::IsTerminal, time::Duration};
use tracing_subscriber::{
    EnvFilter, Layer, Registry, filter::filter_fn, fmt, layer::SubscriberExt, util::SubscriberInitExt,
};

/// Who takes part in exporting: what they say about it must not be exported in turn.
const EXPORTERS: [&str; 6] = ["opentelemetry", "hyper", "h2", "tonic", "tower", "reqwest"];

/// Starts the log. Returns who exports it.
pub(super) fn start(
    settings: &Settings,
    exporter: Option<impl LogExporter + 'static>,
    resource: &Resource,
) -> Result<Option<SdkLoggerProvider>, SettingError> {
    let logs = exporter.map(|exporter| provider(settings, exporter, resource));
    let exported = logs.as_ref().map(|logs| {
        let of_ours = filter_fn(|line| !EXPORTERS.iter().any(|exporter| line.target().starts_with(exporter)));
        OpenTelemetryTracingBridge::new(logs).with_filter(of_ours).boxed()
    });
    let layers: Vec<_> = [Some(shown()), exported].into_iter().flatten().collect();
    // One filter for all. If each layer had its own, a line of a crate that uses `log` and is filtered out would take the
    // thread's next line with it: such lines are asked about, and then not said, which leaves each layer's answer behind.
    let started = tracing_subscriber::registry().with(layers).with(filter(settings)?).try_init();
    let failed =
        |why: String| SettingError::new(settings::LOG, &settings.log, format!("the log cannot be started: {why}"));
    started.map(|()| logs).map_err(|error| failed(error.to_string()))
}

/// Lines on stderr.
fn shown() -> Box<dyn Layer<Registry> + Send + Sync> {
    let lines = fmt::layer().with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() { lines.boxed() } else { lines.json().flatten_event(true).boxed() }
}

fn filter(settings: &Settings) -> Result<EnvFilter, SettingError> {
    EnvFilter::try_new(&settings.log).map_err(|error| {
        let why = format!("{error}; write for example info or info,runtime=debug");
        SettingError::new(settings::LOG, &settings.log, why)
    })
}

fn provider(settings: &Settings, exporter: impl LogExporter + 'static, resource: &Resource) -> SdkLoggerProvider {
    let reach = Reach::new("logs", settings.endpoint.as_deref().unwrap_or_default());
    SdkLoggerProvider::builder()
        .with_resource(resource.clone())
        .with_log_processor(InTrace)
        .with_batch_exporter(Counted { exporter, reach })
        .build()
}

/// Puts a line into the trace that it names, so that whoever looks at the trace finds it.
#[derive(Debug)]
struct InTrace;

impl LogProcessor for InTrace {
    fn emit(&self, line: &mut SdkLogRecord, _: &InstrumentationScope) {
        let named = line.attributes_iter().find_map(|(key, value)| match value {
            AnyValue::String(id) if key.as_str() == "trace_id" => TraceId::from_hex(id.as_str()).ok(),
            _ => None,
        });
        if let Some(trace) = named {
            line.set_trace_context(trace, SpanId::INVALID, None);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// An exporter that tells how it goes.
#[derive(Debug)]
struct Counted<E> {
    exporter: E,
    reach: Reach,
}

impl<E: LogExporter> LogExporter for Counted<E> {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let count = batch.iter().count();
        let exported = self.exporter.export(batch).await;
        self.reach.note(&exported, count);
        exported
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
