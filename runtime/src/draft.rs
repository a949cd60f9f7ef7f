//! One batch in the making: what it would write, computed in memory, one row per key. Begun anew when a decision asks
//! for states that were not loaded.

use crate::{
    clock::{Micros, micros},
    incoming::{From, Incoming, Reply},
    record::{Cause, CursorRow, FOREIGN, LogRow, ParkedRow, Position, StateRow, WorkId, WorkRow},
    reign::{Lane, Outcome, Reign},
    store::{Batch, Lead, StoreError},
    trace::Traceparent,
};
use choreography::{Decided, Key, Service, Slot, Topic, Work};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

/// Bytes of a datum that a broker certainly takes; what is larger is poison, because nothing that the broker could
/// refuse may ever be committed.
pub const MAX_BODY: usize = 255 * 1024;
/// Bytes of a key.
pub const MAX_KEY: usize = 1024;
/// Inputs in one batch, at most: also what tells the spans of one batch apart.
pub const MAX_BATCH: usize = 1024;

/// Places in the order of asking that each batch has for itself, more than any batch can need.
const ASKS_OF_BATCH: u64 = 1 << 16;

/// Why a record that is itself no poison is set aside.
pub(crate) const BEHIND_PARKED: &str = "behind a parked record of its source and key";

/// What became of a batch, after its commit.
#[derive(Debug)]
pub struct Passed {
    /// One reply per input.
    pub replies: Vec<Reply>,
    /// The events it said.
    pub log: Vec<Arc<LogRow>>,
    /// The work it asked for.
    pub work: Vec<Arc<WorkRow>>,
    /// What of it may have been asked for before, in an earlier life of this service.
    pub perhaps_asked: BTreeSet<WorkId>,
    /// The work it took the answers of.
    pub done: Vec<WorkId>,
    /// Keys of which states changed.
    pub touched: Vec<Key>,
    /// Which input said each event of `log`: its place in the batch.
    pub said_by: Vec<usize>,
    /// The lead as the batch found it.
    pub lead: Lead,
    /// When the batch was begun.
    pub at: Micros,
    /// How long the store took to commit it.
    pub commit_took: Micros,
}

/// The span in which an input is handled; its parent is where the input came from. For a record it follows from the
/// record alone, so that a parked one that is tried again can refer to the span in which it was parked.
pub(crate) fn span_of(service: &str, lead: Lead, input: &Incoming, place: usize) -> Traceparent {
    match &input.from {
        From::Record(record) => first_span_of(service, &input.trace, &record.row),
        From::Foreign(_) | From::Work { .. } | From::Parked(_) | From::Caller => {
            let number = lead.commits * MAX_BATCH as u64 + place as u64;
            input.trace.child(service, "handle", lead.generation, number)
        }
    }
}

/// The span in which a service first handles a record.
pub(crate) fn first_span_of(service: &str, parent: &Traceparent, row: &LogRow) -> Traceparent {
    parent.child(service, "process", row.generation, row.seq)
}

/// The span in which an event is said, below the one in which it was decided: its readers' parent.
pub(crate) fn span_of_event(service: &str, decided: &Traceparent, generation: i64, seq: u64) -> Traceparent {
    decided.child(service, "send", generation, seq)
}

/// A batch in the making.
pub(crate) struct Draft {
    service: &'static str,
    at: Micros,
    log: Vec<Arc<LogRow>>,
    said_by: Vec<usize>,
    cursors: BTreeMap<Lane, Position>,
    hints: BTreeMap<Lane, i64>,
    foreign: BTreeMap<Lane, u64>,
    work_done: BTreeSet<WorkId>,
    work_put: BTreeMap<WorkId, Arc<WorkRow>>,
    perhaps_asked: BTreeSet<WorkId>,
    parked: Vec<ParkedRow>,
    parked_change: HashMap<(String, Key), isize>,
    /// Sources and keys whose first parked record stays parked in this batch.
    blocked: BTreeSet<(String, Key)>,
    unparked: Vec<u64>,
    pub replies: Vec<Reply>,
    pub missing: BTreeSet<Slot>,
}

