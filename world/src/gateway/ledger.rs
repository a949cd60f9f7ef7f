//! The gateway's ledger: one entry per idempotency key, so a key can succeed at most once.

use super::{Answer, Capture, Card, Refund};
use runtime::clock::Micros;
use rusqlite::{Connection, OptionalExtension, Row, params};

/// `source` is where the money comes from: a capture's card, a refund's capture key. `code` is null for a success.
/// `at` is when it is final; until then it is in progress. It is written with the entry, so that a crash in between
/// changes nothing.
pub(super) const TABLES: &str = "
    CREATE TABLE entry (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL,
        order_id TEXT NOT NULL,
        kind INTEGER NOT NULL,
        amount_minor INTEGER NOT NULL,
        currency TEXT NOT NULL,
        source TEXT NOT NULL,
        code TEXT,
        at INTEGER NOT NULL
    );
    CREATE UNIQUE INDEX entry_by_key ON entry (key);
    CREATE INDEX entry_by_order ON entry (order_id);
    CREATE INDEX refund_by_capture ON entry (source) WHERE kind = 1;
    CREATE TABLE flaky_attempt (key TEXT PRIMARY KEY) WITHOUT ROWID;";

/// Which way the money goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// To the shop.
    Capture,
    /// Back to the customer.
    Refund,
}

/// How far an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Still in progress.
    Pending,
    /// The money moved.
    Succeeded,
    /// The money did not move, for this reason.
    Declined(String),
}

/// One line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number: dense, in the order in which the calls were taken.
    pub id: i64,
    /// The idempotency key.
    pub key: String,
    /// The order it belongs to.
    pub order_id: String,
    /// Which way the money goes.
    pub kind: Kind,
    /// How much, in the currency's smallest unit.
    pub amount_minor: i64,
    /// ISO 4217 code.
    pub currency: String,
    /// Of a refund, the key of its capture.
    pub capture_key: Option<String>,
    /// Where it stood when the ledger was read.
    pub outcome: Outcome,
    /// When it became, or will become, final.
    pub at: Micros,
}

impl Entry {
    /// What its caller is told once it is final.
    pub(super) fn answer(&self) -> Answer {
        match &self.outcome {
            Outcome::Declined(code) => Answer::Declined { code: code.clone() },
            Outcome::Pending | Outcome::Succeeded => Answer::Succeeded { receipt: format!("R-{:010}", self.id) },
        }
    }
}

/// A call as the ledger compares it: another body under the same key is another call.
pub(super) struct Asked {
    key: String,
    order_id: String,
    kind: Kind,
    amount_minor: i64,
    currency: String,
    source: String,
}

impl Asked {
    pub(super) fn capture(key: String, it: Capture) -> Asked {
        let Capture { order_id, amount_minor, currency, token } = it;
        Asked { key, order_id, kind: Kind::Capture, amount_minor, currency, source: token }
    }

    pub(super) fn refund(key: String, it: Refund) -> Asked {
        let Refund { order_id, amount_minor, currency, capture_key } = it;
        Asked { key, order_id, kind: Kind::Refund, amount_minor, currency, source: capture_key }
    }
}

/// What the ledger says to a call.
pub(super) enum Found {
    /// It was written now.
    New(Entry),
    /// It was there.
    Known(Entry),
    /// The key belongs to a call with another body.
    Another,
    /// Nothing was written; the caller may come again.
    NotNow,
}

/// Takes a capture into the ledger, unless its key is there.
pub(super) fn capture(
    book: &Connection,
    asked: &Asked,
    card: Card,
    unlucky: bool,
    now: Micros,
    settled: Micros,
) -> rusqlite::Result<Found> {
    if let Some(found) = known(book, asked, now)? {
        return Ok(found);
    }
    if card == Card::Flaky && first_attempt(book, &asked.key)? {
        return Ok(Found::NotNow);
    }
    let code = if asked.amount_minor <= 0 { Some("invalid_amount") } else { card.declined() };
    match code.or(unlucky.then_some("card_declined")) {
        Some(code) => insert(book, asked, Some(code), now, now),
        None => insert(book, asked, None, settled, now),
    }
}

/// Takes a refund into the ledger, unless its key is there. While its capture is in progress nobody can say yet.
pub(super) fn refund(book: &Connection, asked: &Asked, now: Micros) -> rusqlite::Result<Found> {
    if let Some(found) = known(book, asked, now)? {
        return Ok(found);
    }
    let captured = find(book, &asked.source, now)?;
    if captured.as_ref().is_some_and(|entry| entry.outcome == Outcome::Pending) {
        return Ok(Found::NotNow);
    }
    let refused = refused(book, asked, captured)?;
    insert(book, asked, refused, now, now)
}

