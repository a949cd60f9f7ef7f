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
    /// Counts how often everything that was under way to it was cut off.
    cut_off: u32,
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

    /// Whatever is under way to a topic never arrives.
    pub fn cut_off(&self, source: usize) {
        self.topics()[source].cut_off += 1;
    }

    /// How often that happened.
    #[must_use]
    pub fn times_cut_off(&self, source: usize) -> u32 {
        self.topics()[source].cut_off
    }

    /// Where a topic begins and ends.
    #[must_use]
    pub fn ends(&self, source: usize) -> Ends {
        let topic = &self.topics()[source];
        let earliest = topic.entries.iter().find_map(|entry| match &entry.what {
            What::Row(row) => Some(Position { seq: 0, ..row.position() }),
            What::Foreign => None,
        });
        Ends { earliest: earliest.unwrap_or(topic.last), latest: topic.last, whole: true }
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

/// Where a process begins to read a topic, and what it sees of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reads {
    /// Behind its cursors, what has reached it by then.
    #[default]
    OnFromCursors,
    /// From the beginning, what has reached it by then.
    FromZero,
    /// From the beginning, everything that is there: no fault of the bus is in the way.
    Everything,
}

/// One process's connection to the topics.
pub struct TopicBus {
    sim: Arc<Sim>,
    life: Arc<Life>,
    topics: Arc<Topics>,
    relay: Arc<Mutex<Relay>>,
    readings: BTreeMap<usize, Reading>,
    reads: Reads,
}

/// Where a connection stands in a topic.
#[derive(Clone, Copy, Debug)]
struct Reading {
    /// The next entry.
    place: usize,
    /// The last record that was given.
    given: Position,
    /// Behind it a record was missing, so the topic is read from its beginning for as long as that is what is wanted.
    gap: Option<Position>,
}

impl TopicBus {
    /// A process's connection; its relay reads `log`.
    #[must_use]
    pub fn new(sim: Arc<Sim>, life: Arc<Life>, topics: Arc<Topics>, log: MemoryStore, reads: Reads) -> TopicBus {
        let relay = Arc::new(Mutex::new(Relay::new(life.clone(), log, topics.clone())));
        TopicBus { sim, life, topics, relay, readings: BTreeMap::new(), reads }
    }

    fn reach(&self) -> Result<(), BusAway> {
        if self.reads == Reads::Everything { Ok(()) } else { reach(&self.sim, &self.life) }
    }

    /// Where to read on; now and then from an older place, or from the beginning.
    fn place(&self, source: usize, topic: &Topic, after: Position) -> Reading {
        let goes_on =
            |reading: &&Reading| reading.gap == Some(after) || (reading.gap.is_none() && reading.given == after);
        let reading = self.readings.get(&source);
        if let Some(reading) = reading.filter(goes_on) {
            return Reading { place: self.perhaps_older(reading.place), ..*reading };
        }
        let begins = reading.is_none() && self.reads != Reads::OnFromCursors;
        let place = if begins { 0 } else { self.perhaps_older(topic.place_of(after)) };
        Reading { place, given: after, gap: None }
    }

    fn perhaps_older(&self, place: usize) -> usize {
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
        self.reach()?;
        self.readings.clear();
        Relay::begin(&self.relay, &self.sim, beginning);
        Ok(())
    }

    fn fetch(&mut self, (source, lane): Lane, after: Position, max: usize) -> Result<Fetched, BusAway> {
        self.reach()?;
        let (now, me, source) = (self.sim.now(), self.life.service, index_of(source));
        let topics = self.topics.topics();
        let topic = &topics[source];
        let mut reading = self.place(source, topic, after);
        let mut fetched = Fetched::default();
        let everything = self.reads == Reads::Everything;
        while let Some(entry) = topic.entries.get(reading.place).filter(|entry| everything || entry.seen_at[me] <= now)
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
                    let record = if everything { record } else { perhaps_undecodable(&self.sim, me, record) };
                    reading.given = row.position();
                    fetched.records.push(record);
                }
                What::Row(_) => {}
                What::Foreign => fetched.foreign.push(Topic::foreign(source, reading.place, entry.seen_at[me])),
            }
            reading.place += 1;
        }
        self.readings.insert(source, reading);
        fetched.end = Some(End { at: topic.last, age: 0 });
        Ok(fetched)
    }

    fn ends(&mut self, (source, _): Lane) -> Result<Ends, BusAway> {
        self.reach()?;
        Ok(self.topics.ends(index_of(source)))
    }

    fn reread(&mut self, (source, _): Lane, after: Position) -> Result<(), BusAway> {
        self.reach()?;
        self.readings.insert(index_of(source), Reading { place: 0, given: after, gap: Some(after) });
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
