//! Instants and spans as the command line reads and writes them.

use serde::{Deserialize, Deserializer};
use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// An instant in microseconds since 1970, UTC. On the wire it is RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct At(pub i64);

impl At {
    /// Now, by this machine's clock.
    #[must_use]
    pub fn now() -> At {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        At(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    /// How much later this is than `earlier`; nothing if it is not.
    #[must_use]
    pub fn since(self, earlier: At) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Reads RFC 3339 in UTC: `2026-01-31T12:04:05.678Z`.
    #[must_use]
    pub fn parse(text: &str) -> Option<At> {
        runtime::from_rfc3339(text).map(At)
    }
}

/// The time of day with milliseconds, UTC: a timeline's date says nothing.
impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.div_euclid(1000).rem_euclid(86_400_000);
        let (seconds, rest) = (millis / 1000, millis % 1000);
        write!(f, "{:02}:{:02}:{:02}.{rest:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
    }
}

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<At, D::Error> {
        let text = String::deserialize(deserializer)?;
        At::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not a time in RFC 3339, UTC")))
    }
}

/// A span for people: `850 us`, `12 ms`, `3.4 s`, `2 min 5 s`.
#[must_use]
pub fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match duration.as_micros() {
        0..1_000 => format!("{} us", duration.as_micros()),
        1_000..1_000_000 => format!("{} ms", duration.as_millis()),
        1_000_000..60_000_000 => format!("{:.1} s", duration.as_secs_f64()),
        _ if seconds < 3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// The longest span that makes sense for a shop, a year: what is much later than that has no date in RFC 3339.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// Reads a span: a whole number with `ms`, `s`, `min`/`m` or `h`.
///
/// # Errors
/// When it is none; the message says what one looks like.
pub fn parse_span(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a span of time; write for example 500ms, 30s, 15m or 1h");
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let number: u64 = text.get(..digits).and_then(|n| n.parse().ok()).ok_or_else(wrong)?;
    let unit = match text.get(digits..).map(str::trim) {
        Some("ms") => 1,
        Some("s") => 1_000,
        Some("m" | "min") => 60_000,
        Some("h") => 3_600_000,
        _ => return Err(wrong()),
    };
    let span = number.checked_mul(unit).map(Duration::from_millis).ok_or_else(wrong)?;
    if span <= LONGEST { Ok(span) } else { Err(format!("`{text}` is too long; write at most 8784h, which is a year")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_read_and_shown() {
        assert_eq!(At::parse("1970-01-01T00:00:00Z"), Some(At(0)));
        assert_eq!(At::parse("2000-03-01T00:00:00.5Z"), Some(At(951_868_800_500_000)));
        assert_eq!(At::parse("2026-01-31T12:04:05.678901Z").map(|at| at.to_string()), Some("12:04:05.678".into()));
    }

    #[test]
    fn what_is_no_instant_is_not_read_as_one() {
        for text in [
            "",
            "yesterday",
            "2026-13-01T00:00:00Z",
            "2026-01-01T00:00:00+02:00",
            "2026-01-01",
            "T",
            "999999999999999999-01-01T00:00:00Z",
        ] {
            assert_eq!(At::parse(text), None, "{text}");
        }
    }

    #[test]
    fn spans_are_read_and_shown() {
        assert_eq!(parse_span("1500ms").map(span), Ok("1.5 s".into()));
        assert_eq!(parse_span("15m").map(span), Ok("15 min 0 s".into()));
        for text in ["", "s", "5", "-1s", "1.5s", "5 weeks", "99999999999999999999s", "18446744073709551615h", "8785h"]
        {
            assert!(parse_span(text).is_err(), "{text}");
        }
    }
}
