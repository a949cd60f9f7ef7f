//! Rebuilding a service whose store was lost, or is an older copy, from its own topic (ADR 14).
//!
//! What a service said is on its topic, with what caused it. So its life is led once more, event by event (replay.rs):
//! records are decided again in the states of that moment, which gives back what was asked of the world; answers that led
//! to events are known by them. What is still open then is asked for by its key when the service runs again, and never
//! called first. Records behind the last one that is known to have been taken come again through the door as new ones.
//!
//! The log goes on in a new generation, because nobody knows whether numbers behind the recovered ones were given before.
//! Everything up to a page is one transaction; the last one begins the generation. A recovery that was broken off leaves a
//! store that is behind its topic, which refuses to run, and is gone on with by running it again.

mod pull;
mod replay;

use crate::{
    bus::{Bell, Bus, BusAway, Ends},
    clock::Clock,
    fold,
    record::{LogRow, Position},
    reign::Reign,
    store::{Batch, Read, Renewal, Store, StoreError},
};
use choreography::{Service, Start, Topic};
pub(crate) use pull::Pull;
use replay::Replay;
use std::{collections::HashMap, sync::Arc};

/// Who leads while a recovery is at work, as standbys are told.
const OWNER: &str = "a recovery";

/// What a recovery works with.
pub struct Parts<T: Topic> {
    /// The service.
    pub service: Service<T>,
    /// Its store, to be rebuilt.
    pub store: Box<dyn Store>,
    /// The same, for reading.
    pub read: Arc<dyn Read>,
    /// A connection that reads the service's own topic and those of its sources. Nothing is published.
    pub bus: Box<dyn Bus>,
    /// Rings when the bus has news.
    pub bell: Arc<Bell>,
    /// Tells when the new generation begins.
    pub clock: Arc<dyn Clock>,
    /// As in [`crate::Parts`].
    pub build: u64,
}

/// What was found, and done about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// The last event that the store knew.
    pub from: Position,
    /// The last event on the topic.
    pub to: Position,
    /// Events taken from the topic.
    pub events: u64,
    /// Effects and timers that are open again, or still.
    pub open_work: u64,
    /// Records set aside, because they cannot have been taken as they would be now.
    pub parked: u64,
    /// The generation in which the log goes on; none when the store lacked nothing and was left as it is.
    pub generation: Option<i64>,
    /// What could not be led once more, in words; it was taken from the topic as it stands there.
    pub doubts: Vec<String>,
}

