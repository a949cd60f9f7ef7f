//! The port to the bus: records of other services in, own events out.
//!
//! Delivery is in order per lane; repeats are allowed (`1 2 3 2`), overtaking never (`1 3 2`). The reader keeps its
//! place itself, in its cursors, so a bus has no consumer state that could be lost or be wrong.

pub mod kafka;
mod log_bus;

pub use log_bus::{Bell, LogBus, LogHub};

use crate::{
    clock::Micros,
    record::{CursorRow, Foreign, LogRow, Position, Record},
    reign::Lane,
};
use std::sync::Arc;

/// The bus cannot be reached; it is asked again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bus is away: {0}")]
pub struct BusAway(pub String);

/// Records of one lane, in order.
#[derive(Debug, Default)]
pub struct Fetched {
    /// What comes next in the lane.
    pub records: Vec<Record>,
    /// What lay between them and is nobody's event.
    pub foreign: Vec<Foreign>,
    /// What was the lane's end a moment ago, where that is known: whoever has taken everything up to there has followed
    /// the lane until then. A bus that has not heard from its broker since must not say that it knows.
    pub end: Option<End>,
}

/// The end of a lane as it was a moment ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The last record there was.
    pub at: Position,
    /// How many microseconds ago the question for it was asked, at least.
    pub age: Micros,
}

/// Where a lane begins and ends, as positions of records already read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// Just before the earliest record there is.
    pub earliest: Position,
    /// The last record there is.
    pub latest: Position,
    /// Whether nothing was deleted before the earliest for its age.
    pub whole: bool,
}

/// Where a reign goes on.
#[derive(Clone, Debug, Default)]
pub struct Beginning {
    /// The own log's last row.
    pub head: Position,
    /// How far the own log is known to be published.
    pub published: u64,
    /// How far the other services' lanes are read, with hints where to look on.
    pub cursors: Vec<CursorRow>,
}

/// How far the own log is on the bus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// The last row that is known to be there, of the log's generation. None where the log itself is the topic: then
    /// every row is published by being committed, and there is nothing to note.
    pub until: Option<u64>,
    /// Why rows wait, in one sentence, if they do.
    pub held_up: Option<String>,
}

/// One service's connection to the bus. No call waits for records: the bell rings when there are some.
pub trait Bus: Send {
    /// What carries the events, as OpenTelemetry's `messaging.system` names it.
    fn system(&self) -> &'static str {
        "tutti"
    }
    /// A reign begins: called once, before its first `publish`. Rows of the own log behind `published` are offered to
    /// the bus again, because nobody knows whether it has them; what an earlier reign was given counts for nothing.
    ///
    /// # Errors
    /// When the bus is away, or is not laid out as this build needs it.
    fn begin(&mut self, beginning: &Beginning) -> Result<(), BusAway>;
    /// Records of a lane after a position.
    ///
    /// # Errors
    /// When the bus is away.
    fn fetch(&mut self, lane: Lane, after: Position, max: usize) -> Result<Fetched, BusAway>;
    /// Where a lane begins and ends.
    ///
    /// # Errors
    /// When the bus is away.
    fn ends(&mut self, lane: Lane) -> Result<Ends, BusAway>;
    /// Looks for the record after `after` from the lane's beginning, because there was a gap. `fetch` then goes on there.
    ///
    /// # Errors
    /// When the bus is away.
    fn reread(&mut self, lane: Lane, after: Position) -> Result<(), BusAway>;
    /// Takes over committed rows, contiguous and ascending. From here on they are the bus's to deliver, in order, however
    /// long that takes: what it cannot keep at hand it reads from the log again.
    fn publish(&mut self, rows: &[Arc<LogRow>]);
    /// Offers everything behind a row of the own log again, in order, whatever was published of it.
    fn publish_again(&mut self, after: Position);
    /// How far the own log is published by now.
    fn published(&mut self) -> Published;
}
