//! The suite for stores: reigns fence each other, batches are whole or nothing, rows come back as they were written.

mod order;
mod reigns;
mod rows;

use crate::{
    record::{CursorRow, LogRow, ParkedRow, Position, StateRow, WorkRow},
    store::{Batch, Lead, Read, Store, StoreError},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// A session that ended gives up the lead within this. Nothing is measured against it but that a check ends.
const GIVEN_UP_WITHIN: Duration = Duration::from_secs(30);

/// Opens one more session of a store, as another process would: its writer's side and its reader's.
pub type Open = Box<dyn Fn() -> Result<(Box<dyn Store>, Arc<dyn Read>), StoreError> + Sync>;

type Check = fn(&Open) -> Result<(), StoreError>;

/// Holds a store to its contract. `fresh` makes an empty store each time it is called.
///
/// # Errors
/// When the store fails where it must not.
///
/// # Panics
/// When the store does something else than it must.
pub fn store(mut fresh: impl FnMut() -> Open) -> Result<(), StoreError> {
    for (name, check) in reigns::CHECKS.iter().chain(rows::CHECKS).chain(order::CHECKS) {
        println!("store: {name}");
        check(&fresh())?;
    }
    Ok(())
}

/// Begins a reign, as soon as whoever leads gives it up.
fn begin_reign(store: &mut dyn Store, build: u64) -> Result<Lead, StoreError> {
    let until = Instant::now() + GIVEN_UP_WITHIN;
    loop {
        match store.begin_reign("here", build) {
            Err(StoreError::Led(owner)) => assert!(Instant::now() < until, "{owner} never gives up the lead"),
            result => return result,
        }
    }
}

/// A session that leads.
struct Writer {
    store: Box<dyn Store>,
    read: Arc<dyn Read>,
    lead: Lead,
}

impl Writer {
    fn begin(open: &Open) -> Result<Writer, StoreError> {
        let (mut store, read) = open()?;
        let lead = begin_reign(&mut *store, 1)?;
        Ok(Writer { store, read, lead })
    }

    /// Commits under the lead as this session knows it, and follows it.
    fn commit(&mut self, batch: Batch) -> Result<(), StoreError> {
        let batch = Batch { lead: self.lead, ..batch };
        self.store.commit(&batch)?;
        self.lead.commits += 1;
        self.lead.head += batch.log.len() as u64;
        self.lead.published = batch.published;
        Ok(())
    }

    /// The next event of this session's log.
    fn event(&self, offset: u64, key: &str) -> Arc<LogRow> {
        event(self.lead.generation, self.lead.head + offset, key)
    }
}

fn event(generation: i64, seq: u64, key: &str) -> Arc<LogRow> {
    Arc::new(LogRow {
        lane: 0,
        generation,
        seq,
        key: key.into(),
        name: "Said".into(),
        schema: 1,
        body: (*b"datum").into(),
        cause: "command Say".into(),
        trace: String::new(),
        epoch: 1,
        at: 1,
    })
}

fn state(key: &str, version: u64) -> StateRow {
    StateRow { kind: "page.1".into(), key: key.into(), lane: 0, seq: version, version, body: vec![1, 2, 3] }
}

fn work(name: &str, key: &str, due: i64, seq: u64) -> WorkRow {
    WorkRow {
        name: name.into(),
        key: key.into(),
        lane: 0,
        seq,
        due,
        shape: 1,
        body: (*b"request").into(),
        cause: "left/1.0.1".into(),
        trace: String::new(),
        stuck: None,
    }
}

fn cursor(source: &str, generation: i64, seq: u64) -> CursorRow {
    CursorRow { source: source.into(), lane: 0, at: Position { generation, seq }, offset_hint: Some(seq.cast_signed()) }
}

fn parked(source: &str, key: &str, seq: u64) -> ParkedRow {
    let row = LogRow { epoch: 0, ..(*event(7, seq, key)).clone() };
    ParkedRow { id: 0, source: source.into(), row: Arc::new(row), reason: "poison".into(), since: 5 }
}

/// A batch with something for every table.
fn full_batch(writer: &Writer) -> Batch {
    Batch {
        published: writer.lead.published + 1,
        log: vec![writer.event(1, "a"), writer.event(2, "b")],
        states: vec![state("a", 1), state("b", 1)],
        cursors: vec![cursor("left", 7, 3)],
        work_put: vec![Arc::new(work("Bake", "a", 10, 1))],
        parked: vec![parked("left", "c", 3)],
        ..Batch::default()
    }
}
