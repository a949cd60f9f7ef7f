//! The parts of a deployed shop, as the environment names them: for jobs that work on databases and topics themselves.

use super::setting::{optional, required};
use crate::{failure::Failure, shop::SERVICES};
use runtime::{
    StoreError,
    bus::{
        Bell,
        kafka::{KafkaBus, Settings},
    },
    store::{Database, PostgresRead, PostgresStore, Read},
};
use std::sync::Arc;
use tokio::runtime::Handle;

/// Where the topics are, and how to find the databases.
pub(super) struct Deployed {
    pub kafka: Settings,
}

/// One service's database and connection, for a job that stands in for it.
pub(super) struct Connected {
    pub store: Box<PostgresStore>,
    pub read: Arc<PostgresRead>,
    pub bus: Box<KafkaBus>,
    pub bell: Arc<Bell>,
}

impl Deployed {
    /// # Errors
    /// Where there is no deployed shop: says what is possible with one in a single process.
    pub fn of_the_environment(job: &str) -> Result<Deployed, Failure> {
        let Some(brokers) = optional("KAFKA_BOOTSTRAP_SERVERS") else {
            return Err(Failure::Usage(format!(
                "KAFKA_BOOTSTRAP_SERVERS is not set, so this is no deployed shop. In a shop in one process (`tutti up`) each \
                 service's log is its topic, one and the same file: there is nothing to {job} it from. Restore the whole data \
                 directory from a backup, or begin anew with `tutti reset`"
            )));
        };
        let registry = required("SCHEMA_REGISTRY_URL", "http://127.0.0.1:8081")?;
        let prefix = optional("KAFKA_TOPIC_PREFIX").unwrap_or_default();
        Ok(Deployed { kafka: Settings { prefix, ..Settings::new(&brokers, &registry, Handle::current()) } })
    }

    /// The database of one service. `DATABASE_URL` names it where only one service is meant.
    pub fn database(&self, service: &str, alone: bool) -> Result<Database, Failure> {
        let name = format!("{}_DATABASE_URL", service.to_uppercase());
        let url = match (optional(&name), optional("DATABASE_URL")) {
            (None, Some(url)) if alone => url,
            (Some(url), _) => url,
            _ => required(&name, &format!("postgres://{service}:PASSWORD@127.0.0.1:5432/{service}"))?,
        };
        Database::new(&url, Handle::current()).map_err(|error| Failure::Usage(format!("{name}: {error}")))
    }

    /// Connects in place of a service, reading these topics.
    pub fn connect(
        &self,
        service: &'static str,
        sources: &[&'static str],
        database: Database,
    ) -> Result<Connected, Failure> {
        let (bell, read) = (Arc::<Bell>::default(), Arc::new(PostgresRead::new(database.clone())));
        let log: Arc<dyn Read> = read.clone();
        let bus = KafkaBus::connect(&self.kafka, service, sources, log, &bell);
        let bus = Box::new(bus.map_err(|error| Failure::Usage(error.to_string()))?);
        Ok(Connected { store: Box::new(PostgresStore::new(database)), read, bus, bell })
    }
}

/// The service of this name.
pub(super) fn service(name: &str) -> Result<&'static str, Failure> {
    let known = SERVICES.into_iter().find(|service| *service == name);
    known.ok_or_else(|| Failure::Usage(format!("there is no service `{name}`")))
}

/// A store's error as a job tells it.
pub(super) fn away(error: &StoreError) -> Failure {
    match error {
        StoreError::Led(owner) => Failure::NotSo(format!("it runs: the process at {owner} leads; stop it first")),
        other => Failure::Away(other.to_string()),
    }
}
