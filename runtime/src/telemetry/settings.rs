//! The settings of telemetry: OpenTelemetry's own environment variables as far as they are understood here, and
//! `TUTTI_LOG`. Headers, timeouts, compression and batching are read by the exporters themselves.

use super::{Sampler, sampler};
use std::{fmt, time::Duration};

pub(super) const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";
const METRICS_EVERY: &str = "OTEL_METRIC_EXPORT_INTERVAL";
pub(super) const LOG: &str = "TUTTI_LOG";

/// What is logged unless `TUTTI_LOG` says otherwise.
const LOGGED_USUALLY: &str = "info";
/// How often metrics are exported unless a setting says otherwise; OpenTelemetry's own default.
const USUALLY_EVERY: Duration = Duration::from_secs(60);

/// How a process tells about itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Where everything is exported to; nowhere if it is not set.
    pub endpoint: Option<String>,
    /// Which traces are recorded.
    pub sampler: Sampler,
    /// Whether traces are exported.
    pub traces: bool,
    /// Whether metrics are exported.
    pub metrics: bool,
    /// Whether log lines are exported.
    pub logs: bool,
    /// How often metrics are exported.
    pub metrics_every: Duration,
    /// What is logged, as in `info,runtime=debug`.
    pub log: String,
}

/// A setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct SettingError {
    setting: &'static str,
    value: String,
    why: String,
}

impl SettingError {
    pub(super) fn new(setting: &'static str, value: &str, why: impl Into<String>) -> SettingError {
        SettingError { setting, value: without_password(value), why: why.into() }
    }
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}: {}", self.setting, self.value, self.why)
    }
}

/// An address without the name and password that may stand in it.
pub(super) fn without_password(address: &str) -> String {
    match (address.split_once("://"), address.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        _ => address.to_owned(),
    }
}

impl Settings {
    /// Reads them from the environment.
    ///
    /// # Errors
    /// Names the variable, its value, and what to write instead.
    pub fn from_env() -> Result<Settings, SettingError> {
        Settings::read(|name| std::env::var(name).ok())
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Settings, SettingError> {
        // An empty variable counts as one that is not set.
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let endpoint = variable(ENDPOINT).map(check_endpoint).transpose()?;
        variable(PROTOCOL).map(|protocol| check_protocol(&protocol)).transpose()?;
        let (name, argument) = (variable(sampler::NAME), variable(sampler::ARGUMENT));
        Ok(Settings {
            endpoint,
            sampler: Sampler::named(name.as_deref(), argument.as_deref())?,
            traces: exported("OTEL_TRACES_EXPORTER", variable("OTEL_TRACES_EXPORTER"))?,
            metrics: exported("OTEL_METRICS_EXPORTER", variable("OTEL_METRICS_EXPORTER"))?,
            logs: exported("OTEL_LOGS_EXPORTER", variable("OTEL_LOGS_EXPORTER"))?,
            metrics_every: variable(METRICS_EVERY).map_or(Ok(USUALLY_EVERY), |text| milliseconds(&text))?,
            log: variable(LOG).unwrap_or_else(|| LOGGED_USUALLY.to_owned()),
        })
    }
}

fn check_endpoint(endpoint: String) -> Result<String, SettingError> {
    if endpoint.starts_with("http://") {
        return Ok(endpoint);
    }
    let why = "write an address that begins with http://, as http://127.0.0.1:4317; a collector that wants TLS is reached \
               through one beside this process";
    Err(SettingError::new(ENDPOINT, &endpoint, why))
}

fn check_protocol(protocol: &str) -> Result<(), SettingError> {
    match protocol {
        "grpc" | "http/protobuf" => Ok(()),
        other => Err(SettingError::new(PROTOCOL, other, "write grpc or http/protobuf")),
    }
}

fn exported(name: &'static str, value: Option<String>) -> Result<bool, SettingError> {
    match value.as_deref() {
        None | Some("otlp") => Ok(true),
        Some("none") => Ok(false),
        Some(other) => Err(SettingError::new(name, other, "write otlp or none")),
    }
}

fn milliseconds(text: &str) -> Result<Duration, SettingError> {
    let millis = text.parse().ok().filter(|millis| *millis > 0).map(Duration::from_millis);
    millis.ok_or_else(|| SettingError::new(METRICS_EVERY, text, "write milliseconds, as 10000"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(set: &[(&str, &str)]) -> Result<Settings, SettingError> {
        Settings::read(|name| set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn without_an_endpoint_nothing_is_exported() {
        assert_eq!(read(&[]).unwrap().endpoint, None);
        assert_eq!(read(&[(ENDPOINT, "")]).unwrap().endpoint, None);
        assert_eq!(read(&[]).unwrap().log, "info");
    }

    #[test]
    fn what_is_set_is_taken() {
        let settings = read(&[
            (ENDPOINT, "http://collector:4317"),
            (PROTOCOL, "grpc"),
            ("OTEL_METRICS_EXPORTER", "none"),
            ("OTEL_LOGS_EXPORTER", "otlp"),
            (METRICS_EVERY, "5000"),
            (LOG, "debug"),
        ]);
        let settings = settings.unwrap();
        assert_eq!(settings.endpoint.as_deref(), Some("http://collector:4317"));
        assert_eq!((settings.traces, settings.metrics, settings.logs), (true, false, true));
        assert_eq!((settings.metrics_every, &*settings.log), (Duration::from_secs(5), "debug"));
    }

    #[test]
    fn what_cannot_be_used_is_named_without_passwords() {
        for (name, value, said) in [
            (ENDPOINT, "collector:4317", "OTEL_EXPORTER_OTLP_ENDPOINT=collector:4317: write an address"),
            (ENDPOINT, "https://a:secret@c:1", "OTEL_EXPORTER_OTLP_ENDPOINT=https://…@c:1: write an address"),
            (PROTOCOL, "http/json", "OTEL_EXPORTER_OTLP_PROTOCOL=http/json: write grpc or http/protobuf"),
            ("OTEL_TRACES_EXPORTER", "zipkin", "OTEL_TRACES_EXPORTER=zipkin: write otlp or none"),
            (METRICS_EVERY, "0", "OTEL_METRIC_EXPORT_INTERVAL=0: write milliseconds"),
        ] {
            let error = read(&[(name, value)]).unwrap_err().to_string();
            assert!(error.starts_with(said), "{error}");
        }
    }
}
