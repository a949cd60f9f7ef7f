//! What events are made of: ids, money, order lines, and the personal data that only ever travels sealed.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// Names one order, everywhere and for ever.
pub type OrderId = String;
/// Names one customer; the sealed data of an order can be opened with this customer's key only.
pub type CustomerId = String;
/// Names one article of the shop.
pub type Sku = String;

/// An amount of money in the currency's smallest unit. All arithmetic is checked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Cents for EUR, yen for JPY.
    pub amount_minor: i64,
    /// ISO 4217, as `EUR`.
    pub currency: String,
}

impl Money {
    /// The sum, or nothing if the currencies differ or it does not fit.
    #[must_use]
    pub fn checked_add(&self, other: &Money) -> Option<Money> {
        self.combine(other, i64::checked_add)
    }

    /// The difference, or nothing if the currencies differ or it does not fit.
    #[must_use]
    pub fn checked_sub(&self, other: &Money) -> Option<Money> {
        self.combine(other, i64::checked_sub)
    }

    /// The amount `times` over, or nothing if it does not fit.
    #[must_use]
    pub fn checked_mul(&self, times: i64) -> Option<Money> {
        let amount_minor = self.amount_minor.checked_mul(times)?;
        Some(Money { amount_minor, currency: self.currency.clone() })
    }

    fn combine(&self, other: &Money, how: fn(i64, i64) -> Option<i64>) -> Option<Money> {
        let amount_minor = how(self.amount_minor, other.amount_minor)?;
        (self.currency == other.currency).then(|| Money { amount_minor, currency: self.currency.clone() })
    }
}

impl fmt::Display for Money {
    /// As a person writes it: `25.90 EUR`, `2590 JPY`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = minor_digits(&self.currency);
        let (unit, sign) = (10_u64.pow(digits), if self.amount_minor < 0 { "-" } else { "" });
        let (whole, minor) = (self.amount_minor.unsigned_abs() / unit, self.amount_minor.unsigned_abs() % unit);
        match digits {
            0 => write!(f, "{sign}{whole} {}", self.currency),
            _ => write!(f, "{sign}{whole}.{minor:0width$} {}", self.currency, width = digits as usize),
        }
    }
}

/// How many decimal digits ISO 4217 gives the currency's smallest unit: two, but for these.
fn minor_digits(currency: &str) -> u32 {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI" | "VND"
        | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        "CLF" | "UYW" => 4,
        _ => 2,
    }
}

/// One line of an order, at the shop's price when it was placed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Line {
    /// What.
    pub sku: Sku,
    /// How many, at least one.
    pub quantity: i64,
    /// The shop's price of one, in the smallest unit of the order's currency.
    pub unit_price_minor: i64,
}

/// A line that cannot be served.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Shortage {
    /// What is short.
    pub sku: Sku,
    /// How many the order wanted.
    pub requested: i64,
    /// How many there were.
    pub available: i64,
}

/// Everything in an order that says who the customer is. It is in events as [`Sealed`](crate::Sealed) only, and does
/// not show itself in `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Personal {
    /// Where mail goes.
    pub email: String,
    /// Where text messages go, if the customer wants any.
    pub phone: Option<String>,
    /// The addressee.
    pub name: String,
    /// Street and number.
    pub street: String,
    /// City.
    pub city: String,
    /// Postal code.
    pub postal_code: String,
    /// ISO 3166-1 alpha-2, as `DE`.
    pub country: String,
    /// What the payment gateway gave the client in place of a card.
    pub payment_token: String,
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Personal(…)")
    }
}

/// A keyed hash of the canonical request that placed an order: equal means the same request came again.
/// Avro `fixed(32)`; hexadecimal where people read it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(
    /// The 32 bytes.
    pub [u8; 32],
);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { serializer.serialize_bytes(&self.0) }
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Fingerprint, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_str(FingerprintVisitor)
        } else {
            deserializer.deserialize_bytes(FingerprintVisitor)
        }
    }
}

struct FingerprintVisitor;

impl de::Visitor<'_> for FingerprintVisitor {
    type Value = Fingerprint;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("32 bytes, or 64 hexadecimal digits")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Fingerprint, E> {
        bytes.try_into().map(Fingerprint).map_err(|_| E::invalid_length(bytes.len(), &self))
    }

    fn visit_str<E: de::Error>(self, digits: &str) -> Result<Fingerprint, E> {
        let mut bytes = [0; 32];
        if digits.len() != 64 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(E::invalid_value(de::Unexpected::Other("something else"), &self));
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            *byte = pair.iter().fold(0, |sum, digit| sum * 16 + (*digit as char).to_digit(16).unwrap_or(0) as u8);
        }
        Ok(Fingerprint(bytes))
    }
}
