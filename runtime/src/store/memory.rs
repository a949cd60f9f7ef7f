//! The store in memory: for the simulation and for tests, held to SQLite by the same conformance suite. It can fail on
//! request, the way real stores do.

use super::{Batch, Counts, Lead, Read, Renewal, STATE, Store, StoreError, WorkPlace};
use crate::record::{CursorRow, LogRow, ParkedRow, Position, StateRow, WorkId, WorkRow};
use choreography::Key;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What the next commits do instead of succeeding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryFault {
    /// The commit fails, and nothing was written; the writer cannot know that.
    LostBefore,
    /// The commit fails towards the writer, but everything was written.
    LostAfter,
    /// The content is refused.
    Refused,
}

#[derive(Clone, Default)]
struct Tables {
    lead: Lead,
    build: u64,
    log: BTreeMap<Position, Arc<LogRow>>,
    state: BTreeMap<(String, Key), StateRow>,
    cursor: BTreeMap<(String, u16, i64), (u64, Option<i64>)>,
    work: BTreeMap<WorkId, WorkRow>,
    parked: BTreeMap<u64, ParkedRow>,
    last_parked: u64,
    faults: VecDeque<MemoryFault>,
    refused_keys: Vec<Key>,
    away: bool,
    reads: u64,
    commits: u64,
}

/// A store in memory. Clones are sessions of the same store: the one that began the last reign may write.
#[derive(Clone, Default)]
pub struct MemoryStore {
    tables: Arc<Mutex<Tables>>,
}

impl MemoryStore {
    /// An empty store whose log is begun at `generation`.
    #[must_use]
    pub fn new(generation: i64) -> MemoryStore {
        let store = MemoryStore::default();
        store.tables().lead.generation = generation;
        store
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reachable(&self) -> Result<MutexGuard<'_, Tables>, StoreError> {
        let tables = self.tables();
        if tables.away { Err(StoreError::Outage("switched off".into())) } else { Ok(tables) }
    }

    /// Lets the next commit fail in this way; faults queue up.
    pub fn fail_next(&self, fault: MemoryFault) {
        self.tables().faults.push_back(fault);
    }

    /// Refuses every batch that says something about this key, as a database refuses content it cannot hold.
    pub fn refuse_key(&self, key: &str) {
        self.tables().refused_keys.push(key.to_owned());
    }

    /// Switches the store off and on.
    pub fn set_away(&self, away: bool) {
        self.tables().away = away;
    }

    /// A copy of everything as it is now, which goes its own way from here on: a backup.
    #[must_use]
    pub fn copy(&self) -> MemoryStore {
        MemoryStore { tables: Arc::new(Mutex::new(self.tables().clone())) }
    }

    /// How often states were read, and how many batches were committed.
    #[must_use]
    pub fn effort(&self) -> (u64, u64) {
        let tables = self.tables();
        (tables.reads, tables.commits)
    }
}

impl Store for MemoryStore {
    fn begin_reign(&mut self, _owner: &str, build: u64) -> Result<Lead, StoreError> {
        let mut tables = self.reachable()?;
        if tables.build > build {
            return Err(StoreError::Fatal(format!("a newer build than this one ({build}) has led this store")));
        }
        tables.build = build;
        tables.lead.epoch += 1;
        Ok(tables.lead)
    }

    fn cursors(&mut self) -> Result<Vec<CursorRow>, StoreError> {
        Read::cursors(self)
    }

    fn parked_keys(&mut self) -> Result<Vec<(String, Key)>, StoreError> {
        Ok(self.reachable()?.parked.values().map(|p| (p.source.clone(), p.row.key.clone())).collect())
    }

    fn parked_of(&mut self, source: &str, key: &str, limit: usize) -> Result<Vec<ParkedRow>, StoreError> {
        let tables = self.reachable()?;
        Ok(tables.parked.values().filter(|p| p.source == source && p.row.key == key).take(limit).cloned().collect())
    }

    fn states(&mut self, kind: &str, keys: &[Key]) -> Result<Vec<(Key, u64, Vec<u8>)>, StoreError> {
        let mut tables = self.reachable()?;
        tables.reads += 1;
        let found = keys.iter().filter_map(|key| tables.state.get(&(kind.to_owned(), key.clone())));
        Ok(found.map(|row| (row.key.clone(), row.version, row.body.clone())).collect())
    }

    fn work_after(&mut self, after: Option<&WorkPlace>, limit: usize) -> Result<Vec<WorkRow>, StoreError> {
        let tables = self.reachable()?;
        let mut rows: Vec<_> =
            tables.work.values().filter(|row| row.stuck.is_none()).map(|row| (place(row), row)).collect();
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(rows
            .into_iter()
            .filter(|(place, _)| after.is_none_or(|after| place > after))
            .take(limit)
            .map(|(_, row)| row.clone())
            .collect())
    }

    fn work(&mut self, id: &WorkId) -> Result<Option<WorkRow>, StoreError> {
        Ok(self.reachable()?.work.get(id).cloned())
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        self.write(batch, None)
    }

    fn renew(&mut self, batch: &Batch, renewal: &Renewal) -> Result<(), StoreError> {
        self.write(batch, Some(renewal))
    }

