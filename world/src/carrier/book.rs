//! The carrier's book: one row per parcel, and the answer given under each idempotency key.

use super::Answer;
use crate::index::{self, Index, hash};
use runtime::clock::Micros;
use rusqlite::{
    Connection, OptionalExtension, Row, ToSql, named_params, params,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};
use sha2::{Digest, Sha256};

/// A parcel is `under_way` from its hand-over until its last report was accepted; only those are read at the start.
/// In `call`, `answer` is the number of the answer given under that key; `detail` is a label or the code of a refusal.
const PARCELS_AND_CALLS: &str = "
    CREATE TABLE parcel (
        id INTEGER PRIMARY KEY,
        order_id TEXT NOT NULL,
        label TEXT NOT NULL,
        step INTEGER NOT NULL,
        under_way INTEGER NOT NULL,
        booked_at INTEGER NOT NULL,
        ready_at INTEGER,
        out_at INTEGER,
        delivered_at INTEGER,
        void_at INTEGER
    );
    CREATE INDEX parcel_under_way ON parcel (under_way) WHERE under_way = 1;
    CREATE TABLE call (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL,
        order_id TEXT NOT NULL,
        answer INTEGER NOT NULL,
        detail TEXT NOT NULL
    );";

/// All tables of the book.
pub(super) fn tables() -> String {
    [index::TABLES, PARCELS_AND_CALLS, &Index::tables("parcel"), &Index::tables("call")].concat()
}

/// What finds the rows of the book.
pub(super) struct Indexes {
    /// Parcels by order.
    pub(super) parcels: Index,
    /// Calls by key.
    pub(super) calls: Index,
}

impl Indexes {
    pub(super) fn new() -> Indexes {
        Indexes {
            parcels: Index::of("parcel", |row| Ok(vec![hash("order", &row.get::<_, String>("order_id")?)])),
            calls: Index::of("call", |row| Ok(vec![hash("key", &row.get::<_, String>("key")?)])),
        }
    }
}

/// How far a parcel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// There is a label; nothing moves.
    Booked,
    /// It was handed over and waits for the carrier.
    Ready,
    /// The carrier has it.
    Out,
    /// The customer has it.
    Delivered,
    /// Its label was voided before it was collected.
    Void,
}

impl Step {
    const ALL: [Step; 5] = [Step::Booked, Step::Ready, Step::Out, Step::Delivered, Step::Void];

    /// The word for it in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Step::Booked => "booked",
            Step::Ready => "ready",
            Step::Out => "out",
            Step::Delivered => "delivered",
            Step::Void => "void",
        }
    }
}

impl ToSql for Step {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(*self as i64))
    }
}

impl FromSql for Step {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Step> {
        let number = value.as_i64()?;
        Step::ALL.into_iter().find(|step| *step as i64 == number).ok_or(FromSqlError::OutOfRange(number))
    }
}

/// A parcel as the carrier's book has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// Its number: dense, in the order of booking.
    pub id: i64,
    /// The order in it.
    pub order_id: String,
    /// Its label.
    pub label: String,
    /// How far it is.
    pub step: Step,
    /// When the label was made.
    pub booked_at: Micros,
    /// When it was handed over.
    pub ready_at: Option<Micros>,
    /// When the carrier collected it.
    pub out_at: Option<Micros>,
    /// When it was delivered.
    pub delivered_at: Option<Micros>,
    /// When the label was voided.
    pub void_at: Option<Micros>,
    /// Whether the carrier will still collect it, or report on it.
    pub under_way: bool,
}

/// Under which key, and for which order, a call comes.
pub(super) struct Asked {
    pub(super) key: String,
    pub(super) order_id: String,
}

/// The answer to a call about a parcel, and the parcel if the call changed it.
pub(super) struct Changed {
    pub(super) answer: Answer,
    pub(super) parcel: Option<Parcel>,
}

