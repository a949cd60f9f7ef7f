//! What is asked of the world and not answered, as far as the events tell.

use crate::{
    record::{WorkId, WorkRow},
    store::{Store, StoreError},
};
use choreography::{Key, Origin, Service, Topic};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::Hash,
    sync::Arc,
};

/// Rows read at once.
const PAGE: usize = 4096;

/// A family, and what its effects are about.
type Turn = (&'static str, Key);

/// Open work, and how it differs from what the store has.
#[derive(Default)]
pub(super) struct Open {
    rows: BTreeMap<WorkId, Arc<WorkRow>>,
    by_cause: HashMap<String, BTreeSet<WorkId>>,
    by_turn: HashMap<Turn, BTreeSet<WorkId>>,
    changed: BTreeSet<WorkId>,
}

impl Open {
    /// What an older copy of the store has open.
    pub fn read<T: Topic>(service: &Service<T>, store: &mut dyn Store) -> Result<Open, StoreError> {
        let mut open = Open::default();
        let mut after = None;
        loop {
            let page = store.work_after(after.as_ref(), PAGE)?;
            after = page.last().map(|row| (row.due, row.seq, row.name.clone(), row.key.clone()));
            let is_last = page.len() < PAGE;
            page.into_iter().for_each(|row| open.hold(service, row));
            if is_last {
                return Ok(open);
            }
        }
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Asked for; a timer that is set again replaces the one before.
    pub fn put<T: Topic>(&mut self, service: &Service<T>, row: WorkRow) {
        self.close(service, &row.id());
        self.changed.insert(row.id());
        self.hold(service, row);
    }

    fn hold<T: Topic>(&mut self, service: &Service<T>, row: WorkRow) {
        let id = row.id();
        self.by_cause.entry(row.cause.clone()).or_default().insert(id.clone());
        if let Some(turn) = turn(service, &row) {
            self.by_turn.entry(turn).or_default().insert(id.clone());
        }
        self.rows.insert(id, Arc::new(row));
    }

    /// The row that an answer or a timer was about, which is open no longer. `event` is what the row was asked for with;
    /// the event that was said tells among several by its key.
    ///
    /// Whatever is of its family and was asked for before it was answered too, since they run one at a time. A row that is
    /// not there was asked for by an answer that led to no event: then that one is what is answered.
    pub fn take<T: Topic>(&mut self, service: &Service<T>, name: &str, event: &str, key: &str) -> Option<Arc<WorkRow>> {
        let asked: Vec<_> = self.by_cause.get(event).into_iter().flatten().filter_map(|id| self.rows.get(id)).collect();
        let named = || asked.iter().filter(|row| row.name == name);
        let about = |row: &&&Arc<WorkRow>| row.key == key || row.key.starts_with(&format!("{key}/"));
        let found = named().find(about).or_else(|| named().next()).map(|row| Arc::clone(row));
        let silent =
            || asked.iter().filter(|row| may_ask(service, &row.name, name)).map(|row| Arc::clone(row)).collect();
        let answered: Vec<_> = found.clone().map_or_else(silent, |row| vec![row]);
        for row in answered {
            self.close_before(service, &row);
            self.close(service, &row.id());
        }
        found
    }

    /// A row that is not among the open ones, because it was stuck, was answered.
    pub fn settled(&mut self, id: WorkId) {
        self.changed.insert(id);
    }

    fn close_before<T: Topic>(&mut self, service: &Service<T>, answered: &WorkRow) {
        let of_turn = turn(service, answered).and_then(|turn| self.by_turn.get(&turn));
        let earlier = |id: &&WorkId| self.rows.get(*id).is_some_and(|row| row.seq < answered.seq);
        let before: Vec<_> = of_turn.into_iter().flatten().filter(earlier).cloned().collect();
        before.iter().for_each(|id| self.close(service, id));
    }

    fn close<T: Topic>(&mut self, service: &Service<T>, id: &WorkId) {
        let Some(row) = self.rows.remove(id) else { return };
        self.changed.insert(id.clone());
        remove(&mut self.by_cause, &row.cause, id);
        if let Some(turn) = turn(service, &row) {
            remove(&mut self.by_turn, &turn, id);
        }
    }

    /// What the store must be told: answered, and asked for.
    pub fn take_changes(&mut self) -> (Vec<WorkId>, Vec<Arc<WorkRow>>) {
        let (put, done): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.changed).into_iter().partition(|id| self.rows.contains_key(id));
        (done, put.iter().filter_map(|id| self.rows.get(id).cloned()).collect())
    }
}

fn remove<K: Eq + Hash>(index: &mut HashMap<K, BTreeSet<WorkId>>, key: &K, id: &WorkId) {
    if let Some(ids) = index.get_mut(key) {
        ids.remove(id);
        if ids.is_empty() {
            index.remove(key);
        }
    }
}

/// Whether the answer of one effect may ask for another.
fn may_ask<T: Topic>(service: &Service<T>, answered: &str, asked: &str) -> bool {
    let mut reactions = service.reactions().iter();
    let reaction = reactions.find(|r| matches!(r.origin, Origin::Effect(name) if name == answered));
    reaction.is_some_and(|reaction| reaction.declared.effects.contains(asked))
}

fn turn<T: Topic>(service: &Service<T>, row: &WorkRow) -> Option<Turn> {
    let mut reactions = service.reactions().iter();
    let reaction = reactions.find(|r| matches!(r.origin, Origin::Effect(name) if name == row.name))?;
    (reaction.turn)(row.shape, &row.body)
}
