//! What one producer reports of its rows: how far the broker has them without a hole, and why the run is broken, once it
//! is.

use super::super::config;
use crate::failpoint;
use rdkafka::{
    ClientContext, Message,
    config::RDKafkaLogLevel,
    error::{KafkaError, RDKafkaErrorCode},
    message::DeliveryResult,
    producer::{NoCustomPartitioner, ProducerContext},
};
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
};

/// Takes note of what a producer reports.
#[derive(Clone)]
pub(in crate::bus::kafka) struct Deliveries(pub(super) Arc<Reports>);

/// What was reported so far.
#[derive(Default)]
pub(super) struct Reports {
    /// The last row of a run without holes that the broker has.
    confirmed: AtomicU64,
    /// Why the run is broken, once it is.
    failed: Mutex<Option<String>>,
    /// Where on the topic the last confirmed row is.
    offset: AtomicI64,
    /// A row was put where another one had been before: the topic was created anew, or lost its end.
    receded: AtomicBool,
    /// Rows were thrown away, as the consequence of an error that may be reported later.
    purged: AtomicBool,
    /// What the client last complained of; forgotten when a row is confirmed.
    complaint: Mutex<Option<String>>,
}

fn locked(mutex: &Mutex<Option<String>>) -> MutexGuard<'_, Option<String>> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Reports {
    /// A run behind this row, which is at this place on the topic.
    pub fn behind(confirmed: u64, offset: i64) -> Arc<Reports> {
        Arc::new(Reports { confirmed: confirmed.into(), offset: offset.into(), ..Reports::default() })
    }

    /// The last row of a run without holes that the broker has.
    pub fn confirmed(&self) -> u64 {
        self.confirmed.load(Ordering::Acquire)
    }

    /// Where on the topic it is.
    pub fn offset(&self) -> i64 {
        self.offset.load(Ordering::Acquire)
    }

    /// Whether the topic was created anew, or lost its end.
    pub fn has_receded(&self) -> bool {
        self.receded.load(Ordering::Acquire)
    }

    /// Why the run is broken, if that was said.
    pub fn failed(&self) -> Option<String> {
        locked(&self.failed).clone()
    }

    /// Whether rows were thrown away, as the consequence of an error that may be reported later.
    pub fn is_purged(&self) -> bool {
        self.purged.load(Ordering::Acquire)
    }

    /// What the client last complained of, if no row was confirmed since.
    pub fn complaint(&self) -> Option<String> {
        locked(&self.complaint).clone()
    }

    fn confirm(&self, seq: u64) {
        let confirmed = self.confirmed();
        if seq == confirmed + 1 && locked(&self.failed).is_none() && !self.is_purged() {
            self.confirmed.store(seq, Ordering::Release);
            *locked(&self.complaint) = None;
        } else if seq > confirmed {
            self.fail(format!("row {seq} was confirmed, but {} was not", confirmed + 1));
        }
    }

    /// Each row lies behind the one before. Of a repetition the broker may not know where it is.
    fn put_at(&self, offset: i64) {
        if offset >= 0 && offset <= self.offset.swap(offset, Ordering::AcqRel) {
            self.receded.store(true, Ordering::Release);
        }
    }

    fn fail(&self, why: String) {
        locked(&self.failed).get_or_insert(why);
    }
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        config::log(level, facility, line);
    }
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: "librdkafka", %error, reason);
        *locked(&self.0.complaint) = Some(reason.to_owned());
    }
}

impl ProducerContext<NoCustomPartitioner> for Deliveries {
    /// The row's seq.
    type DeliveryOpaque = usize;
    fn delivery(&self, result: &DeliveryResult<'_>, seq: usize) {
        match result {
            Ok(message) => {
                self.0.put_at(message.offset());
                self.0.confirm(seq as u64);
                failpoint::reached("relay.delivered");
            }
            Err((error, _)) if is_consequence(error) => self.0.purged.store(true, Ordering::Release),
            Err((error, message)) => self.0.fail(format!("row {seq} of {}: {error}", message.topic())),
        }
    }
}

fn is_consequence(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{Fatal, PurgeInflight, PurgeQueue};
    matches!(error, KafkaError::MessageProduction(PurgeQueue | PurgeInflight | Fatal))
}
