//! Everything a shop knows at one moment, held still, so that mistakes can be planted in it.

use crate::{scene::SERVICES, world::World};
use choreography::{Event, Key, Service, Topic};
use runtime::{
    LogRow, ParkedRow, Position, Read, StoreError, WorkRow,
    record::{CursorRow, StateRow},
    store::{Counts, Lead, MemoryStore},
};
use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};
use tutti::invariants::{Books, Entry, Evidence, Message, Parcel, Promise, Report, verify};

/// One service's store.
#[derive(Clone, Debug)]
pub struct FrozenStore {
    pub lead: Lead,
    pub log: Vec<LogRow>,
    pub cursors: Vec<CursorRow>,
    pub states: Vec<StateRow>,
    pub work: Vec<WorkRow>,
    pub parked: Vec<ParkedRow>,
}

/// A whole shop.
#[derive(Clone)]
pub struct Frozen {
    pub stores: Vec<FrozenStore>,
    pub entries: Vec<Entry>,
    pub parcels: Vec<Parcel>,
    pub messages: Vec<Message>,
    pub promised: Vec<Promise>,
}

impl Frozen {
    pub fn of(stores: &[MemoryStore; 5], world: &World) -> Frozen {
        let stores_of = stores.iter().map(FrozenStore::of).collect();
        let mut frozen = Frozen { stores: stores_of, ..Frozen::books(world) };
        frozen.stores[0].states = scanned(&stores[0], &order::service());
        frozen.stores[1].states = scanned(&stores[1], &inventory::service());
        frozen.stores[2].states = scanned(&stores[2], &payment::service());
        frozen.stores[3].states = scanned(&stores[3], &shipping::service(Duration::ZERO));
        frozen
    }

    /// The books of the outside world alone.
    pub fn books(world: &World) -> Frozen {
        let world = world.state();
        Frozen {
            stores: vec![],
            entries: world.entries.clone(),
            parcels: world.parcels.clone(),
            messages: world.messages.clone(),
            promised: vec![],
        }
    }

    /// The report of all invariants.
    pub fn verify(&self) -> Report {
        let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(|n| &self.stores[n] as &dyn Read);
        let evidence = Evidence { stores: [a, b, c, d, e], books: self, promised: &self.promised };
        verify(&evidence, &()).expect("memory can be read")
    }

    pub fn store(&mut self, service: &str) -> &mut FrozenStore {
        &mut self.stores[place(service)]
    }

    pub fn row(&mut self, service: &str, name: &str, key: &str) -> &mut LogRow {
        let rows = &mut self.store(service).log;
        rows.iter_mut().find(|row| row.name == name && row.key == key).expect("it was said")
    }

    /// What names this event as a cause.
    pub fn cause(&mut self, service: &str, name: &str, key: &str) -> String {
        format!("{service}/{}", self.row(service, name, key).id())
    }

    /// Says one more event, which everybody has taken already.
    pub fn append<E: Event>(&mut self, event: E, cause: String) {
        let topic = E::Topic::NAME;
        let of_key = self.stores.iter().flat_map(|store| &store.log).find(|row| row.key == Event::key(&event));
        let trace = of_key.or(self.stores[0].log.first()).expect("something was said").trace.clone();
        let store = self.store(topic);
        let last = store.log.last().expect("something was said").clone();
        store.log.push(LogRow {
            seq: last.seq + 1,
            key: Event::key(&event).to_owned(),
            name: E::NAME.into(),
            schema: E::VERSION,
            body: Event::encode(&event).expect("a datum").into(),
            cause,
            trace,
            ..last
        });
        store.lead.head += 1;
        self.move_cursors(topic, last.seq, 1);
        self.refold();
    }

    /// Takes a row away, as if it had never been said and everything after it one place earlier.
    pub fn remove(&mut self, service: &str, name: &str, key: &str) {
        let gone = self.row(service, name, key).clone();
        let store = self.store(service);
        store.log.retain(|row| row.position() != gone.position());
        self.shift(service, gone.seq, -1);
        let lead = &mut self.store(service).lead;
        lead.head -= 1;
        lead.published = lead.published.min(lead.head);
        self.refold();
    }

    /// Moves all rows of a log behind a place, and everything that names them.
    pub fn shift(&mut self, service: &str, behind: u64, by: i64) {
        let generation = self.store(service).lead.generation;
        for row in self.store(service).log.iter_mut().filter(|row| row.seq > behind) {
            row.seq = row.seq.saturating_add_signed(by);
        }
        for row in self.stores.iter_mut().flat_map(|store| &mut store.log) {
            row.cause = shifted(&row.cause, &format!("{service}/{generation}.0."), behind, by);
        }
        self.move_cursors(service, behind, by);
    }

    fn move_cursors(&mut self, source: &str, behind: u64, by: i64) {
        for cursor in self.stores.iter_mut().flat_map(|store| &mut store.cursors).filter(|c| c.source == source) {
            if cursor.at.seq >= behind {
                cursor.at.seq = cursor.at.seq.saturating_add_signed(by);
            }
        }
    }

    /// Changes an event's body.
    pub fn edit<E: Event>(&mut self, key: &str, change: impl FnOnce(&mut E)) {
        let row = self.row(E::Topic::NAME, E::NAME, key);
        let mut event = <E as Event>::decode(row.schema, &row.body).expect("a datum");
        change(&mut event);
        row.body = Event::encode(&event).expect("a datum").into();
        self.refold();
    }

