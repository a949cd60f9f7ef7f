//! What other services say, lane by lane. librdkafka fetches ahead into bounded queues; this takes from them without
//! waiting, on the engine's thread, and rings the service's bell when an empty queue has something again.
//!
//! Offsets are only hints. Where one leads is verified by the record found there; where it leads nowhere, the lane is
//! read from its beginning, and what was seen is passed over by its headers.
//!
//! A topic that was created anew has a new client: librdkafka takes the lower leader epochs of the new topic for old
//! answers, and would never fetch from it. As nobody tells whether a topic is a new one, a client that brings nothing
//! although there is something is replaced as well.

use super::{
    Settings,
    config::Quiet,
    headers,
    schemas::{Meaning, Schemas},
    watch::{Facts, Watch},
};
use crate::{
    bus::{Beginning, Bell, BusAway, End, Fetched},
    clock::micros,
    record::{Foreign, LogRow, Position, Record},
    reign::Lane,
};
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer, base_consumer::PartitionQueue},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
    message::BorrowedMessage,
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

/// Knowledge of a lane's end that is older than this is renewed when the lane is looked at.
const RENEW_ENDS_AFTER: Duration = Duration::from_millis(100);
const SEEK_WITHIN: Duration = Duration::from_secs(5);
/// A client that brings nothing for so long although there is something is replaced; twice as long after each time.
const STARVED_AFTER: Duration = Duration::from_secs(10);
const STARVED_AFTER_AT_MOST: Duration = Duration::from_secs(600);

/// Given to nobody: whatever a reader is behind, it is behind this.
const BEYOND_ALL: Position = Position { generation: i64::MAX, seq: u64::MAX };

/// A record whose headers hold together, and whose schema may still have to be learned.
struct Arrived {
    row: LogRow,
    offset: i64,
    value: Vec<u8>,
}

/// One lane as it is read.
struct Reading {
    topic: Arc<str>,
    partition: i32,
    queue: Option<PartitionQueue<Quiet>>,
    /// The offset that comes next; none before the first record when the lane is read from its beginning.
    next: Option<i64>,
    /// The furthest record that was given, or that reading began behind.
    given: Position,
    /// When reading began there.
    placed: Option<Instant>,
    /// The first record must be this one, or the hint led astray.
    must_find: Option<Position>,
    /// Waits for its schema.
    held: Option<Arrived>,
    /// Behind it there is a gap, and the lane was read from its beginning for it.
    gap: Option<Position>,
    /// Offsets behind records, where to look on.
    hints: BTreeMap<Position, i64>,
    /// How many restarts of the topic are taken into account.
    restarts: u64,
    /// The topic begins anew, and does not reach yet to where it was read.
    lost: Option<String>,
    /// Since when there is more to read that does not come.
    starved: Option<Instant>,
    /// How long that is borne.
    patience: Duration,
}

/// What lanes are read with.
struct Means {
    consumer: Arc<BaseConsumer<Quiet>>,
    schemas: Arc<Schemas>,
    bell: Arc<Bell>,
}

/// All lanes that a service reads.
pub(super) struct Reader {
    settings: Settings,
    service: &'static str,
    /// Gone only while the reader is dropped.
    means: Option<Means>,
    watch: Watch,
    lanes: HashMap<Lane, Reading>,
}

