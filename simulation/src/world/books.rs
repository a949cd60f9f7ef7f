//! The books of the outside world, and the invariants that can be held against them whenever a line is written.

use payment::gateway::GatewayAnswer;
use runtime::Micros;
use shipping::carrier::CarrierAnswer;
use std::collections::{BTreeMap, BTreeSet};
use tutti::invariants::{self, Entry, Message, Parcel};

/// A line of the ledger.
#[derive(Clone, Debug)]
pub struct LedgerEntry {
    /// As the invariants see it.
    pub entry: Entry,
    /// Under which key it was made.
    pub key: String,
    /// What its caller is told.
    pub answer: GatewayAnswer,
    /// When it is decided.
    pub decided_at: Micros,
    /// When the gateway no longer takes the same key for the same call.
    pub forgotten_at: Micros,
    /// A hash of what was asked.
    pub asked: String,
    /// Of a refund, the key of its capture.
    pub capture_key: Option<String>,
}

/// A parcel.
#[derive(Clone, Debug)]
pub struct ParcelEntry {
    /// As the invariants see it.
    pub parcel: Parcel,
    /// Its label.
    pub label: String,
    /// Stages whose report was not accepted yet.
    pub unreported: u8,
}

/// Something in the mailbox.
#[derive(Clone, Debug)]
pub struct Mail {
    /// As the invariants see it.
    pub message: Message,
    /// To whom, what about, and its text.
    pub text: [String; 3],
    /// How often it came.
    pub copies: i64,
}

/// All books.
#[derive(Default)]
pub struct Books {
    /// The gateway's ledger.
    pub ledger: Vec<LedgerEntry>,
    /// Keys whose first call must fail, and did.
    pub flaky: BTreeSet<String>,
    /// Keys that are answered 500, and until when.
    pub failing: BTreeMap<String, Micros>,
    /// The carrier's parcels.
    pub parcels: Vec<ParcelEntry>,
    /// What the carrier answered under which key, to which order.
    pub calls: BTreeMap<String, (String, CarrierAnswer)>,
    /// The mailbox.
    pub mailbox: Vec<Mail>,
}

impl Books {
    /// The number of the next line of a book that has so many.
    #[must_use]
    pub fn number(lines: usize) -> i64 {
        i64::try_from(lines).unwrap_or(i64::MAX).saturating_add(1)
    }
}

/// The books as the invariants read them.
pub struct Shown<'b>(pub &'b Books);

fn page<T, R>(rows: &[T], after: i64, limit: usize, row: impl Fn(&T) -> R) -> Result<Vec<R>, String> {
    let after = usize::try_from(after).map_err(|e| e.to_string())?;
    Ok(rows.iter().skip(after).take(limit).map(row).collect())
}

impl invariants::Books for Shown<'_> {
    fn entries(&self, after: i64, limit: usize) -> Result<Vec<Entry>, String> {
        page(&self.0.ledger, after, limit, |row| row.entry.clone())
    }
    fn parcels(&self, after: i64, limit: usize) -> Result<Vec<Parcel>, String> {
        page(&self.0.parcels, after, limit, |row| row.parcel.clone())
    }
    fn messages(&self, after: i64, limit: usize) -> Result<Vec<Message>, String> {
        page(&self.0.mailbox, after, limit, |row| row.message.clone())
    }
}
