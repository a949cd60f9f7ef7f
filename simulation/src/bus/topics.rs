//! Topics as a broker keeps them: what was sent, in the order of its arrival, repeats and strangers included.

use super::{Relay, in_old_schema, index_of, perhaps_undecodable, reach, seen_at};
use crate::{
    counters::Situation,
    fault::Fault,
    life::Life,
    plan::{SECOND, SERVICES},
    sim::{Event, Sim},
    watch::Watch,
};
use runtime::{
    Foreign, LogRow, Micros, Position, Read, Record,
    bus::{Beginning, Bus, BusAway, End, Ends, Fetched, Published},
    reign::Lane,
    store::MemoryStore,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tutti::invariants::SERVICES as NAMES;

enum What {
    Row(Arc<LogRow>),
    Foreign,
}

struct Entry {
    what: What,
    seen_at: [Micros; SERVICES],
}

#[derive(Default)]
struct Topic {
    entries: Vec<Entry>,
    seen_at: [Micros; SERVICES],
    /// The last record, of all there are.
    last: Position,
    /// What was lost and not published again lies between these: behind the one, up to the other.
    lost: Option<(Position, Position)>,
}

/// All topics.
pub struct Topics {
    topics: Mutex<[Topic; SERVICES]>,
    watch: Arc<Watch>,
}

impl Topics {
    /// Empty topics; `watch` is told what arrives.
    #[must_use]
    pub fn new(watch: Arc<Watch>) -> Topics {
        Topics { topics: Mutex::default(), watch }
    }

    fn topics(&self) -> MutexGuard<'_, [Topic; SERVICES]> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A record arrives, unless it is lost.
    pub fn append(&self, sim: &Sim, source: usize, row: Arc<LogRow>) {
        let topic = &mut self.topics()[source];
        if sim.strikes(Fault::Gap, 0.01) {
            sim.saw(Situation::Gap);
            sim.note(|| format!("{} {} of {} is lost on its topic", row.name, row.seq, NAMES[source]));
            let before = Position { seq: row.seq.saturating_sub(1), ..row.position() };
            let (after, until) = topic.lost.unwrap_or((before, row.position()));
            topic.lost = Some((after.min(before), until.max(row.position())));
            let later = sim.draw(Fault::Gap, |dice| dice.magnitude(SECOND, 300 * SECOND));
            sim.at(sim.now() + later, Event::Republish(source));
            return;
        }
        self.watch.arrived(source, row.position());
        topic.put(sim, row);
    }

    /// What was lost is sent again, with everything behind it.
    pub fn republish(&self, sim: &Sim, source: usize, log: &MemoryStore) {
        let topic = &mut self.topics()[source];
        let Some((after, lost_until)) = topic.lost.take() else { return };
        let until = topic.last.max(lost_until);
        sim.saw(Situation::Republished);
        sim.note(|| format!("{} publishes again from {} to {}", NAMES[source], after.seq, until.seq));
        for row in log.log_after(0, after, usize::MAX >> 1).unwrap_or_default() {
            if row.position() <= until {
                topic.put(sim, row);
            }
        }
    }

    /// Somebody else writes to a topic.
    pub fn intrude(&self, sim: &Sim, source: usize) {
        let topic = &mut self.topics()[source];
        let seen_at = seen_at(sim, &mut topic.seen_at);
        topic.entries.push(Entry { what: What::Foreign, seen_at });
    }

    /// How far a topic goes.
    #[must_use]
    pub fn last(&self, source: usize) -> Position {
        self.topics()[source].last
    }
}

impl Topic {
    fn put(&mut self, sim: &Sim, row: Arc<LogRow>) {
        let old = if sim.strikes(Fault::OldSchema, 0.5) { in_old_schema(&row) } else { None };
        let row = old.unwrap_or(row);
        self.last = self.last.max(row.position());
        let seen_at = seen_at(sim, &mut self.seen_at);
        self.entries.push(Entry { what: What::Row(row), seen_at });
    }

    /// Where a reader that has taken everything up to `after` finds what comes next.
    fn place_of(&self, after: Position) -> usize {
        let taken = |entry: &Entry| matches!(&entry.what, What::Row(row) if row.position() == after);
        self.entries.iter().position(taken).map_or(0, |place| place + 1)
    }

    fn foreign(source: usize, place: usize, at: Micros) -> Foreign {
        Foreign {
            source: NAMES[source],
            lane: 0,
            topic: format!("{}.events", NAMES[source]).into(),
            offset: place as u64,
            body: (*b"hello").into(),
            at,
            why: "it has no headers of ours".into(),
        }
    }
}

/// One process's connection to the topics.
pub struct TopicBus {
    sim: Arc<Sim>,
    life: Arc<Life>,
    topics: Arc<Topics>,
    relay: Arc<Mutex<Relay>>,
    places: BTreeMap<usize, usize>,
    from_zero: bool,
}

impl TopicBus {
    /// A process's connection; its relay reads `log`. It reads on behind its cursors, or everything `from_zero`.
    #[must_use]
    pub fn new(sim: Arc<Sim>, life: Arc<Life>, topics: Arc<Topics>, log: MemoryStore, from_zero: bool) -> TopicBus {
        let relay = Arc::new(Mutex::new(Relay::new(life.clone(), log, topics.clone())));
        TopicBus { sim, life, topics, relay, places: BTreeMap::new(), from_zero }
    }

    /// Where to read on; now and then from an older place, or from the beginning.
    fn place(&self, source: usize, topic: &Topic, after: Position) -> usize {
        let place =
            self.places.get(&source).copied().unwrap_or_else(|| if self.from_zero { 0 } else { topic.place_of(after) });
        if place == 0 || !self.sim.strikes(Fault::Redelivery, 0.02) {
            return place;
        }
        let older = self.sim.draw(Fault::Redelivery, |dice| if dice.falls(0.3) { 0 } else { dice.below(place as u64) });
        if older == 0 {
            self.sim.saw(Situation::Replayed);
        }
        usize::try_from(older).unwrap_or(0)
    }
}

impl Bus for TopicBus {
    fn begin(&mut self, beginning: &Beginning) -> Result<(), BusAway> {
        reach(&self.sim, &self.life)?;
        self.places.clear();
        Relay::begin(&self.relay, &self.sim, beginning);
        Ok(())
    }

    fn fetch(&mut self, (source, lane): Lane, after: Position, max: usize) -> Result<Fetched, BusAway> {
        reach(&self.sim, &self.life)?;
        let (now, me, source) = (self.sim.now(), self.life.service, index_of(source));
        let topics = self.topics.topics();
        let topic = &topics[source];
        let mut place = self.place(source, topic, after);
        let mut fetched = Fetched::default();
        while let Some(entry) = topic.entries.get(place).filter(|entry| entry.seen_at[me] <= now)
            && fetched.records.len() + fetched.foreign.len() < max
        {
            match &entry.what {
                What::Row(row) if row.lane == lane => {
                    if row.position() <= after {
                        self.sim.saw(Situation::Duplicate);
                    }
                    if row.name == "OrderPlaced" && row.schema == 1 {
                        self.sim.saw(Situation::OldSchema);
                    }
                    let record = Record::new(NAMES[source], row.clone());
                    fetched.records.push(perhaps_undecodable(&self.sim, me, record));
                }
                What::Row(_) => {}
                What::Foreign => fetched.foreign.push(Topic::foreign(source, place, entry.seen_at[me])),
            }
            place += 1;
        }
        self.places.insert(source, place);
        fetched.end = Some(End { at: topic.last, age: 0 });
        Ok(fetched)
    }

    fn ends(&mut self, (source, _): Lane) -> Result<Ends, BusAway> {
        reach(&self.sim, &self.life)?;
        let latest = self.topics.last(index_of(source));
        Ok(Ends { earliest: Position { seq: 0, ..latest }, latest, whole: true })
    }

    fn reread(&mut self, (source, _): Lane, _after: Position) -> Result<(), BusAway> {
        reach(&self.sim, &self.life)?;
        self.places.insert(index_of(source), 0);
        Ok(())
    }

    fn publish(&mut self, rows: &[Arc<LogRow>]) {
        if self.life.is_alive() && !rows.is_empty() {
            Relay::told(&self.relay, &self.sim);
        }
    }

    fn publish_again(&mut self, after: Position) {
        if self.life.is_alive() {
            Relay::again(&self.relay, &self.sim, after);
        }
    }

    fn published(&mut self) -> Published {
        let relay = self.relay.lock().unwrap_or_else(PoisonError::into_inner);
        Published { until: Some(relay.confirmed()), held_up: None }
    }
}
