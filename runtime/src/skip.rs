//! Passing over a record that is lost for good: the last resort at a gap, when nobody has its source's log any more.
//!
//! The cursor moves behind it, in the same transaction in which a row among what is parked records who did so and why. It
//! stands there until somebody discards it, so that it is never forgotten silently.

use crate::{
    bus::{Bell, Bus, BusAway},
    clock::Micros,
    record::{CursorRow, EventId, LogRow, ParkedRow, Position, SKIPPED},
    recover::{Pull, RecoverError},
    store::{Batch, Read, Store, StoreError},
};
use std::sync::Arc;

/// Characters of a reason, at most.
pub const MAX_REASON: usize = 1000;

/// A record that is to be passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skip {
    /// The service that said it.
    pub source: String,
    /// Its number.
    pub seq: u64,
    /// Why it is given up, and by whom.
    pub reason: String,
}

/// Why a record was not passed over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SkipError {
    /// The source is not read.
    #[error("{service} does not read `{source_name}`")]
    NotRead {
        /// The service.
        service: String,
        /// What was asked for.
        source_name: String,
    },
    /// It is not the one that is waited for.
    #[error("{source_name} is read up to {at}: only the next record, {next}, can be skipped, not {asked}")]
    NotNext {
        /// The source.
        source_name: String,
        /// How far it is read.
        at: u64,
        /// What comes next.
        next: u64,
        /// What was asked for.
        asked: u64,
    },
    /// It can be had.
    #[error("record {0} is not missing: it is on its topic, and is taken when the service runs")]
    IsThere(String),
    /// Nothing is behind it.
    #[error("record {0} is not missing: its topic ends before it; it may still come")]
    NotYet(String),
    /// No reason, or one that is too long.
    #[error("a reason is 1 to {MAX_REASON} characters: who gives the record up, and why")]
    Reason,
    /// The service runs.
    #[error("the service runs: the process at {0} leads; stop every process of it first")]
    Runs(String),
    /// The bus.
    #[error(transparent)]
    Bus(#[from] BusAway),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Skip {
    /// What passing over it changes, given how far the source is read.
    pub(crate) fn batch(&self, at: Position, now: Micros) -> Result<Batch, SkipError> {
        if self.reason.trim().is_empty() || self.reason.chars().count() > MAX_REASON {
            return Err(SkipError::Reason);
        }
        if self.seq != at.seq + 1 {
            let (source_name, next) = (self.source.clone(), at.seq + 1);
            return Err(SkipError::NotNext { source_name, at: at.seq, next, asked: self.seq });
        }
        let skipped = Position { seq: self.seq, ..at };
        let cursor = CursorRow { source: self.source.clone(), lane: 0, at: skipped, offset_hint: None };
        Ok(Batch { cursors: vec![cursor], parked: vec![self.record_of(skipped, now)], ..Batch::default() })
    }

    /// The record of it. Its key is its own, so that nothing is parked behind it.
    fn record_of(&self, at: Position, now: Micros) -> ParkedRow {
        let row = LogRow {
            lane: 0,
            generation: at.generation,
            seq: at.seq,
            key: self.shown(at),
            name: "skipped".into(),
            schema: 0,
            body: Arc::default(),
            cause: String::new(),
            trace: String::new(),
            epoch: 0,
            at: now,
        };
        let source = format!("{SKIPPED}{}", self.source);
        ParkedRow { id: 0, source, row: Arc::new(row), reason: self.reason.clone(), since: now }
    }

    fn shown(&self, at: Position) -> String {
        format!("{}/{}", self.source, EventId { generation: at.generation, lane: 0, seq: self.seq })
    }
}

/// A service that does not run, of which a record is passed over.
pub struct Parts {
    /// The service that lacks the record.
    pub service: &'static str,
    /// The service that said it.
    pub source: &'static str,
    /// The store of the one that lacks it.
    pub store: Box<dyn Store>,
    /// The same, for reading.
    pub read: Arc<dyn Read>,
    /// A connection that reads the source's topic.
    pub bus: Box<dyn Bus>,
    /// Rings when the bus has news.
    pub bell: Arc<Bell>,
    /// As in [`crate::Parts`].
    pub build: u64,
}

/// Passes over a record, if it is really missing; with `dry_run` only tells whether it would. Returns the name of the
/// record.
///
/// # Errors
/// Says why not, and what to do.
pub fn skip(parts: Parts, skip: &Skip, now: Micros, dry_run: bool) -> Result<String, SkipError> {
    let Parts { service, source, mut store, read, mut bus, bell, build } = parts;
    let at = cursor(service, source, &*read)?;
    let mut batch = skip.batch(at, now)?;
    let shown = skip.shown(at);
    match Pull::new(&mut *bus, &bell).next_after((source, 0), at) {
        Err(RecoverError::Gap { .. }) => {}
        Ok(Some(_)) => return Err(SkipError::IsThere(shown)),
        Ok(None) => return Err(SkipError::NotYet(shown)),
        Err(RecoverError::Bus(away)) => return Err(away.into()),
        Err(other) => return Err(BusAway(other.to_string()).into()),
    }
    if dry_run {
        return Ok(shown);
    }
    let lead = store.begin_reign("a skip", build).map_err(|error| match error {
        StoreError::Led(owner) => SkipError::Runs(owner),
        other => other.into(),
    })?;
    if cursor(service, source, &*read)? != at {
        return Err(SkipError::IsThere(shown)); // it was taken meanwhile
    }
    (batch.lead, batch.published) = (lead, lead.published);
    store.commit(&batch)?;
    tracing::warn!(service, source, record = shown, reason = skip.reason, "a record is passed over for good");
    Ok(shown)
}

fn cursor(service: &str, source: &str, read: &dyn Read) -> Result<Position, SkipError> {
    let of_source = read.cursors()?.into_iter().filter(|row| row.source == source).map(|row| row.at).max();
    of_source.ok_or_else(|| SkipError::NotRead { service: service.to_owned(), source_name: source.to_owned() })
}
