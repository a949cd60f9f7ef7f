//! One order is one trace: ids that travel with every row and record.

use std::{fmt, future::Future, str::FromStr};

/// A W3C trace id. An order's id is its trace id, so that searching for one finds the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceId(pub [u8; 16]);

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl FromStr for TraceId {
    type Err = String;
    fn from_str(text: &str) -> Result<TraceId, String> {
        let hex = text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        match u128::from_str_radix(text, 16) {
            Ok(id) if hex => Ok(TraceId(id.to_be_bytes())),
            _ => Err(format!("`{text}` is no trace id: 32 lowercase hexadecimal digits are expected")),
        }
    }
}

impl TraceId {
    /// A trace of its own for anything named by text that is no order: stable, so that a repeat is the same trace.
    #[must_use]
    pub fn of_text(text: &str) -> TraceId {
        let halves = [fnv1a(text.as_bytes(), 0), fnv1a(text.as_bytes(), 1)];
        TraceId(((u128::from(halves[0]) << 64) | u128::from(halves[1])).to_be_bytes())
    }
}

/// Where in a trace something happened: the W3C `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traceparent {
    /// The trace.
    pub trace_id: TraceId,
    /// The span.
    pub span_id: u64,
}

impl Traceparent {
    /// The span in which `service` handled the input that `seed` numbers. Derived rather than drawn, so that handling
    /// it again after a crash is the same span.
    #[must_use]
    pub fn child(&self, service: &str, generation: i64, seed: u64) -> Traceparent {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&generation.to_be_bytes());
        bytes[8..].copy_from_slice(&seed.to_be_bytes());
        let span_id = fnv1a(service.as_bytes(), fnv1a(&bytes, self.span_id)).max(1);
        Traceparent { trace_id: self.trace_id, span_id }
    }
}

impl From<TraceId> for Traceparent {
    fn from(trace_id: TraceId) -> Self {
        let span_id = fnv1a(&trace_id.0, 0).max(1);
        Traceparent { trace_id, span_id }
    }
}

impl fmt::Display for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{:016x}-01", self.trace_id, self.span_id)
    }
}

impl FromStr for Traceparent {
    type Err = String;
    fn from_str(text: &str) -> Result<Traceparent, String> {
        let bad = || format!("`{text}` is no W3C traceparent");
        let mut parts = text.split('-');
        let (Some(_version), Some(trace), Some(span)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(bad());
        };
        let span_id = u64::from_str_radix(span, 16).map_err(|_| bad())?;
        Ok(Traceparent { trace_id: trace.parse().map_err(|_| bad())?, span_id })
    }
}

tokio::task_local! {
    static CURRENT: Traceparent;
}

/// The span that the current task works in, for whatever it sends to others; none outside of [`within`].
#[must_use]
pub fn current() -> Option<Traceparent> {
    CURRENT.try_with(|parent| *parent).ok()
}

/// Does `work` in this span.
pub fn within<W: Future>(parent: Traceparent, work: W) -> impl Future<Output = W::Output> {
    CURRENT.scope(parent, work)
}

/// FNV-1a, 64 bit (Fowler, Noll, Vo), begun with a salt: spreads names over ids; nothing rests on its strength.
fn fnv1a(bytes: &[u8], salt: u64) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325 ^ salt.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bytes.iter().fold(start, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_reads_back_as_written() {
        let parent = Traceparent::from(TraceId::of_text("delivery-7")).child("inventory", 17, 3);
        assert_eq!(parent.to_string().parse(), Ok(parent));
        assert_eq!(parent.to_string().len(), 55);
    }

    #[test]
    fn what_is_no_trace_id_says_so() {
        assert!("4bf92f3577b34da6a3ce929d0e0e473".parse::<TraceId>().is_err());
        assert!("+bf92f3577b34da6a3ce929d0e0e4736".parse::<TraceId>().is_err());
        assert!("00-x-y".parse::<Traceparent>().is_err());
    }
}
