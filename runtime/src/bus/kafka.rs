//! The bus on Kafka: one topic per service, one partition per lane (ADR 16), schemas in a registry.
//!
//! Outwards the relay sends the log; inwards the reader takes what librdkafka has fetched ahead, and keeps no place
//! of its own. A watch asks, beside both, where the lanes end by now and whether the topics are still what they were.

mod config;
pub mod headers;
mod peek;
mod reader;
pub mod registration;
mod registry;
mod relay;
mod schemas;
pub mod topics;
mod watch;

pub use config::{MAX_RECORD, Settings};
pub use registry::{Registry, RegistryError};

use super::{Beginning, Bell, Bus, BusAway, Ends, Fetched, Published};
use crate::{
    record::{LogRow, Position},
    reign::Lane,
    store::Read,
};
use reader::Reader;
use relay::{Desk, Relay};
use schemas::Schemas;
use std::sync::Arc;

/// Why a connection to the bus cannot be made at all.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The registry's address is wrong.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The brokers' addresses are wrong, or librdkafka refuses an option.
    #[error(
        "KAFKA_BOOTSTRAP_SERVERS is `{brokers}`, which cannot be used: {why}; give host:port, several with commas between"
    )]
    Brokers {
        /// What it is.
        brokers: String,
        /// What librdkafka says.
        why: String,
    },
    /// No thread can be started.
    #[error("no thread can be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// One service's connection.
pub struct KafkaBus {
    service: &'static str,
    settings: Settings,
    schemas: Arc<Schemas>,
    relay: Relay,
    reader: Reader,
    /// Whether the topics were found to be laid out as this build needs them.
    laid_out: bool,
    /// How many restarts of its own topic are taken into account.
    restarts: u64,
    sources: Vec<&'static str>,
}

impl KafkaBus {
    /// A connection for `service`, which reads `sources` and writes what is in its own `log`. The `bell` rings when
    /// there is news. Nothing is asked of the brokers yet.
    ///
    /// # Errors
    /// When an address is none, or the system has no thread left.
    pub fn connect(
        settings: &Settings,
        service: &'static str,
        sources: &[&'static str],
        log: Arc<dyn Read>,
        bell: &Arc<Bell>,
    ) -> Result<KafkaBus, ConnectError> {
        let brokers = |e: rdkafka::error::KafkaError| ConnectError::Brokers {
            brokers: settings.brokers.clone(),
            why: e.to_string(),
        };
        let desk = Desk::new(service, settings, log);
        let (woken, rung) = (desk.clone(), bell.clone());
        let news = move || {
            woken.news();
            rung.ring();
        };
        let schemas = Schemas::new(settings, news)?;
        let relay = Relay::start(desk, schemas.clone())?;
        let reader = Reader::connect(settings, service, sources, schemas.clone(), bell).map_err(brokers)?;
        let (settings, sources) = (settings.clone(), sources.to_vec());
        Ok(KafkaBus { service, settings, schemas, relay, reader, laid_out: false, restarts: 0, sources })
    }

    /// Once per connection: everything that would only show when it is too late.
    fn assert_layout(&mut self) -> Result<(), BusAway> {
        if !self.laid_out {
            // A job also reads the own topic, and brokers do not answer to one that is asked for twice.
            let others = self.sources.iter().copied().filter(|source| *source != self.service);
            let services: Vec<_> = std::iter::once(self.service).chain(others).collect();
            let checked = self.settings.runtime.block_on(topics::assert(&self.settings, &services));
            checked.map_err(|e| BusAway(e.to_string()))?;
            self.laid_out = true;
        }
        Ok(())
    }
}

impl Bus for KafkaBus {
    fn system(&self) -> &'static str {
        "kafka"
    }

    fn begin(&mut self, beginning: &Beginning) -> Result<(), BusAway> {
        self.assert_layout()?;
        self.reader.begin(beginning);
        self.relay.begin(beginning);
        Ok(())
    }

    fn fetch(&mut self, lane: Lane, after: Position, max: usize) -> Result<Fetched, BusAway> {
        self.reader.fetch(lane, after, max)
    }

    fn ends(&mut self, lane: Lane) -> Result<Ends, BusAway> {
        let peeked = peek::ends(&self.settings, self.service, lane)?;
        self.reader.note_hint(lane, peeked.ends.latest, peeked.hint);
        Ok(peeked.ends)
    }

    fn reread(&mut self, lane: Lane, after: Position) -> Result<(), BusAway> {
        self.reader.reread(lane, after)
    }

    fn publish(&mut self, rows: &[Arc<LogRow>]) {
        self.relay.publish(&self.schemas, rows);
    }

    fn publish_again(&mut self, after: Position) {
        self.relay.look_again(Some(after));
    }

    fn published(&mut self) -> Published {
        let own = self.reader.facts((self.service, 0));
        let restarted = own.restarts != std::mem::replace(&mut self.restarts, own.restarts);
        if restarted || own.high.is_some_and(|(high, asked)| self.relay.has_put_behind(high, asked)) {
            self.relay.look_again(None);
        }
        let published = self.relay.published();
        let held_up = own.gone.or(published.held_up).or_else(|| self.reader.complaint());
        Published { held_up, ..published }
    }
}
