//! The server under test, and databases on it that live as long as their test.

use runtime::store::{Database, PostgresRead, PostgresStore};
use std::{
    env, process,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, Config, NoTls};

/// Drives every connection of these tests.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());

/// The server that `DATABASE_URL` names; its tests are skipped without one.
#[derive(Clone)]
pub struct Server(Config);

/// A database of one test. Dropping it drops the database, whoever is still connected to it.
pub struct Fresh {
    pub server: Server,
    pub name: String,
}

/// A client of the tests themselves.
pub fn run<R>(work: impl Future<Output = R>) -> R {
    RUNTIME.block_on(work)
}

pub fn handle() -> tokio::runtime::Handle {
    RUNTIME.handle().clone()
}

/// A name that no other test of this machine uses.
pub fn unique(what: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("tutti_test_{}_{}_{what}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

impl Server {
    pub fn of_the_environment() -> Option<Server> {
        let Ok(url) = env::var("DATABASE_URL") else {
            eprintln!(
                "skipped: set DATABASE_URL=postgres://USER:PASSWORD@HOST:PORT, a superuser of a PostgreSQL server, and \
                 run `cargo test -p runtime --test postgres` again"
            );
            return None;
        };
        Some(Server(url.parse().expect("DATABASE_URL is a URL of a PostgreSQL server")))
    }

    pub fn fresh(&self) -> Fresh {
        let name = unique("store");
        self.sql("postgres", &format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"));
        Fresh { server: self.clone(), name }
    }

    /// A copy of a database to which nobody is connected, as a backup is restored.
    #[allow(dead_code, reason = "shared with tests that copy nothing")]
    pub fn copy(&self, of: &Fresh) -> Fresh {
        let name = unique("copy");
        self.sql("postgres", &format!("CREATE DATABASE {name} TEMPLATE {}", of.name));
        Fresh { server: self.clone(), name }
    }

    pub async fn connect(&self, database: &str) -> Client {
        let (client, connection) = self.0.clone().dbname(database).connect(NoTls).await.unwrap();
        RUNTIME.spawn(connection);
        client
    }

    /// Runs statements as the administrator.
    pub fn sql(&self, database: &str, statements: &str) {
        run(async { self.connect(database).await.batch_execute(statements).await.unwrap() });
    }

    /// The URL of one of its databases, for a user.
    pub fn url_for(&self, user: &str, password: &str, database: &str) -> String {
        let host = match &self.0.get_hosts()[0] {
            tokio_postgres::config::Host::Tcp(name) => name.clone(),
            other => panic!("DATABASE_URL must name a host, not {other:?}"),
        };
        let port = self.0.get_ports().first().copied().unwrap_or(5432);
        format!("postgres://{user}:{password}@{host}:{port}/{database}")
    }

    /// The administrator's URL of one of its databases.
    pub fn url(&self, database: &str) -> String {
        let password = String::from_utf8(self.0.get_password().unwrap_or_default().to_vec()).unwrap();
        self.url_for(self.0.get_user().unwrap_or("postgres"), &password, database)
    }
}

impl Fresh {
    pub fn url(&self) -> String {
        self.server.url(&self.name)
    }

    pub fn database(&self) -> Database {
        Database::new(&self.url(), handle()).unwrap()
    }

    pub fn store(&self) -> PostgresStore {
        PostgresStore::new(self.database())
    }

    pub fn read(&self) -> Arc<PostgresRead> {
        Arc::new(PostgresRead::new(self.database()))
    }

    pub fn sql(&self, statements: &str) {
        self.server.sql(&self.name, statements);
    }

    pub fn connect(&self) -> Client {
        run(self.server.connect(&self.name))
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        self.server.sql("postgres", &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}