impl Draft {
    pub fn begin<T: Topic>(service: &Service<T>, reign: &Reign, now: Micros) -> Draft {
        Draft {
            service: service.name(),
            // Time never runs backwards within a log, whatever the clock does.
            at: now.max(reign.lead.last_at),
            log: vec![],
            said_by: vec![],
            cursors: BTreeMap::new(),
            hints: BTreeMap::new(),
            foreign: BTreeMap::new(),
            work_done: BTreeSet::new(),
            work_put: BTreeMap::new(),
            perhaps_asked: BTreeSet::new(),
            parked: vec![],
            parked_change: HashMap::new(),
            blocked: BTreeSet::new(),
            unparked: vec![],
            replies: vec![],
            missing: BTreeSet::new(),
        }
    }

    /// Exact, in memory, without a row per message. Nothing when the input is new.
    pub fn not_new(&self, reign: &Reign, input: &Incoming) -> Option<Reply> {
        match &input.from {
            From::Record(record) => {
                let lane = (record.source, record.row.lane);
                let cursor = self.cursors.get(&lane).or_else(|| reign.cursors.get(&lane)).copied().unwrap_or_default();
                is_next(cursor, record.row.position())
            }
            From::Foreign(foreign) => {
                let lane = (foreign.source, foreign.lane);
                let seen = self.foreign.get(&lane).or_else(|| reign.foreign.get(&lane)).copied().unwrap_or_default();
                (foreign.seq() <= seen).then_some(Reply::Seen)
            }
            From::Work { id, .. } => (self.is_answered(id) || !reign.handed.contains_key(id)).then_some(Reply::Seen),
            From::Parked(parked) if self.unparked.contains(&parked.id) => Some(Reply::Seen),
            From::Parked(parked) => {
                let slot = (parked.source.clone(), parked.row.key.clone());
                self.blocked.contains(&slot).then(|| Reply::Parked(BEHIND_PARKED.into()))
            }
            From::Caller => None,
        }
    }

    fn is_answered(&self, id: &WorkId) -> bool {
        self.work_done.contains(id) || self.work_put.get(id).is_some_and(|row| row.stuck.is_some())
    }

    /// Moves what makes the input new, so that it is not new again.
    pub fn consume(&mut self, input: &Incoming) {
        match &input.from {
            From::Record(record) => {
                let lane = (record.source, record.row.lane);
                self.cursors.insert(lane, record.row.position());
                self.hints.extend(record.hint.map(|hint| (lane, hint)));
            }
            From::Foreign(foreign) => _ = self.foreign.insert((foreign.source, foreign.lane), foreign.seq()),
            From::Work { id, .. } => _ = self.work_done.insert(id.clone()),
            From::Parked(parked) => {
                self.unparked.push(parked.id);
                *self.parked_change.entry((parked.source.clone(), parked.row.key.clone())).or_default() -= 1;
            }
            From::Caller => {}
        }
    }

    /// Order is promised per source and key, and so is parking: a poison record of one source never holds up what
    /// another source says about the same order.
    pub fn is_behind_parked(&self, reign: &Reign, input: &Incoming) -> bool {
        let From::Record(record) = &input.from else { return false };
        let slot = (record.source.to_owned(), input.key.clone());
        let before = reign.parked.get(&slot).copied().unwrap_or_default();
        before.saturating_add_signed(self.parked_change.get(&slot).copied().unwrap_or_default()) > 0
    }

