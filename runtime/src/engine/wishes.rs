//! What an operator asks for: parked records decided again or dropped, stuck work tried once more.

use super::{Engine, Rule, turn_of};
use crate::{
    draft::MAX_BATCH,
    incoming::{Incoming, Reply},
    intake::Wish,
    record::{ParkedRow, WorkId, WorkRow},
    skip::Skip,
    store::{Batch, StoreError},
};
use choreography::Topic;
use std::sync::Arc;

/// What was done, or why not.
type Served = Result<String, String>;

impl<T: Topic> Engine<T> {
    pub(super) fn serve_wishes(&mut self, rule: &mut Rule) -> Result<(), StoreError> {
        while let Some((wish, reply)) = self.shared.intake.next_wish() {
            let served = match wish {
                Wish::Retry { source, key } => self.take_parked(rule, &source, &key, MAX_BATCH, false)?,
                Wish::Discard { source, key } => self.take_parked(rule, &source, &key, 1, true)?,
                Wish::RetryWork(id) => self.retry_work(rule, &id)?,
                Wish::Skip(skip) => self.skip(rule, &skip)?,
                Wish::PublishAgain { after } => {
                    self.bus.publish_again(after);
                    Ok(format!("published again behind {}.0.{}", after.generation, after.seq))
                }
            };
            // Whoever wished may have gone away; it is done all the same.
            _ = reply.send(served);
        }
        Ok(())
    }

    fn take_parked(
        &mut self,
        rule: &mut Rule,
        source: &str,
        key: &str,
        max: usize,
        discard: bool,
    ) -> Result<Served, StoreError> {
        let parked = self.door.store.parked_of(source, key, max)?;
        if parked.is_empty() {
            return Ok(Err(format!("nothing of {source} is parked under {key}")));
        }
        let (taken, stays) = match self.decide_parked(rule, &parked, discard) {
            Err(StoreError::Data(_)) => self.decide_parked_one_by_one(rule, &parked, discard)?,
            result => result?,
        };
        Ok(stays
            .map_or(Ok(format!("{taken} taken")), |why| Err(format!("{taken} taken; the next stays parked: {why}"))))
    }

    /// How many were taken, and why the next one stays.
    fn decide_parked(
        &mut self,
        rule: &mut Rule,
        parked: &[ParkedRow],
        discard: bool,
    ) -> Result<(usize, Option<String>), StoreError> {
        let incoming = |row: &ParkedRow| Incoming::parked(&self.door.service, row.clone(), discard);
        let batch: Vec<_> = parked.iter().map(incoming).collect();
        let passed = self.door.pass(&mut rule.reign, &batch)?;
        let why = |reply: &Reply| if let Reply::Parked(why) = reply { Some(why.clone()) } else { None };
        let stays = passed.replies.iter().find_map(why);
        let taken = passed.replies.iter().filter(|reply| **reply == Reply::Accepted).count();
        self.passed(rule, batch, passed)?;
        Ok((taken, stays))
    }

    /// The store refuses the content of one of them: as far as it goes.
    fn decide_parked_one_by_one(
        &mut self,
        rule: &mut Rule,
        parked: &[ParkedRow],
        discard: bool,
    ) -> Result<(usize, Option<String>), StoreError> {
        for (taken, row) in parked.iter().enumerate() {
            match self.decide_parked(rule, std::slice::from_ref(row), discard) {
                Ok((_, None)) => {}
                Ok((_, stays)) => return Ok((taken, stays)),
                Err(StoreError::Data(why)) => return Ok((taken, Some(format!("the store refuses it: {why}")))),
                Err(error) => return Err(error),
            }
        }
        Ok((parked.len(), None))
    }

    fn retry_work(&mut self, rule: &mut Rule, id: &WorkId) -> Result<Served, StoreError> {
        let Some(row) = self.door.store.work(id)?.filter(|row| row.stuck.is_some()) else {
            return Ok(Err(format!("no stuck work {} {}", id.0, id.1)));
        };
        let row = Arc::new(WorkRow { stuck: None, ..row });
        let batch = Batch {
            lead: rule.reign.lead,
            published: rule.reign.published,
            work_put: vec![row.clone()],
            ..Batch::default()
        };
        self.door.store.commit(&batch)?;
        rule.reign.lead.commits += 1;
        let turn = turn_of(&self.performers, &row);
        rule.agenda.add(row, false, turn);
        Ok(Ok("tried again".into()))
    }

    fn skip(&mut self, rule: &mut Rule, skip: &Skip) -> Result<Served, StoreError> {
        let lane = rule.reign.cursors.keys().find(|lane| lane.0 == skip.source).copied();
        let Some(lane) = lane.filter(|lane| rule.lanes.stands_at_gap(*lane)) else {
            return Ok(Err(format!("no record of {} is missing", skip.source)));
        };
        let at = rule.reign.cursors.get(&lane).copied().unwrap_or_default();
        let batch = match skip.batch(at, self.door.clock.now()) {
            Ok(batch) => Batch { lead: rule.reign.lead, published: rule.reign.published, ..batch },
            Err(why) => return Ok(Err(why.to_string())),
        };
        self.door.store.commit(&batch)?;
        rule.reign.lead.commits += 1;
        rule.reign.cursors.extend(batch.cursors.iter().map(|row| (lane, row.at)));
        for row in batch.parked {
            *rule.reign.parked.entry((row.source, row.row.key.clone())).or_default() += 1;
        }
        rule.lanes.goes_on(lane);
        tracing::warn!(service = T::NAME, source = lane.0, skip.seq, skip.reason, "a record is passed over for good");
        Ok(Ok(format!("record {} of {} is passed over", skip.seq, lane.0)))
    }
}
