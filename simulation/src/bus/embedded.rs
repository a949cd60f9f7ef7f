//! The shipped bus on which the log is the topic, with the faults that it can have: it is away, or news come late.

use super::{index_of, perhaps_undecodable, reach, seen_at};
use crate::{life::Life, plan::SERVICES, sim::Sim, watch::Watch};
use runtime::{
    LogRow, Micros, Position,
    bus::{Beginning, Bus, BusAway, Ends, Fetched, LogBus, Published},
    reign::Lane,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// When which reader sees which row.
#[derive(Default)]
struct Seen {
    rows: BTreeMap<(usize, Position), [Micros; SERVICES]>,
    latest: [[Micros; SERVICES]; SERVICES],
}

/// What all connections share.
#[derive(Clone, Default)]
pub struct Sight(Arc<Mutex<Seen>>);

impl Sight {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One process's connection.
pub struct EmbeddedBus {
    inner: LogBus,
    sim: Arc<Sim>,
    life: Arc<Life>,
    sight: Sight,
    watch: Arc<Watch>,
}

impl EmbeddedBus {
    /// A process's connection around the shipped one; `watch` is told what its readers are told of.
    #[must_use]
    pub fn new(inner: LogBus, sim: Arc<Sim>, life: Arc<Life>, sight: Sight, watch: Arc<Watch>) -> EmbeddedBus {
        EmbeddedBus { inner, sim, life, sight, watch }
    }
}

impl Bus for EmbeddedBus {
    fn begin(&mut self, beginning: &Beginning) -> Result<(), BusAway> {
        reach(&self.sim, &self.life)?;
        self.inner.begin(beginning)
    }

    fn fetch(&mut self, lane: Lane, after: Position, max: usize) -> Result<Fetched, BusAway> {
        reach(&self.sim, &self.life)?;
        let mut fetched = self.inner.fetch(lane, after, max)?;
        let (now, me, source) = (self.sim.now(), self.life.service, index_of(lane.0));
        let seen = self.sight.seen();
        let late = |row: &LogRow| seen.rows.get(&(source, row.position())).is_some_and(|seen| seen[me] > now);
        let visible = fetched.records.iter().position(|record| late(&record.row)).unwrap_or(fetched.records.len());
        fetched.records.truncate(visible);
        let records = fetched.records.into_iter().map(|record| perhaps_undecodable(&self.sim, me, record)).collect();
        Ok(Fetched { records, ..fetched })
    }

    fn ends(&mut self, lane: Lane) -> Result<Ends, BusAway> {
        reach(&self.sim, &self.life)?;
        self.inner.ends(lane)
    }

    fn reread(&mut self, lane: Lane, after: Position) -> Result<(), BusAway> {
        self.inner.reread(lane, after)
    }

    fn publish(&mut self, rows: &[Arc<LogRow>]) {
        if !self.life.is_alive() {
            return;
        }
        let source = self.life.service;
        for row in rows {
            let mut seen = self.sight.seen();
            let at = seen_at(&self.sim, &mut seen.latest[source]);
            seen.rows.insert((source, row.position()), at);
            self.watch.arrived(source, row.position());
        }
        self.inner.publish(rows);
    }

    fn publish_again(&mut self, after: Position) {
        self.inner.publish_again(after);
    }

    fn published(&mut self) -> Published {
        self.inner.published()
    }
}