/// Makes a label unless the key was answered before.
pub(super) fn book(
    file: &Connection,
    indexes: &mut Indexes,
    asked: &Asked,
    refused: Option<&'static str>,
    now: Micros,
) -> rusqlite::Result<Answer> {
    if let Some((order_id, answer)) = answered(file, indexes, &asked.key)? {
        let reused = Answer::NotServed { code: "idempotency_key_reused".to_owned() };
        return Ok(if order_id == asked.order_id { answer } else { reused });
    }
    let answer = match refused {
        Some(code) => Answer::NotServed { code: code.to_owned() },
        None => Answer::Booked { label: label_for(&asked.key) },
    };
    if let Answer::Booked { label } = &answer {
        let insert = "INSERT INTO parcel (order_id, label, step, under_way, booked_at) VALUES (?, ?, ?, 0, ?)";
        let id = file.prepare_cached(insert)?.insert(params![asked.order_id, label, Step::Booked, now])?;
        indexes.parcels.add(id, &[hash("order", &asked.order_id)]);
    }
    note(file, indexes, asked, &answer)?;
    Ok(answer)
}

/// Makes a parcel ready for collection. `None`: there is no such label.
pub(super) fn hand_over(
    file: &Connection,
    indexes: &mut Indexes,
    asked: &Asked,
    label: &str,
    now: Micros,
) -> rusqlite::Result<Option<Changed>> {
    if let Some((_, answer)) = answered(file, indexes, &asked.key)? {
        return Ok(Some(Changed { answer, parcel: None }));
    }
    let Some(mut parcel) = parcel(file, indexes, &asked.order_id, label)? else { return Ok(None) };
    let (answer, changed) = match parcel.step {
        Step::Void => (Answer::LabelVoid, None),
        Step::Booked => {
            let ready = "UPDATE parcel SET step = ?, under_way = 1, ready_at = ? WHERE id = ?";
            file.prepare_cached(ready)?.execute(params![Step::Ready, now, parcel.id])?;
            (parcel.step, parcel.ready_at) = (Step::Ready, Some(now));
            (Answer::Accepted, Some(parcel))
        }
        Step::Ready | Step::Out | Step::Delivered => (Answer::Accepted, None),
    };
    note(file, indexes, asked, &answer)?;
    Ok(Some(Changed { answer, parcel: changed }))
}

/// Voids a label. `None`: there is no such label.
pub(super) fn cancel(
    file: &Connection,
    indexes: &mut Indexes,
    asked: &Asked,
    label: &str,
    now: Micros,
) -> rusqlite::Result<Option<Changed>> {
    if let Some((_, answer)) = answered(file, indexes, &asked.key)? {
        return Ok(Some(Changed { answer, parcel: None }));
    }
    let Some(parcel) = parcel(file, indexes, &asked.order_id, label)? else { return Ok(None) };
    let (answer, changed) = match parcel.step {
        Step::Booked | Step::Ready => {
            let void = "UPDATE parcel SET step = ?, under_way = 0, void_at = ? WHERE id = ?";
            file.prepare_cached(void)?.execute(params![Step::Void, now, parcel.id])?;
            (Answer::Accepted, Some(parcel))
        }
        Step::Void => (Answer::Accepted, None),
        Step::Out | Step::Delivered => (Answer::AlreadyCollected, None),
    };
    note(file, indexes, asked, &answer)?;
    Ok(Some(Changed { answer, parcel: changed }))
}

/// The carrier has collected it.
pub(super) fn collected(file: &Connection, id: i64, now: Micros) -> rusqlite::Result<()> {
    let out = "UPDATE parcel SET step = ?, out_at = ? WHERE id = ?";
    file.prepare_cached(out)?.execute(params![Step::Out, now, id]).map(drop)
}

/// The customer has it; a second time changes nothing.
pub(super) fn delivered(file: &Connection, id: i64, now: Micros) -> rusqlite::Result<()> {
    let delivered = "UPDATE parcel SET step = ?, delivered_at = ? WHERE id = ? AND delivered_at IS NULL";
    file.prepare_cached(delivered)?.execute(params![Step::Delivered, now, id]).map(drop)
}

/// All its reports were accepted.
pub(super) fn finished(file: &Connection, id: i64) -> rusqlite::Result<()> {
    file.prepare_cached("UPDATE parcel SET under_way = 0 WHERE id = ?")?.execute([id]).map(drop)
}

