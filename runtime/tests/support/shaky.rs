//! A store that fails on request around any other one, counts what it is asked, and can be told to be naive.

use choreography::Key;
use runtime::{
    ParkedRow, WorkRow,
    record::{CursorRow, LogRow, WorkId},
    store::{Batch, Lead, Read, Renewal, Store, StoreError, WorkPlace},
};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

/// How a commit goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing was written, and nobody knows.
    LostBefore,
    /// Everything was written, and nobody knows.
    LostAfter,
    /// The content is refused.
    Refused,
}

#[derive(Default)]
pub struct Notes {
    /// What the next commits do.
    pub faults: VecDeque<Option<Fault>>,
    /// The store refuses whatever is said about these keys.
    pub refused_keys: Vec<Key>,
    pub away: bool,
    /// Another session leads: the process at this address.
    pub led_by: Option<String>,
    /// Calls of `states`: kind, and how many keys.
    pub reads: Vec<(String, usize)>,
    pub commits: u64,
    /// Rows handed out by `work_after`.
    pub work_rows: usize,
    /// What the largest page of work held.
    pub largest_page: usize,
}

/// One session of a store.
pub struct Shaky {
    pub inner: Box<dyn Store>,
    pub notes: Arc<Mutex<Notes>>,
    /// Writes without looking who leads, as if there were no reigns: for showing that tests would see it.
    pub naive: Option<Arc<dyn Read>>,
}

impl Shaky {
    fn notes<R>(&self, look: impl FnOnce(&mut Notes) -> R) -> Result<R, StoreError> {
        let mut notes = self.notes.lock().unwrap();
        if notes.away { Err(StoreError::Outage("switched off".into())) } else { Ok(look(&mut notes)) }
    }

    fn commit_naively(&mut self, batch: &Batch, read: &dyn Read) -> Result<(), StoreError> {
        let lead = read.lead()?;
        let renumbered = |(row, seq): (&Arc<LogRow>, u64)| Arc::new(LogRow { seq, ..(**row).clone() });
        let log = batch.log.iter().zip(lead.head + 1..).map(renumbered).collect();
        self.inner.commit(&Batch { lead, log, ..batch.clone() })
    }
}

impl Store for Shaky {
    fn begin_reign(&mut self, owner: &str, build: u64) -> Result<Lead, StoreError> {
        let led_by = self.notes(|notes| notes.led_by.clone())?;
        led_by.map_or_else(|| self.inner.begin_reign(owner, build), |leader| Err(StoreError::Led(leader)))
    }
    fn cursors(&mut self) -> Result<Vec<CursorRow>, StoreError> {
        self.inner.cursors()
    }
    fn parked_keys(&mut self) -> Result<Vec<(String, Key)>, StoreError> {
        self.inner.parked_keys()
    }
    fn parked_of(&mut self, source: &str, key: &str, limit: usize) -> Result<Vec<ParkedRow>, StoreError> {
        self.inner.parked_of(source, key, limit)
    }
    fn states(&mut self, kind: &str, keys: &[Key]) -> Result<Vec<(Key, u64, Vec<u8>)>, StoreError> {
        self.notes(|notes| notes.reads.push((kind.into(), keys.len())))?;
        self.inner.states(kind, keys)
    }
    fn work_after(&mut self, after: Option<&WorkPlace>, limit: usize) -> Result<Vec<WorkRow>, StoreError> {
        let rows = self.inner.work_after(after, limit)?;
        self.notes(|notes| {
            notes.work_rows += rows.len();
            notes.largest_page = notes.largest_page.max(rows.len());
        })?;
        Ok(rows)
    }
    fn work(&mut self, id: &WorkId) -> Result<Option<WorkRow>, StoreError> {
        self.inner.work(id)
    }
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let (fault, refused) = self.notes(|notes| {
            notes.commits += 1;
            let refused = batch.log.iter().any(|row| notes.refused_keys.contains(&row.key));
            (if refused { None } else { notes.faults.pop_front().flatten() }, refused)
        })?;
        match fault {
            _ if refused => return Err(StoreError::Data("a key that this store was told to refuse".into())),
            Some(Fault::LostBefore) => return Err(StoreError::Outage("the connection broke".into())),
            Some(Fault::Refused) => return Err(StoreError::Data("refused on request".into())),
            Some(Fault::LostAfter) | None => {}
        }
        match self.naive.clone() {
            Some(read) => self.commit_naively(batch, &*read)?,
            None => self.inner.commit(batch)?,
        }
        fault.map_or(Ok(()), |_| Err(StoreError::Outage("the connection broke".into())))
    }
    fn renew(&mut self, batch: &Batch, renewal: &Renewal) -> Result<(), StoreError> {
        self.inner.renew(batch, renewal)
    }
    fn rest(&mut self) -> Result<(), StoreError> {
        self.inner.rest()
    }
}
