//! Which traces are recorded: decided where a trace begins, from its id alone, so that all services agree.

use super::SettingError;
use crate::trace::{TraceId, Traceparent};
use opentelemetry::trace::SpanKind;
use opentelemetry_sdk::trace::{Sampler as SdkSampler, SamplingDecision, ShouldSample};

pub(super) const NAME: &str = "OTEL_TRACES_SAMPLER";
pub(super) const ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";

/// How traces are chosen, as OpenTelemetry's `OTEL_TRACES_SAMPLER` says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampler {
    /// Of the traces that begin here, this part is recorded: from 0 to 1.
    ratio: f64,
    /// Whether what began elsewhere is recorded if its own `traceparent` says so; otherwise its id decides again.
    by_parent: bool,
}

impl Default for Sampler {
    /// Everything is recorded, unless its `traceparent` says otherwise: `parentbased_always_on`.
    fn default() -> Sampler {
        Sampler { ratio: 1.0, by_parent: true }
    }
}

impl Sampler {
    /// The sampler of this name, with its argument: the part to record.
    ///
    /// # Errors
    /// When there is no such sampler, or its argument is no part.
    pub fn named(name: Option<&str>, argument: Option<&str>) -> Result<Sampler, SettingError> {
        let Some(name) = name else { return Ok(Sampler::default()) };
        let (by_parent, kind) = match name.strip_prefix("parentbased_") {
            Some(kind) => (true, kind),
            None => (false, name),
        };
        let ratio = match kind {
            "always_on" => 1.0,
            "always_off" => 0.0,
            "traceidratio" => ratio(argument.unwrap_or("1"))?,
            _ => {
                let why = "write always_on, always_off or traceidratio, each also with parentbased_ before it";
                return Err(SettingError::new(NAME, name, why));
            }
        };
        Ok(Sampler { ratio, by_parent })
    }

    /// Whether a trace that begins here is recorded.
    pub(crate) fn begins(self, trace: TraceId) -> bool {
        let id = opentelemetry::trace::TraceId::from_bytes(trace.0);
        let sampler = SdkSampler::TraceIdRatioBased(self.ratio);
        let sampled = sampler.should_sample(None, id, "", &SpanKind::Internal, &[], &[]);
        sampled.decision == SamplingDecision::RecordAndSample
    }

    /// Whether a span is recorded whose parent this is.
    pub(crate) fn takes(self, parent: &Traceparent) -> bool {
        if self.by_parent { parent.sampled } else { self.begins(parent.trace_id) }
    }
}

fn ratio(text: &str) -> Result<f64, SettingError> {
    let ratio = text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio));
    ratio.ok_or_else(|| SettingError::new(ARGUMENT, text, "write the part to record, as 0.1; from 0 to 1"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    fn sampler(name: &str, argument: &str) -> Sampler {
        Sampler::named(Some(name), Some(argument)).unwrap()
    }

    /// An order's id as the order service makes it: the time, then digits of a hash.
    fn order_id(n: u64) -> TraceId {
        let mut id = TraceId([0x01, 0x8b, 0xcf, 0xe5, 0x68, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        id.0[6..].copy_from_slice(&Sha256::digest(n.to_be_bytes())[..10]);
        id
    }

    #[test]
    fn the_part_asked_for_is_recorded_and_every_service_records_the_same() {
        let (one, other) = (sampler("traceidratio", "0.1"), sampler("parentbased_traceidratio", "0.1"));
        let recorded: Vec<_> = (0..10_000).map(order_id).filter(|id| one.begins(*id)).collect();
        assert!((800..1200).contains(&recorded.len()), "{}", recorded.len());
        assert!(recorded.iter().all(|id| other.begins(*id) && one.takes(&(*id).into())));
    }

    #[test]
    fn what_began_elsewhere_goes_by_its_own_flag_if_the_sampler_is_parent_based() {
        let recorded = Traceparent::from(order_id(1));
        let not = Traceparent { sampled: false, ..recorded };
        assert!(sampler("parentbased_always_off", "").takes(&recorded));
        assert!(!sampler("parentbased_always_on", "").takes(&not));
        assert!(!sampler("always_off", "").takes(&recorded));
        assert!(sampler("always_on", "").takes(&not));
        assert_eq!(Sampler::named(None, None), Ok(Sampler::default()));
    }

    #[test]
    fn what_is_no_sampler_is_named() {
        let said = Sampler::named(Some("sometimes"), None).unwrap_err().to_string();
        assert!(said.starts_with("OTEL_TRACES_SAMPLER=sometimes: write always_on"), "{said}");
        for argument in ["-0.1", "1.5", "NaN", "half"] {
            let said = Sampler::named(Some("traceidratio"), Some(argument)).unwrap_err().to_string();
            assert!(said.starts_with(&format!("OTEL_TRACES_SAMPLER_ARG={argument}: ")), "{said}");
        }
    }
}