/// Only a succeeded capture of the same order is given back, and never more than it was.
fn refused(book: &Connection, asked: &Asked, captured: Option<Entry>) -> rusqlite::Result<Option<&'static str>> {
    let succeeded = |entry: &Entry| entry.kind == Kind::Capture && entry.outcome == Outcome::Succeeded;
    let Some(capture) = captured.filter(|it| succeeded(it) && it.order_id == asked.order_id) else {
        return Ok(Some("capture_not_found"));
    };
    if capture.currency != asked.currency {
        return Ok(Some("currency_mismatch"));
    }
    let left = capture.amount_minor - refunded(book, &asked.source)?;
    Ok(match asked.amount_minor {
        ..=0 => Some("invalid_amount"),
        amount if amount > left => Some("amount_exceeds_capture"),
        _ => None,
    })
}

fn refunded(book: &Connection, capture_key: &str) -> rusqlite::Result<i64> {
    let sum = "SELECT coalesce(sum(amount_minor), 0) FROM entry WHERE kind = 1 AND source = ? AND code IS NULL";
    book.prepare_cached(sum)?.query_row([capture_key], |row| row.get(0))
}

/// The entry under a key.
pub(super) fn find(book: &Connection, key: &str, now: Micros) -> rusqlite::Result<Option<Entry>> {
    let by_key = "SELECT * FROM entry WHERE key = ?";
    book.prepare_cached(by_key)?.query_row([key], |row| entry(row, now)).optional()
}

/// A page of the ledger.
pub(super) fn page(
    book: &Connection,
    order_id: Option<&str>,
    after: i64,
    limit: usize,
    now: Micros,
) -> rusqlite::Result<Vec<Entry>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let read = |row: &Row<'_>| entry(row, now);
    match order_id {
        Some(order_id) => book
            .prepare_cached("SELECT * FROM entry WHERE order_id = ? AND id > ? ORDER BY id LIMIT ?")?
            .query_map(params![order_id, after, limit], read)?
            .collect(),
        None => book
            .prepare_cached("SELECT * FROM entry WHERE id > ? ORDER BY id LIMIT ?")?
            .query_map(params![after, limit], read)?
            .collect(),
    }
}

fn known(book: &Connection, asked: &Asked, now: Micros) -> rusqlite::Result<Option<Found>> {
    let compared = "SELECT *, order_id = ?2 AND kind = ?3 AND amount_minor = ?4 AND currency = ?5 AND source = ?6
                    FROM entry WHERE key = ?1";
    let Asked { key, order_id, kind, amount_minor, currency, source } = asked;
    book.prepare_cached(compared)?
        .query_row(params![key, order_id, *kind as i64, amount_minor, currency, source], |row| {
            let same: bool = row.get(9)?;
            Ok(if same { Found::Known(entry(row, now)?) } else { Found::Another })
        })
        .optional()
}

fn first_attempt(book: &Connection, key: &str) -> rusqlite::Result<bool> {
    Ok(book.prepare_cached("INSERT OR IGNORE INTO flaky_attempt VALUES (?)")?.execute([key])? == 1)
}

fn insert(book: &Connection, it: &Asked, code: Option<&str>, at: Micros, now: Micros) -> rusqlite::Result<Found> {
    let insert = "INSERT INTO entry (key, order_id, kind, amount_minor, currency, source, code, at)
                  VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING *";
    let Asked { key, order_id, kind, amount_minor, currency, source } = it;
    let values = params![key, order_id, *kind as i64, amount_minor, currency, source, code, at];
    book.prepare_cached(insert)?.query_row(values, |row| entry(row, now)).map(Found::New)
}

fn entry(row: &Row<'_>, now: Micros) -> rusqlite::Result<Entry> {
    let kind = if row.get::<_, i64>("kind")? == Kind::Refund as i64 { Kind::Refund } else { Kind::Capture };
    let source: String = row.get("source")?;
    let code: Option<String> = row.get("code")?;
    let at = row.get("at")?;
    Ok(Entry {
        id: row.get("id")?,
        key: row.get("key")?,
        order_id: row.get("order_id")?,
        kind,
        amount_minor: row.get("amount_minor")?,
        currency: row.get("currency")?,
        capture_key: (kind == Kind::Refund).then_some(source),
        outcome: match code {
            Some(code) => Outcome::Declined(code),
            None if at > now => Outcome::Pending,
            None => Outcome::Succeeded,
        },
        at,
    })
}
