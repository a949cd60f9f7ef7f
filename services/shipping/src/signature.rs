//! How the carrier proves that a report is its own: HMAC-SHA256 over the time of sending and the body.
//!
//! The header is `Tutti-Signature: t=<seconds since 1970>,v1=<hex>`, where v1 signs `<t>.<body>`. There may be several
//! v1, as while the carrier changes its secret; what else stands there is left for later versions.

use hmac::{Hmac, KeyInit, Mac};
use runtime::Micros;
use sha2::Sha256;
use std::{fmt, time::Duration};

/// The header that holds the signature.
pub const HEADER: &str = "Tutti-Signature";
/// How far the time of sending may be from now, either way: clocks differ, and a report may wait for a connection.
pub const TOLERANCE: Duration = Duration::from_secs(300);

/// The shortest secret that is taken, in bytes: 128 bits, if each byte is random.
const SHORTEST: usize = 16;
/// The most signatures that are looked at.
const MOST_SIGNATURES: usize = 4;

/// What the carrier and the shop share. It does not show.
#[derive(Clone)]
pub struct WebhookSecret(Hmac<Sha256>);

/// A secret that cannot be used. It does not show the secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{setting} holds a secret of {length} bytes, at least {SHORTEST} are needed; make one with: openssl rand -hex 32"
)]
pub struct BadSecret {
    setting: &'static str,
    length: usize,
}

/// Why a report is not taken for the carrier's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSignature {
    /// It has none, several, or one that cannot be read.
    #[error("the header {HEADER} must be there once, as t=<seconds since 1970>,v1=<64 hexadecimal digits>")]
    Unreadable,
    /// It was signed too long ago, or in the future.
    #[error("it was signed more than {} s from now; compare the clocks", TOLERANCE.as_secs())]
    Stale,
    /// It was signed with another secret, or for another body.
    #[error("the signature does not fit the body and any secret that is in use")]
    Wrong,
}

impl WebhookSecret {
    /// The secret in `value`, which `setting` holds.
    ///
    /// # Errors
    /// When it is too short to keep anybody out.
    pub fn parse(setting: &'static str, value: &str) -> Result<WebhookSecret, BadSecret> {
        let bad = || BadSecret { setting, length: value.len() };
        if value.len() < SHORTEST {
            return Err(bad());
        }
        Hmac::new_from_slice(value.as_bytes()).map(WebhookSecret).map_err(|_| bad())
    }

    /// The header's value for a body that is sent `now`.
    #[must_use]
    pub fn sign(&self, body: &[u8], now: Micros) -> String {
        let at = (now / 1_000_000).to_string();
        let tag = self.over(&at, body).finalize().into_bytes();
        let hex: String = tag.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("t={at},v1={hex}")
    }