    /// Sets a poison input aside: a record with its original bytes, an answer by marking its work row.
    pub fn set_aside(&mut self, reign: &Reign, input: &Incoming, reason: String) -> Reply {
        match &input.from {
            From::Caller => Reply::Failed(reason),
            From::Work { id, .. } => {
                self.work_done.remove(id);
                if let Some(row) = reign.handed.get(id) {
                    let stuck = WorkRow { stuck: Some(reason.clone()), ..(**row).clone() };
                    self.work_put.insert(id.clone(), Arc::new(stuck));
                }
                Reply::Stuck(reason)
            }
            From::Foreign(foreign) => {
                let parked = foreign.parked(reason.clone(), self.at);
                *self.parked_change.entry((parked.source.clone(), input.key.clone())).or_default() += 1;
                self.parked.push(parked);
                Reply::Parked(reason)
            }
            From::Record(record) => {
                *self.parked_change.entry((record.source.to_owned(), input.key.clone())).or_default() += 1;
                let parked = ParkedRow {
                    id: 0,
                    source: record.source.into(),
                    row: record.row.clone(),
                    reason: reason.clone(),
                    since: self.at,
                };
                self.parked.push(parked);
                Reply::Parked(reason)
            }
            From::Parked(parked) => {
                let slot = (parked.source.clone(), parked.row.key.clone());
                self.unparked.retain(|id| *id != parked.id);
                *self.parked_change.entry(slot.clone()).or_default() += 1;
                self.blocked.insert(slot);
                Reply::Parked(reason)
            }
        }
    }

    /// Appends what a decision said and asked for. `None` was decided on states that are still missing.
    pub fn say<T: Topic>(
        &mut self,
        reign: &mut Reign,
        input: &Incoming,
        decided: Option<Decided<T>>,
    ) -> Result<Reply, String> {
        let Some(Decided { out, folded }) = decided else { return Ok(Reply::Accepted) };
        if let Some(refused) = out.refused {
            return Ok(Reply::Refused(refused));
        }
        if matches!(input.from, From::Caller) && out.events.is_empty() && out.work.is_empty() {
            return Ok(Reply::Unchanged);
        }
        let trace = span_of(self.service, reign.lead, input, self.replies.len());
        let rows = out
            .events
            .iter()
            .zip(1..)
            .map(|(event, n)| self.row(reign, input, trace, event, n))
            .collect::<Result<Vec<_>, _>>()?;
        let states = folded.keys().map(|(kind, key)| (*kind, key));
        states.chain(out.work.iter().map(|work| (work.name, &work.key))).try_for_each(|(of, key)| fits(of, key))?;
        let cause = rows.last().map(|row| format!("{}/{}", self.service, row.id()));
        let cause = cause.or_else(|| input.cause.event.clone()).unwrap_or_else(|| input.cause.to_string());
        self.said_by.extend(rows.iter().map(|_| self.replies.len()));
        self.log.extend(rows);
        for (slot, (state, events)) in folded {
            reign.states.draft(slot, state, events);
        }
        for work in out.work {
            let row = self.work_row(reign, work, trace, &cause);
            if was_said_before_the_log(reign.lead, input) {
                self.perhaps_asked.insert(row.id());
            }
            self.work_put.insert(row.id(), Arc::new(row));
        }
        Ok(Reply::Accepted)
    }

    fn row<T: Topic>(
        &self,
        reign: &Reign,
        input: &Incoming,
        trace: Traceparent,
        event: &T,
        n: u64,
    ) -> Result<Arc<LogRow>, String> {
        let (key, body) = (event.key(), event.encode()?);
        if key.len() > MAX_KEY || body.len() > MAX_BODY {
            return Err(format!(
                "{} is too large: a key of {} bytes (at most {MAX_KEY}), a datum of {} (at most {MAX_BODY})",
                event.name(),
                key.len(),
                body.len()
            ));
        }
        let attempts = if let From::Work { attempts, .. } = input.from { attempts } else { 0 };
        let (generation, seq) = (reign.lead.generation, reign.lead.head + self.log.len() as u64 + n);
        Ok(Arc::new(LogRow {
            lane: 0,
            generation,
            seq,
            key: key.to_owned(),
            name: event.name().to_owned(),
            schema: event.version(),
            body: body.into(),
            cause: Cause { attempts, ..input.cause.clone() }.to_string(),
            trace: span_of_event(self.service, &trace, generation, seq).to_string(),
            epoch: reign.lead.epoch,
            at: self.at,
        }))
    }

