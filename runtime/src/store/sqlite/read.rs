//! Readers' connections: opened when needed, kept for the next reader, short statements only.

use super::{open, store_error};
use crate::{
    record::{CursorRow, LogRow, ParkedRow, Position, StateRow, WorkRow},
    store::{
        Counts, Lead, Read, StoreError,
        range::{behind_all, first_behind},
    },
};
use rusqlite::{Connection, OpenFlags, Params, Row, params, types::Value};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

pub(super) const SELECT_WORK: &str = "SELECT name, key, lane, seq, due, shape, body, cause, trace, stuck FROM work";
pub(super) const SELECT_PARKED: &str =
    "SELECT id, source, gen, lane, seq, key, name, reason, schema, cause, trace, at, body, since FROM parked";
const SELECT_LOG: &str = "SELECT lane, gen, seq, key, name, schema, body, cause, trace, epoch, at FROM log";
const SELECT_STATE: &str = "SELECT kind, key, lane, seq, version, body FROM state";
/// Idle connections kept; more are opened when more read at once.
const KEEP: usize = 4;

/// Reads a service's file beside its writer.
pub struct SqliteRead {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl SqliteRead {
    /// A reader of the file, which must be there.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(path: &Path) -> Result<SqliteRead, StoreError> {
        let reader = SqliteRead { path: path.to_owned(), idle: Mutex::default() };
        reader.with(lead)?;
        Ok(reader)
    }

    fn with<R>(&self, read: impl FnOnce(&Connection) -> Result<R, StoreError>) -> Result<R, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let db = match idle {
            Some(db) => db,
            None => self.connect()?,
        };
        let result = read(&db)?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEEP {
            idle.push(db);
        }
        Ok(result)
    }

    fn connect(&self) -> Result<Connection, StoreError> {
        let db = open(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        // Every commit of the writer empties a reader's cache, so a large one would be memory without use.
        db.pragma_update(None, "cache_size", -256).map_err(store_error)?;
        Ok(db)
    }

    fn rows<R>(
        &self,
        sql: &str,
        values: impl Params,
        row: fn(&Row) -> rusqlite::Result<R>,
    ) -> Result<Vec<R>, StoreError> {
        self.with(|db| {
            let mut statement = db.prepare_cached(sql).map_err(store_error)?;
            let rows = statement.query_map(values, row).map_err(store_error)?;
            rows.collect::<Result<_, _>>().map_err(store_error)
        })
    }
}

impl Read for SqliteRead {
    fn lead(&self) -> Result<Lead, StoreError> {
        self.with(lead)
    }

    fn log_after(&self, lane: u16, after: Position, limit: usize) -> Result<Vec<Arc<LogRow>>, StoreError> {
        let sql = format!("{SELECT_LOG} WHERE lane = ?1 AND (gen, seq) > (?2, ?3) ORDER BY gen, seq LIMIT ?4");
        self.rows(&sql, params![lane, after.generation, after.seq, limit], log_row)
    }

    fn log_of(&self, key: &str) -> Result<Vec<Arc<LogRow>>, StoreError> {
        self.rows(&format!("{SELECT_LOG} WHERE key = ?1 ORDER BY lane, gen, seq"), [key], log_row)
    }

    fn state(&self, kind: &str, key: &str) -> Result<Option<StateRow>, StoreError> {
        let sql = format!("{SELECT_STATE} WHERE kind = ?1 AND key = ?2");
        Ok(self.rows(&sql, [kind, key], state_row)?.pop())
    }

