//! The writer's connection.

use super::{Found, examine, migrate, open, store_error, unusable};
use crate::{
    record::{CursorRow, ParkedRow, WorkId, WorkRow},
    store::{Batch, Lead, Renewal, STATE, Store, StoreError, WorkPlace, sqlite::read},
};
use choreography::Key;
use rusqlite::{Connection, OpenFlags, Statement, Transaction, TransactionBehavior, params, types::Value};
use std::{path::Path, rc::Rc, sync::LazyLock};

/// The one connection that writes a service's file.
pub struct SqliteStore {
    db: Connection,
}

impl SqliteStore {
    /// Opens the file, creating it when it is not there; `now_ms` then becomes the log's generation.
    ///
    /// # Errors
    /// When the file is not ours, newer than this build, damaged or not writable.
    pub fn open(path: &Path, now_ms: i64) -> Result<SqliteStore, StoreError> {
        let mut db = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        let failed = |e: rusqlite::Error| unusable(path, &e);
        // In one transaction, so that another process that is just creating the tables is seen before or after.
        let found = examine(&*db.transaction().map_err(failed)?, path)?;
        if db.is_readonly("main").map_err(failed)? {
            return Err(StoreError::Fatal(format!(
                "{} is read-only: let this user write to it, or give another --data directory",
                path.display()
            )));
        }
        // WAL with FULL is one fsync a commit; with NORMAL there would be none, and a power cut would lose commits.
        db.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
        db.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
        // Checkpoints happen seldom under load and fully at rest; the file is cut back to this size afterwards.
        db.pragma_update(None, "wal_autocheckpoint", 16_000).map_err(failed)?;
        db.pragma_update(None, "journal_size_limit", 32 << 20).map_err(failed)?;
        db.pragma_update(None, "cache_size", -8_000).map_err(failed)?;
        // Otherwise what a large statement keeps for undoing itself goes to a file of its own.
        db.pragma_update(None, "temp_store", "MEMORY").map_err(failed)?;
        if found == Found::Empty {
            migrate(&mut db, path, now_ms)?;
        }
        Ok(SqliteStore { db })
    }
}

impl Store for SqliteStore {
    fn begin_reign(&mut self, owner: &str, build: u64) -> Result<Lead, StoreError> {
        let sql = "UPDATE lead SET epoch = epoch + 1, owner = ?1, build = ?2 WHERE lane = 0 AND build <= ?2";
        // In one transaction, so that the epoch that is read is the one that was raised here.
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(store_error)?;
        let changed = transaction.execute(sql, params![owner, build]).map_err(store_error)?;
        if changed == 0 {
            return Err(StoreError::Fatal(format!(
                "a newer build than this one ({build}) has led this store: run the newer build, an older one never takes the lead back"
            )));
        }
        let lead = read::lead(&transaction)?;
        transaction.commit().map_err(store_error)?;
        Ok(lead)
    }

    fn cursors(&mut self) -> Result<Vec<CursorRow>, StoreError> {
        read::cursors(&self.db)
    }

    fn parked_keys(&mut self) -> Result<Vec<(String, Key)>, StoreError> {
        let mut statement =
            self.db.prepare_cached("SELECT source, key FROM parked ORDER BY id").map_err(store_error)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(store_error)?;
        rows.collect::<Result<_, _>>().map_err(store_error)
    }

    fn parked_of(&mut self, source: &str, key: &str, limit: usize) -> Result<Vec<ParkedRow>, StoreError> {
        let sql = format!("{} WHERE source = ?1 AND key = ?2 ORDER BY id LIMIT ?3", read::SELECT_PARKED);
        let mut statement = self.db.prepare_cached(&sql).map_err(store_error)?;
        let rows = statement.query_map(params![source, key, limit], read::parked_row).map_err(store_error)?;
        rows.collect::<Result<_, _>>().map_err(store_error)
    }

