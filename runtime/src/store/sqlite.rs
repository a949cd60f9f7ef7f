//! The store on SQLite: one file per service, durable at every commit (WAL, `synchronous=FULL`).

mod read;
mod write;

pub use read::SqliteRead;
pub use write::SqliteStore;

use super::StoreError;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior, config::DbConfig};
use std::{path::Path, time::Duration};

/// Marks a file as ours ("tutt"), so that another program's database is never written to.
pub const APPLICATION_ID: i64 = 0x7475_7474;
/// Counts changes of `schema.sql`.
pub const SCHEMA_VERSION: i64 = 1;
/// How long a connection waits for another one's lock before it reports an outage.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

fn open(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(|e| unusable(path, &e))?;
    db.busy_timeout(BUSY_TIMEOUT).map_err(|e| unusable(path, &e))?;
    db.set_prepared_statement_cache_capacity(64);
    // Otherwise SQLite, as it is bundled, prepares cached statements anew whenever other values are bound.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(|e| unusable(path, &e))?;
    rusqlite::vtab::array::load_module(&db).map_err(|e| unusable(path, &e))?;
    Ok(db)
}

fn unusable(path: &Path, error: &rusqlite::Error) -> StoreError {
    let file = path.display();
    StoreError::Fatal(format!(
        "{file} cannot be used as a tutti store ({error}): see that its folder is there and may be written to, or give another --data directory"
    ))
}

/// What a file is, before anything of it is changed.
#[derive(PartialEq, Eq)]
enum Found {
    Empty,
    Ours,
}

/// Refuses a file that is not ours, or newer than this build.
fn examine(db: &Connection, path: &Path) -> Result<Found, StoreError> {
    let number = |sql| db.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(|e| unusable(path, &e));
    let application = number("PRAGMA application_id")?;
    let version = number("PRAGMA user_version")?;
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    match (application, version, tables) {
        (APPLICATION_ID, SCHEMA_VERSION, _) => Ok(Found::Ours),
        (0, 0, 0) => Ok(Found::Empty),
        (APPLICATION_ID, newer, _) if newer > SCHEMA_VERSION => Err(StoreError::Fatal(format!(
            "{} was written by a newer build (schema {newer}, this build knows {SCHEMA_VERSION}): run that build, or give another --data directory",
            path.display()
        ))),
        _ => Err(StoreError::Fatal(format!(
            "{} is a database, but not one of tutti: give another --data directory",
            path.display()
        ))),
    }
}

/// Creates the tables of a new file, unless another process was faster.
fn migrate(db: &mut Connection, path: &Path, now_ms: i64) -> Result<(), StoreError> {
    let failed = |e: rusqlite::Error| unusable(path, &e);
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    if examine(&transaction, path)? == Found::Ours {
        return Ok(());
    }
    transaction.execute_batch(include_str!("schema.sql")).map_err(failed)?;
    transaction
        .execute("INSERT INTO lead (lane, gen, epoch, owner, build, head, published, commits) VALUES (0, ?1, 0, '', 0, 0, 0, 0)", [now_ms])
        .map_err(failed)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
    transaction.pragma_update(None, "user_version", SCHEMA_VERSION).map_err(failed)?;
    transaction.commit().map_err(failed)
}

/// Full and busy pass; content that SQLite will never take is the input's fault; anything else means that the file
/// cannot be trusted, and the process ends.
fn store_error(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            StoreError::Outage(error.to_string())
        }
        Some(ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch) => {
            StoreError::Data(error.to_string())
        }
        _ => StoreError::Fatal(format!("SQLite: {error}")),
    }
}
