//! The store on PostgreSQL: one database and role per service. One session writes, the one that holds the lead's lock;
//! readers have sessions of their own. Sessions go straight to the server, never through a transaction pooler, because
//! the lock belongs to the session.

mod account;
mod batch;
pub(crate) mod error;
mod lead;
mod migrate;
mod provision;
mod read;
mod renew;
mod rows;
mod session;
pub(crate) mod text;
mod wipe;
mod write;

pub use account::Account;
pub use migrate::SCHEMA_VERSION;
pub use provision::provision;
pub use read::PostgresRead;
pub use write::PostgresStore;

use super::StoreError;
use error::{describe, outage};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{runtime::Handle, task::JoinSet};
use tokio_postgres::{Client, Config, NoTls, config::Host};

/// No server that is there takes longer to be connected to.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// The server ends a statement that takes longer.
const STATEMENT_WITHIN: Duration = Duration::from_secs(10);
/// When a call gives up on a server that does not even end its statements: one that is paused, or behind a broken
/// network.
const ANSWERS_WITHIN: Duration = Duration::from_secs(15);
/// The kernel gives up on a connection of which sent bytes are not acknowledged for this long.
const UNACKNOWLEDGED_FOR: Duration = Duration::from_secs(10);

/// Where a service's database is, and the threads that talk to it. Clones are the same database.
#[derive(Clone)]
pub struct Database {
    config: Config,
    /// The setting that names it.
    setting: &'static str,
    runtime: Handle,
    /// Whether it was ever reached: before that a wrong password is a mistake in the settings, later it is waited out.
    reached: Arc<AtomicBool>,
}

/// A client with the task that drives its connection; dropping it closes the connection at once, even while the server
/// owes an answer.
pub(crate) struct Connected {
    pub(crate) client: Arc<Client>,
    tasks: JoinSet<()>,
}

impl Database {
    /// The database that the setting `DATABASE_URL` names. Nothing is connected to yet. The runtime must have worker
    /// threads of its own, because the calls of the store block the threads that make them; no task of a runtime may
    /// make one.
    ///
    /// # Errors
    /// When it is no URL of a PostgreSQL database.
    pub fn new(url: &str, runtime: Handle) -> Result<Database, StoreError> {
        Database::named("DATABASE_URL", url, runtime)
    }

    /// The same, of another setting.
    ///
    /// # Errors
    /// When it is no URL of a PostgreSQL database.
    pub(crate) fn named(setting: &'static str, url: &str, runtime: Handle) -> Result<Database, StoreError> {
        let mut config = parsed(setting, url)?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_WITHIN);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(UNACKNOWLEDGED_FOR);
        }
        // A dead peer of an idle connection is noticed within 11 s, not after the two hours that are the default.
        config.keepalives(true).keepalives_idle(Duration::from_secs(5));
        config.keepalives_interval(Duration::from_secs(2)).keepalives_retries(3);
        Ok(Database { config, setting, runtime, reached: Arc::default() })
    }

    /// Runs a call to its end, on the thread that makes it.
    fn block_on<R>(&self, call: impl Future<Output = Result<R, StoreError>>) -> Result<R, StoreError> {
        self.block_on_within(ANSWERS_WITHIN, call)
    }

    fn block_on_within<R>(
        &self,
        limit: Duration,
        call: impl Future<Output = Result<R, StoreError>>,
    ) -> Result<R, StoreError> {
        self.runtime.block_on(async {
            let answered = tokio::time::timeout(limit, call).await;
            answered.unwrap_or_else(|_| {
                Err(StoreError::Outage(format!("{self} does not answer within {} s", limit.as_secs())))
            })
        })
    }

    /// Opens one session with these settings; `purpose` is what the server's list of sessions shows.
    pub(crate) async fn connect(&self, purpose: &str, settings: &str) -> Result<Connected, StoreError> {
        let mut config = self.config.clone();
        if config.get_application_name().is_none() {
            config.application_name(purpose);
        }
        let connected = self.open(&config).await.map_err(|error| self.unreachable(&error))?;
        connected.client.batch_execute(settings).await.map_err(|error| outage(&error))?;
        self.reached.store(true, Ordering::Relaxed);
        Ok(connected)
    }

    /// The one place where a connection is made, and where TLS would be chosen.
    async fn open(&self, config: &Config) -> Result<Connected, tokio_postgres::Error> {
        let (client, connection) = config.connect(NoTls).await?;
        let mut tasks = JoinSet::new();
        tasks.spawn_on(
            async move {
                // Whoever waits for an answer is told that the connection is closed; only the reason is said here.
                if let Err(error) = connection.await {
                    tracing::debug!(why = describe(&error), "a database connection ended");
                }
            },
            &self.runtime,
        );
        Ok(Connected { client: Arc::new(client), tasks })
    }

    fn unreachable(&self, error: &tokio_postgres::Error) -> StoreError {
        let why = format!("{self} cannot be reached: {}", describe(error));
        if self.reached.load(Ordering::Relaxed) || !error::is_of_the_settings(error) {
            return StoreError::Outage(why);
        }
        StoreError::Fatal(format!(
            "{why}. See that {} names the right server, database, user and password, and that the database was created",
            self.setting
        ))
    }
}

impl fmt::Display for Database {
    /// Host, port and name; never the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts = self.config.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            #[cfg(unix)]
            Host::Unix(path) => path.display().to_string(),
        });
        let addresses = self.config.get_hostaddrs().iter().map(ToString::to_string);
        let place = hosts.chain(addresses).next().unwrap_or_default();
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        write!(f, "the database `{}` at {place}:{port}", self.config.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a setting says of a database.
fn parsed(setting: &str, url: &str) -> Result<Config, StoreError> {
    let config: Config = url.parse().map_err(|e| not_a_url(setting, &describe(&e)))?;
    if config.get_dbname().is_none() {
        return Err(not_a_url(setting, "it names no database"));
    }
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(not_a_url(setting, "it names no host"));
    }
    Ok(config)
}

fn not_a_url(setting: &str, why: &str) -> StoreError {
    StoreError::Fatal(format!(
        "{setting} cannot be used ({why}): give postgres://USER:PASSWORD@HOST:PORT/DATABASE, with special characters of \
         the password percent-encoded"
    ))
}