    fn states(&mut self, kind: &str, keys: &[Key]) -> Result<Vec<(Key, u64, Vec<u8>)>, StoreError> {
        let keys: Rc<Vec<Value>> = Rc::new(keys.iter().cloned().map(Value::Text).collect());
        let sql =
            "SELECT key, version, body FROM rarray(?2) AS wanted CROSS JOIN state ON kind = ?1 AND key = wanted.value";
        let mut statement = self.db.prepare_cached(sql).map_err(store_error)?;
        let rows = statement
            .query_map(params![kind, keys], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .map_err(store_error)?;
        rows.collect::<Result<_, _>>().map_err(store_error)
    }

    fn work_after(&mut self, after: Option<&WorkPlace>, limit: usize) -> Result<Vec<WorkRow>, StoreError> {
        let sql = format!(
            "{} WHERE stuck IS NULL AND (due, seq, name, key) > (?1, ?2, ?3, ?4) ORDER BY due, seq, name, key LIMIT ?5",
            read::SELECT_WORK
        );
        let (due, seq, name, key) =
            after.map_or((i64::MIN, 0, "", ""), |(due, seq, name, key)| (*due, *seq, name.as_str(), key.as_str()));
        let mut statement = self.db.prepare_cached(&sql).map_err(store_error)?;
        let rows = statement.query_map(params![due, seq, name, key, limit], read::work_row).map_err(store_error)?;
        rows.collect::<Result<_, _>>().map_err(store_error)
    }

    fn work(&mut self, (name, key): &WorkId) -> Result<Option<WorkRow>, StoreError> {
        let sql = format!("{} WHERE name = ?1 AND key = ?2", read::SELECT_WORK);
        let mut statement = self.db.prepare_cached(&sql).map_err(store_error)?;
        let mut rows = statement.query_map(params![name, key], read::work_row).map_err(store_error)?;
        rows.next().transpose().map_err(store_error)
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        // IMMEDIATE takes the write lock before the lead is looked at, so the look stays true until the commit.
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(store_error)?;
        claim(&transaction, batch)?;
        let statements = write_batch(&transaction, batch).map_err(store_error)?;
        transaction.commit().map_err(store_error)?;
        // Begin, the claim and the commit are statements too.
        metrics::counter!("tutti.sql.statements").increment(statements + 3);
        Ok(())
    }

    fn renew(&mut self, batch: &Batch, renewal: &Renewal) -> Result<(), StoreError> {
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(store_error)?;
        claim(&transaction, batch)?;
        write_batch(&transaction, batch).and_then(|_| begin_generation(&transaction, renewal)).map_err(store_error)?;
        transaction.commit().map_err(store_error)
    }

    fn rest(&mut self) -> Result<(), StoreError> {
        let busy = self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        // A reader in the way only means that the file is cut back later.
        busy.map(|_| ()).map_err(store_error)?;
        // Large statements hold on to the rows they were last run with.
        self.db.flush_prepared_statement_cache();
        self.db.execute_batch("PRAGMA shrink_memory").map_err(store_error)
    }
}

fn claim(transaction: &Transaction, batch: &Batch) -> Result<(), StoreError> {
    let sql = "UPDATE lead SET head = head + ?1, commits = commits + 1, published = ?2 WHERE lane = 0 AND epoch = ?3 AND commits = ?4 AND head = ?5";
    let lead = &batch.lead;
    let mut statement = transaction.prepare_cached(sql).map_err(store_error)?;
    let values = [batch.log.len() as u64, batch.published, lead.epoch, lead.commits, lead.head];
    match statement.execute(values).map_err(store_error)? {
        1 => Ok(()),
        _ => Err(StoreError::Fenced(format!("epoch {} is over", lead.epoch))),
    }
}

fn begin_generation(transaction: &Transaction, renewal: &Renewal) -> rusqlite::Result<()> {
    let kinds: Rc<Vec<Value>> = Rc::new(renewal.kinds.iter().cloned().map(Value::Text).collect());
    transaction.execute(
        "UPDATE lead SET gen = ?1, head = 0, published = 0, epoch = max(epoch, ?2) WHERE lane = 0",
        params![renewal.generation, renewal.epoch],
    )?;
    transaction.execute("DELETE FROM state WHERE kind NOT IN rarray(?1)", [&kinds])?;
    transaction.execute("UPDATE state SET seq = 0", [])?;
    let prefix = STATE.len();
    let sql = format!(
        "DELETE FROM cursor WHERE substr(source, 1, {prefix}) = '{STATE}' AND substr(source, {prefix} + 1) NOT IN rarray(?1)"
    );
    transaction.execute(&sql, [&kinds])?;
    Ok(())
}

/// Returns how many statements it took.
fn write_batch(transaction: &Transaction, batch: &Batch) -> rusqlite::Result<u64> {
    Ok(append_log(transaction, batch)?
        + put_states(transaction, batch)?
        + move_cursors(transaction, batch)?
        + change_work(transaction, batch)?
        + change_parked(transaction, batch)?)
}

/// Rows that one statement takes. A few fixed sizes, so that the prepared statements are found again.
const ROWS: [usize; 4] = [256, 32, 4, 1];

/// One statement for many rows, `{before} (?, …), (?, …) {after}`, in its sizes.
struct ManyRows {
    columns: usize,
    sql: [String; ROWS.len()],
}

impl ManyRows {
    fn new(before: &str, columns: usize, after: &str) -> ManyRows {
        let row = format!("({})", vec!["?"; columns].join(", "));
        ManyRows { columns, sql: ROWS.map(|rows| format!("{before} {} {after}", vec![&*row; rows].join(", "))) }
    }

