//! The tables, and how they change from build to build. The service itself applies what is missing before it first
//! leads, in one transaction under a lock; it owns its database and needs nobody's help for it.

use super::{
    error::{describe, outage, store_error},
    lead::LOCK_CLASS,
};
use crate::{failpoint, store::StoreError};
use tokio_postgres::Client;

/// Counts changes of the tables.
pub const SCHEMA_VERSION: i32 = MIGRATIONS[MIGRATIONS.len() - 1].0;

/// Every change there ever was, in order. One that was published is never edited: another one follows it. A change must
/// leave the tables usable for the build before, which may still lead while it is applied.
const MIGRATIONS: [(i32, &str, &str); 1] = [(1, "tables", include_str!("migrations/0001-tables.sql"))];

/// What marks a database as ours, and tells what was applied to it, and when.
const MARK: &str = "CREATE TABLE tutti_migration (
  version integer PRIMARY KEY,                           -- counts up; what this build does not know, a newer one applied
  what    text NOT NULL,                                 -- the file's name, for people
  at      timestamptz NOT NULL DEFAULT clock_timestamp() -- for people too
)";

/// PostgreSQL 14 is the first that watches the client's connection while a statement runs.
const OLDEST_SERVER: i32 = 140_000;

/// What a database is, before anything of it is changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It has no tables.
    Empty,
    /// It is ours, and this version was applied to it.
    Ours(i32),
}

/// Refuses a database that is not ours, of a newer build, or that cannot hold what we store.
pub(super) async fn examine(client: &Client) -> Result<Found, StoreError> {
    let sql = "SELECT current_setting('server_version_num')::int4, current_setting('server_encoding'),
                      current_database()::text, to_regclass('tutti_migration') IS NOT NULL,
                      (SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm')
                          AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()))";
    let row = client.query_typed_one(sql, &[]).await.map_err(store_error)?;
    let read = |e: tokio_postgres::Error| StoreError::Fatal(describe(&e));
    let (server, encoding): (i32, String) = (row.try_get(0).map_err(read)?, row.try_get(1).map_err(read)?);
    let (database, marked): (String, bool) = (row.try_get(2).map_err(read)?, row.try_get(3).map_err(read)?);
    let tables: i64 = row.try_get(4).map_err(read)?;
    if server < OLDEST_SERVER {
        return Err(StoreError::Fatal(format!(
            "the server of database `{database}` is PostgreSQL {}: version 14 or newer is needed",
            server / 10_000
        )));
    }
    if encoding != "UTF8" {
        return Err(StoreError::Fatal(format!(
            "database `{database}` is encoded in {encoding}: create it with ENCODING 'UTF8'"
        )));
    }
    match (marked, tables) {
        (true, _) => applied(client, &database).await,
        (false, 0) => Ok(Found::Empty),
        (false, _) => Err(StoreError::Fatal(format!(
            "database `{database}` has tables, but none of tutti: let DATABASE_URL name a database of this service alone"
        ))),
    }
}

async fn applied(client: &Client, database: &str) -> Result<Found, StoreError> {
    let sql = "SELECT coalesce(max(version), 0) FROM tutti_migration";
    let row = client.query_typed_one(sql, &[]).await.map_err(store_error)?;
    let version: i32 = row.try_get(0).map_err(store_error)?;
    if version > SCHEMA_VERSION {
        return Err(StoreError::Fatal(format!(
            "database `{database}` was migrated by a newer build (schema {version}, this build knows \
             {SCHEMA_VERSION}): run that build"
        )));
    }
    Ok(Found::Ours(version))
}

/// Applies what is missing.
pub(super) async fn migrate(client: &Client) -> Result<(), StoreError> {
    if examine(client).await? == Found::Ours(SCHEMA_VERSION) {
        return Ok(());
    }
    client
        .batch_execute(&format!("BEGIN; SELECT pg_advisory_xact_lock({LOCK_CLASS}, -1)"))
        .await
        .map_err(|e| outage(&e))?;
    // Another process may have been faster.
    let before = match examine(client).await? {
        Found::Ours(version) => version,
        Found::Empty => {
            client.batch_execute(MARK).await.map_err(|e| not_applied("tutti_migration", &e))?;
            0
        }
    };
    for (version, what, sql) in MIGRATIONS.iter().filter(|(version, ..)| *version > before) {
        let noted = format!("{sql};\nINSERT INTO tutti_migration (version, what) VALUES ({version}, '{what}')");
        client.batch_execute(&noted).await.map_err(|e| not_applied(what, &e))?;
    }
    failpoint::reached("migration.applied");
    client.batch_execute("COMMIT").await.map_err(|e| outage(&e))?;
    failpoint::reached("migration.committed");
    Ok(())
}

fn not_applied(what: &str, error: &tokio_postgres::Error) -> StoreError {
    match error.code() {
        Some(state) if state.code().starts_with("42") => StoreError::Fatal(format!(
            "migration `{what}` cannot be applied ({}): the role in DATABASE_URL must own its database",
            describe(error)
        )),
        _ => outage(error),
    }
}