impl Reader {
    pub fn connect(
        settings: &Settings,
        service: &'static str,
        sources: &[&'static str],
        schemas: Arc<Schemas>,
        bell: &Arc<Bell>,
    ) -> KafkaResult<Reader> {
        let consumer = Arc::new(settings.consumer(service)?);
        let lanes: Vec<Lane> = sources.iter().map(|source| (*source, 0)).collect();
        // The own topic is watched as well: when it goes back, it must be published again.
        let watched = lanes.iter().copied().chain([(service, 0)]).map(|lane| (lane, Facts::default())).collect();
        let watch = Watch::start(settings, service, watched, consumer.clone(), bell.clone())?;
        let reading = |lane: &Lane| (*lane, Reading::new(&settings.topic(lane.0), lane.1));
        let means = Some(Means { consumer, schemas, bell: bell.clone() });
        let lanes = lanes.iter().map(reading).collect();
        Ok(Reader { settings: settings.clone(), service, means, watch, lanes })
    }

    /// A client that knows nothing of what the topics were like; every lane goes on behind what was taken of it.
    fn connect_anew(&mut self) -> KafkaResult<()> {
        let Some(means) = &mut self.means else { return Ok(()) };
        let consumer = Arc::new(self.settings.consumer(self.service)?);
        let known = self.watch.known();
        self.watch = Watch::start(&self.settings, self.service, known, consumer.clone(), means.bell.clone())?;
        let queues: Vec<_> = self.lanes.values_mut().map(|reading| reading.queue.take()).collect();
        let old = std::mem::replace(&mut means.consumer, consumer);
        // Closing a client may hang; nobody waits for it.
        std::thread::spawn(move || drop((queues, old)));
        Ok(())
    }

    /// A reign begins: what was given to an earlier one may not have been taken.
    pub fn begin(&mut self, beginning: &Beginning) {
        for (lane, reading) in &mut self.lanes {
            (reading.gap, reading.given) = (None, BEYOND_ALL);
            if reading.queue.is_some() {
                reading.hints.clear();
            }
            let of_lane = beginning.cursors.iter().filter(|row| row.source == lane.0 && row.lane == lane.1);
            reading.hints.extend(of_lane.filter_map(|row| Some((row.at, row.offset_hint?))));
        }
    }

    /// What lies behind a record, for a reader that has not been there.
    pub fn note_hint(&mut self, lane: Lane, at: Position, offset: i64) {
        if let Some(reading) = self.lanes.get_mut(&lane) {
            reading.hints.insert(at, offset);
        }
    }

    /// What is known of a lane, or of the own topic.
    pub fn facts(&self, lane: Lane) -> Facts {
        self.watch.facts(lane).0
    }

    pub fn complaint(&self) -> Option<String> {
        self.watch.complaint()
    }

    /// At a gap the lane is read from its beginning once; then on and on, because what is missing is published anew.
    pub fn reread(&mut self, lane: Lane, after: Position) -> Result<(), BusAway> {
        let (Some(reading), Some(means)) = (self.lanes.get_mut(&lane), &self.means) else { return Err(unknown(lane)) };
        if reading.gap.replace(after) == Some(after) {
            return Ok(());
        }
        reading.place(means, after, None)
    }

    pub fn fetch(&mut self, lane: Lane, after: Position, max: usize) -> Result<Fetched, BusAway> {
        let (facts, away) = self.watch.facts(lane);
        let reading = self.lanes.get_mut(&lane).ok_or_else(|| unknown(lane))?;
        if reading.mind_restarts(&facts) || (away.is_none() && reading.has_starved(&facts)) {
            self.connect_anew().map_err(|e| BusAway(format!("there is no new client: {e}")))?;
        }
        let (Some(reading), Some(means)) = (self.lanes.get_mut(&lane), &self.means) else { return Err(unknown(lane)) };
        if reading.gap.is_some_and(|gap| gap != after) {
            reading.gap = None;
        }
        if reading.must_be_placed(after) {
            let hint = reading.hints.get(&after).copied();
            reading.place(means, after, hint)?;
        }
        let mut fetched = Fetched::default();
        let stopped = reading.take(means, lane, after, max, &mut fetched);
        if reading.looks_beyond_the_end(&facts) {
            reading.place(means, after, None)?;
        }
        if fetched.records.is_empty() && reading.given == after && reading.held.is_none() {
            // Everything that was given has been taken.
            reading.next.into_iter().for_each(|next| self.watch.read_up_to(lane, next));
        }
        let known = facts.high.filter(|_| away.is_none());
        if known.is_none_or(|(_, asked)| asked.elapsed() >= RENEW_ENDS_AFTER) {
            self.watch.ask();
        }
        fetched.end = known
            .filter(|_| reading.has_reached_the_end(&facts))
            .map(|(_, asked)| End { at: reading.given, age: micros(asked.elapsed()) });
        let trouble = stopped.err().or_else(|| reading.lost.clone()).or(facts.gone).or(away);
        match trouble {
            Some(why) if fetched.records.is_empty() && fetched.foreign.is_empty() => Err(BusAway(why)),
            _ => Ok(fetched),
        }
    }
}

fn unknown((source, lane): Lane) -> BusAway {
    BusAway(format!("lane {lane} of {source} is not read here"))
}

impl Drop for Reader {
    /// Closing a client may hang; nobody waits for it.
    fn drop(&mut self) {
        let (lanes, means) = (std::mem::take(&mut self.lanes), self.means.take());
        std::thread::spawn(move || drop((lanes, means)));
    }
}

impl Reading {
    fn new(topic: &str, lane: u16) -> Reading {
        Reading {
            topic: topic.into(),
            partition: i32::from(lane),
            queue: None,
            next: None,
            given: Position::default(),
            placed: None,
            must_find: None,
            held: None,
            gap: None,
            hints: BTreeMap::new(),
            restarts: 0,
            lost: None,
            starved: None,
            patience: STARVED_AFTER,
        }
    }

