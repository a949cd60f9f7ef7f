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
    /// Whether the trace is recorded: decided once, where it begins, and carried on by everything that follows.
    pub sampled: bool,
}

impl Traceparent {
    /// A span below this one: what `service` did of the kind `what`, told apart from its like by a generation or epoch
    /// and a number. Derived rather than drawn, so that it is known before it is over, and whoever knows what was done
    /// finds its span.
    #[must_use]
    pub fn child(&self, service: &str, what: &str, within: i64, number: u64) -> Traceparent {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&within.to_be_bytes());
        bytes[8..].copy_from_slice(&number.to_be_bytes());
        let named = fnv1a(what.as_bytes(), fnv1a(service.as_bytes(), self.span_id));
        Traceparent { span_id: fnv1a(&bytes, named).max(1), ..*self }
    }
}

impl From<TraceId> for Traceparent {
    /// The root of the trace.
    fn from(trace_id: TraceId) -> Self {
        let span_id = fnv1a(&trace_id.0, 0).max(1);
        Traceparent { trace_id, span_id, sampled: true }
    }
}

impl fmt::Display for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{:016x}-{:02x}", self.trace_id, self.span_id, u8::from(self.sampled))
    }
}

impl FromStr for Traceparent {
    type Err = String;
    fn from_str(text: &str) -> Result<Traceparent, String> {
        let bad = || format!("`{text}` is no W3C traceparent");
        let mut parts = text.split('-');
        let (Some(_version), Some(trace), Some(span), Some(flags)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(bad());
        };
        let span_id = u64::from_str_radix(span, 16).map_err(|_| bad())?;
        let flags = u8::from_str_radix(flags, 16).map_err(|_| bad())?;
        Ok(Traceparent { trace_id: trace.parse().map_err(|_| bad())?, span_id, sampled: flags & 1 == 1 })
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
        let parent = Traceparent::from(TraceId::of_text("delivery-7")).child("inventory", "process", 17, 3);
        assert_eq!(parent.to_string().parse(), Ok(parent));
        assert_eq!(parent.to_string().len(), 55);
        let unrecorded = Traceparent { sampled: false, ..parent };
        assert_eq!(unrecorded.to_string().parse(), Ok(unrecorded));
        assert_eq!(&unrecorded.to_string()[52..], "-00");
    }

    #[test]
    fn children_of_one_span_are_told_apart_by_each_part_of_what_they_are() {
        let root = Traceparent::from(TraceId::of_text("delivery-7"));
        let children = [
            root.child("inventory", "process", 17, 3),
            root.child("payment", "process", 17, 3),
            root.child("inventory", "send", 17, 3),
            root.child("inventory", "process", 18, 3),
            root.child("inventory", "process", 17, 4),
        ];
        let ids: std::collections::BTreeSet<u64> = children.iter().map(|child| child.span_id).collect();
        assert_eq!(ids.len(), children.len());
    }

    #[test]
    fn what_is_no_trace_id_says_so() {
        assert!("4bf92f3577b34da6a3ce929d0e0e473".parse::<TraceId>().is_err());
        assert!("+bf92f3577b34da6a3ce929d0e0e4736".parse::<TraceId>().is_err());
        assert!("00-x-y".parse::<Traceparent>().is_err());
        assert!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7".parse::<Traceparent>().is_err());
    }
}