    /// Runs it over all rows, as many at a time as fit, and returns how many statements it took. `bind` gets the first
    /// parameter's index.
    fn run<R>(
        &self,
        transaction: &Transaction,
        mut rows: &[R],
        bind: impl Fn(&mut Statement, usize, &R) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<u64> {
        let mut statements = 0;
        for (size, sql) in ROWS.iter().zip(&self.sql) {
            while rows.len() >= *size {
                let (now, later) = rows.split_at(*size);
                let mut statement = transaction.prepare_cached(sql)?;
                for (index, row) in now.iter().enumerate() {
                    bind(&mut statement, index * self.columns + 1, row)?;
                }
                statement.raw_execute()?;
                (rows, statements) = (later, statements + 1);
            }
        }
        Ok(statements)
    }
}

/// Binds values one after the other, beginning with the parameter `$first`.
macro_rules! bind {
    ($statement:ident, $first:ident, $($value:expr),+ $(,)?) => {{
        let mut index = $first;
        $($statement.raw_bind_parameter(index, $value)?; index += 1;)+
        debug_assert!(index > $first);
        Ok(())
    }};
}

// A statement that fails rolls the whole batch back, so inserts say OR FAIL: nothing has to be kept for undoing the one
// statement alone.
static APPEND_LOG: LazyLock<ManyRows> = LazyLock::new(|| {
    ManyRows::new(
        "INSERT OR FAIL INTO log (lane, gen, seq, key, name, schema, body, cause, trace, epoch, at) VALUES",
        11,
        "",
    )
});

fn append_log(transaction: &Transaction, batch: &Batch) -> rusqlite::Result<u64> {
    APPEND_LOG.run(transaction, &batch.log, |s, first, r| {
        bind!(
            s,
            first,
            r.lane,
            r.generation,
            r.seq,
            &r.key,
            &r.name,
            r.schema,
            &*r.body,
            &r.cause,
            &r.trace,
            r.epoch,
            r.at
        )
    })
}

static PUT_STATES: LazyLock<ManyRows> = LazyLock::new(|| {
    ManyRows::new(
        "INSERT INTO state (kind, key, lane, seq, version, body) VALUES",
        6,
        "ON CONFLICT DO UPDATE SET seq = excluded.seq, version = excluded.version, body = excluded.body",
    )
});

fn put_states(transaction: &Transaction, batch: &Batch) -> rusqlite::Result<u64> {
    PUT_STATES.run(transaction, &batch.states, |s, first, r| {
        bind!(s, first, &r.kind, &r.key, r.lane, r.seq, r.version, &r.body)
    })
}

static MOVE_CURSORS: LazyLock<ManyRows> = LazyLock::new(|| {
    ManyRows::new(
        "INSERT INTO cursor (source, gen, lane, seq, offset_hint) VALUES",
        5,
        "ON CONFLICT DO UPDATE SET seq = excluded.seq, offset_hint = excluded.offset_hint",
    )
});

fn move_cursors(transaction: &Transaction, batch: &Batch) -> rusqlite::Result<u64> {
    MOVE_CURSORS.run(transaction, &batch.cursors, |s, first, r| {
        bind!(s, first, &r.source, r.at.generation, r.lane, r.at.seq, r.offset_hint)
    })
}

// The join looks each row up; with `(key, name) IN (VALUES …)` SQLite would scan the table.
static DELETE_WORK: LazyLock<ManyRows> = LazyLock::new(|| {
    ManyRows::new(
        "DELETE FROM work WHERE rowid IN (SELECT work.rowid FROM (VALUES",
        2,
        ") AS done CROSS JOIN work ON work.key = done.column1 AND work.name = done.column2)",
    )
});
static PUT_WORK: LazyLock<ManyRows> = LazyLock::new(|| {
    ManyRows::new(
        "INSERT OR REPLACE INTO work (name, key, lane, seq, due, shape, body, cause, trace, stuck) VALUES",
        10,
        "",
    )
});

fn change_work(transaction: &Transaction, batch: &Batch) -> rusqlite::Result<u64> {
    let deleted = DELETE_WORK.run(transaction, &batch.work_done, |s, first, (name, key)| bind!(s, first, key, name))?;
    let put = PUT_WORK.run(transaction, &batch.work_put, |s, first, r| {
        bind!(s, first, &r.name, &r.key, r.lane, r.seq, r.due, r.shape, &*r.body, &r.cause, &r.trace, &r.stuck)
    })?;
    Ok(deleted + put)
}

static PUT_PARKED: LazyLock<ManyRows> = LazyLock::new(|| {
    ManyRows::new(
        "INSERT OR FAIL INTO parked (source, gen, lane, seq, key, name, reason, schema, cause, trace, at, body, since) VALUES",
        13,
        "",
    )
});
static DELETE_PARKED: LazyLock<ManyRows> =
    LazyLock::new(|| ManyRows::new("DELETE FROM parked WHERE id IN (VALUES", 1, ")"));

fn change_parked(transaction: &Transaction, batch: &Batch) -> rusqlite::Result<u64> {
    let put =
        PUT_PARKED.run(transaction, &batch.parked, |s, first, ParkedRow { source, row: r, reason, since, .. }| {
            let (at, name) = (r.position(), &r.name);
            bind!(
                s,
                first,
                source,
                at.generation,
                r.lane,
                at.seq,
                &r.key,
                name,
                reason,
                r.schema,
                &r.cause,
                &r.trace,
                r.at,
                &*r.body,
                since
            )
        })?;
    Ok(put + DELETE_PARKED.run(transaction, &batch.unparked, |s, first, id| bind!(s, first, id))?)
}
