//! Who may write: the lock that a session holds, the row that it raises, and what becomes of a holder that is silent.

use super::{
    error::{outage, store_error},
    rows,
    session::Backend,
};
use crate::{
    clock::Micros,
    store::{Lead, StoreError},
};
use tokio_postgres::{Client, types::Type};

/// Tells our advisory locks from those of others ("tutt"). The second number is the lane; -1 is for migrations.
pub(super) const LOCK_CLASS: i32 = 0x7475_7474;
/// A holder that has said nothing for this long is ended. It says something each second.
const SILENT_FOR: &str = "5 s";

/// The server's clock in microseconds since 1970.
pub(super) const NOW: &str = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

/// Takes the lead's lock for this session, if nobody has it.
pub(super) async fn try_lock(client: &Client) -> Result<bool, StoreError> {
    let sql = format!("SELECT pg_try_advisory_lock({LOCK_CLASS}, 0)");
    client.query_typed_one(&sql, &[]).await.and_then(|row| row.try_get(0)).map_err(store_error)
}

/// Ends a holder of the lock that shows no sign of life: its process is paused, or can no longer be reached. One that is
/// in a statement is left alone, because the server ends a statement that takes too long.
pub(super) async fn end_silent_holder(client: &Client) -> Result<(), StoreError> {
    // The list of locks is the whole server's.
    let sql = format!(
        "SELECT pg_terminate_backend(pid, 1000) FROM pg_locks JOIN pg_stat_activity AS holder USING (pid)
          WHERE locktype = 'advisory' AND classid::bigint = {LOCK_CLASS} AND objid::bigint = 0 AND objsubid = 2 AND granted
            AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND holder.state LIKE 'idle%' AND clock_timestamp() - holder.state_change > '{SILENT_FOR}'"
    );
    let ended = client.query_typed(&sql, &[]).await.map_err(store_error)?;
    if !ended.is_empty() {
        tracing::warn!("ended the session of a leader that showed no sign of life for {SILENT_FOR}");
    }
    Ok(())
}

/// Ends what may be left on the server of a session that was dropped, so that its lock is free at once. A process id
/// may have been given to another session since; one that began at that moment has not.
pub(super) async fn end_backend(client: &Client, Backend { pid, since }: Backend) -> Result<(), StoreError> {
    let sql = "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity
                WHERE pid = $1 AND (extract(epoch FROM backend_start) * 1000000)::bigint = $2";
    client.query_typed(sql, &[(&pid, Type::INT4), (&since, Type::INT8)]).await.map_err(|e| outage(&e))?;
    Ok(())
}

/// What a session that may not lead is told: where the leader is, or that a newer build has led.
pub(super) async fn led(client: &Client, build: u64) -> StoreError {
    let sql = "SELECT owner, build FROM lead WHERE lane = 0";
    let row = client.query_typed_one(sql, &[]).await;
    let told = row.and_then(|row| Ok((row.try_get::<_, String>(0)?, row.try_get::<_, i64>(1)?)));
    match told {
        Ok((_, newer)) if rows::unsigned(newer).is_ok_and(|newer| newer > build) => newer_build(build),
        Ok((owner, _)) => StoreError::Led(super::text::unescaped(owner)),
        Err(error) => store_error(error),
    }
}

/// Raises the epoch, in a statement that is committed before anything is loaded. Returns the lead, and the server's time.
pub(super) async fn raise_epoch(client: &Client, owner: &str, build: u64) -> Result<(Lead, Micros), StoreError> {
    let sql = format!(
        "UPDATE lead SET epoch = epoch + 1, owner = $1, build = $2 WHERE lane = 0 AND build <= $2 RETURNING {NOW}"
    );
    let (owner, number) = (super::text::escaped(owner), rows::number(build)?);
    let raised = client.query_typed_opt(&sql, &[(&owner, Type::TEXT), (&number, Type::INT8)]).await;
    let Some(row) = raised.map_err(store_error)? else { return Err(newer_build(build)) };
    let now = row.try_get(0).map_err(store_error)?;
    // Nobody else writes while this session holds the lock, so what is read now is what was raised.
    Ok((rows::lead(client).await?, now))
}

fn newer_build(build: u64) -> StoreError {
    StoreError::Fatal(format!(
        "a newer build than this one ({build}) has led this store: run the newer build, an older one never takes the \
         lead back"
    ))
}
