//! In which order the evidence is read, so that a shop that goes on working never looks broken.
//!
//! 1. how far everybody had read (*cursors*);
//! 2. how far each log goes (*marks*);
//! 3. the books of the outside world, and what is parked;
//! 4. how far each log goes now (*ends*);
//! 5. the logs up to the ends, and the states.
//!
//! An invariant says "if this happened, then that happened before" or "never both". The second kind cannot be wrong
//! whenever its two sides are read. For the first kind the *consequence* must be from before the *cause* was looked
//! for: an event up to its log's mark counts as a consequence, and its cause is looked for in the books, which were
//! opened after the marks were taken, or in a log up to its end, which was taken after all marks. What a book shows
//! counts as a consequence of events up to the ends, which were taken after the books were closed. What came after the
//! mark never accuses anybody; it is held against everything at the next verification.
//!
//! A cursor moves in the transaction that decides, so an event that a cursor from step 1 has passed is decided, and the
//! decision stands below the reader's mark: an order none of whose events is ahead of a cursor or a mark is *still*.
//! It is at rest if nobody works on it either; that is looked up only for orders that break an invariant otherwise, and
//! last of all, see `second_look`.

use super::{
    evidence::{Evidence, SERVICES, VerifyError, of},
    facts::hash,
};
use runtime::{LogRow, Position, record::CursorRow, store::Lead};
use std::collections::HashMap;

/// Every service has one lane so far.
pub(super) const LANE: u16 = 0;
/// Rows read at once. Readers hold no transaction across pages.
pub(super) const PAGE: usize = 2_000;

/// The lines between what counts as a consequence, what counts as a cause, and what is left for the next time.
pub(super) struct Cut {
    /// How far each service had read each other one, before anything else was looked at.
    pub cursors: [Vec<CursorRow>; 5],
    /// Each log's end before the books were opened.
    pub marks: [Position; 5],
    /// How far each log was taken by everybody who reads it; what follows from that is below the marks.
    taken: [Position; 5],
    /// Each log's lead after they were closed.
    pub ends: [Lead; 5],
    /// What is parked: by reader, source and key, the position of the first record.
    pub parked: HashMap<(usize, usize, u64), Position>,
    /// How many are parked.
    pub parked_rows: u64,
}

impl Cut {
    /// Steps 1 and 2. The others are filled in later.
    pub fn begin(evidence: &Evidence, sources: &[Vec<&str>; 5]) -> Result<Cut, VerifyError> {
        let mut cut = Cut {
            cursors: Default::default(),
            marks: Default::default(),
            taken: Default::default(),
            ends: Default::default(),
            parked: HashMap::new(),
            parked_rows: 0,
        };
        for (service, store) in evidence.stores.iter().enumerate() {
            cut.cursors[service] = store.cursors().map_err(of(service))?;
        }
        for (service, store) in evidence.stores.iter().enumerate() {
            let lead = store.lead().map_err(of(service))?;
            cut.marks[service] = Position { generation: lead.generation, seq: lead.head };
        }
        for (source, name) in SERVICES.iter().enumerate() {
            let readers = (0..SERVICES.len()).filter(|reader| sources[*reader].contains(name));
            let read = readers.map(|reader| cut.cursor(reader, name)).min();
            cut.taken[source] = read.map_or(cut.marks[source], |read| read.min(cut.marks[source]));
        }
        Ok(cut)
    }

    /// How far a reader has read a source, in the newest generation it knows of.
    fn cursor(&self, reader: usize, source: &str) -> Position {
        let of_source = self.cursors[reader].iter().filter(|cursor| cursor.source == source && cursor.lane == LANE);
        of_source.map(|cursor| cursor.at).max().unwrap_or_default()
    }

    /// What is parked, and step 4. Returns the keys under which something is parked.
    pub fn end(&mut self, evidence: &Evidence) -> Result<Vec<String>, VerifyError> {
        let mut keys = vec![];
        for reader in 0..SERVICES.len() {
            self.read_parked(evidence, reader, &mut keys)?;
        }
        for (service, store) in evidence.stores.iter().enumerate() {
            self.ends[service] = store.lead().map_err(of(service))?;
        }
        Ok(keys)
    }

    fn read_parked(&mut self, evidence: &Evidence, reader: usize, keys: &mut Vec<String>) -> Result<(), VerifyError> {
        let mut after = 0;
        loop {
            let page = evidence.stores[reader].parked_after(after, PAGE).map_err(of(reader))?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id;
            self.parked_rows += page.len() as u64;
            for parked in page {
                if let Some(source) = index_of(&parked.source) {
                    let at = parked.row.position();
                    let first = self.parked.entry((reader, source, hash(&parked.row.key))).or_insert(at);
                    *first = at.min(*first);
                }
                keys.push(parked.row.key.clone());
            }
        }
    }

    /// Each log's end.
    pub fn end_of(&self, service: usize) -> Position {
        Position { generation: self.ends[service].generation, seq: self.ends[service].head }
    }

    /// Whether a row counts as a consequence.
    pub fn is_marked(&self, service: usize, row: &LogRow) -> bool {
        row.position() <= self.marks[service]
    }

    /// Whether everybody who reads this log had taken the row.
    pub fn is_taken(&self, service: usize, row: &LogRow) -> bool {
        row.position() <= self.taken[service]
    }
}

/// A service's place in [`SERVICES`].
pub(super) fn index_of(service: &str) -> Option<usize> {
    SERVICES.iter().position(|name| *name == service)
}

/// How a row is shown as evidence.
pub(super) fn shown(service: usize, row: &LogRow) -> String {
    let at = runtime::rfc3339(row.at);
    format!("{at} {:<9} {} {} {} (cause: {})", SERVICES[service], row.id(), row.name, row.key, row.cause)
}

/// Hands over a log's rows up to a position, page by page.
pub(super) fn each_row(
    evidence: &Evidence,
    service: usize,
    end: Position,
    progress: &dyn super::Progress,
    mut take: impl FnMut(&LogRow),
) -> Result<(), VerifyError> {
    let mut after = Position { generation: i64::MIN, seq: 0 };
    loop {
        let page = evidence.stores[service].log_after(LANE, after, PAGE).map_err(of(service))?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.position();
        page.iter().take_while(|row| row.position() <= end).for_each(|row| take(row));
        progress.done(page.len() as u64);
        if after >= end {
            return Ok(());
        }
    }
}
