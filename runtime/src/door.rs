//! THE file to read. Everything that can make a service act passes here: commands, records, answers of the world,
//! timers; in batches, one transaction each, one batch at a time per service. So there is no lock, no lock order and no
//! lost update.
//!
//! For each input, in order: is it new? · is something of its source and key parked before it? · decide and fold ·
//! append. Then one commit for all of it: cursors, answered work, events, states, new work, parked records. Whatever a
//! crash takes away was either committed whole or never happened.

use crate::{
    clock::Clock,
    draft::{BEHIND_PARKED, Draft, Passed},
    failpoint::{self, Step},
    incoming::{Body, From, Incoming, Reply},
    pulse::Pulse,
    reign::Reign,
    store::{Store, StoreError},
};
use choreography::{Decided, Service, Topic};
use std::sync::Arc;

/// How often a batch is begun again because decisions asked for further states. After that, those still asking are
/// poison.
const MAX_ROUNDS: u32 = 4;

/// The one way in.
pub struct Door<T: Topic> {
    pub(crate) service: Arc<Service<T>>,
    pub(crate) store: Box<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) pulse: Arc<Pulse>,
}

impl<T: Topic> Door<T> {
    /// Takes a batch through. Nothing of it has happened before this returns, and all of it once it has.
    ///
    /// # Errors
    /// With any error the reign is over: its caches must be dropped, and only a new reign learns what is true. The
    /// exception is [`StoreError::Data`]: nothing happened, and one input of the batch is to blame.
    pub fn pass(&mut self, reign: &mut Reign, batch: &[Incoming]) -> Result<Passed, StoreError> {
        self.look_ahead(reign, batch)?;
        let mut round = 0;
        loop {
            round += 1;
            let mut draft = Draft::begin(&self.service, reign, self.clock.now());
            for input in batch {
                let reply = self.take(&mut draft, reign, input, round)?;
                draft.replies.push(reply);
            }
            let missing = std::mem::take(&mut draft.missing);
            if missing.is_empty() {
                failpoint::reached_with(Step::Decided, batch);
                let passed = self.commit(reign, draft)?;
                failpoint::reached_with(Step::Committed, batch);
                return Ok(passed);
            }
            reign.states.discard_drafts();
            reign.load(&self.service, &mut *self.store, missing)?;
        }
    }

    /// What becomes of one input. A parked, stuck or refused input changes no state and says nothing.
    fn take(
        &mut self,
        draft: &mut Draft,
        reign: &mut Reign,
        input: &Incoming,
        round: u32,
    ) -> Result<Reply, StoreError> {
        if let Some(reply) = draft.not_new(reign, input) {
            return Ok(reply);
        }
        draft.consume(input);
        if draft.is_behind_parked(reign, input) {
            return Ok(draft.set_aside(reign, input, BEHIND_PARKED.into()));
        }
        let decided = match &input.body {
            Body::Skip | Body::Discard => return Ok(Reply::Accepted),
            Body::Unreadable(why) | Body::Stuck(why) => Err(why.clone()),
            Body::Input(origin, body) => {
                let _watched = self.pulse.begin(input);
                self.decide(draft, reign, *origin, &**body, round)
            }
        };
        match decided.and_then(|decided| draft.say(reign, input, decided)) {
            Ok(reply) => Ok(reply),
            Err(poison) if matches!(input.from, From::Caller) => Ok(Reply::Failed(poison)), // answered 500, leaves nothing
            Err(poison) => Ok(draft.set_aside(reign, input, poison)),
        }
    }

    fn decide(
        &self,
        draft: &mut Draft,
        reign: &Reign,
        origin: choreography::Origin,
        body: &(dyn std::any::Any + Send),
        round: u32,
    ) -> Result<Option<Decided<T>>, String> {
        let Some(reaction) = self.service.reaction_to(origin) else {
            return Err(format!("{} has no decision about {origin}", self.service.name()));
        };
        let decided = self.service.decide(reaction, body, &reign.states);
        let missing = reign.states.take_missing();
        if missing.is_empty() {
            return decided.map(Some);
        }
        if round > MAX_ROUNDS {
            return Err("asks for further states each time it is decided".into());
        }
        draft.missing.extend(missing);
        Ok(None) // decided again with them in the next round
    }

    /// One look at every input tells which states the batch needs; one read fetches them all.
    fn look_ahead(&mut self, reign: &mut Reign, batch: &[Incoming]) -> Result<(), StoreError> {
        reign.bound_memory();
        for input in batch {
            if let Body::Input(origin, body) = &input.body
                && let Some(reaction) = self.service.reaction_to(*origin)
            {
                self.service.look(reaction, &**body, &reign.states);
            }
        }
        let missing = reign.states.take_missing();
        reign.load(&self.service, &mut *self.store, missing)
    }

    fn commit(&mut self, reign: &mut Reign, draft: Draft) -> Result<Passed, StoreError> {
        let (batch, outcome) = draft.finish(&self.service, reign)?;
        let begun = self.clock.now();
        let committed = self.store.commit(&batch);
        if let Err(error) = committed {
            reign.states.discard_drafts();
            return Err(error);
        }
        Ok(reign.committed(batch, outcome, self.clock.now() - begun))
    }
}
