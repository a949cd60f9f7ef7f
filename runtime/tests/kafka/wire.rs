//! One service that speaks on Kafka, readers of it, and the topic as it lies there.

use crate::cluster::eventually;
use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    message::{Header, Headers, OwnedHeaders},
    producer::{BaseProducer, BaseRecord, Producer},
};
use runtime::{
    LogRow, Position, Record,
    bus::{
        Beginning, Bell, Bus, BusAway, End, Fetched,
        kafka::{KafkaBus, Settings},
    },
    store::{Batch, Lead, MemoryStore, Store},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

pub const GENERATION: i64 = 1_700_000_000_000;
pub const LANE: (&str, u16) = ("left", 0);

pub fn at(seq: u64) -> Position {
    Position { generation: GENERATION, seq }
}

pub fn row(seq: u64, bytes: usize) -> Arc<LogRow> {
    Arc::new(LogRow {
        lane: 0,
        generation: GENERATION,
        seq,
        key: format!("key-{}", seq % 7),
        name: "Said".into(),
        schema: 1,
        body: noise(seq, bytes),
        cause: "command Say".into(),
        trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into(),
        epoch: 1,
        at: 1_700_000_000_000_000 + seq.cast_signed(),
    })
}

/// Bytes that nothing compresses.
fn noise(seed: u64, bytes: usize) -> Arc<[u8]> {
    let next = |state: &mut u64| {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Some((*state >> 56) as u8)
    };
    let mut state = seed;
    std::iter::from_fn(|| next(&mut state)).take(bytes).collect()
}

/// The service `left`, with its log.
pub struct Speaker {
    pub bus: KafkaBus,
    store: MemoryStore,
    lead: Lead,
}

impl Speaker {
    pub fn begin(settings: &Settings) -> Speaker {
        let mut speaker = Speaker::connect(settings);
        speaker.bus.begin(&Beginning { head: at(0), published: 0, cursors: vec![] }).unwrap();
        speaker
    }

    /// Without a reign.
    pub fn connect(settings: &Settings) -> Speaker {
        let mut store = MemoryStore::new(GENERATION);
        let lead = store.begin_reign("here", 1).unwrap();
        let bus = KafkaBus::connect(settings, "left", &[], Arc::new(store.clone()), &Arc::default()).unwrap();
        Speaker { bus, store, lead }
    }

    /// Its store, in another session.
    pub fn store(&self) -> MemoryStore {
        self.store.clone()
    }

    /// Commits and publishes.
    pub fn say(&mut self, count: u64) {
        self.say_long(count, 20);
    }

    pub fn say_long(&mut self, count: u64, bytes: usize) {
        let rows: Vec<_> = (1..=count).map(|n| row(self.lead.head + n, bytes)).collect();
        self.store.commit(&Batch { lead: self.lead, log: rows.clone(), ..Batch::default() }).unwrap();
        (self.lead.commits, self.lead.head) = (self.lead.commits + 1, self.lead.head + count);
        self.bus.publish(&rows);
    }

    #[track_caller]
    pub fn all_published(&mut self) {
        let head = self.lead.head;
        eventually("everything is published", || self.bus.published().until == Some(head));
        assert_eq!(self.bus.published().held_up, None);
    }

    /// Waits until the bus says why rows wait.
    #[track_caller]
    pub fn held_up(&mut self) -> String {
        let mut why = None;
        eventually("rows are said to wait", || {
            why = self.bus.published().held_up;
            why.is_some()
        });
        why.unwrap()
    }
}

/// The service `desk`, which reads `left`.
pub struct Listener {
    pub bus: KafkaBus,
    pub bell: Arc<Bell>,
    pub after: Position,
}

impl Listener {
    pub fn begin(settings: &Settings) -> Listener {
        let bell = Arc::new(Bell::default());
        let nothing = Arc::new(MemoryStore::new(1));
        let bus = KafkaBus::connect(settings, "desk", &["left"], nothing, &bell).unwrap();
        Listener { bus, bell, after: at(0) }
    }

    /// Takes whatever comes; records are the next ones. A relay that began again may have repeated some: those were seen.
    pub fn fetch(&mut self) -> Result<Fetched, BusAway> {
        let mut fetched = self.bus.fetch(LANE, self.after, 500)?;
        fetched.records.retain(|record| {
            let new = record.row.position() > self.after;
            self.after = self.after.max(record.row.position());
            new
        });
        Ok(fetched)
    }

    /// Reads on until the next `count` records are there; outages are waited for.
    #[track_caller]
    pub fn take(&mut self, count: usize) -> Vec<Record> {
        let mut taken = vec![];
        eventually("the records come", || {
            match self.fetch() {
                Ok(fetched) => taken.extend(fetched.records),
                Err(BusAway(_)) => self.bell.wait(Some(Duration::from_millis(100))),
            }
            taken.len() >= count
        });
        assert_eq!(taken.len(), count);
        taken
    }

    /// Like `take`, but sleeps until the bell rings whenever nothing comes, as an engine does.
    #[track_caller]
    pub fn take_when_rung(&mut self, count: usize) -> Vec<Record> {
        let (mut taken, deadline) = (vec![], Instant::now() + Duration::from_secs(90));
        while taken.len() < count {
            match self.fetch() {
                Ok(fetched) if !fetched.records.is_empty() => taken.extend(fetched.records),
                _ => self.bell.wait(Some(deadline.saturating_duration_since(Instant::now()))),
            }
            assert!(Instant::now() < deadline, "{} of {count} records came", taken.len());
        }
        taken
    }

    /// Waits until the bus is away for this reason.
    #[track_caller]
    pub fn is_away(&mut self, why: &str) {
        eventually(&format!("the bus is away: {why}"), || match self.fetch() {
            Err(BusAway(told)) => {
                assert!(told.contains(why), "{told}");
                true
            }
            Ok(fetched) => {
                assert!(fetched.records.is_empty());
                false
            }
        });
    }

    /// Waits until everything up to a place was given, and nothing more comes.
    #[track_caller]
    pub fn follows_given(&mut self, given: Position) {
        eventually("the end is known", || {
            let fetched = self.bus.fetch(LANE, self.after, 500).unwrap();
            assert_eq!(seqs(&fetched.records), [0; 0]);
            fetched.end.is_some_and(|end| end.at == given)
        });
    }

    /// Waits until the lane is told to be followed.
    #[track_caller]
    pub fn follows(&mut self) -> End {
        let mut end = None;
        eventually("the end is known", || {
            end = self.fetch().ok().and_then(|fetched| fetched.end).filter(|end| end.at <= self.after);
            end.is_some()
        });
        end.unwrap()
    }
}

pub fn seqs(records: &[Record]) -> Vec<u64> {
    records.iter().map(|record| record.row.seq).collect()
}

/// What lies on the topic of `left`: the sequence numbers, record by record.
pub fn on_topic(settings: &Settings) -> Vec<u64> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &settings.brokers)
        .set("group.id", format!("{}look", settings.prefix))
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    let topic = settings.topic("left");
    let (low, high) = consumer.fetch_watermarks(&topic, 0, Duration::from_secs(10)).unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(&topic, 0, Offset::Offset(low)).unwrap();
    consumer.assign(&list).unwrap();
    let (mut found, mut next) = (vec![], low);
    eventually("the topic is read", || {
        while let Some(message) = consumer.poll(Duration::from_millis(100)) {
            let message = message.unwrap();
            next = message.offset() + 1;
            let mut headers = message.headers().into_iter().flat_map(|headers| headers.iter());
            let seq = headers.find(|header| header.key == "ce_tuttiseq").and_then(|header| header.value);
            found.extend(seq.map(|seq| str::from_utf8(seq).unwrap().parse::<u64>().unwrap()));
        }
        next >= high
    });
    found
}

