//! The writer's session with the server.

use super::{Connected, Database, STATEMENT_WITHIN, error::store_error, lead::NOW};
use crate::{clock::DatabaseClock, store::StoreError};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio_postgres::{Client, Statement};

/// A session that writes nothing says this often that it is alive.
const SIGN_OF_LIFE_EVERY: Duration = Duration::from_secs(1);

/// Names one session of the server for ever: its process, and when it began, in microseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backend {
    pub pid: i32,
    pub since: i64,
}

/// One session of the writer. It leads, stands by or only reads; dropping it ends it.
pub(super) struct Session {
    connected: Connected,
    pub backend: Backend,
    /// The statement that writes a batch, once this session holds the lead's lock.
    pub write: Option<Statement>,
    /// Whether anything was asked since the last sign of life.
    used: Arc<AtomicBool>,
}

impl Session {
    pub async fn connect(database: &Database) -> Result<Session, StoreError> {
        let connected = database.connect("tutti writer", &settings()).await?;
        let sql = "SELECT pid, (extract(epoch FROM backend_start) * 1000000)::bigint
                     FROM pg_stat_activity WHERE pid = pg_backend_pid()";
        let row = connected.client.query_typed_one(sql, &[]).await.map_err(store_error)?;
        let backend =
            Backend { pid: row.try_get(0).map_err(store_error)?, since: row.try_get(1).map_err(store_error)? };
        Ok(Session { connected, backend, write: None, used: Arc::default() })
    }

    pub fn client(&self) -> &Client {
        self.used.store(true, Ordering::Relaxed);
        &self.connected.client
    }

    /// Shows signs of life from now on, for as long as this session is kept and its process runs. They go on in the same
    /// session, so that they end with it, and bring the server's time along.
    pub fn show_life(&mut self, database: &Database, clock: Arc<DatabaseClock>) {
        let (client, used) = (self.connected.client.clone(), self.used.clone());
        self.connected.tasks.spawn_on(
            async move {
                let sql = format!("SELECT {NOW}");
                loop {
                    tokio::time::sleep(SIGN_OF_LIFE_EVERY).await;
                    if used.swap(false, Ordering::Relaxed) {
                        continue;
                    }
                    // Whoever uses the session next learns what is wrong with it.
                    let Ok(row) = client.query_typed_one(&sql, &[]).await else { return };
                    let Ok(now) = row.try_get(0) else { return };
                    clock.sampled(now);
                }
            },
            &database.runtime,
        );
    }
}

/// What every session that writes goes by, whatever the server's, the database's or the role's defaults are.
fn settings() -> String {
    let within = STATEMENT_WITHIN.as_secs();
    format!(
        "SET synchronous_commit = on;                     -- an answer means durable
         SET default_transaction_isolation = 'read committed'; -- the claim must see what another session committed
         SET statement_timeout = '{within} s';            -- bounds how long a session can be neither idle nor done
         SET idle_in_transaction_session_timeout = '{within} s';
         SET client_connection_check_interval = '500 ms'; -- a killed process's statement does not keep the lock
         SET plan_cache_mode = force_generic_plan;        -- planning costs more than writing a small batch
         SET enable_seqscan = off;                        -- plans are kept, so they must be right for tables that grow:
         SET enable_hashjoin = off;                       -- each row is looked up by its key,
         SET enable_mergejoin = off;                      -- however small the table was when the plan was made
         SET jit = off;                                   -- compiling would take longer than any of our statements"
    )
}
