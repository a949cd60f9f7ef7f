//! The rows that a service keeps, and the records that travel: an event in the log, a wish in the work table, an input
//! set aside in the parked table.

use choreography::Key;
use std::{fmt, str::FromStr, sync::Arc};

/// How far a log or a lane of it goes: the generation, and the sequence number within. A generation begins with 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// When the log was begun, in milliseconds since 1970; never reused.
    pub generation: i64,
    /// Dense within the generation: 1, 2, 3 …; 0 is before the first.
    pub seq: u64,
}

/// Names one event of one service for ever: `<generation>.<lane>.<seq>`, unique per source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventId {
    /// Generation of the log.
    pub generation: i64,
    /// Lane of the service.
    pub lane: u16,
    /// Sequence number in the lane.
    pub seq: u64,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.generation, self.lane, self.seq)
    }
}

/// Why an event was said: the event that caused it and the effect or timer it went through, or a command.
/// Written as `payment/1763.0.42`, `payment/1763.0.42 via charge#2` (the second attempt) or `command PlaceOrder`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cause {
    /// The causing event as `<source>/<event id>`; none for a command.
    pub event: Option<String>,
    /// The effect or timer whose answer it was, or the command's name.
    pub via: Option<String>,
    /// How many attempts the effect took.
    pub attempts: u32,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.event, &self.via) {
            (Some(event), None) => write!(f, "{event}"),
            (Some(event), Some(via)) if self.attempts > 0 => write!(f, "{event} via {via}#{}", self.attempts),
            (Some(event), Some(via)) => write!(f, "{event} via {via}"),
            (None, via) => write!(f, "command {}", via.as_deref().unwrap_or("?")),
        }
    }
}

impl FromStr for Cause {
    type Err = String;
    fn from_str(text: &str) -> Result<Cause, String> {
        if let Some(command) = text.strip_prefix("command ") {
            return Ok(Cause { event: None, via: Some(command.to_owned()), attempts: 0 });
        }
        let Some((event, via)) = text.split_once(" via ") else {
            return Ok(Cause { event: Some(text.to_owned()), via: None, attempts: 0 });
        };
        let (via, attempts) = via.split_once('#').unwrap_or((via, "0"));
        let attempts = attempts.parse().map_err(|_| format!("`{text}` is no cause: attempts are a number"))?;
        Ok(Cause { event: Some(event.to_owned()), via: Some(via.to_owned()), attempts })
    }
}

/// One event in a service's log, which is event store, outbox and audit trail in one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRow {
    /// Lane of the service.
    pub lane: u16,
    /// Generation of the log.
    pub generation: i64,
    /// Dense sequence number in lane and generation.
    pub seq: u64,
    /// What the event is about.
    pub key: Key,
    /// The event's name.
    pub name: String,
    /// The version of its schema that `body` is written in.
    pub schema: u16,
    /// The Avro datum.
    pub body: Arc<[u8]>,
    /// A [`Cause`] as text.
    pub cause: String,
    /// The W3C `traceparent` it was said in.
    pub trace: String,
    /// The reign that committed it.
    pub epoch: u64,
    /// Microseconds since 1970; never runs backwards within a log.
    pub at: i64,
}

impl LogRow {
    /// Where it stands in its lane.
    #[must_use]
    pub fn position(&self) -> Position {
        Position { generation: self.generation, seq: self.seq }
    }
    /// Its identity among all events of its source.
    #[must_use]
    pub fn id(&self) -> EventId {
        EventId { generation: self.generation, lane: self.lane, seq: self.seq }
    }
}

/// An event as a reader gets it from the bus.
#[derive(Clone, Debug)]
pub struct Record {
    /// The service that said it.
    pub source: &'static str,
    /// The event, byte for byte as its log has it.
    pub row: Arc<LogRow>,
    /// Where the bus may look for the next one: a hint only, kept with the cursor.
    pub hint: Option<i64>,
    /// Why the bus cannot tell what the bytes are, if it cannot; then `row.body` is all of them.
    pub poison: Option<String>,
}

