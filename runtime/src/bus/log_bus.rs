//! The embedded bus: the log is the topic. Readers read the log of their source and are woken in process; there is no
//! copy and no relay. Rows that somebody still has to read are kept at hand, so that a reader that keeps up never asks
//! the store.

use super::{Beginning, Bus, BusAway, End, Ends, Fetched, Published};
use crate::{
    record::{LogRow, Position, Record},
    reign::Lane,
    store::{Read, StoreError},
};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Rows kept at hand per service, at most.
const TAIL_ROWS: usize = 4096;

/// Wakes the one who waits for news.
#[derive(Default)]
pub struct Bell {
    rung: Mutex<bool>,
    waiting: Condvar,
}

impl Bell {
    /// There is news.
    pub fn ring(&self) {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        if !*rung {
            *rung = true;
            self.waiting.notify_one();
        }
    }

    /// Whether it has rung since somebody last waited or asked: for the simulation, which has no thread that could wait.
    #[must_use]
    pub fn has_rung(&self) -> bool {
        std::mem::take(&mut *self.rung.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until it rings, at most for a while; a ring that nobody waited for counts.
    pub fn wait(&self, at_most: Option<Duration>) {
        let until = at_most.map(|d| Instant::now() + d.min(Duration::from_secs(3600)));
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        while !*rung {
            rung = match until.map(|until| until.saturating_duration_since(Instant::now())) {
                None => self.waiting.wait(rung).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => break,
                Some(left) => self.waiting.wait_timeout(rung, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
        *rung = false;
    }
}

struct Topic {
    log: Arc<dyn Read>,
    tail: Mutex<Tail>,
    readers: Mutex<Vec<Arc<Bell>>>,
}

/// The end of a log, as far as somebody still has to read it.
#[derive(Default)]
struct Tail {
    rows: VecDeque<Arc<LogRow>>,
    /// How far each reader has come, by the reader's name.
    read: HashMap<&'static str, Position>,
}

/// The logs of all services in this process.
#[derive(Default)]
pub struct LogHub {
    topics: HashMap<&'static str, Topic>,
}

impl LogHub {
    /// Adds a service's log.
    pub fn add(&mut self, service: &'static str, log: Arc<dyn Read>) {
        self.topics.insert(service, Topic { log, tail: Mutex::default(), readers: Mutex::default() });
    }

    /// A connection for `service`, whose `bell` rings when one of `sources` has news.
    #[must_use]
    pub fn connect(self: &Arc<Self>, service: &'static str, sources: &[&str], bell: &Arc<Bell>) -> LogBus {
        for topic in sources.iter().filter_map(|source| self.topics.get(source)) {
            topic.readers.lock().unwrap_or_else(PoisonError::into_inner).push(bell.clone());
            topic.tail().read.insert(service, Position::default());
        }
        LogBus { service, hub: self.clone() }
    }

    fn topic(&self, source: &str) -> Result<&Topic, BusAway> {
        self.topics.get(source).ok_or_else(|| BusAway(format!("no service `{source}` runs here")))
    }
}

impl Topic {
    fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring(&self) {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(|bell| bell.ring());
    }

    /// The same as a tail has it, from the log. Only a full page leaves its end open.
    fn logged_after(&self, lane: u16, after: Position, max: usize) -> Result<(Vec<Arc<LogRow>>, Position), StoreError> {
        let rows = self.log.log_after(lane, after, max)?;
        let last = rows.last().map_or(after, |row| row.position());
        let end = if rows.len() < max { last } else { self.end()?.max(last) };
        Ok((rows, end))
    }

    fn end(&self) -> Result<Position, StoreError> {
        let lead = self.log.lead()?;
        Ok(Position { generation: lead.generation, seq: lead.head })
    }
}

impl Tail {
    fn push(&mut self, rows: &[Arc<LogRow>]) {
        let last = self.rows.back().map(|row| row.position());
        let rows = &rows[rows.partition_point(|row| Some(row.position()) <= last)..]; // the others were told before
        let Some(first) = rows.first() else { return };
        let follows = |last: &Arc<LogRow>| last.generation == first.generation && last.seq + 1 == first.seq;
        if self.rows.back().is_some_and(|last| !follows(last)) {
            self.rows.clear(); // a commit whose outcome was unknown is missing here, but not in the log
        }
        self.rows.extend(rows.iter().cloned());
        let excess = self.rows.len().saturating_sub(TAIL_ROWS);
        self.rows.drain(..excess);
    }

    /// Forgets a tail that does not reach up to the log's head: a reign before committed rows without telling.
    fn begin(&mut self, head: Position) {
        if self.rows.back().is_some_and(|last| last.position() != head) {
            self.rows.clear();
        }
    }

    /// What the tail has after a position, and its end; nothing when it does not reach back that far.
    fn kept_after(&self, lane: u16, after: Position, max: usize) -> Option<(Vec<Arc<LogRow>>, Position)> {
        let (first, last) = (self.rows.front()?, self.rows.back()?);
        let reaches = lane == first.lane
            && after.generation == first.generation
            && after.seq + 1 >= first.seq
            && after <= last.position();
        let skip = usize::try_from((after.seq + 1).checked_sub(first.seq)?).ok()?;
        reaches.then(|| (self.rows.iter().skip(skip).take(max).cloned().collect(), last.position()))
    }

    /// A reader asks for what comes after a position, so it has taken everything before. What all have taken goes, but
    /// for the last row, which tells that there is nothing after it.
    fn taken(&mut self, reader: &'static str, after: Position) {
        self.read.insert(reader, after);
        let by_all = self.read.values().min().copied().unwrap_or_default();
        let taken = self.rows.partition_point(|row| row.position() <= by_all);
        self.rows.drain(..taken.min(self.rows.len().saturating_sub(1)));
    }
}

/// One service's connection to the logs of all.
pub struct LogBus {
    service: &'static str,
    hub: Arc<LogHub>,
}

impl Bus for LogBus {
    fn begin(&mut self, beginning: &Beginning) -> Result<(), BusAway> {
        if let Ok(topic) = self.hub.topic(self.service) {
            topic.tail().begin(beginning.head);
            topic.ring();
        }
        Ok(())
    }

    fn fetch(&mut self, (source, lane): Lane, after: Position, max: usize) -> Result<Fetched, BusAway> {
        let topic = self.hub.topic(source)?;
        let kept = {
            let mut tail = topic.tail();
            tail.taken(self.service, after);
            tail.kept_after(lane, after, max)
        };
        let (rows, end) = match kept {
            Some(kept) => kept,
            None => topic.logged_after(lane, after, max).map_err(|e| BusAway(e.to_string()))?,
        };
        let records = rows.into_iter().map(|row| Record::new(source, row)).collect();
        Ok(Fetched { records, foreign: vec![], end: Some(End { at: end, age: 0 }) })
    }

    fn ends(&mut self, (source, _): Lane) -> Result<Ends, BusAway> {
        let latest = self.hub.topic(source)?.end().map_err(|e| BusAway(e.to_string()))?;
        Ok(Ends { earliest: Position { seq: 0, ..latest }, latest, whole: true })
    }

    fn reread(&mut self, _lane: Lane, _after: Position) -> Result<(), BusAway> {
        Ok(()) // the log is read by position anyway
    }

    fn publish(&mut self, rows: &[Arc<LogRow>]) {
        // A service whose log is not in the hub has no reader in it.
        if let Ok(topic) = self.hub.topic(self.service)
            && !rows.is_empty()
        {
            topic.tail().push(rows);
            topic.ring();
        }
    }

    fn publish_again(&mut self, _after: Position) {
        // The log is the topic, and lacks nothing.
    }

    fn published(&mut self) -> Published {
        Published::default() // the log is the topic
    }
}
