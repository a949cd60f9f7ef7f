//! What one reign knows: the lead, the cursors, what is parked, what is handed out, and the states it has seen. All of
//! it was read from the store after the epoch was raised, and is dropped with the reign.

use crate::{
    clock::Micros,
    draft::Passed,
    incoming::Reply,
    record::{CursorRow, FOREIGN, Position, WorkId, WorkRow},
    store::{Batch, Lead, Store, StoreError},
};
use choreography::{Key, Service, Slot, States, Topic};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

/// Bytes of cached states after which the cache is emptied; what is needed is read again, in one read.
const CACHE_BYTES: usize = 16 << 20;
/// What an entry costs beside its bytes.
const ENTRY_BYTES: usize = 256;

/// A source and a lane of it.
pub type Lane = (&'static str, u16);

/// The knowledge of one reign.
pub struct Reign {
    /// The lead as the last commit left it.
    pub lead: Lead,
    /// How far the log is known to be on the bus; written with the next batch.
    pub published: u64,
    /// How far each lane is read.
    pub cursors: BTreeMap<Lane, Position>,
    /// How far each lane was looked through for foreign records, by their places on the topic.
    pub foreign: BTreeMap<Lane, u64>,
    /// How many records are parked per source and key.
    pub parked: HashMap<(String, Key), usize>,
    /// Work given to its performer and not yet answered.
    pub handed: HashMap<WorkId, Arc<WorkRow>>,
    pub(crate) states: States,
    cached_bytes: usize,
    /// When the last batch was committed.
    pub last_commit: Micros,
    /// The place of the last work asked for: more than that of any before, also in earlier reigns.
    pub(crate) asked: u64,
    /// When the last effect was asked for: later ones are not due before it, whatever the clock does.
    pub(crate) asked_at: Micros,
}

impl Reign {
    /// Begins a reign: raises the epoch first, loads afterwards.
    ///
    /// # Errors
    /// When the store is away, or a newer build has led it.
    pub fn begin<T: Topic>(
        service: &Service<T>,
        store: &mut dyn Store,
        owner: &str,
        build: u64,
        now: Micros,
    ) -> Result<Reign, StoreError> {
        let lead = store.begin_reign(owner, build)?;
        let cursors = store.cursors()?;
        let mut parked = HashMap::new();
        for slot in store.parked_keys()? {
            *parked.entry(slot).or_default() += 1;
        }
        Ok(Reign {
            lead,
            published: lead.published,
            foreign: foreign_cursors(service, &cursors),
            cursors: newest_cursors(service, cursors),
            parked,
            handed: HashMap::new(),
            states: service.states(),
            cached_bytes: 0,
            last_commit: now,
            asked: 0,
            asked_at: Micros::MIN,
        })
    }

    /// Reads states, one read per kind.
    pub(crate) fn load<T: Topic>(
        &mut self,
        service: &Service<T>,
        store: &mut dyn Store,
        missing: BTreeSet<Slot>,
    ) -> Result<(), StoreError> {
        let mut by_kind: BTreeMap<&'static str, Vec<Key>> = BTreeMap::new();
        missing.into_iter().for_each(|(kind, key)| by_kind.entry(kind).or_default().push(key));
        for (name, keys) in by_kind {
            let Some(kind) = service.kind(name) else { continue };
            for (key, version, body) in store.states(&kind.stored_as, &keys)? {
                let state = (kind.decode)(&body).map_err(|why| {
                    StoreError::Fatal(format!("state {} {key} cannot be read: {why}", kind.stored_as))
                })?;
                self.remember(&key, body.len());
                self.states.load(name, key, state, version);
            }
            for key in keys {
                if !self.states.holds(name, &key) {
                    self.remember(&key, 0);
                    self.states.load(name, key, (kind.blank)(), 0);
                }
            }
        }
        Ok(())
    }

    pub(crate) fn remember(&mut self, key: &str, bytes: usize) {
        self.cached_bytes += bytes + key.len() + ENTRY_BYTES;
    }

    /// Keeps memory flat: an overfull cache is emptied between batches.
    pub(crate) fn bound_memory(&mut self) {
        if self.cached_bytes > CACHE_BYTES {
            self.forget_states();
        }
    }

    /// Empties the cache of states; what is needed is read again.
    pub(crate) fn forget_states(&mut self) {
        self.states.forget_loaded();
        self.cached_bytes = 0;
    }

    /// Makes this reign's knowledge what the store now holds.
    pub(crate) fn committed(&mut self, batch: Batch, outcome: Outcome, commit_took: Micros) -> Passed {
        let lead = self.lead;
        self.lead = Lead {
            head: self.lead.head + batch.log.len() as u64,
            commits: self.lead.commits + 1,
            published: batch.published,
            last_at: outcome.at,
            ..self.lead
        };
        self.last_commit = outcome.at;
        self.cursors.extend(outcome.cursors);
        self.foreign.extend(outcome.foreign);
        for (slot, change) in outcome.parked {
            let count = self.parked.entry(slot.clone()).or_default();
            *count = count.saturating_add_signed(change);
            if *count == 0 {
                self.parked.remove(&slot);
            }
        }
        batch.work_done.iter().for_each(|id| _ = self.handed.remove(id));
        batch.work_put.iter().filter(|row| row.stuck.is_some()).for_each(|row| _ = self.handed.remove(&row.id()));
        for (((kind, key), state, version), row) in outcome.states.into_iter().zip(&batch.states) {
            self.remember(&key, row.body.len());
            self.states.load(kind, key, state, version);
        }
        let touched = batch.states.into_iter().map(|row| row.key).collect();
        let work = batch.work_put.into_iter().filter(|row| row.stuck.is_none()).collect();
        Passed {
            replies: outcome.replies,
            log: batch.log,
            work,
            perhaps_asked: outcome.perhaps_asked,
            done: batch.work_done,
            touched,
            said_by: outcome.said_by,
            lead,
            at: outcome.at,
            commit_took,
        }
    }
}

/// What a finished draft holds beside the batch that is written.
pub(crate) struct Outcome {
    pub replies: Vec<Reply>,
    pub said_by: Vec<usize>,
    pub at: Micros,
    pub cursors: BTreeMap<Lane, Position>,
    pub foreign: BTreeMap<Lane, u64>,
    pub parked: HashMap<(String, Key), isize>,
    pub perhaps_asked: BTreeSet<WorkId>,
    pub states: Vec<(Slot, choreography::AnyState, u64)>,
}

/// Of each lane the cursor of the newest generation counts.
fn newest_cursors<T: Topic>(service: &Service<T>, rows: Vec<CursorRow>) -> BTreeMap<Lane, Position> {
    let sources = service.sources();
    let mut cursors = BTreeMap::new();
    for row in rows {
        if let Some(source) = sources.iter().find(|source| **source == row.source) {
            let at = cursors.entry((*source, row.lane)).or_insert(row.at);
            *at = row.at.max(*at);
        }
    }
    cursors
}

fn foreign_cursors<T: Topic>(service: &Service<T>, rows: &[CursorRow]) -> BTreeMap<Lane, u64> {
    let sources = service.sources();
    let lane = |row: &CursorRow| {
        let named = row.source.strip_prefix(FOREIGN)?;
        let source = sources.iter().find(|source| **source == named)?;
        Some(((*source, row.lane), row.at.seq))
    };
    rows.iter().filter_map(lane).collect()
}
