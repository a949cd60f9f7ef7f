//! Whether the one who takes the telemetry can be reached: one log line when it no longer can, one when it can again.

use super::settings::without_password;
use opentelemetry_sdk::error::OTelSdkResult;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How the export of one signal goes.
#[derive(Debug)]
pub(super) struct Reach {
    signal: &'static str,
    endpoint: String,
    away: AtomicBool,
    lost: AtomicU64,
}

impl Reach {
    pub fn new(signal: &'static str, endpoint: &str) -> Reach {
        let endpoint = without_password(endpoint);
        Reach { signal, endpoint, away: AtomicBool::new(false), lost: AtomicU64::new(0) }
    }

    /// Takes note of how an export of `count` items ended.
    pub fn note(&self, result: &OTelSdkResult, count: usize) {
        match result {
            Ok(()) if self.away.swap(false, Ordering::Relaxed) => {
                let lost = self.lost.swap(0, Ordering::Relaxed);
                tracing::info!(signal = self.signal, endpoint = self.endpoint, lost, "telemetry is exported again");
            }
            Ok(()) => {}
            Err(error) => {
                self.lose(count);
                self.now_away(&error.to_string());
            }
        }
    }

    /// So many items found no room, because those before them are not taken.
    pub fn overflowed(&self, count: usize) {
        self.lose(count);
        self.now_away("more comes than is taken");
    }

    /// Whether the last export failed.
    #[cfg(test)]
    pub fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }

    /// How much was lost since it could last be exported.
    #[cfg(test)]
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    fn lose(&self, count: usize) {
        self.lost.fetch_add(count as u64, Ordering::Relaxed);
        metrics::counter!("tutti.telemetry.dropped", "signal" => self.signal).increment(count as u64);
    }

    fn now_away(&self, why: &str) {
        if !self.away.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                signal = self.signal,
                endpoint = self.endpoint,
                why,
                "telemetry cannot be exported; it is dropped, and counted as tutti.telemetry.dropped"
            );
        }
    }
}