    fn scan(&self, kind: &str, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<StateRow>, StoreError> {
        let sql = format!("{SELECT_STATE} WHERE kind = ?1 AND key >= ?2 AND key < ?3 ORDER BY key LIMIT ?4");
        // An empty blob sorts behind all text.
        let until = behind_all(prefix).map_or(Value::Blob(vec![]), Value::Text);
        self.rows(&sql, params![kind, first_behind(prefix, after), until, limit], state_row)
    }

    fn work_of(&self, key: &str) -> Result<Vec<WorkRow>, StoreError> {
        let sql = format!("{SELECT_WORK} WHERE key = ?1 OR (key >= ?2 AND key < ?3) ORDER BY due, seq, name, key");
        self.rows(&sql, params![key, format!("{key}/"), format!("{key}0")], work_row)
    }

    fn counts(&self) -> Result<Counts, StoreError> {
        let sql = "SELECT (SELECT count(*) FROM work), (SELECT count(*) FROM work WHERE stuck IS NOT NULL), (SELECT count(*) FROM parked)";
        let counts = |row: &Row| Ok(Counts { work: row.get(0)?, stuck: row.get(1)?, parked: row.get(2)? });
        Ok(self.rows(sql, [], counts)?.pop().unwrap_or_default())
    }

    fn parked_after(&self, id: u64, limit: usize) -> Result<Vec<ParkedRow>, StoreError> {
        self.rows(&format!("{SELECT_PARKED} WHERE id > ?1 ORDER BY id LIMIT ?2"), params![id, limit], parked_row)
    }

    fn cursors(&self) -> Result<Vec<CursorRow>, StoreError> {
        self.with(cursors)
    }
}

pub(super) fn lead(db: &Connection) -> Result<Lead, StoreError> {
    let sql = "SELECT gen, epoch, head, published, commits,
               coalesce((SELECT at FROM log WHERE lane = 0 ORDER BY gen DESC, seq DESC LIMIT 1), 0) FROM lead WHERE lane = 0";
    let row = |row: &Row| {
        Ok(Lead {
            generation: row.get(0)?,
            epoch: row.get(1)?,
            head: row.get(2)?,
            published: row.get(3)?,
            commits: row.get(4)?,
            last_at: row.get(5)?,
        })
    };
    db.prepare_cached(sql).and_then(|mut statement| statement.query_row([], row)).map_err(store_error)
}

pub(super) fn cursors(db: &Connection) -> Result<Vec<CursorRow>, StoreError> {
    let mut statement = db
        .prepare_cached("SELECT source, lane, gen, seq, offset_hint FROM cursor ORDER BY source, lane, gen")
        .map_err(store_error)?;
    let row = |row: &Row| {
        let at = Position { generation: row.get(2)?, seq: row.get(3)? };
        Ok(CursorRow { source: row.get(0)?, lane: row.get(1)?, at, offset_hint: row.get(4)? })
    };
    let rows = statement.query_map([], row).map_err(store_error)?;
    rows.collect::<Result<_, _>>().map_err(store_error)
}

fn log_row(row: &Row) -> rusqlite::Result<Arc<LogRow>> {
    Ok(Arc::new(LogRow {
        lane: row.get(0)?,
        generation: row.get(1)?,
        seq: row.get(2)?,
        key: row.get(3)?,
        name: row.get(4)?,
        schema: row.get(5)?,
        body: row.get_ref(6)?.as_blob()?.into(),
        cause: row.get(7)?,
        trace: row.get(8)?,
        epoch: row.get(9)?,
        at: row.get(10)?,
    }))
}

fn state_row(row: &Row) -> rusqlite::Result<StateRow> {
    Ok(StateRow {
        kind: row.get(0)?,
        key: row.get(1)?,
        lane: row.get(2)?,
        seq: row.get(3)?,
        version: row.get(4)?,
        body: row.get(5)?,
    })
}

pub(super) fn work_row(row: &Row) -> rusqlite::Result<WorkRow> {
    Ok(WorkRow {
        name: row.get(0)?,
        key: row.get(1)?,
        lane: row.get(2)?,
        seq: row.get(3)?,
        due: row.get(4)?,
        shape: row.get(5)?,
        body: row.get_ref(6)?.as_blob()?.into(),
        cause: row.get(7)?,
        trace: row.get(8)?,
        stuck: row.get(9)?,
    })
}

pub(super) fn parked_row(row: &Row) -> rusqlite::Result<ParkedRow> {
    let parked = LogRow {
        lane: row.get(3)?,
        generation: row.get(2)?,
        seq: row.get(4)?,
        key: row.get(5)?,
        name: row.get(6)?,
        schema: row.get(8)?,
        body: row.get_ref(12)?.as_blob()?.into(),
        cause: row.get(9)?,
        trace: row.get(10)?,
        epoch: 0,
        at: row.get(11)?,
    };
    Ok(ParkedRow {
        id: row.get(0)?,
        source: row.get(1)?,
        row: Arc::new(parked),
        reason: row.get(7)?,
        since: row.get(13)?,
    })
}