    /// Asks are numbered onwards where nothing was said with them too, so that those of one batch keep their order, and
    /// those of a later reign come behind those of an earlier one. Nor is an effect due before one that was asked for
    /// earlier, when the clock was ahead.
    fn work_row(&self, reign: &mut Reign, work: Work, trace: Traceparent, cause: &str) -> WorkRow {
        let first = reign.lead.head + reign.lead.commits.saturating_mul(ASKS_OF_BATCH);
        reign.asked = (reign.asked + 1).max(first + self.log.len() as u64);
        let mut due = self.at.saturating_add(micros(work.after));
        if work.after.is_zero() {
            due = due.max(reign.asked_at);
            reign.asked_at = due;
        }
        WorkRow {
            name: work.name.to_owned(),
            key: work.key,
            lane: 0,
            seq: reign.asked,
            due,
            shape: work.shape,
            body: work.body.into(),
            cause: cause.to_owned(),
            trace: trace.to_string(),
            stuck: None,
        }
    }

    /// How far each lane is read, and how far what is foreign in it was set aside.
    fn cursor_rows(&self) -> Vec<CursorRow> {
        let cursors = self.cursors.iter().map(|((source, lane), at)| CursorRow {
            source: (*source).to_owned(),
            lane: *lane,
            at: *at,
            offset_hint: self.hints.get(&(*source, *lane)).copied(),
        });
        let foreign = self.foreign.iter().map(|((source, lane), seq)| CursorRow {
            source: format!("{FOREIGN}{source}"),
            lane: *lane,
            at: Position { generation: 0, seq: *seq },
            offset_hint: None,
        });
        cursors.chain(foreign).collect()
    }

    /// The net effect of the batch, ready to be written.
    pub fn finish<T: Topic>(self, service: &Service<T>, reign: &mut Reign) -> Result<(Batch, Outcome), StoreError> {
        let states = reign.states.take_drafts();
        let head = reign.lead.head + self.log.len() as u64;
        let rows = states.iter().map(|((name, key), state, version)| {
            let kind = service.kind(name).ok_or_else(|| format!("`{name}` is not kept"))?;
            let body = (kind.encode)(&**state)?;
            Ok(StateRow { kind: kind.stored_as.clone(), key: key.clone(), lane: 0, seq: head, version: *version, body })
        });
        let rows = rows.collect::<Result<Vec<_>, String>>().map_err(StoreError::Data)?;
        let batch = Batch {
            lead: reign.lead,
            published: reign.published,
            states: rows,
            cursors: self.cursor_rows(),
            work_done: self.work_done.into_iter().filter(|id| !self.work_put.contains_key(id)).collect(),
            work_put: self.work_put.into_values().collect(),
            parked: self.parked,
            unparked: self.unparked,
            log: self.log,
        };
        let outcome = Outcome {
            replies: self.replies,
            said_by: self.said_by,
            at: self.at,
            cursors: self.cursors,
            foreign: self.foreign,
            parked: self.parked_change,
            perhaps_asked: self.perhaps_asked,
            states,
        };
        Ok((batch, outcome))
    }
}

/// What was said before this log was begun may have been handled before, in a log that was lost.
fn was_said_before_the_log(lead: Lead, input: &Incoming) -> bool {
    let row = match &input.from {
        From::Record(record) => &record.row,
        From::Parked(parked) => &parked.row,
        From::Foreign(_) | From::Work { .. } | From::Caller => return false,
    };
    row.at < lead.generation.saturating_mul(1000)
}

/// No store's index holds keys of any length.
fn fits(of: &str, key: &str) -> Result<(), String> {
    if key.len() <= MAX_KEY {
        return Ok(());
    }
    Err(format!("{of} is under a key that is too long: {} bytes (at most {MAX_KEY})", key.len()))
}

/// Whether a record is the next of its lane: nothing when it is, and otherwise what to do about it.
pub(crate) fn is_next(cursor: Position, record: Position) -> Option<Reply> {
    let expected = match record.generation.cmp(&cursor.generation) {
        std::cmp::Ordering::Less => return Some(Reply::Seen),
        std::cmp::Ordering::Equal => cursor.seq + 1,
        std::cmp::Ordering::Greater => 1,
    };
    match record.seq.cmp(&expected) {
        std::cmp::Ordering::Less => Some(Reply::Seen),
        std::cmp::Ordering::Equal => None,
        std::cmp::Ordering::Greater => Some(Reply::Early),
    }
}