    /// The offsets of a topic that was cut back or created anew mean nothing in it. Whether it was.
    fn mind_restarts(&mut self, facts: &Facts) -> bool {
        if self.restarts == facts.restarts {
            return false;
        }
        self.restarts = facts.restarts;
        let high = facts.high.map(|(high, _)| high).unwrap_or_default();
        let why = format!(
            "the topic {} was created anew or cut back, and ends at offset {high} by now: its service publishes it again when it runs, and so does `tutti republish` when it does not",
            self.topic
        );
        tracing::error!(topic = &*self.topic, why);
        (self.lost, self.gap) = (Some(why), None);
        self.hints.clear();
        self.given = BEYOND_ALL;
        true
    }

    /// Whether the brokers have had more for long, and nothing has come.
    fn has_starved(&mut self, facts: &Facts) -> bool {
        let high = facts.high.map(|(high, _)| high).filter(|_| self.queue.is_some() && self.held.is_none());
        if high.is_none_or(|high| high <= self.next.or(facts.low).unwrap_or(high)) {
            self.starved = None;
            return false;
        }
        if self.starved.get_or_insert_with(Instant::now).elapsed() < self.patience {
            return false;
        }
        let (topic, next) = (&*self.topic, self.next);
        tracing::warn!(topic, next, high, "nothing comes although there is more; a new client is asked");
        (self.starved, self.patience) = (None, STARVED_AFTER_AT_MOST.min(self.patience * 2));
        true
    }

    /// At first, and when the reader is behind what it was given: a new reign, or one that goes back.
    fn must_be_placed(&self, after: Position) -> bool {
        self.queue.is_none() || (after < self.given && self.gap != Some(after))
    }

    /// Goes on behind a record: at the record itself, if a hint tells where it is, else at the lane's beginning.
    fn place(&mut self, means: &Means, after: Position, hint: Option<i64>) -> Result<(), BusAway> {
        let away = |e: KafkaError| BusAway(format!("{} cannot be read: {e}", self.topic));
        let consumer = &means.consumer;
        let found_at = hint.filter(|hint| *hint > 0 && after.seq > 0).map(|hint| hint - 1);
        let offset = found_at.map_or(Offset::Beginning, Offset::Offset);
        let sought = match &self.queue {
            Some(_) => consumer.seek(&self.topic, self.partition, offset, SEEK_WITHIN).is_ok(),
            None => false,
        };
        if !sought {
            // It is not read yet, or the client has given it up after an error.
            self.queue = None;
            self.queue = Some(self.assign(means, offset).map_err(away)?);
        }
        (self.next, self.given, self.held) = (found_at, after, None);
        self.must_find = found_at.map(|_| after);
        self.placed = Some(Instant::now());
        Ok(())
    }

    fn assign(&self, means: &Means, offset: Offset) -> KafkaResult<PartitionQueue<Quiet>> {
        let (consumer, mut list) = (&means.consumer, TopicPartitionList::new());
        list.add_partition_offset(&self.topic, self.partition, offset)?;
        if consumer.assignment()?.find_partition(&self.topic, self.partition).is_some() {
            consumer.incremental_unassign(&list)?;
        }
        consumer.incremental_assign(&list)?;
        let queue = consumer.split_partition_queue(&self.topic, self.partition);
        let mut queue = queue.ok_or(KafkaError::Subscription(format!("{} has no queue", self.topic)))?;
        let bell = means.bell.clone();
        queue.set_nonempty_callback(move || bell.ring());
        Ok(queue)
    }