    /// Makes all states what the logs fold to; a log that cannot be folded leaves the states before.
    pub fn refold(&mut self) {
        self.refold_one(&order::service());
        self.refold_one(&inventory::service());
        self.refold_one(&payment::service());
        self.refold_one(&shipping::service(Duration::ZERO));
    }

    fn refold_one<T: Topic>(&mut self, service: &Service<T>) {
        let store = self.store(T::NAME);
        let mut states = BTreeMap::new();
        for row in &store.log {
            let Ok(event) = T::decode(&row.name, row.schema, &row.body) else { continue };
            for kind in service.kinds() {
                for key in (kind.keys)(&event) {
                    let (state, version) =
                        states.entry((kind.stored_as.clone(), key.clone())).or_insert_with(|| ((kind.blank)(), 0));
                    if catch_unwind(AssertUnwindSafe(|| kind.evolve(state, &key, &event))).is_ok() {
                        *version += 1;
                    }
                }
            }
        }
        let seq = store.lead.head;
        let row = |((stored_as, key), (state, version)): ((String, Key), (choreography::AnyState, u64))| {
            let kind = service.kinds().iter().find(|kind| kind.stored_as == stored_as).expect("kept");
            StateRow { kind: stored_as, key, lane: 0, seq, version, body: (kind.encode)(&*state).expect("bytes") }
        };
        store.states = states.into_iter().map(row).collect();
    }
}

fn place(service: &str) -> usize {
    SERVICES.iter().position(|name| *name == service).expect("a service")
}

fn scanned<T: Topic>(store: &MemoryStore, service: &Service<T>) -> Vec<StateRow> {
    let scan = |kind: &choreography::Kind<T>| store.scan(&kind.stored_as, "", None, usize::MAX).expect("memory");
    service.kinds().iter().flat_map(scan).collect()
}

fn shifted(cause: &str, prefix: &str, behind: u64, by: i64) -> String {
    let Some(rest) = cause.strip_prefix(prefix) else { return cause.to_owned() };
    let (seq, via) = rest.split_once(' ').map_or((rest, String::new()), |(seq, via)| (seq, format!(" {via}")));
    let seq: u64 = seq.parse().expect("a place");
    let seq = if seq > behind { seq.saturating_add_signed(by) } else { seq };
    format!("{prefix}{seq}{via}")
}

impl FrozenStore {
    fn of(store: &MemoryStore) -> FrozenStore {
        let log = store.log_after(0, Position::default(), usize::MAX).expect("memory");
        let keys: std::collections::BTreeSet<&str> = log.iter().map(|row| &*row.key).collect();
        FrozenStore {
            lead: Read::lead(store).expect("memory"),
            cursors: Read::cursors(store).expect("memory"),
            states: vec![],
            work: keys.iter().flat_map(|key| store.work_of(key).expect("memory")).collect(),
            parked: store.parked_after(0, usize::MAX).expect("memory"),
            log: log.iter().map(|row| (**row).clone()).collect(),
        }
    }
}

impl Read for FrozenStore {
    fn lead(&self) -> Result<Lead, StoreError> {
        Ok(self.lead)
    }
    fn log_after(&self, _: u16, after: Position, limit: usize) -> Result<Vec<Arc<LogRow>>, StoreError> {
        Ok(self.log.iter().filter(|row| row.position() > after).take(limit).cloned().map(Arc::new).collect())
    }
    fn log_of(&self, key: &str) -> Result<Vec<Arc<LogRow>>, StoreError> {
        Ok(self.log.iter().filter(|row| row.key == key).cloned().map(Arc::new).collect())
    }
    fn state(&self, kind: &str, key: &str) -> Result<Option<StateRow>, StoreError> {
        Ok(self.states.iter().find(|row| row.kind == kind && row.key == key).cloned())
    }
    fn scan(&self, kind: &str, _: &str, after: Option<&str>, limit: usize) -> Result<Vec<StateRow>, StoreError> {
        let behind = |row: &&StateRow| row.kind == kind && after.is_none_or(|after| *row.key > *after);
        let mut rows: Vec<_> = self.states.iter().filter(behind).cloned().collect();
        rows.sort_by(|a, b| a.key.cmp(&b.key));
        rows.truncate(limit);
        Ok(rows)
    }
    fn work_of(&self, key: &str) -> Result<Vec<WorkRow>, StoreError> {
        Ok(self.work.iter().filter(|row| row.key.starts_with(key)).cloned().collect())
    }
    fn counts(&self) -> Result<Counts, StoreError> {
        Ok(Counts { work: self.work.len() as u64, stuck: 0, parked: self.parked.len() as u64 })
    }
    fn parked_after(&self, id: u64, limit: usize) -> Result<Vec<ParkedRow>, StoreError> {
        Ok(self.parked.iter().filter(|row| row.id > id).take(limit).cloned().collect())
    }
    fn cursors(&self) -> Result<Vec<CursorRow>, StoreError> {
        Ok(self.cursors.clone())
    }
}

impl Books for Frozen {
    fn entries(&self, after: i64, limit: usize) -> Result<Vec<Entry>, String> {
        Ok(self.entries.iter().filter(|it| it.id > after).take(limit).cloned().collect())
    }
    fn parcels(&self, after: i64, limit: usize) -> Result<Vec<Parcel>, String> {
        Ok(self.parcels.iter().filter(|it| it.id > after).take(limit).cloned().collect())
    }
    fn messages(&self, after: i64, limit: usize) -> Result<Vec<Message>, String> {
        Ok(self.messages.iter().filter(|it| it.id > after).take(limit).cloned().collect())
    }
}
