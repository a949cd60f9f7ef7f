//! What operators see: one log line where something was handled, and counters that answer their questions.

use crate::{
    draft::Passed,
    incoming::{Incoming, Reply},
};

/// Reports a committed batch: every event at debug level with its trace, everything set aside as a warning.
pub(crate) fn batch_passed(service: &'static str, batch: &[Incoming], passed: &Passed) {
    metrics::counter!("tutti.commits", "service" => service).increment(1);
    metrics::counter!("tutti.inputs", "service" => service).increment(batch.len() as u64);
    metrics::counter!("tutti.events", "service" => service).increment(passed.log.len() as u64);
    for row in &passed.log {
        tracing::debug!(
            service,
            event = row.name,
            key = row.key,
            trace_id = row.trace.split('-').nth(1),
            cause = row.cause,
            seq = row.seq,
            "said"
        );
    }
    for (input, reply) in batch.iter().zip(&passed.replies) {
        let trace_id = || input.trace.trace_id.to_string();
        match reply {
            Reply::Parked(reason) => {
                metrics::counter!("tutti.parked", "service" => service).increment(1);
                tracing::warn!(service, event = input.name(), key = input.key, trace_id = trace_id(), reason, "parked");
            }
            Reply::Stuck(reason) => {
                metrics::counter!("tutti.stuck", "service" => service).increment(1);
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
}
