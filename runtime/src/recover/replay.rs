//! Leading a service's life once more: its own events in order, each with the input that it came of.
//!
//! States are a fold of the own events, so at each event they are what they were when it was decided. A record that led
//! to it is decided again, which tells what was asked of the world besides; one that led to nothing is decided as well, at
//! its turn, because it may have asked for something all the same.

mod because;
mod first;
mod open;
mod parked;

use super::{Pull, RecoverError, Recovered, Renewing};
use crate::{
    clock::{Micros, micros},
    draft::{BEHIND_PARKED, first_span_of},
    fold,
    incoming::{Body, Incoming},
    record::{CursorRow, EventId, LogRow, Position, Record, StateRow, WorkRow},
    reign::{Lane, Reign},
    store::{Batch, Read, STATE, Store, StoreError},
};
use because::Because;
use choreography::{Decided, Origin, Service, Slot, Start, Topic, Work};
pub(super) use first::first_taken;
use open::Open;
use std::{
    any::Any,
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// Events taken in one transaction, about.
const PAGE: usize = 2000;
/// How often states may be loaded for one decision.
const MAX_ROUNDS: u32 = 8;
/// Doubts that are told in words.
const MAX_DOUBTS: usize = 20;

/// A life that is led once more.
pub(super) struct Replay<'r, T: Topic> {
    service: &'r Service<T>,
    store: &'r mut dyn Store,
    read: &'r dyn Read,
    reign: Reign,
    open: Open,
    /// Of each lane the first record that is known to have been taken.
    first_taken: HashMap<(String, u16), Position>,
    /// Events with one cause, until the first with another.
    group: Vec<Arc<LogRow>>,
    /// What is not written yet.
    batch: Batch,
    cursors: BTreeMap<Lane, Position>,
    found: Recovered,
    last: Position,
    epoch: u64,
    /// The newest generation that the store has known.
    newest: i64,
}

/// A decision made again: what it would say and ask for, or why it is poison.
type Again<T> = Result<Decided<T>, String>;

/// With what work is asked for.
struct With<'w> {
    at: Micros,
    cause: String,
    trace: &'w str,
    seq: u64,
}

