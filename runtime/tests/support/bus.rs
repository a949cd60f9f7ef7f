//! A bus that a test plays: records put in lanes, taken out again, repeated; lanes that never end; the bus away.

use choreography::Topic;
use runtime::{
    Foreign, LogRow, Position, Read, Record,
    bus::{Beginning, Bus, BusAway, End, Ends, Fetched, Published},
    reign::Lane,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard},
};

/// The generation of every source, unless a test says otherwise.
pub const GENERATION: i64 = 1000;

#[derive(Default)]
pub struct Script {
    lanes: HashMap<&'static str, BTreeMap<Position, Record>>,
    lost: HashSet<(&'static str, Position)>,
    repeats: Vec<Record>,
    away: BTreeSet<&'static str>,
    pub earliest: HashMap<&'static str, Position>,
    /// Records that every fetch finds behind the last one: a source under load.
    endless: HashMap<&'static str, fn(Position) -> Record>,
    /// Every call, in words.
    pub calls: Vec<String>,
    /// What the desk published.
    pub published: Vec<Arc<LogRow>>,
    /// What the bus says of it.
    pub progress: Published,
    /// The desk's own log: what a reign before committed and nobody published is read there.
    pub log: Option<Arc<dyn Read>>,
    /// How reigns began.
    pub began: Vec<Beginning>,
    /// Delivered with the next fetch, of whatever source.
    pub foreign: Vec<Foreign>,
}

#[derive(Clone, Default)]
pub struct ScriptedBus(Arc<Mutex<Script>>);

/// A record of a source, as its log would have it.
pub fn record<E: Topic>(seq: u64, event: &E) -> Record {
    let row = LogRow {
        lane: 0,
        generation: GENERATION,
        seq,
        key: event.key().into(),
        name: event.name().into(),
        schema: event.version(),
        body: event.encode().unwrap().into(),
        cause: "command Tell".into(),
        trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into(),
        epoch: 1,
        at: 7000, // no earlier than the desk's log was begun
    };
    Record::new(E::NAME, Arc::new(row))
}

/// The same record in another generation.
pub fn in_generation(generation: i64, record: Record) -> Record {
    Record { row: Arc::new(LogRow { generation, ..(*record.row).clone() }), ..record }
}

/// The same record with bytes that nobody can read.
pub fn undecodable(record: Record) -> Record {
    Record { row: Arc::new(LogRow { body: (*b"\xff\xfe").into(), ..(*record.row).clone() }), ..record }
}

impl ScriptedBus {
    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap()
    }

    /// The source says this.
    pub fn put(&self, record: Record) {
        self.script().lanes.entry(record.source).or_default().insert(record.row.position(), record);
    }

    /// The record is there, but cannot be had.
    pub fn lose(&self, source: &'static str, seq: u64) {
        self.script().lost.insert((source, Position { generation: GENERATION, seq }));
    }

    /// Everything that was lost can be had again.
    pub fn mend(&self) {
        self.script().lost.clear();
    }

    /// Delivered with the next fetch of its source, whatever was read before.
    pub fn repeat(&self, record: Record) {
        self.script().repeats.push(record);
    }

    /// Everything a source ever said is delivered with the next fetch, from the beginning.
    pub fn replay(&self, source: &'static str) {
        let mut script = self.script();
        let records: Vec<_> = script.lanes[source].values().cloned().collect();
        script.repeats.extend(records);
    }

    pub fn set_away(&self, source: &'static str, away: bool) {
        if away { _ = self.script().away.insert(source) } else { _ = self.script().away.remove(source) }
    }

    /// What lies before was deleted by retention.
    pub fn set_earliest(&self, source: &'static str, seq: u64) {
        self.script().earliest.insert(source, Position { generation: GENERATION, seq });
    }

    /// From now on every fetch finds as much as it asks for.
    pub fn never_ends(&self, source: &'static str, next: fn(Position) -> Record) {
        self.script().endless.insert(source, next);
    }

    pub fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.script().calls)
    }
}

impl Script {
    fn reach(&mut self, source: &'static str, call: String) -> Result<(), BusAway> {
        self.calls.push(call);
        if self.away.contains(source) { Err(BusAway(format!("{source} is switched off"))) } else { Ok(()) }
    }

    fn latest(&self, source: &'static str) -> Position {
        let last = self.lanes.get(source).and_then(|lane| lane.keys().next_back()).copied();
        last.unwrap_or(Position { generation: GENERATION, seq: 0 })
    }

    fn grow(&mut self, source: &'static str, after: Position, max: usize) {
        let Some(next) = self.endless.get(source).copied() else { return };
        let mut place = self.latest(source);
        while place.seq < after.seq + max as u64 + 1 {
            let record = next(place);
            place = record.row.position();
            self.lanes.entry(source).or_default().insert(place, record);
        }
    }
}

impl Bus for ScriptedBus {
    fn begin(&mut self, beginning: &Beginning) -> Result<(), BusAway> {
        let mut script = self.script();
        script.began.push(beginning.clone());
        let after = Position { seq: beginning.published, ..beginning.head };
        let rest = script.log.as_ref().map(|log| log.log_after(0, after, usize::MAX >> 1).unwrap());
        script.published.extend(rest.into_iter().flatten());
        Ok(())
    }

    fn fetch(&mut self, (source, lane): Lane, after: Position, max: usize) -> Result<Fetched, BusAway> {
        let mut script = self.script();
        script.reach(source, format!("fetch {source}.{lane} after {}", after.seq))?;
        script.grow(source, after, max);
        let (repeats, others) = std::mem::take(&mut script.repeats).into_iter().partition(|r| r.source == source);
        script.repeats = others;
        let mut records: Vec<Record> = repeats;
        let room = max.saturating_sub(records.len());
        let behind = (std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded);
        let lane = script.lanes.get(source);
        let next = lane.into_iter().flat_map(|lane| lane.range(behind));
        let there = next.filter(|(at, _)| !script.lost.contains(&(source, **at))).map(|(_, record)| record.clone());
        let taken: Vec<_> = there.take(room).collect();
        let end = Some(End { at: script.latest(source), age: 0 });
        records.extend(taken);
        Ok(Fetched { records, foreign: std::mem::take(&mut script.foreign), end })
    }

    fn ends(&mut self, (source, lane): Lane) -> Result<Ends, BusAway> {
        let mut script = self.script();
        script.reach(source, format!("ends {source}.{lane}"))?;
        let cut = script.earliest.get(source).copied();
        let first = script.lanes.get(source).and_then(|lane| lane.keys().next()).copied();
        let earliest = first.unwrap_or(Position { generation: GENERATION, seq: 1 });
        let earliest = cut.unwrap_or(Position { seq: earliest.seq.saturating_sub(1), ..earliest });
        Ok(Ends { earliest, latest: script.latest(source), whole: cut.is_none() })
    }

    fn reread(&mut self, (source, lane): Lane, after: Position) -> Result<(), BusAway> {
        self.script().reach(source, format!("reread {source}.{lane} after {}", after.seq))
    }

    fn publish(&mut self, rows: &[Arc<LogRow>]) {
        self.script().published.extend(rows.iter().cloned());
    }

    fn publish_again(&mut self, after: Position) {
        let mut script = self.script();
        let log = script.log.clone().unwrap();
        for row in log.log_after(0, after, usize::MAX >> 1).unwrap() {
            script.lanes.entry("desk").or_default().insert(row.position(), Record::new("desk", row));
        }
        script.calls.push(format!("publish again after {}", after.seq));
    }

    fn published(&mut self) -> Published {
        self.script().progress.clone()
    }
}
