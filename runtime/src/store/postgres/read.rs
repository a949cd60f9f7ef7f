//! Readers' sessions: opened when needed, few kept, short statements only. They are plain sessions, which know nothing
//! of who leads; a database that was restarted is simply connected to again.

use super::{
    Connected, Database, STATEMENT_WITHIN,
    migrate::{self, Found},
    rows::{self, Value},
    text::escaped,
};
use crate::{
    record::{CursorRow, LogRow, ParkedRow, Position, StateRow, WorkRow},
    store::{
        Counts, Lead, Read, StoreError,
        range::{behind_all, first_behind},
    },
};
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::Semaphore;
use tokio_postgres::{Client, Row, types::Type};

/// Sessions at once; whoever comes when all are taken waits for one. A server has a hundred for all its clients.
const SESSIONS: usize = 8;
/// Idle sessions kept.
const KEEP: usize = 4;

/// Reads a service's database beside its writer.
pub struct PostgresRead {
    database: Database,
    idle: Mutex<Vec<Connected>>,
    room: Semaphore,
    /// Whether the database was seen to be ours.
    examined: AtomicBool,
}

impl PostgresRead {
    /// A reader of the database. Nothing is connected to yet.
    #[must_use]
    pub fn new(database: Database) -> PostgresRead {
        PostgresRead {
            database,
            idle: Mutex::default(),
            room: Semaphore::new(SESSIONS),
            examined: AtomicBool::default(),
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connected>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads in a kept session, or in a fresh one. A kept one may have been broken since, and with it all the others:
    /// then they are dropped, and the read is made once more in a fresh one.
    fn read<R>(&self, read: impl AsyncFn(&Client) -> Result<R, StoreError>) -> Result<R, StoreError> {
        self.database.block_on(async {
            let _room = self.room.acquire().await.map_err(|e| StoreError::Outage(e.to_string()))?;
            let kept = self.idle().pop();
            if let Some(session) = kept {
                match read(&session.client).await {
                    Err(StoreError::Outage(_)) => self.idle().clear(),
                    result => return self.keep(session, result),
                }
            }
            let session = self.connect().await?;
            let result = read(&session.client).await;
            self.keep(session, result)
        })
    }

    fn keep<R>(&self, session: Connected, result: Result<R, StoreError>) -> Result<R, StoreError> {
        let mut idle = self.idle();
        if result.is_ok() && idle.len() < KEEP {
            idle.push(session);
        }
        result
    }

    async fn connect(&self) -> Result<Connected, StoreError> {
        let settings = format!(
            "SET default_transaction_read_only = on; SET statement_timeout = '{} s'",
            STATEMENT_WITHIN.as_secs()
        );
        let session = self.database.connect("tutti reader", &settings).await?;
        if !self.examined.load(Ordering::Relaxed) {
            if migrate::examine(&session.client).await? == Found::Empty {
                let why = format!("{} has no tables yet: the service makes them when it first runs", self.database);
                return Err(StoreError::Outage(why));
            }
            self.examined.store(true, Ordering::Relaxed);
        }
        Ok(session)
    }

    fn rows<R>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        row: fn(&Row) -> Result<R, StoreError>,
    ) -> Result<Vec<R>, StoreError> {
        self.read(async |client| rows::select(client, sql, values, row).await)
    }
}

impl Read for PostgresRead {
    fn lead(&self) -> Result<Lead, StoreError> {
        self.read(rows::lead)
    }

    fn log_after(&self, lane: u16, after: Position, limit: usize) -> Result<Vec<Arc<LogRow>>, StoreError> {
        let sql = format!("{} WHERE lane = $1 AND (gen, seq) > ($2, $3) ORDER BY gen, seq LIMIT $4", rows::SELECT_LOG);
        // Behind the last number there is nothing of that generation.
        let (lane, seq) = (i32::from(lane), i64::try_from(after.seq).unwrap_or(i64::MAX));
        let limit = rows::limit(limit);
        let values: [Value; 4] =
            [(&lane, Type::INT4), (&after.generation, Type::INT8), (&seq, Type::INT8), (&limit, Type::INT8)];
        self.rows(&sql, &values, rows::log_row)
    }

    fn log_of(&self, key: &str) -> Result<Vec<Arc<LogRow>>, StoreError> {
        let sql = format!("{} WHERE key = $1 ORDER BY lane, gen, seq", rows::SELECT_LOG);
        self.rows(&sql, &[(&escaped(key), Type::TEXT)], rows::log_row)
    }

    fn state(&self, kind: &str, key: &str) -> Result<Option<StateRow>, StoreError> {
        let sql = format!("{} WHERE kind = $1 AND key = $2", rows::SELECT_STATE);
        Ok(self.rows(&sql, &[(&escaped(kind), Type::TEXT), (&escaped(key), Type::TEXT)], rows::state_row)?.pop())
    }

    fn scan(&self, kind: &str, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<StateRow>, StoreError> {
        let (from, until) = (first_behind(prefix, after), behind_all(prefix));
        let (kind, from, until) = (escaped(kind), escaped(&from), until.as_deref().map(escaped));
        let limit = rows::limit(limit);
        let mut values: Vec<Value> = vec![(&kind, Type::TEXT), (&from, Type::TEXT), (&limit, Type::INT8)];
        // A bound that may be absent would not be one for the index.
        let bound = until.as_ref().map_or("", |until| {
            values.push((until, Type::TEXT));
            "AND key < $4"
        });
        let sql = format!("{} WHERE kind = $1 AND key >= $2 {bound} ORDER BY key LIMIT $3", rows::SELECT_STATE);
        self.rows(&sql, &values, rows::state_row)
    }

    fn work_of(&self, key: &str) -> Result<Vec<WorkRow>, StoreError> {
        let sql =
            format!("{} WHERE key = $1 OR (key >= $2 AND key < $3) ORDER BY due, seq, name, key", rows::SELECT_WORK);
        let (own, below, behind) = (escaped(key), format!("{key}/"), format!("{key}0"));
        let values: [Value; 3] = [(&own, Type::TEXT), (&escaped(&below), Type::TEXT), (&escaped(&behind), Type::TEXT)];
        self.rows(&sql, &values, rows::work_row)
    }

    fn counts(&self) -> Result<Counts, StoreError> {
        let sql = "SELECT (SELECT count(*) FROM work), (SELECT count(*) FROM work WHERE stuck IS NOT NULL), (SELECT count(*) FROM parked)";
        Ok(self.rows(sql, &[], rows::counts)?.pop().unwrap_or_default())
    }

    fn parked_after(&self, id: u64, limit: usize) -> Result<Vec<ParkedRow>, StoreError> {
        let sql = format!("{} WHERE id > $1 ORDER BY id LIMIT $2", rows::SELECT_PARKED);
        let id = i64::try_from(id).unwrap_or(i64::MAX);
        self.rows(&sql, &[(&id, Type::INT8), (&rows::limit(limit), Type::INT8)], rows::parked_row)
    }

    fn cursors(&self) -> Result<Vec<CursorRow>, StoreError> {
        self.read(rows::cursors)
    }
}
