//! The port to a service's store: six tables, written by one writer, one transaction a batch.
//!
//! [`Store`] is the writer's side and belongs to the one session that holds the lead; [`Read`] is for everybody else.

mod memory;
pub mod postgres;
mod range;
mod sqlite;

pub use memory::{MemoryFault, MemoryStore};
pub use postgres::{Database, PostgresRead, PostgresStore};
pub use sqlite::{APPLICATION_ID, SCHEMA_VERSION, SqliteRead, SqliteStore};

use crate::{
    clock::Micros,
    record::{CursorRow, LogRow, ParkedRow, Position, StateRow, WorkId, WorkRow},
};
use choreography::Key;
use std::sync::Arc;

/// Before the name of a kind of state stands for how far the log is folded into it, in cursors.
pub(crate) const STATE: &str = "state:";

/// What went wrong with a store, by what the writer does about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another session has taken the lead. Nothing of the batch happened; this process must not write again.
    #[error("another process has taken the lead: {0}")]
    Fenced(String),
    /// Another session leads and shows signs of life; its process is to be reached at this address. Ask again soon.
    #[error("the process at {0} leads")]
    Led(String),
    /// The store cannot be used now, or nobody knows whether the last commit happened. The reign ends; a new one reads
    /// what is true.
    #[error("the store is away: {0}")]
    Outage(String),
    /// The store refuses this very content; nothing of the batch happened. Run it one by one to find the guilty input.
    #[error("the store refuses the content: {0}")]
    Data(String),
    /// The store cannot be used at all: corrupt, of a newer version, not ours.
    #[error("{0}")]
    Fatal(String),
}

/// The lead as a reign finds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lead {
    /// When the log was begun, in milliseconds since 1970.
    pub generation: i64,
    /// Which reign this is.
    pub epoch: u64,
    /// The log's last sequence number.
    pub head: u64,
    /// How far the log is known to be published.
    pub published: u64,
    /// How many batches were ever committed.
    pub commits: u64,
    /// The time of the log's last row, so that time never runs backwards.
    pub last_at: Micros,
}

/// What one batch writes: each table's net effect, one row per key.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The lead that must still stand, exactly as it was when the batch began.
    pub lead: Lead,
    /// How far the log is published by now.
    pub published: u64,
    /// Events to append, dense from `lead.head + 1`.
    pub log: Vec<Arc<LogRow>>,
    /// States after the batch.
    pub states: Vec<StateRow>,
    /// Cursors after the batch.
    pub cursors: Vec<CursorRow>,
    /// Work that is answered.
    pub work_done: Vec<WorkId>,
    /// Work that is asked for, or set aside.
    pub work_put: Vec<Arc<WorkRow>>,
    /// Records set aside; their ids are given by the store.
    pub parked: Vec<ParkedRow>,
    /// Parked records that are taken back or discarded.
    pub unparked: Vec<u64>,
}

/// The log as it goes on after a recovery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// The log's new generation, whose first event is number 1. What was said in older ones stays in the log.
    pub generation: i64,
    /// No reign to come is of an earlier epoch.
    pub epoch: u64,
    /// The kinds of state that are kept up to date, as stored. Others could no longer be told to be behind, and go.
    pub kinds: Vec<String>,
}

/// Where a work row stands in the order of performing: due, sequence, name, key.
pub type WorkPlace = (Micros, u64, String, Key);

/// The writer's side of a store. All calls block; they are made by the service's one writer.
pub trait Store: Send {
    /// Begins a new reign: raises the epoch before anything is loaded.
    ///
    /// # Errors
    /// [`StoreError::Led`] while another session holds the lead; [`StoreError::Fatal`] when a newer build has led this
    /// store.
    fn begin_reign(&mut self, owner: &str, build: u64) -> Result<Lead, StoreError>;
    /// All cursors.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn cursors(&mut self) -> Result<Vec<CursorRow>, StoreError>;
    /// Source and key of everything parked, as often as it is parked.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn parked_keys(&mut self) -> Result<Vec<(String, Key)>, StoreError>;
    /// Parked records of a source and key, in the order in which they were parked.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn parked_of(&mut self, source: &str, key: &str, limit: usize) -> Result<Vec<ParkedRow>, StoreError>;
    /// Version and bytes of the states of one kind under these keys; those never written are left out.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn states(&mut self, kind: &str, keys: &[Key]) -> Result<Vec<(Key, u64, Vec<u8>)>, StoreError>;
    /// Work that is not stuck, in the order of performing, after a place.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn work_after(&mut self, after: Option<&WorkPlace>, limit: usize) -> Result<Vec<WorkRow>, StoreError>;
    /// One work row.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn work(&mut self, id: &WorkId) -> Result<Option<WorkRow>, StoreError>;
    /// Writes the batch in one transaction, durably, if the lead is still exactly `batch.lead`.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when it is not; [`StoreError::Outage`] also when the outcome is unknown.
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError>;
    /// Writes the batch as [`Store::commit`] does, and in the same transaction begins a generation of the log: head and
    /// published are 0 again, and no state has folded anything of it yet. The reign goes on with the lead as it is then.
    ///
    /// # Errors
    /// As [`Store::commit`].
    fn renew(&mut self, batch: &Batch, renewal: &Renewal) -> Result<(), StoreError>;
    /// Called when nothing has been written for a moment: the time to tidy up.
    ///
    /// # Errors
    /// When the store cannot be used.
    fn rest(&mut self) -> Result<(), StoreError>;
}

/// Everybody else's side of a store: the bus, the API, the checks. Calls block and hold no transaction across them.
pub trait Read: Send + Sync {
    /// The lead as it stands.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn lead(&self) -> Result<Lead, StoreError>;
    /// Events after a position, in order, at most `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn log_after(&self, lane: u16, after: Position, limit: usize) -> Result<Vec<Arc<LogRow>>, StoreError>;
    /// Whether the log holds the event at a position.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn holds(&self, at: Position) -> Result<bool, StoreError> {
        let before = Position { seq: at.seq.saturating_sub(1), ..at };
        Ok(self.log_after(0, before, 1)?.first().is_some_and(|row| row.position() == at))
    }
    /// All events about one key, in order.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn log_of(&self, key: &str) -> Result<Vec<Arc<LogRow>>, StoreError>;
    /// One state.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn state(&self, kind: &str, key: &str) -> Result<Option<StateRow>, StoreError>;
    /// States of a kind whose key begins with `prefix`, ascending, after a key.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn scan(&self, kind: &str, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<StateRow>, StoreError>;
    /// Open work whose key is `key` or begins with `key/`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn work_of(&self, key: &str) -> Result<Vec<WorkRow>, StoreError>;
    /// Counts of open and stuck work and of parked records.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn counts(&self) -> Result<Counts, StoreError>;
    /// All parked records after an id.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn parked_after(&self, id: u64, limit: usize) -> Result<Vec<ParkedRow>, StoreError>;
    /// All cursors.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn cursors(&self) -> Result<Vec<CursorRow>, StoreError>;
}

/// How much waits in a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Effects and timers not yet answered.
    pub work: u64,
    /// Those of them that a person must look at.
    pub stuck: u64,
    /// Records set aside.
    pub parked: u64,
}
