//! The simulated store: the store in memory, with everything that can go wrong between a writer and its database.

use crate::{counters::Situation, fault::Fault, life::Life, sim::Sim, sim::named, watch::Watch};
use choreography::Key;
use runtime::{
    LogRow, ParkedRow, Position, Read, Store, StoreError, WorkRow,
    record::{CursorRow, StateRow, WorkId},
    store::{Batch, Counts, Lead, MemoryStore, Renewal, WorkPlace},
};
use std::sync::Arc;

/// One session of one process.
pub struct SimStore {
    inner: MemoryStore,
    sim: Arc<Sim>,
    life: Arc<Life>,
    watch: Arc<Watch>,
}

impl SimStore {
    /// A session of a process with its store; `watch` sees every commit.
    #[must_use]
    pub fn new(inner: MemoryStore, sim: Arc<Sim>, life: Arc<Life>, watch: Arc<Watch>) -> SimStore {
        SimStore { inner, sim, life, watch }
    }

    fn reach(&self, at: Situation) -> Result<(), StoreError> {
        if self.sim.is_cut_off(&self.life, at) {
            return Err(StoreError::Outage("the process is over".into()));
        }
        if self.sim.lasts(Fault::StoreAway, self.life.service) {
            self.sim.saw(Situation::StoreAway);
            return Err(StoreError::Outage("switched off".into()));
        }
        Ok(())
    }

    /// A store that cannot hold what is said about some orders, as a database with a narrower encoding.
    fn refuses(&self, batch: &Batch) -> bool {
        let odd = |key: &str| {
            key.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte))) % 3 == 0
        };
        self.sim.lasts(Fault::StoreRefuses, self.life.service) && batch.log.iter().any(|row| odd(&row.key))
    }

    fn lose(&self, fault: Fault, seen: Situation) -> Result<(), StoreError> {
        if !self.sim.strikes(fault, 0.02) {
            return Ok(());
        }
        self.sim.saw(seen);
        self.sim.note(|| format!("{}: {}", named(&self.life), seen.says()));
        Err(StoreError::Outage("the connection broke".into()))
    }
}

impl Store for SimStore {
    fn begin_reign(&mut self, owner: &str, build: u64) -> Result<Lead, StoreError> {
        self.reach(Situation::CrashInBegin)?;
        let lead = self.inner.begin_reign(owner, build)?;
        self.sim.note(|| format!("{} reigns, epoch {} from {}", named(&self.life), lead.epoch, lead.head));
        Ok(lead)
    }
    fn cursors(&mut self) -> Result<Vec<CursorRow>, StoreError> {
        self.reach(Situation::CrashInBegin)?;
        Store::cursors(&mut self.inner)
    }
    fn parked_keys(&mut self) -> Result<Vec<(String, Key)>, StoreError> {
        self.reach(Situation::CrashInBegin)?;
        self.inner.parked_keys()
    }
    fn parked_of(&mut self, source: &str, key: &str, limit: usize) -> Result<Vec<ParkedRow>, StoreError> {
        self.reach(Situation::CrashBeforeCommit)?;
        self.inner.parked_of(source, key, limit)
    }
    fn states(&mut self, kind: &str, keys: &[Key]) -> Result<Vec<(Key, u64, Vec<u8>)>, StoreError> {
        self.reach(Situation::CrashBeforeCommit)?;
        self.inner.states(kind, keys)
    }
    fn work_after(&mut self, after: Option<&WorkPlace>, limit: usize) -> Result<Vec<WorkRow>, StoreError> {
        self.reach(Situation::CrashInBegin)?;
        self.inner.work_after(after, limit)
    }
    fn work(&mut self, id: &WorkId) -> Result<Option<WorkRow>, StoreError> {
        self.reach(Situation::CrashBeforeCommit)?;
        self.inner.work(id)
    }
    fn renew(&mut self, batch: &Batch, renewal: &Renewal) -> Result<(), StoreError> {
        self.reach(Situation::CrashBeforeCommit)?;
        self.inner.renew(batch, renewal)
    }
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        self.reach(Situation::CrashBeforeCommit)?;
        if self.refuses(batch) {
            self.sim.saw(Situation::Refused);
            return Err(StoreError::Data("content that this store does not hold".into()));
        }
        if self.sim.strikes(Fault::TakeoverMidBatch, 0.01) {
            self.sim.saw(Situation::TakeoverMidBatch);
            self.sim.note(|| format!("somebody takes the lead of {} in the middle of a batch", named(&self.life)));
            self.inner.clone().begin_reign("another process", 1)?;
        }
        self.lose(Fault::LostBefore, Situation::LostBefore)?;
        let committed = self.inner.commit(batch);
        if let Err(StoreError::Fenced(_)) = committed {
            self.sim.saw(Situation::Fenced);
        }
        committed?;
        self.watch.committed(self.life.service, batch, &self.inner);
        self.lose(Fault::LostAfter, Situation::LostAfter)?;
        // What comes after a commit is never told of a crash by the store: it just has no effect any more.
        _ = self.sim.is_cut_off(&self.life, Situation::CrashAfterCommit);
        Ok(())
    }
    fn rest(&mut self) -> Result<(), StoreError> {
        self.reach(Situation::CrashBeforeCommit)?;
        self.inner.rest()
    }
}

/// Everybody else's side of the same store.
pub struct SimRead {
    inner: MemoryStore,
    sim: Arc<Sim>,
    service: usize,
}

impl SimRead {
    /// A reader of a service's store.
    #[must_use]
    pub fn new(inner: MemoryStore, sim: Arc<Sim>, service: usize) -> SimRead {
        SimRead { inner, sim, service }
    }

    fn reach(&self) -> Result<&dyn Read, StoreError> {
        let away = self.sim.lasts(Fault::StoreAway, self.service);
        if away { Err(StoreError::Outage("switched off".into())) } else { Ok(&self.inner) }
    }
}

impl Read for SimRead {
    fn lead(&self) -> Result<Lead, StoreError> {
        self.reach()?.lead()
    }
    fn log_after(&self, lane: u16, after: Position, limit: usize) -> Result<Vec<Arc<LogRow>>, StoreError> {
        self.reach()?.log_after(lane, after, limit)
    }
    fn log_of(&self, key: &str) -> Result<Vec<Arc<LogRow>>, StoreError> {
        self.reach()?.log_of(key)
    }
    fn state(&self, kind: &str, key: &str) -> Result<Option<StateRow>, StoreError> {
        self.reach()?.state(kind, key)
    }
    fn scan(&self, kind: &str, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<StateRow>, StoreError> {
        self.reach()?.scan(kind, prefix, after, limit)
    }
    fn work_of(&self, key: &str) -> Result<Vec<WorkRow>, StoreError> {
        self.reach()?.work_of(key)
    }
    fn counts(&self) -> Result<Counts, StoreError> {
        self.reach()?.counts()
    }
    fn parked_after(&self, id: u64, limit: usize) -> Result<Vec<ParkedRow>, StoreError> {
        self.reach()?.parked_after(id, limit)
    }
    fn cursors(&self) -> Result<Vec<CursorRow>, StoreError> {
        self.reach()?.cursors()
    }
}