impl Record {
    /// A record that can be read.
    #[must_use]
    pub fn new(source: &'static str, row: Arc<LogRow>) -> Record {
        Record { source, row, hint: None, poison: None }
    }
}

/// What a bus carries on a service's topic that is none of its events: somebody else wrote it, or it lost its headers.
/// It has no place in the lane; its place on the topic tells whether it was seen before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// The service whose topic it is on.
    pub source: &'static str,
    /// The lane it is in.
    pub lane: u16,
    /// The topic.
    pub topic: Arc<str>,
    /// Its place in the lane.
    pub offset: u64,
    /// The bytes.
    pub body: Arc<[u8]>,
    /// When it was put there, in microseconds since 1970.
    pub at: i64,
    /// Why it is no event.
    pub why: String,
}

/// Before the name of a source stands for what is foreign on its topic, in cursors and parked rows.
pub(crate) const FOREIGN: &str = "foreign:";

/// Before the name of a source stands for records of it that were passed over for good, in parked rows.
pub(crate) const SKIPPED: &str = "skipped:";

impl Foreign {
    /// Names it for ever: topic, partition and offset.
    #[must_use]
    pub fn key(&self) -> Key {
        format!("{}/{}/{}", self.topic, self.lane, self.offset)
    }

    /// Counts up along the lane, from 1.
    pub(crate) fn seq(&self) -> u64 {
        self.offset + 1
    }

    /// The row that is set aside. Nothing else is ever parked behind it: its key is its own.
    pub(crate) fn parked(&self, reason: String, since: i64) -> ParkedRow {
        let row = LogRow {
            lane: self.lane,
            generation: 0,
            seq: self.seq(),
            key: self.key(),
            name: "foreign".into(),
            schema: 0,
            body: self.body.clone(),
            cause: String::new(),
            trace: String::new(),
            epoch: 0,
            at: self.at,
        };
        ParkedRow { id: 0, source: format!("{FOREIGN}{}", self.source), row: Arc::new(row), reason, since }
    }
}

/// One request to the world or the clock that is not answered yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkRow {
    /// The effect's or timer's name.
    pub name: String,
    /// Its key; name and key identify the row.
    pub key: Key,
    /// Lane of the service.
    pub lane: u16,
    /// Counts up in the order of asking: the order within a family.
    pub seq: u64,
    /// When to perform it, in microseconds since 1970. For an effect: when it was asked for.
    pub due: i64,
    /// The shape of `body`.
    pub shape: u16,
    /// The effect or timer itself.
    pub body: Arc<[u8]>,
    /// The event that caused it, as `<source>/<event id>`.
    pub cause: String,
    /// The W3C `traceparent` it was asked for in.
    pub trace: String,
    /// Why it was set aside for a person; such a row is not performed.
    pub stuck: Option<String>,
}

/// Identifies a work row.
pub type WorkId = (String, Key);

impl WorkRow {
    /// Its identity.
    #[must_use]
    pub fn id(&self) -> WorkId {
        (self.name.clone(), self.key.clone())
    }
}

/// One record set aside with its original bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedRow {
    /// Counts up in the order of parking.
    pub id: u64,
    /// The service that said it.
    pub source: String,
    /// The record as it came.
    pub row: Arc<LogRow>,
    /// Why it was set aside.
    pub reason: String,
    /// When, in microseconds since 1970.
    pub since: i64,
}

/// How far a source is read: the only duplicate check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CursorRow {
    /// The service whose log is read.
    pub source: String,
    /// The lane of it.
    pub lane: u16,
    /// The last record taken.
    pub at: Position,
    /// Where the bus may look for the next one; never trusted.
    pub offset_hint: Option<i64>,
}

/// One state as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateRow {
    /// Kind and shape.
    pub kind: String,
    /// Its key.
    pub key: Key,
    /// Lane of the service.
    pub lane: u16,
    /// The last event folded into it.
    pub seq: u64,
    /// How many events are folded into it.
    pub version: u64,
    /// The state's bytes.
    pub body: Vec<u8>,
}