/// Parcels under way; without those that wait for a carrier who does not come.
pub(super) fn under_way(file: &Connection, collects: bool, limit: usize) -> rusqlite::Result<Vec<Parcel>> {
    let query = "SELECT * FROM parcel WHERE under_way = 1 AND (step <> ? OR ?) ORDER BY id LIMIT ?";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    file.prepare_cached(query)?.query_map(params![Step::Ready, collects, limit], row)?.collect()
}

/// A page of all parcels.
pub(super) fn page(
    file: &Connection,
    order_id: Option<&str>,
    after: i64,
    limit: usize,
) -> rusqlite::Result<Vec<Parcel>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    match order_id {
        Some(order_id) => {
            let hash = hash("order", order_id);
            let values = named_params! {":hash": hash, ":order": order_id, ":after": after, ":limit": limit};
            file.prepare_cached(&Index::query("parcel", "order_id = :order"))?.query_map(values, row)?.collect()
        }
        None => file
            .prepare_cached("SELECT * FROM parcel WHERE id > ? ORDER BY id LIMIT ?")?
            .query_map(params![after, limit], row)?
            .collect(),
    }
}

/// The answer given under a key.
pub(super) fn answer_under(file: &Connection, indexes: &Indexes, key: &str) -> rusqlite::Result<Option<Answer>> {
    Ok(answered(file, indexes, key)?.map(|(_, answer)| answer))
}

fn answered(file: &Connection, indexes: &Indexes, key: &str) -> rusqlite::Result<Option<(String, Answer)>> {
    let mut query = file.prepare_cached("SELECT order_id, answer, detail FROM call WHERE id = ? AND key = ?")?;
    for id in indexes.calls.find(file, hash("key", key))? {
        let read = |row: &Row<'_>| Ok((row.get(0)?, answer(row.get(1)?, row.get(2)?)?));
        let found = query.query_row(params![id, key], read).optional()?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn note(file: &Connection, indexes: &mut Indexes, asked: &Asked, answer: &Answer) -> rusqlite::Result<()> {
    let (number, detail): (i64, &str) = match answer {
        Answer::Booked { label } => (0, label),
        Answer::NotServed { code } => (1, code),
        Answer::Accepted => (2, ""),
        Answer::AlreadyCollected => (3, ""),
        Answer::LabelVoid => (4, ""),
    };
    let insert = "INSERT INTO call (key, order_id, answer, detail) VALUES (?, ?, ?, ?)";
    let id = file.prepare_cached(insert)?.insert(params![asked.key, asked.order_id, number, detail])?;
    indexes.calls.add(id, &[hash("key", &asked.key)]);
    Ok(())
}

fn answer(number: i64, detail: String) -> rusqlite::Result<Answer> {
    match number {
        0 => Ok(Answer::Booked { label: detail }),
        1 => Ok(Answer::NotServed { code: detail }),
        2 => Ok(Answer::Accepted),
        3 => Ok(Answer::AlreadyCollected),
        4 => Ok(Answer::LabelVoid),
        _ => Err(rusqlite::Error::IntegralValueOutOfRange(1, number)),
    }
}

fn parcel(file: &Connection, indexes: &Indexes, order_id: &str, label: &str) -> rusqlite::Result<Option<Parcel>> {
    let mut query = file.prepare_cached("SELECT * FROM parcel WHERE id = ? AND order_id = ? AND label = ?")?;
    for id in indexes.parcels.find(file, hash("order", order_id))? {
        let found = query.query_row(params![id, order_id, label], row).optional()?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn row(row: &Row<'_>) -> rusqlite::Result<Parcel> {
    Ok(Parcel {
        id: row.get("id")?,
        order_id: row.get("order_id")?,
        label: row.get("label")?,
        step: row.get("step")?,
        booked_at: row.get("booked_at")?,
        ready_at: row.get("ready_at")?,
        out_at: row.get("out_at")?,
        delivered_at: row.get("delivered_at")?,
        void_at: row.get("void_at")?,
        under_way: row.get("under_way")?,
    })
}

/// The same key has the same label for ever, on any machine.
fn label_for(key: &str) -> String {
    let hash = Sha256::digest(key.as_bytes());
    hash.iter().take(10).fold("WP".to_owned(), |label, byte| format!("{label}{byte:02X}"))
}