impl<'r, T: Topic> Replay<'r, T> {
    pub fn begin(
        service: &'r Service<T>,
        store: &'r mut dyn Store,
        read: &'r dyn Read,
        reign: Reign,
        first_taken: HashMap<(String, u16), Position>,
    ) -> Result<Replay<'r, T>, RecoverError> {
        let open = Open::read(service, store)?;
        let last = Position { generation: reign.lead.generation, seq: reign.lead.head };
        let epoch = reign.lead.epoch;
        // An empty store that was begun lately has noted its own generation here and there.
        let noted = store.cursors()?.into_iter().filter(|row| row.source.starts_with(STATE));
        let newest = noted.map(|row| row.at.generation).fold(reign.lead.generation, i64::max);
        let (group, batch, cursors, found) = (vec![], Batch::default(), BTreeMap::new(), Recovered::default());
        Ok(Replay { service, store, read, reign, open, first_taken, group, batch, cursors, found, last, epoch, newest })
    }

    /// Takes the next own event.
    pub fn take(&mut self, row: Arc<LogRow>, pull: &mut Pull) -> Result<(), RecoverError> {
        let together = |first: &Arc<LogRow>| {
            first.cause == row.cause && first.generation == row.generation && !row.cause.starts_with("command ")
        };
        if !self.group.first().is_some_and(together) {
            self.follow(pull)?;
            // The last events are only written with the end, so that what is broken off shows as such.
            if row.generation != self.reign.lead.generation {
                self.go_on_in(row.generation)?;
            } else if self.batch.log.len() >= PAGE {
                self.write()?;
            }
        }
        self.group.push(row);
        Ok(())
    }

    /// The last event was taken: the log goes on in a new generation.
    pub fn finish(mut self, pull: &mut Pull, now: Micros) -> Result<(Recovered, Position), RecoverError> {
        self.follow(pull)?;
        let generation = (now / 1000).max(self.last.generation + 1).max(self.newest + 1);
        self.prepare();
        let at = Position { generation, seq: 0 };
        self.batch.cursors.extend(fold::noted(self.service, at));
        let renewing = Renewing { batch: &self.batch, generation, epoch: self.epoch + 1 };
        renewing.write(self.service, self.store, &mut self.reign)?;
        self.found.generation = Some(generation);
        self.found.open_work = self.open.len() as u64;
        Ok((self.found, self.last))
    }

    fn go_on_in(&mut self, generation: i64) -> Result<(), RecoverError> {
        self.prepare();
        let batch = std::mem::take(&mut self.batch);
        let renewing = Renewing { batch: &batch, generation, epoch: self.epoch };
        Ok(renewing.write(self.service, self.store, &mut self.reign)?)
    }

    fn write(&mut self) -> Result<(), StoreError> {
        self.prepare();
        let batch = std::mem::take(&mut self.batch);
        self.store.commit(&batch)?;
        (self.reign.lead.commits, self.reign.lead.head) =
            (self.reign.lead.commits + 1, self.reign.lead.head + batch.log.len() as u64);
        self.reign.bound_memory();
        Ok(())
    }

    /// Makes the batch what was drafted so far.
    fn prepare(&mut self) {
        for ((name, key), state, version) in self.reign.states.take_drafts() {
            let Some(kind) = self.service.kind(name) else { continue };
            match (kind.encode)(&*state) {
                Ok(body) => {
                    self.reign.remember(&key, body.len());
                    let row =
                        StateRow { kind: kind.stored_as.clone(), key: key.clone(), lane: 0, seq: 0, version, body };
                    self.batch.states.push(row);
                }
                Err(why) => self.found.doubt(format!("state {name} {key} cannot be written: {why}")),
            }
            self.reign.states.load(name, key, state, version);
        }
        let cursor =
            |(lane, at): (Lane, Position)| CursorRow { source: lane.0.to_owned(), lane: lane.1, at, offset_hint: None };
        self.batch.cursors.extend(std::mem::take(&mut self.cursors).into_iter().map(cursor));
        (self.batch.work_done, self.batch.work_put) = self.open.take_changes();
        (self.batch.lead, self.batch.published) = (self.reign.lead, self.reign.published);
    }

    /// Takes the events that came of one input.
    fn follow(&mut self, pull: &mut Pull) -> Result<(), RecoverError> {
        let rows = std::mem::take(&mut self.group);
        let (Some(first), Some(last)) = (rows.first().cloned(), rows.last().cloned()) else { return Ok(()) };
        let work = match Because::of(&first.cause) {
            Some(Because::Record { source, id }) => self.decide_record(source, id, &rows, pull)?,
            Some(Because::Work { name, event }) => self.decide_answer(name, event, &rows, pull)?,
            Some(Because::Command) | None => self.recall(&rows)?,
        };
        self.fold(&rows)?;
        let cause = format!("{}/{}", T::NAME, last.id());
        self.ask(work, &With { at: last.at, cause, trace: &first.trace, seq: last.seq });
        self.last = last.position();
        self.epoch = rows.iter().map(|row| row.epoch).fold(self.epoch, u64::max);
        self.batch.log.extend(rows);
        Ok(())
    }

    /// A record that led to events: whatever came before it in its lane had been taken.
    fn decide_record(
        &mut self,
        source: &str,
        id: EventId,
        rows: &[Arc<LogRow>],
        pull: &mut Pull,
    ) -> Result<Vec<Work>, RecoverError> {
        let Some(lane) = self.lane(source, id) else {
            self.found.doubt(format!("{source}/{id} led to {}, but {source} is not read any more", rows[0].id()));
            return self.recall(rows);
        };
        let at = Position { generation: id.generation, seq: id.seq };
        self.cursor(lane, at, pull)?;
        self.pass_silent(lane, Position { seq: at.seq.saturating_sub(1), ..at }, pull)?;
        let slot = |record: &Record| (record.source.to_owned(), record.row.key.clone());
        let record = if self.cursor(lane, at, pull)? < at {
            let record = self.next(lane, at, pull)?;
            self.unpark(&slot(&record), None)?; // it was taken, so nothing was parked before it any more
            self.moved(lane, at);
            Some(record)
        } else {
            self.parked_record(lane, at, &rows[0].key)?
        };
        let Some(record) = record else {
            self.found.doubt(format!("{source}/{id} led to {}, but was passed over before", rows[0].id()));
            return self.recall(rows);
        };
        let input = Incoming::record(self.service, record);
        let Body::Input(origin, body) = &input.body else { return self.recall(rows) };
        let decided = self.decide(*origin, &**body)?;
        Ok(self.agreed(decided, rows))
    }

    /// An answer or a timer that led to events: its row was there, and those of its family before it were answered.
    fn decide_answer(
        &mut self,
        name: &str,
        event: &str,
        rows: &[Arc<LogRow>],
        pull: &mut Pull,
    ) -> Result<Vec<Work>, RecoverError> {
        if let Some(Because::Record { source, id }) = Because::of(event)
            && let Some(lane) = self.lane(source, id)
        {
            let at = Position { generation: id.generation, seq: id.seq };
            self.cursor(lane, at, pull)?;
            self.pass_silent(lane, at, pull)?;
        }
        let row = match self.open.take(self.service, name, event, &rows[0].key) {
            None => self.take_stuck(name, event, &rows[0].key)?,
            found => found,
        };
        let timer = self.service.reactions().iter().find(|r| matches!(r.origin, Origin::Timer(timer) if timer == name));
        let Some((reaction, row)) = timer.zip(row) else { return self.recall(rows) };
        let decided = match (reaction.decode)(row.shape, &row.body) {
            Ok(due) => self.decide(reaction.origin, &*due)?,
            Err(why) => Err(why),
        };
        Ok(self.agreed(decided, rows))
    }

    /// What was stuck when the copy was made, and was tried again with success since.
    fn take_stuck(&mut self, name: &str, event: &str, key: &str) -> Result<Option<Arc<WorkRow>>, StoreError> {
        let is_it = |row: &WorkRow| row.stuck.is_some() && row.name == name && row.cause == event;
        let stuck = self.read.work_of(key)?.into_iter().find(is_it);
        stuck.iter().for_each(|row| self.open.settled(row.id()));
        Ok(stuck.map(Arc::new))
    }

    /// What an author tells of the events of a decision that cannot be made again.
    fn recall(&mut self, rows: &[Arc<LogRow>]) -> Result<Vec<Work>, RecoverError> {
        let mut all = vec![];
        for row in rows {
            let recalled = self
                .loading(|replay| Ok(replay.service.recall(&row.name, row.schema, &row.body, &replay.reign.states)))?;
            match recalled {
                Ok(work) => all.extend(work),
                Err(why) => {
                    self.found.doubt(format!("what came of {} {} besides is not known: {why}", row.name, row.id()))
                }
            }
        }
        Ok(all)
    }

    /// What a decision asked for, if it is the one that was made then.
    fn agreed(&mut self, decided: Again<T>, rows: &[Arc<LogRow>]) -> Vec<Work> {
        let said = |events: &[T]| {
            events.len() == rows.len()
                && events.iter().zip(rows).all(|(e, row)| e.name() == row.name && e.key() == row.key)
        };
        match decided {
            Ok(Decided { out, .. }) if said(&out.events) => out.work,
            Ok(Decided { out, .. }) => {
                let instead: Vec<_> = out.events.iter().map(T::name).collect();
                self.found.doubt(format!("{} {} is now decided otherwise: {instead:?}", rows[0].name, rows[0].id()));
                vec![]
            }
            Err(why) => {
                self.found.doubt(format!("{} {} cannot be decided any more: {why}", rows[0].name, rows[0].id()));
                vec![]
            }
        }
    }

    /// Records up to a place that led to nothing that is known: they were skipped, only asked for something, or were
    /// set aside.
    fn pass_silent(&mut self, lane: Lane, until: Position, pull: &mut Pull) -> Result<(), RecoverError> {
        while self.cursor(lane, until, pull)? < until {
            let record = self.next(lane, until, pull)?;
            let at = record.row.position();
            if at > until {
                pull.put_back(lane, record);
                return Ok(());
            }
            self.silent(record)?;
            self.moved(lane, at);
        }
        Ok(())
    }

    fn moved(&mut self, lane: Lane, at: Position) {
        self.cursors.insert(lane, at);
        self.reign.cursors.insert(lane, at);
    }

    fn silent(&mut self, record: Record) -> Result<(), RecoverError> {
        let slot = (record.source.to_owned(), record.row.key.clone());
        if self.reign.parked.contains_key(&slot) {
            self.park(slot, &record, BEHIND_PARKED.into());
            return Ok(());
        }
        let input = Incoming::record(self.service, record.clone());
        let decided = match &input.body {
            Body::Input(origin, body) => self.decide(*origin, &**body)?,
            Body::Unreadable(why) => Err(why.clone()),
            Body::Skip | Body::Stuck(_) | Body::Discard => return Ok(()),
        };
        match decided {
            Ok(Decided { out, .. }) if out.events.is_empty() => {
                let trace = first_span_of(T::NAME, &input.trace, &record.row).to_string();
                let cause = format!("{}/{}", record.source, record.row.id());
                self.ask(out.work, &With { at: record.row.at, cause, trace: &trace, seq: self.last.seq });
            }
            Ok(Decided { out, .. }) => {
                let says: Vec<_> = out.events.iter().map(T::name).collect();
                self.park(
                    slot,
                    &record,
                    format!("found by a recovery: nothing came of it, though it leads to {says:?}"),
                );
            }
            Err(poison) => self.park(slot, &record, poison),
        }
        Ok(())
    }

    /// The lane that a cause is from, if it is still read.
    fn lane(&self, source: &str, id: EventId) -> Option<Lane> {
        self.service.sources().into_iter().find(|known| *known == source).map(|source| (source, id.lane))
    }

    /// How far a lane is read. One that was never read is read from where it begins; or, by a service that begins with
    /// what is said from then on, from the first record that it is known to have taken.
    fn cursor(&mut self, lane: Lane, first: Position, pull: &mut Pull) -> Result<Position, RecoverError> {
        if let Some(at) = self.reign.cursors.get(&lane) {
            return Ok(*at);
        }
        let earliest = pull.ends(lane)?.earliest;
        let first = self.first_taken.get(&(lane.0.to_owned(), lane.1)).map_or(first, |known| first.min(*known));
        let before = Position { seq: first.seq.saturating_sub(1), ..first };
        let at = if self.service.start() == Start::Now { before.max(earliest) } else { earliest };
        self.moved(lane, at);
        Ok(at)
    }

    /// The next record of a lane, which must be there, because it or one behind it was taken once.
    fn next(&mut self, lane: Lane, wanted: Position, pull: &mut Pull) -> Result<Record, RecoverError> {
        let after = self.reign.cursors.get(&lane).copied().unwrap_or_default();
        pull.next_after(lane, after)?
            .ok_or_else(|| RecoverError::Gap { source_name: lane.0, lacking: super::shown(wanted) })
    }

    fn decide(&mut self, origin: Origin, body: &(dyn Any + Send)) -> Result<Again<T>, RecoverError> {
        let Some(reaction) = self.service.reaction_to(origin) else {
            return Ok(Err(format!("nobody decides {origin}")));
        };
        self.loading(|replay| Ok(replay.service.decide(reaction, body, &replay.reign.states)))
    }

    fn fold(&mut self, rows: &[Arc<LogRow>]) -> Result<(), RecoverError> {
        let unreadable = |row: &LogRow, why| RecoverError::Unreadable(format!("{} {}: {why}", row.name, row.id()));
        let event = |row: &Arc<LogRow>| T::decode(&row.name, row.schema, &row.body).map_err(|why| unreadable(row, why));
        let events = rows.iter().map(event).collect::<Result<Vec<_>, _>>()?;
        let folded: HashMap<Slot, _> = self
            .loading(|replay| Ok(replay.service.folded(&replay.reign.states, &events)))?
            .map_err(|why| unreadable(&rows[0], why))?;
        for (slot, (state, events)) in folded {
            self.reign.states.draft(slot, state, events);
        }
        Ok(())
    }

    /// Does something that looks at states until it has all that it needs.
    fn loading<R>(
        &mut self,
        look: impl Fn(&Self) -> Result<Result<R, String>, RecoverError>,
    ) -> Result<Result<R, String>, RecoverError> {
        for _ in 0..MAX_ROUNDS {
            let seen = look(self)?;
            let missing = self.reign.states.take_missing();
            if missing.is_empty() {
                return Ok(seen);
            }
            self.reign.load(self.service, self.store, missing)?;
        }
        Ok(Err("asks for further states each time".into()))
    }

    fn ask(&mut self, work: Vec<Work>, with: &With<'_>) {
        for work in work {
            self.reign.asked = (self.reign.asked + 1).max(with.seq);
            let row = WorkRow {
                name: work.name.to_owned(),
                key: work.key,
                lane: 0,
                seq: self.reign.asked,
                due: with.at.saturating_add(micros(work.after)),
                shape: work.shape,
                body: work.body.into(),
                cause: with.cause.clone(),
                trace: with.trace.to_owned(),
                stuck: None,
            };
            self.open.put(self.service, row);
        }
    }
}

impl Recovered {
    fn doubt(&mut self, why: String) {
        tracing::warn!(why, "taken from the topic as it stands there");
        if self.doubts.len() < MAX_DOUBTS {
            self.doubts.push(why);
        }
    }
}
