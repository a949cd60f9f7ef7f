//! The gateway's ledger: one entry per idempotency key, so a key can succeed at most once.

use super::{Answer, Capture, Card, Refund};
use crate::index::{self, Index, hash};
use runtime::clock::Micros;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

/// `source` is where the money comes from: a capture's card, a refund's capture key. `code` is null for a success.
/// `at` is when it is final; until then it is in progress. It is written with the entry, so that a crash in between
/// changes nothing.
const ENTRIES: &str = "
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
    CREATE TABLE flaky_attempt (key TEXT PRIMARY KEY) WITHOUT ROWID;";

/// All tables of the book.
pub(super) fn tables() -> String {
    [index::TABLES, ENTRIES, &Index::tables("entry")].concat()
}

/// Entries are found by key, by order, and refunds by the key of their capture.
pub(super) fn index() -> Index {
    Index::of("entry", |row| {
        let (key, order_id, source): (String, String, String) =
            (row.get("key")?, row.get("order_id")?, row.get("source")?);
        Ok(hashes(&key, &order_id, kind(row)?, &source))
    })
}

fn hashes(key: &str, order_id: &str, kind: Kind, source: &str) -> Vec<i64> {
    let refund = (kind == Kind::Refund).then(|| hash("capture", source));
    [hash("key", key), hash("order", order_id)].into_iter().chain(refund).collect()
}

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
    index: &mut Index,
    asked: &Asked,
    card: Card,
    unlucky: bool,
    now: Micros,
    settled: Micros,
) -> rusqlite::Result<Found> {
    if let Some(found) = known(book, index, asked, now)? {
        return Ok(found);
    }
    if card == Card::Flaky && first_attempt(book, &asked.key)? {
        return Ok(Found::NotNow);
    }
    let code = if asked.amount_minor <= 0 { Some("invalid_amount") } else { card.declined() };
    match code.or(unlucky.then_some("card_declined")) {
        Some(code) => insert(book, index, asked, Some(code), now, now),
        None => insert(book, index, asked, None, settled, now),
    }
}

/// Takes a refund into the ledger, unless its key is there. While its capture is in progress nobody can say yet.
pub(super) fn refund(book: &Connection, index: &mut Index, asked: &Asked, now: Micros) -> rusqlite::Result<Found> {
    if let Some(found) = known(book, index, asked, now)? {
        return Ok(found);
    }
    let captured = find(book, index, &asked.source, now)?;
    if captured.as_ref().is_some_and(|entry| entry.outcome == Outcome::Pending) {
        return Ok(Found::NotNow);
    }
    let refused = refused(book, index, asked, captured)?;
    insert(book, index, asked, refused, now, now)
}

/// Only a succeeded capture of the same order is given back, and never more than it was.
fn refused(
    book: &Connection,
    index: &Index,
    asked: &Asked,
    captured: Option<Entry>,
) -> rusqlite::Result<Option<&'static str>> {
    let succeeded = |entry: &Entry| entry.kind == Kind::Capture && entry.outcome == Outcome::Succeeded;
    let Some(capture) = captured.filter(|it| succeeded(it) && it.order_id == asked.order_id) else {
        return Ok(Some("capture_not_found"));
    };
    if capture.currency != asked.currency {
        return Ok(Some("currency_mismatch"));
    }
    let left = capture.amount_minor - refunded(book, index, &asked.source)?;
    Ok(match asked.amount_minor {
        ..=0 => Some("invalid_amount"),
        amount if amount > left => Some("amount_exceeds_capture"),
        _ => None,
    })
}

fn refunded(book: &Connection, index: &Index, capture_key: &str) -> rusqlite::Result<i64> {
    let succeeded = "SELECT amount_minor FROM entry WHERE id = ? AND kind = 1 AND source = ? AND code IS NULL";
    let mut query = book.prepare_cached(succeeded)?;
    let mut sum = 0;
    for id in index.find(book, hash("capture", capture_key))? {
        sum += query.query_row(params![id, capture_key], |row| row.get::<_, i64>(0)).optional()?.unwrap_or(0);
    }
    Ok(sum)
}

/// The entry under a key.
pub(super) fn find(book: &Connection, index: &Index, key: &str, now: Micros) -> rusqlite::Result<Option<Entry>> {
    let mut query = book.prepare_cached("SELECT * FROM entry WHERE id = ? AND key = ?")?;
    for id in index.find(book, hash("key", key))? {
        let found = query.query_row(params![id, key], |row| entry(row, now)).optional()?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
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
        Some(order_id) => {
            let hash = hash("order", order_id);
            let values = named_params! {":hash": hash, ":order": order_id, ":after": after, ":limit": limit};
            book.prepare_cached(&Index::query("entry", "order_id = :order"))?.query_map(values, read)?.collect()
        }
        None => book
            .prepare_cached("SELECT * FROM entry WHERE id > ? ORDER BY id LIMIT ?")?
            .query_map(params![after, limit], read)?
            .collect(),
    }
}

fn known(book: &Connection, index: &Index, asked: &Asked, now: Micros) -> rusqlite::Result<Option<Found>> {
    let same = "SELECT order_id = ?2 AND kind = ?3 AND amount_minor = ?4 AND currency = ?5 AND source = ?6
                FROM entry WHERE id = ?1";
    let Asked { key, order_id, kind, amount_minor, currency, source } = asked;
    let Some(entry) = find(book, index, key, now)? else { return Ok(None) };
    let values = params![entry.id, order_id, *kind as i64, amount_minor, currency, source];
    let same = book.prepare_cached(same)?.query_row(values, |row| row.get(0))?;
    Ok(Some(if same { Found::Known(entry) } else { Found::Another }))
}

fn first_attempt(book: &Connection, key: &str) -> rusqlite::Result<bool> {
    Ok(book.prepare_cached("INSERT OR IGNORE INTO flaky_attempt VALUES (?)")?.execute([key])? == 1)
}

fn insert(
    book: &Connection,
    index: &mut Index,
    it: &Asked,
    code: Option<&str>,
    at: Micros,
    now: Micros,
) -> rusqlite::Result<Found> {
    let insert = "INSERT INTO entry (key, order_id, kind, amount_minor, currency, source, code, at)
                  VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING *";
    let Asked { key, order_id, kind, amount_minor, currency, source } = it;
    let values = params![key, order_id, *kind as i64, amount_minor, currency, source, code, at];
    let entry = book.prepare_cached(insert)?.query_row(values, |row| entry(row, now))?;
    index.add(entry.id, &hashes(key, order_id, *kind, source));
    Ok(Found::New(entry))
}

fn kind(row: &Row<'_>) -> rusqlite::Result<Kind> {
    Ok(if row.get::<_, i64>("kind")? == Kind::Refund as i64 { Kind::Refund } else { Kind::Capture })
}

fn entry(row: &Row<'_>, now: Micros) -> rusqlite::Result<Entry> {
    let kind = kind(row)?;
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