    fn rest(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

impl MemoryStore {
    fn write(&self, batch: &Batch, renewal: Option<&Renewal>) -> Result<(), StoreError> {
        let mut tables = self.reachable()?;
        let lead = tables.lead;
        if (lead.epoch, lead.commits, lead.head) != (batch.lead.epoch, batch.lead.commits, batch.lead.head) {
            return Err(StoreError::Fenced(format!("epoch {} is over", batch.lead.epoch)));
        }
        if batch.log.iter().any(|row| tables.refused_keys.contains(&row.key)) {
            return Err(StoreError::Data("a key that this store was told to refuse".into()));
        }
        let fault = tables.faults.pop_front();
        match fault {
            Some(MemoryFault::LostBefore) => return Err(StoreError::Outage("the connection broke".into())),
            Some(MemoryFault::Refused) => return Err(StoreError::Data("refused on request".into())),
            Some(MemoryFault::LostAfter) | None => tables.write(batch),
        }
        renewal.into_iter().for_each(|renewal| tables.renew(renewal));
        fault.map_or(Ok(()), |_| Err(StoreError::Outage("the connection broke".into())))
    }
}

fn place(row: &WorkRow) -> WorkPlace {
    (row.due, row.seq, row.name.clone(), row.key.clone())
}

impl Tables {
    fn write(&mut self, batch: &Batch) {
        self.commits += 1;
        self.lead.commits += 1;
        self.lead.head += batch.log.len() as u64;
        self.lead.published = batch.published;
        self.lead.last_at = batch.log.last().map_or(self.lead.last_at, |row| row.at);
        self.log.extend(batch.log.iter().map(|row| (row.position(), row.clone())));
        self.state.extend(batch.states.iter().map(|row| ((row.kind.clone(), row.key.clone()), row.clone())));
        self.cursor.extend(
            batch.cursors.iter().map(|c| ((c.source.clone(), c.lane, c.at.generation), (c.at.seq, c.offset_hint))),
        );
        batch.work_done.iter().for_each(|id| _ = self.work.remove(id));
        self.work.extend(batch.work_put.iter().map(|row| (row.id(), (**row).clone())));
        for row in &batch.parked {
            self.last_parked += 1;
            self.parked.insert(self.last_parked, ParkedRow { id: self.last_parked, ..row.clone() });
        }
        batch.unparked.iter().for_each(|id| _ = self.parked.remove(id));
    }
}

impl Tables {
    fn renew(&mut self, renewal: &Renewal) {
        let epoch = self.lead.epoch.max(renewal.epoch);
        self.lead = Lead { generation: renewal.generation, epoch, head: 0, published: 0, ..self.lead };
        self.state.retain(|(kind, _), _| renewal.kinds.contains(kind));
        self.state.values_mut().for_each(|row| row.seq = 0);
        let kept = |source: &str| source.strip_prefix(STATE).is_none_or(|kind| renewal.kinds.iter().any(|k| k == kind));
        self.cursor.retain(|(source, ..), _| kept(source));
    }
}

impl Read for MemoryStore {
    fn lead(&self) -> Result<Lead, StoreError> {
        Ok(self.reachable()?.lead)
    }

    fn log_after(&self, lane: u16, after: Position, limit: usize) -> Result<Vec<Arc<LogRow>>, StoreError> {
        let tables = self.reachable()?;
        let behind = (std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded);
        Ok(tables.log.range(behind).map(|(_, row)| row.clone()).filter(|row| row.lane == lane).take(limit).collect())
    }

    fn log_of(&self, key: &str) -> Result<Vec<Arc<LogRow>>, StoreError> {
        Ok(self.reachable()?.log.values().filter(|row| row.key == key).cloned().collect())
    }

    fn state(&self, kind: &str, key: &str) -> Result<Option<StateRow>, StoreError> {
        Ok(self.reachable()?.state.get(&(kind.to_owned(), key.to_owned())).cloned())
    }

    fn scan(&self, kind: &str, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<StateRow>, StoreError> {
        let tables = self.reachable()?;
        let fits = |row: &&StateRow| {
            row.kind == kind && row.key.starts_with(prefix) && after.is_none_or(|after| *row.key > *after)
        };
        Ok(tables.state.values().filter(fits).take(limit).cloned().collect())
    }

    fn work_of(&self, key: &str) -> Result<Vec<WorkRow>, StoreError> {
        let tables = self.reachable()?;
        let about =
            |row: &&WorkRow| row.key.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let mut rows: Vec<_> = tables.work.values().filter(about).cloned().collect();
        rows.sort_by_key(place);
        Ok(rows)
    }

    fn counts(&self) -> Result<Counts, StoreError> {
        let tables = self.reachable()?;
        let stuck = tables.work.values().filter(|row| row.stuck.is_some()).count() as u64;
        Ok(Counts { work: tables.work.len() as u64, stuck, parked: tables.parked.len() as u64 })
    }

    fn parked_after(&self, id: u64, limit: usize) -> Result<Vec<ParkedRow>, StoreError> {
        Ok(self.reachable()?.parked.range(id + 1..).take(limit).map(|(_, row)| row.clone()).collect())
    }

    fn cursors(&self) -> Result<Vec<CursorRow>, StoreError> {
        let row = |((source, lane, generation), (seq, hint)): (&(String, u16, i64), &(u64, Option<i64>))| CursorRow {
            source: source.clone(),
            lane: *lane,
            at: Position { generation: *generation, seq: *seq },
            offset_hint: *hint,
        };
        Ok(self.reachable()?.cursor.iter().map(row).collect())
    }
}