    fn over(&self, at: &str, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(at.as_bytes());
        mac.update(b".");
        mac.update(body);
        mac
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

/// The secrets in use: one, or two while it is changed.
#[derive(Clone, Debug)]
pub struct WebhookSecrets {
    /// What the carrier signs with, or soon will.
    pub current: WebhookSecret,
    /// What it signed with before.
    pub previous: Option<WebhookSecret>,
}

impl WebhookSecrets {
    /// Whether the carrier signed this body, not long before or after `now`.
    ///
    /// Within the tolerance a report that somebody recorded can be sent again. That needs no memory of signatures: the
    /// state of the shipment takes each piece of news once, whoever repeats it, as the carrier itself does. After it
    /// the report is refused as stale.
    ///
    /// # Errors
    /// Says why it is not taken for the carrier's.
    pub fn verify(&self, header: &str, body: &[u8], now: Micros) -> Result<(), BadSignature> {
        let (at, tags) = read(header).ok_or(BadSignature::Unreadable)?;
        let seconds: u64 = at.parse().map_err(|_| BadSignature::Unreadable)?;
        if seconds.abs_diff(u64::try_from(now / 1_000_000).unwrap_or(0)) > TOLERANCE.as_secs() {
            return Err(BadSignature::Stale);
        }
        let secrets = [Some(&self.current), self.previous.as_ref()];
        let macs = secrets.into_iter().flatten().map(|secret| secret.over(at, body));
        // Compares in constant time: how long it takes tells nothing about the right tag.
        let fits = |mac: Hmac<Sha256>| tags.iter().any(|tag| mac.clone().verify_slice(tag).is_ok());
        if macs.into_iter().any(fits) { Ok(()) } else { Err(BadSignature::Wrong) }
    }
}

/// The time as it was signed, and the signatures.
fn read(header: &str) -> Option<(&str, Vec<[u8; 32]>)> {
    let mut at = None;
    let mut tags = vec![];
    for part in header.split(',') {
        match part.trim().split_once('=')? {
            ("t", seconds) if at.is_none() => at = Some(seconds),
            ("t", _) => return None,
            ("v1", hex) if tags.len() < MOST_SIGNATURES => tags.push(tag(hex)?),
            _ => {}
        }
    }
    let at = at.filter(|at| at.len() <= 12 && at.bytes().all(|byte| byte.is_ascii_digit()))?;
    (!tags.is_empty()).then_some((at, tags))
}

fn tag(hex: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes = hex.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    bytes.collect::<Option<Vec<u8>>>()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = 1_700_000_000_000_000;
    const BODY: &[u8] = br#"{"report_id":"r-1"}"#;

    fn secret(value: &str) -> WebhookSecret {
        WebhookSecret::parse("CARRIER_WEBHOOK_SECRET", value).unwrap()
    }

    fn secrets() -> WebhookSecrets {
        WebhookSecrets { current: secret("the new one, long enough"), previous: Some(secret("the old one, as long")) }
    }

    fn signed(value: &str, at: Micros) -> String {
        secret(value).sign(BODY, at)
    }

    #[test]
    fn a_signature_is_hmac_sha256_over_time_and_body() {
        // Made by another implementation: Python's hmac.
        let expected = "t=1700000000,v1=3ad8bdea9a5874de784a292c5a730d2be69387fa666a1d072f784c60aa9d58ca";
        assert_eq!(signed("the new one, long enough", NOW), expected);
    }

    #[test]
    fn the_current_and_the_previous_secret_are_taken_and_no_other() {
        for value in ["the new one, long enough", "the old one, as long"] {
            assert_eq!(secrets().verify(&signed(value, NOW), BODY, NOW), Ok(()));
        }
        assert_eq!(secrets().verify(&signed("somebody else's secret", NOW), BODY, NOW), Err(BadSignature::Wrong));
        let changed = WebhookSecrets { previous: None, ..secrets() };
        assert_eq!(changed.verify(&signed("the old one, as long", NOW), BODY, NOW), Err(BadSignature::Wrong));
    }

    #[test]
    fn another_body_or_time_does_not_fit() {
        let header = signed("the new one, long enough", NOW);
        assert_eq!(secrets().verify(&header, br#"{"report_id":"r-2"}"#, NOW), Err(BadSignature::Wrong));
        let later = header.replace("t=1700000000", "t=1700000001");
        assert_eq!(secrets().verify(&later, BODY, NOW), Err(BadSignature::Wrong));
    }

    #[test]
    fn a_report_signed_too_long_ago_or_in_the_future_is_stale() {
        let header = signed("the new one, long enough", NOW);
        for seconds in [-300, 0, 300] {
            assert_eq!(secrets().verify(&header, BODY, NOW + seconds * 1_000_000), Ok(()));
        }
        for seconds in [-301, 301] {
            let stale = secrets().verify(&header, BODY, NOW + seconds * 1_000_000);
            assert_eq!(stale, Err(BadSignature::Stale));
        }
    }

    #[test]
    fn several_signatures_and_unknown_parts_may_stand_there() {
        let (_, right) =
            signed("the new one, long enough", NOW).split_once(',').map(|(t, v)| (t.to_owned(), v.to_owned())).unwrap();
        let header = format!("t=1700000000, v1={}, v0=abc, {right}", "0".repeat(64));
        assert_eq!(secrets().verify(&header, BODY, NOW), Ok(()));
    }

    #[test]
    fn what_is_no_signature_is_unreadable() {
        let hex = "a".repeat(64);
        for header in [
            String::new(),
            "t=1700000000".into(),
            format!("v1={hex}"),
            format!("t=,v1={hex}"),
            format!("t=+1700000000,v1={hex}"),
            format!("t=1700000000,t=1700000000,v1={hex}"),
            format!("t=99999999999999999999,v1={hex}"),
            format!("t=1700000000,v1={}", &hex[1..]),
            format!("t=1700000000,v1={hex}00"),
            "t=1700000000,v1=x".into(),
            format!("t=1700000000,v1={}", "ä".repeat(32)),
            format!("t=1700000000 v1={hex}"),
        ] {
            assert_eq!(secrets().verify(&header, BODY, NOW), Err(BadSignature::Unreadable), "{header}");
        }
    }

    #[test]
    fn a_secret_never_shows_and_must_be_long_enough() {
        let bad = WebhookSecret::parse("CARRIER_WEBHOOK_SECRET", "hunter2").unwrap_err();
        let said = format!("{bad} {bad:?}");
        assert!(said.contains("CARRIER_WEBHOOK_SECRET") && !said.contains("hunter2"), "{said}");
        assert!(!format!("{:?}", secrets()).contains("one"));
    }
}
