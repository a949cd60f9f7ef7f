//! What is counted as batches pass: handles of metrics are looked up once, so that counting is an addition.

use crate::{
    clock::Micros,
    draft::Passed,
    incoming::{Incoming, Reply},
};
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

/// Microseconds as metrics show time.
#[allow(clippy::cast_precision_loss, reason = "metrics are floating point; no span of time here nears 2^53 µs")]
pub(super) fn seconds(micros: Micros) -> f64 {
    micros.max(0) as f64 / 1e6
}

/// A count as a gauge or histogram takes it.
#[allow(clippy::cast_precision_loss, reason = "metrics are floating point; no count here nears 2^53")]
pub(super) fn count(count: u64) -> f64 {
    count as f64
}

/// What one engine counts.
pub(crate) struct Counts {
    service: &'static str,
    commits: Counter,
    inputs: Counter,
    events: Counter,
    batch: Histogram,
    commit: Histogram,
    unpublished: Gauge,
}

impl Counts {
    pub fn of(service: &'static str) -> Counts {
        Counts {
            service,
            commits: counter!("tutti.commits", "service" => service),
            inputs: counter!("tutti.inputs", "service" => service),
            events: counter!("tutti.events", "service" => service),
            batch: histogram!("tutti.batch.inputs", "service" => service),
            commit: histogram!("tutti.commit.seconds", "service" => service),
            unpublished: gauge!("tutti.unpublished", "service" => service),
        }
    }

    /// Reports a committed batch: every event at debug level with its trace, everything set aside as a warning.
    pub fn batch_passed(&self, batch: &[Incoming], passed: &Passed) {
        self.commits.increment(1);
        self.inputs.increment(batch.len() as u64);
        self.events.increment(passed.log.len() as u64);
        self.batch.record(count(batch.len() as u64));
        self.commit.record(seconds(passed.commit_took));
        for row in &passed.log {
            tracing::debug!(
                service = self.service,
                event = row.name,
                key = row.key,
                trace_id = row.trace.split('-').nth(1),
                cause = row.cause,
                seq = row.seq,
                "said"
            );
        }
        batch.iter().zip(&passed.replies).for_each(|(input, reply)| self.set_aside(input, reply));
    }

    fn set_aside(&self, input: &Incoming, reply: &Reply) {
        let service = self.service;
        let trace_id = || input.trace.trace_id.to_string();
        match reply {
            Reply::Parked(reason) => {
                counter!("tutti.parked", "service" => service).increment(1);
                tracing::warn!(service, event = input.name(), key = input.key, trace_id = trace_id(), reason, "parked");
            }
            Reply::Stuck(reason) => {
                counter!("tutti.stuck", "service" => service).increment(1);
                tracing::warn!(service, work = input.name(), key = input.key, trace_id = trace_id(), reason, "stuck");
            }
            Reply::Failed(reason) => tracing::error!(
                service,
                command = input.name(),
                key = input.key,
                trace_id = trace_id(),
                reason,
                "failed"
            ),
            Reply::Accepted | Reply::Unchanged | Reply::Refused(_) | Reply::Seen | Reply::Early | Reply::Led(_) => {}
        }
    }

    /// The log goes so far, and is known to be published so far.
    pub fn published(&self, head: u64, published: u64) {
        self.unpublished.set(count(head.saturating_sub(published)));
    }

    /// An attempt told nothing: the effect is tried again.
    pub fn tried_again(&self, effect: &str) {
        counter!("tutti.work.retried", "service" => self.service, "effect" => effect.to_owned()).increment(1);
    }
}

/// What is counted about one source that a service reads.
pub(crate) struct LaneCounts {
    lag: Gauge,
    gaps: Counter,
    gap: Gauge,
}

impl LaneCounts {
    pub fn of(service: &'static str, source: &'static str) -> LaneCounts {
        let counts = LaneCounts {
            lag: gauge!("tutti.lag.seconds", "service" => service, "source" => source),
            gaps: counter!("tutti.gaps", "service" => service, "source" => source),
            gap: gauge!("tutti.gap.open", "service" => service, "source" => source),
        };
        counts.gap.set(0.0);
        counts
    }

    /// The last record that was taken is so old.
    pub fn taken(&self, age: Micros) {
        self.lag.set(seconds(age));
    }

    /// A record is missing.
    pub fn gap_opened(&self) {
        self.gaps.increment(1);
        self.gap.set(1.0);
    }

    /// It is no longer missing.
    pub fn gap_closed(&self) {
        self.gap.set(0.0);
    }
}