/// Nothing is missing, and nothing came before its predecessor, whatever was repeated.
#[track_caller]
pub fn assert_in_order(found: &[u64], count: u64) {
    let mut reached = 0;
    for seq in found {
        assert!(*seq <= reached + 1, "{seq} overtakes {}", reached + 1);
        reached = reached.max(*seq);
    }
    assert_eq!(reached, count);
}

/// Puts a record onto the topic of `left` past everybody.
pub fn put(settings: &Settings, key: &str, headers: OwnedHeaders, value: &[u8]) {
    let producer: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", &settings.brokers).set("linger.ms", "0").create().unwrap();
    let topic = settings.topic("left");
    let record = BaseRecord::to(&topic).partition(0).key(key).payload(value).headers(headers);
    producer.send(record).map_err(|(error, _)| error).unwrap();
    producer.flush(Duration::from_secs(30)).unwrap();
}

/// The headers that `left` would write.
pub fn headers_of(seq: u64, name: &str, version: u16) -> OwnedHeaders {
    let (id, seq) = (format!("{GENERATION}.0.{seq}"), seq.to_string());
    let (schema, generation) = (format!("urn:tutti:left:{name}:{version}"), GENERATION.to_string());
    let headers = [
        ("ce_specversion", "1.0"),
        ("ce_id", &id),
        ("ce_source", "left"),
        ("ce_type", name),
        ("ce_subject", "a"),
        ("ce_dataschema", &schema),
        ("ce_tuttigen", &generation),
        ("ce_tuttilane", "0"),
        ("ce_tuttiseq", &seq),
    ];
    let insert = |all: OwnedHeaders, (key, value): &(&str, &str)| all.insert(Header { key, value: Some(*value) });
    headers.iter().fold(OwnedHeaders::new(), insert)
}
