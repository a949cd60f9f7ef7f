//! The simulated store: the store in memory, with everything that can go wrong between a writer and its database.

use crate::{counters::Situation, fault::Fault, life::Life, sim::Sim, sim::named, watch::Watch};
use choreography::Key;
use runtime::{
    LogRow, ParkedRow, Position, Read, Store, StoreError, WorkRow,
    record::{CursorRow, StateRow, WorkId},
    store::{Batch, Counts, Lead, MemoryStore, Renewal, WorkPlace},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The lock that the leading session of a store holds; clones are the same lock. A session that is over holds nothing.
#[derive(Clone, Default)]
pub struct Lock(Arc<Mutex<Option<Holder>>>);

#[derive(Clone)]
struct Holder {
    life: Arc<Life>,
    owner: String,
    build: u64,
}

impl Lock {
    fn held(&self) -> MutexGuard<'_, Option<Holder>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The process that holds it.
    #[must_use]
    pub fn holder(&self) -> Option<Arc<Life>> {
        self.held().as_ref().map(|holder| holder.life.clone()).filter(|life| life.is_alive())
    }

    /// Whoever holds it shows no life, so its session is ended. It does not know.
    pub fn break_open(&self) {
        *self.held() = None;
    }

    /// Takes it, unless somebody else has it; then that one is named. An older build does not wait for a newer one: the
    /// store refuses it at once.
    fn take(&self, life: &Arc<Life>, owner: &str, build: u64) -> Result<(), StoreError> {
        let mut held = self.held();
        match held.as_ref().filter(|holder| !Arc::ptr_eq(&holder.life, life) && holder.life.is_alive()) {
            Some(newer) if newer.build > build => {}
            Some(other) => return Err(StoreError::Led(other.owner.clone())),
            None => *held = Some(Holder { life: life.clone(), owner: owner.to_owned(), build }),
        }
        Ok(())
    }

    fn leave(&self, life: &Arc<Life>) {
        let mut held = self.held();
        if held.as_ref().is_some_and(|holder| Arc::ptr_eq(&holder.life, life)) {
            *held = None;
        }
    }
}

/// One session of one process.
pub struct SimStore {
    inner: MemoryStore,
    lock: Lock,
    sim: Arc<Sim>,
    life: Arc<Life>,
    watch: Option<Arc<Watch>>,
}

impl SimStore {
    /// A session of a process with its store, which takes `lock` when it leads; `watch` sees every commit, unless what
    /// is committed was said before.
    #[must_use]
    pub fn new(inner: MemoryStore, lock: Lock, sim: Arc<Sim>, life: Arc<Life>, watch: Option<Arc<Watch>>) -> SimStore {
        SimStore { inner, lock, sim, life, watch }
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

impl Drop for SimStore {
    fn drop(&mut self) {
        self.lock.leave(&self.life);
    }
}

impl Store for SimStore {
    fn begin_reign(&mut self, owner: &str, build: u64) -> Result<Lead, StoreError> {
        self.reach(Situation::CrashInBegin)?;
        self.lock.take(&self.life, owner, build).inspect_err(|_| {
            if self.life.stand_by() {
                self.sim.saw(Situation::StandsBy);
            }
        })?;
        let lead = self.inner.begin_reign(owner, build).inspect_err(|_| self.lock.leave(&self.life))?;
        if self.life.end_standby() {
            self.sim.saw(Situation::StandbyLeads);
        }
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
        self.lose(Fault::LostBefore, Situation::LostBefore)?;
        self.inner.renew(batch, renewal)?;
        self.lose(Fault::LostAfter, Situation::LostAfter)
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
        if let Some(watch) = &self.watch {
            watch.committed(self.life.service, batch, &self.inner);
        }
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
