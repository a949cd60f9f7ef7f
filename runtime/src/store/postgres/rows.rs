//! Rows as they are read: columns in a fixed order, text as it was given, numbers as they are used.

use super::{error::store_error, text::unescaped};
use crate::{
    record::{CursorRow, LogRow, ParkedRow, Position, StateRow, WorkRow},
    store::{Counts, Lead, StoreError},
};
use std::sync::Arc;
use tokio_postgres::{
    Client, Row,
    types::{FromSql, ToSql, Type},
};

pub(super) const SELECT_LOG: &str = "SELECT lane, gen, seq, key, name, schema, body, cause, trace, epoch, at FROM log";
pub(super) const SELECT_STATE: &str = "SELECT kind, key, lane, seq, version, body FROM state";
pub(super) const SELECT_WORK: &str = "SELECT name, key, lane, seq, due, shape, body, cause, trace, stuck FROM work";
pub(super) const SELECT_PARKED: &str =
    "SELECT id, source, gen, lane, seq, key, name, reason, schema, cause, trace, at, body, since FROM parked";
const SELECT_CURSORS: &str = "SELECT source, lane, gen, seq, offset_hint FROM cursor ORDER BY source, lane, gen";
const SELECT_LEAD: &str = "SELECT gen, epoch, head, published, commits,
    coalesce((SELECT at FROM log WHERE lane = 0 ORDER BY gen DESC, seq DESC LIMIT 1), 0) FROM lead WHERE lane = 0";

/// A value with the type of its parameter.
pub(super) type Value<'v> = (&'v (dyn ToSql + Sync), Type);

/// Reads rows in one round trip.
pub(super) async fn select<R>(
    client: &Client,
    sql: &str,
    values: &[Value<'_>],
    row: fn(&Row) -> Result<R, StoreError>,
) -> Result<Vec<R>, StoreError> {
    let rows = client.query_typed(sql, values).await.map_err(store_error)?;
    rows.iter().map(row).collect()
}

pub(super) async fn lead(client: &Client) -> Result<Lead, StoreError> {
    let lead = select(client, SELECT_LEAD, &[], lead_row).await?.pop();
    lead.ok_or_else(|| {
        StoreError::Fatal("the table `lead` has no row: restore the database from its backup".to_owned())
    })
}

pub(super) async fn cursors(client: &Client) -> Result<Vec<CursorRow>, StoreError> {
    select(client, SELECT_CURSORS, &[], cursor_row).await
}

/// A number as `bigint` holds it. None is larger: they count rows, or are milliseconds.
pub(super) fn number(n: u64) -> Result<i64, StoreError> {
    i64::try_from(n).map_err(|_| StoreError::Data(format!("{n} is larger than any number here can be")))
}

/// How many rows at most.
pub(super) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(n: i64) -> Result<u64, StoreError> {
    u64::try_from(n).map_err(|_| strange(n))
}

fn strange(n: impl std::fmt::Display) -> StoreError {
    StoreError::Fatal(format!("{n} stands where this build never writes it: restore the database from its backup"))
}

fn get<'r, R: FromSql<'r>>(row: &'r Row, column: usize) -> Result<R, StoreError> {
    row.try_get(column).map_err(store_error)
}

fn text(row: &Row, column: usize) -> Result<String, StoreError> {
    get(row, column).map(unescaped)
}

fn count(row: &Row, column: usize) -> Result<u64, StoreError> {
    unsigned(get(row, column)?)
}

fn small(row: &Row, column: usize) -> Result<u16, StoreError> {
    let n: i32 = get(row, column)?;
    u16::try_from(n).map_err(|_| strange(n))
}

fn bytes(row: &Row, column: usize) -> Result<Arc<[u8]>, StoreError> {
    get::<&[u8]>(row, column).map(Arc::from)
}

fn lead_row(row: &Row) -> Result<Lead, StoreError> {
    Ok(Lead {
        generation: get(row, 0)?,
        epoch: count(row, 1)?,
        head: count(row, 2)?,
        published: count(row, 3)?,
        commits: count(row, 4)?,
        last_at: get(row, 5)?,
    })
}

fn cursor_row(row: &Row) -> Result<CursorRow, StoreError> {
    let at = Position { generation: get(row, 2)?, seq: count(row, 3)? };
    Ok(CursorRow { source: text(row, 0)?, lane: small(row, 1)?, at, offset_hint: get(row, 4)? })
}

pub(super) fn log_row(row: &Row) -> Result<Arc<LogRow>, StoreError> {
    Ok(Arc::new(LogRow {
        lane: small(row, 0)?,
        generation: get(row, 1)?,
        seq: count(row, 2)?,
        key: text(row, 3)?,
        name: text(row, 4)?,
        schema: small(row, 5)?,
        body: bytes(row, 6)?,
        cause: text(row, 7)?,
        trace: text(row, 8)?,
        epoch: count(row, 9)?,
        at: get(row, 10)?,
    }))
}

pub(super) fn state_row(row: &Row) -> Result<StateRow, StoreError> {
    Ok(StateRow {
        kind: text(row, 0)?,
        key: text(row, 1)?,
        lane: small(row, 2)?,
        seq: count(row, 3)?,
        version: count(row, 4)?,
        body: get(row, 5)?,
    })
}

pub(super) fn work_row(row: &Row) -> Result<WorkRow, StoreError> {
    Ok(WorkRow {
        name: text(row, 0)?,
        key: text(row, 1)?,
        lane: small(row, 2)?,
        seq: count(row, 3)?,
        due: get(row, 4)?,
        shape: small(row, 5)?,
        body: bytes(row, 6)?,
        cause: text(row, 7)?,
        trace: text(row, 8)?,
        stuck: get::<Option<String>>(row, 9)?.map(unescaped),
    })
}

pub(super) fn parked_row(row: &Row) -> Result<ParkedRow, StoreError> {
    let parked = LogRow {
        lane: small(row, 3)?,
        generation: get(row, 2)?,
        seq: count(row, 4)?,
        key: text(row, 5)?,
        name: text(row, 6)?,
        schema: small(row, 8)?,
        body: bytes(row, 12)?,
        cause: text(row, 9)?,
        trace: text(row, 10)?,
        epoch: 0,
        at: get(row, 11)?,
    };
    Ok(ParkedRow {
        id: count(row, 0)?,
        source: text(row, 1)?,
        row: Arc::new(parked),
        reason: text(row, 7)?,
        since: get(row, 13)?,
    })
}

pub(super) fn parked_key(row: &Row) -> Result<(String, String), StoreError> {
    Ok((text(row, 0)?, text(row, 1)?))
}

/// Key, version and bytes of a state.
pub(super) fn state_body(row: &Row) -> Result<(String, u64, Vec<u8>), StoreError> {
    Ok((text(row, 0)?, count(row, 1)?, get(row, 2)?))
}

pub(super) fn counts(row: &Row) -> Result<Counts, StoreError> {
    Ok(Counts { work: count(row, 0)?, stuck: count(row, 1)?, parked: count(row, 2)? })
}