    /// Takes what has come, up to `max` records. An error tells why nothing more could be taken.
    fn take(
        &mut self,
        means: &Means,
        lane: Lane,
        after: Position,
        max: usize,
        fetched: &mut Fetched,
    ) -> Result<(), String> {
        while fetched.records.len() + fetched.foreign.len() < max {
            let arrived = match self.held.take() {
                Some(held) => held,
                None => match self.pop(lane)? {
                    None => return Ok(()),
                    Some(Popped::Event(arrived)) => arrived,
                    Some(Popped::Foreign(foreign)) => {
                        fetched.foreign.push(foreign);
                        continue;
                    }
                    Some(Popped::NoSuchOffset) => {
                        let (topic, offset) = (&*self.topic, self.next);
                        tracing::warn!(topic, offset, "the offset is not there any more; read from the beginning");
                        self.place(means, after, None).map_err(|away| away.0)?;
                        continue;
                    }
                },
            };
            let at = arrived.row.position();
            if self.must_find.take().is_some_and(|must| must != at) {
                tracing::warn!(topic = &*self.topic, found = ?at, "the offset's hint led astray; read from the beginning");
                self.place(means, after, None).map_err(|away| away.0)?;
                continue;
            }
            if at >= after {
                self.lost = None; // before that the topic is still being filled again
            }
            if at <= after {
                continue; // seen
            }
            match arrived.read(&means.schemas, lane.0) {
                Ok(record) => {
                    self.given = self.given.max(at);
                    fetched.records.push(record);
                }
                Err((arrived, why)) => {
                    self.held = Some(arrived);
                    return why.map_or(Ok(()), Err);
                }
            }
        }
        Ok(())
    }

    fn pop(&mut self, lane: Lane) -> Result<Option<Popped>, String> {
        let Some(queue) = &self.queue else { return Ok(None) };
        match queue.poll(Duration::ZERO) {
            None => Ok(None),
            Some(Ok(message)) => {
                self.next = Some(message.offset() + 1);
                (self.starved, self.patience) = (None, STARVED_AFTER);
                Ok(Some(read_message(&message, &self.topic, lane)))
            }
            Some(Err(KafkaError::MessageConsumption(RDKafkaErrorCode::AutoOffsetReset))) => {
                Ok(Some(Popped::NoSuchOffset))
            }
            Some(Err(error)) => Err(format!("{} cannot be read: {error}", self.topic)),
        }
    }

    /// A hint may lead to where there is no record yet, in a topic that is shorter than the one it was taken from.
    fn looks_beyond_the_end(&self, facts: &Facts) -> bool {
        let asked_since = |asked: Instant| self.placed.is_some_and(|placed| placed < asked);
        let ends_before = |next: i64| facts.high.is_some_and(|(high, asked)| high <= next && asked_since(asked));
        self.must_find.is_some() && self.next.is_some_and(ends_before)
    }

    /// Whether everything before the end that is known has been given.
    fn has_reached_the_end(&self, facts: &Facts) -> bool {
        let Some((high, _)) = facts.high else { return false };
        let all_taken = self.next.map_or(facts.low == Some(high), |next| next >= high);
        all_taken && self.held.is_none() && self.must_find.is_none() && self.queue.is_some()
    }
}

enum Popped {
    Event(Arrived),
    Foreign(Foreign),
    NoSuchOffset,
}

fn read_message(message: &BorrowedMessage, topic: &Arc<str>, lane: Lane) -> Popped {
    let place = headers::Place { source: lane.0, partition: lane.1 };
    let value = message.payload().unwrap_or_default();
    match headers::to_row(&place, message.key(), message.headers()) {
        Ok(row) => Popped::Event(Arrived { row, offset: message.offset(), value: value.to_vec() }),
        Err(why) => Popped::Foreign(Foreign {
            source: lane.0,
            lane: lane.1,
            topic: topic.clone(),
            offset: u64::try_from(message.offset()).unwrap_or_default(),
            body: value.into(),
            at: message.timestamp().to_millis().unwrap_or_default().saturating_mul(1000),
            why,
        }),
    }
}

impl Arrived {
    /// The record with its datum. When its schema is not known yet it is given back, with the reason, if there is one.
    fn read(self, schemas: &Arc<Schemas>, source: &'static str) -> Result<Record, (Arrived, Option<String>)> {
        let hint = Some(self.offset + 1);
        let record = |row: LogRow, body: &[u8], poison| {
            let row = Arc::new(LogRow { body: body.into(), ..row });
            Record { source, row, hint, poison }
        };
        let (id, datum) = match headers::unframe(&self.value) {
            Ok(framed) => framed,
            Err(why) => return Ok(record(self.row, &self.value, Some(why))),
        };
        match schemas.meaning(source, &self.row.name, id, self.row.schema) {
            Ok(Meaning::Version(schema)) => Ok(record(LogRow { schema, ..self.row }, datum, None)),
            Ok(Meaning::Poison(why)) => Ok(record(self.row, datum, Some(why))),
            Err(why) => Err((self, why)),
        }
    }
}