/// Why a store was not rebuilt. What was done before stays, and running it again goes on there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecoverError {
    /// The service runs.
    #[error("{service} runs: the process at {owner} leads; stop every process of it first")]
    Runs {
        /// The service.
        service: &'static str,
        /// Where its leader is.
        owner: String,
    },
    /// The topic does not reach back to where the store ends.
    #[error(
        "the topic of {service} begins behind what the store has: event {wanted} is not there any more (the topic begins with {found}). \
         Restore a backup that goes at least up to the event before {found}, and run this again; or begin the whole shop anew with `tutti reset --deployed`"
    )]
    Cut {
        /// The service.
        service: &'static str,
        /// The event that should come next.
        wanted: String,
        /// The first one that is there.
        found: String,
    },
    /// A topic lacks events that this recovery needs.
    #[error(
        "the topic of {source_name} lacks event {lacking}: publish it again with `tutti republish --service {source_name}`, then run this again"
    )]
    Gap {
        /// Whose topic.
        source_name: &'static str,
        /// The first one that is not there.
        lacking: String,
    },
    /// An event that this build cannot read or fold.
    #[error("{0}; run a build that knows it")]
    Unreadable(String),
    /// The log has events that the topic never had: they are not the same service's.
    #[error(
        "the store of {0} goes on behind its topic, but lacks the topic's last event: they do not belong together. See that DATABASE_URL and KAFKA_BOOTSTRAP_SERVERS name the same shop"
    )]
    Strange(&'static str),
    /// A service that reacts to its own events: what it took of them cannot be told from what it said.
    #[error("{0} reads its own topic, and cannot be rebuilt from it")]
    ReadsItself(&'static str),
    /// The bus.
    #[error(transparent)]
    Bus(#[from] BusAway),
    /// The store.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for RecoverError {
    fn from(error: StoreError) -> RecoverError {
        RecoverError::Store(error)
    }
}

/// Told how many events are taken, of about how many.
pub type Progress<'p> = &'p dyn Fn(u64, u64);

/// What a recovery would do: nothing is written.
///
/// # Errors
/// As [`recover`].
pub fn plan(
    service: &'static str,
    read: &dyn Read,
    bus: &mut dyn Bus,
    bell: &Bell,
    progress: Progress<'_>,
) -> Result<Recovered, RecoverError> {
    let ends = bus.ends((service, 0))?;
    let from = log_end(read)?;
    let mut found = Recovered { from, to: ends.latest, ..Recovered::default() };
    if ends.latest.seq == 0 || read.holds(ends.latest)? {
        return Ok(found);
    }
    may_begin(service, from, &ends)?;
    let mut own = Own::behind(service, from, &ends);
    let mut pull = Pull::new(bus, bell);
    while own.next(&mut pull)?.is_some() {
        found.events += 1;
        progress(found.events, own.about);
    }
    Ok(found)
}

/// Rebuilds a store that is behind its topic. One that is not is left as it is.
///
/// # Errors
/// Says why not, and what to do.
pub fn recover<T: Topic>(parts: Parts<T>, progress: Progress<'_>) -> Result<Recovered, RecoverError> {
    let Parts { service, mut store, read, mut bus, bell, clock, build } = parts;
    if service.sources().contains(&T::NAME) {
        return Err(RecoverError::ReadsItself(T::NAME));
    }
    choreography::quiet_panics();
    // The lead comes first: a store that has no tables yet gets them, and nobody else writes from here on.
    let mut reign = Reign::begin(&service, &mut *store, OWNER, build, clock.now()).map_err(|error| match error {
        StoreError::Led(owner) => RecoverError::Runs { service: T::NAME, owner },
        other => other.into(),
    })?;
    let (from, ends) = (log_end(&*read)?, bus.ends((T::NAME, 0))?);
    if ends.latest.seq == 0 || read.holds(ends.latest)? {
        return Ok(Recovered { from, to: ends.latest, ..Recovered::default() });
    }
    may_begin(T::NAME, from, &ends)?;
    fold::catch_up(&service, &mut *store, &*read, &mut reign)?;
    let mut pull = Pull::new(&mut *bus, &bell);
    let first = match service.start() {
        Start::Now => replay::first_taken(Own::behind(T::NAME, from, &ends), &mut pull)?,
        Start::Earliest => HashMap::new(),
    };
    let mut own = Own::behind(T::NAME, from, &ends);
    let mut replay = Replay::begin(&service, &mut *store, &*read, reign, first)?;
    while let Some(row) = own.next(&mut pull)? {
        replay.take(row, &mut pull)?;
        progress(own.taken, own.about);
    }
    let (mut recovered, last) = replay.finish(&mut pull, clock.now())?;
    (recovered.from, recovered.to, recovered.events) = (from, last, own.taken);
    Ok(recovered)
}

/// The last event of a log; nothing of an empty one. A log that was renewed and says nothing since ends behind whatever
/// it said before.
pub(crate) fn log_end(read: &dyn Read) -> Result<Position, StoreError> {
    let lead = read.lead()?;
    if read.log_after(0, Position::default(), 1)?.is_empty() {
        return Ok(Position::default());
    }
    Ok(Position { generation: lead.generation, seq: lead.head })
}

/// Whether the topic can have what comes next.
fn may_begin(service: &'static str, from: Position, ends: &Ends) -> Result<(), RecoverError> {
    if from > ends.latest {
        return Err(RecoverError::Strange(service));
    }
    let first = Position { seq: ends.earliest.seq + 1, ..ends.earliest };
    if from == Position::default() && (!ends.whole || first.seq != 1) {
        return Err(cut(service, "1 of the first log".into(), first));
    }
    Ok(())
}

fn cut(service: &'static str, wanted: String, found: Position) -> RecoverError {
    RecoverError::Cut { service, wanted, found: shown(found) }
}

/// An event as people see it.
fn shown(at: Position) -> String {
    format!("{}.0.{}", at.generation, at.seq)
}

/// The service's own topic, from where its log ends: each event once, in order.
struct Own {
    service: &'static str,
    at: Position,
    taken: u64,
    about: u64,
}

impl Own {
    fn behind(service: &'static str, from: Position, ends: &Ends) -> Own {
        let known = if from.generation == ends.latest.generation { from.seq } else { 0 };
        Own { service, at: from, taken: 0, about: ends.latest.seq.saturating_sub(known) }
    }

    fn next(&mut self, pull: &mut Pull) -> Result<Option<Arc<LogRow>>, RecoverError> {
        let (service, at) = (self.service, self.at);
        let Some(record) = pull.next_after((service, 0), at)? else { return Ok(None) };
        if let Some(why) = &record.poison {
            return Err(RecoverError::Unreadable(format!("event {} of {service}: {why}", record.row.id())));
        }
        (self.at, self.taken) = (record.row.position(), self.taken + 1);
        self.about = self.about.max(self.taken);
        Ok(Some(record.row))
    }
}

/// The batch that begins a generation.
struct Renewing<'r> {
    batch: &'r Batch,
    generation: i64,
    epoch: u64,
}

impl Renewing<'_> {
    fn write<T: Topic>(
        &self,
        service: &Service<T>,
        store: &mut dyn Store,
        reign: &mut Reign,
    ) -> Result<(), StoreError> {
        let kinds = service.kinds().iter().map(|kind| kind.stored_as.clone()).collect();
        let renewal = Renewal { generation: self.generation, epoch: self.epoch, kinds };
        store.renew(self.batch, &renewal)?;
        reign.lead.commits += 1;
        (reign.lead.generation, reign.lead.head, reign.lead.published) = (self.generation, 0, 0);
        reign.lead.epoch = reign.lead.epoch.max(self.epoch);
        reign.published = 0;
        Ok(())
    }
}
