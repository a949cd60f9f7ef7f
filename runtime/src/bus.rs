//! The port to the bus: records of other services in, own events out.
//!
//! Delivery is in order per lane; repeats are allowed (`1 2 3 2`), overtaking never (`1 3 2`). The reader keeps its
//! place itself, in its cursors, so a bus has no consumer state that could be lost or be wrong.

mod log_bus;

pub use log_bus::{Bell, LogBus, LogHub};

use crate::{
    record::{LogRow, Position, Record},
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
    /// Whether the lane was read to what was its end during the call.
    pub at_end: bool,
}

/// Where a lane begins and ends, as positions of records already read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// Just before the earliest record there is.
    pub earliest: Position,
    /// The last record there is.
    pub latest: Position,
}

/// One service's connection to the bus. No call waits for records: the bell rings when there are some.
pub trait Bus: Send {
    /// What carries the events, as OpenTelemetry's `messaging.system` names it.
    fn system(&self) -> &'static str {
        "tutti"
    }
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
    /// Takes over committed rows, contiguous and ascending, and returns how far the log is known to be published.
    ///
    /// # Errors
    /// When the bus is away; the rows are offered again from the log.
    fn publish(&mut self, rows: &[Arc<LogRow>]) -> Result<Option<u64>, BusAway>;
}
