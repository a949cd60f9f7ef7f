//! What was set aside, and taken back, in the life that is led once more.

use super::Replay;
use crate::{
    record::{ParkedRow, Position, Record},
    recover::RecoverError,
    reign::Lane,
};
use choreography::{Key, Topic};
use std::collections::BTreeSet;

/// Source and key: what is parked under one goes on in order.
type Parked = (String, Key);

impl<T: Topic> Replay<'_, T> {
    pub(super) fn park(&mut self, slot: Parked, record: &Record, reason: String) {
        self.found.parked += 1;
        *self.reign.parked.entry(slot.clone()).or_default() += 1;
        let (row, since) = (record.row.clone(), record.row.at);
        self.batch.parked.push(ParkedRow { id: 0, source: slot.0, row, reason, since });
    }

    /// Takes back what was parked of a source and key, up to a record or all of it.
    pub(super) fn unpark(&mut self, slot: &Parked, until: Option<Position>) -> Result<Vec<ParkedRow>, RecoverError> {
        if !self.reign.parked.contains_key(slot) {
            return Ok(vec![]);
        }
        self.write()?; // what was parked lately gets its number
        let mut rows = self.store.parked_of(&slot.0, &slot.1, usize::MAX >> 1)?;
        let all = rows.len();
        rows.retain(|row| until.is_none_or(|until| row.row.position() <= until));
        self.batch.unparked.extend(rows.iter().map(|row| row.id));
        self.found.parked = self.found.parked.saturating_sub(rows.len() as u64);
        match all - rows.len() {
            0 => _ = self.reign.parked.remove(slot),
            left => _ = self.reign.parked.insert(slot.clone(), left),
        }
        Ok(rows)
    }

    /// A record that was parked, and decided later.
    pub(super) fn parked_record(
        &mut self,
        lane: Lane,
        at: Position,
        key: &str,
    ) -> Result<Option<Record>, RecoverError> {
        let slots: BTreeSet<_> = self.reign.parked.keys().filter(|slot| slot.0 == lane.0).cloned().collect();
        // Most events are about what their cause is about.
        let own = |slot: &&Parked| slot.1 == key;
        for slot in slots.iter().filter(own).chain(slots.iter().filter(|slot| !own(slot))) {
            let is_there = |row: &ParkedRow| row.row.position() == at;
            let pending = self.batch.parked.iter().any(|row| row.source == slot.0 && is_there(row));
            if pending || self.store.parked_of(&slot.0, &slot.1, usize::MAX >> 1)?.iter().any(is_there) {
                let rows = self.unpark(slot, Some(at))?;
                return Ok(rows.into_iter().find(is_there).map(|row| Record::new(lane.0, row.row)));
            }
        }
        Ok(None)
    }
}
