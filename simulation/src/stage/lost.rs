//! A store that is lost for good, or restored from an older copy, and what an operator does about it.

use super::Stage;
use crate::{
    bus::index_of,
    counters::Situation,
    fault::Fault,
    history::EPOCH,
    plan::SECOND,
    recovery,
    sim::{Event, named},
    store::Lock,
};
use runtime::{Micros, Read, recover::RecoverError, store::MemoryStore};
use tutti::invariants::SERVICES as NAMES;

impl Stage {
    /// A service's store is lost. What is there instead is empty, or a copy that was kept since the fault struck first.
    /// Where the log is the topic there is nothing that it could be rebuilt from.
    pub(super) fn lose_store(&mut self, service: usize, lasts: Micros) -> Result<(), String> {
        if self.sim.plan.embedded || self.lost.contains(&service) {
            return Ok(());
        }
        let store = self.site.stores[service].clone();
        self.site.topics.republish(&self.sim, service, &store);
        let again = |after: Micros| self.sim.at(self.sim.now() + after, Event::Fault(Fault::StoreLost, service, lasts));
        if self.copies[service].is_none() && self.sim.draw(Fault::StoreLost, |dice| dice.falls(0.5)) {
            self.copies[service] = Some(store.copy());
            again(lasts);
            return Ok(());
        }
        // What a caller was promised and nobody has read yet would be lost for good (ADR 14).
        let published = self.site.topics.last(service);
        let unpublished = store.log_after(0, published, usize::MAX >> 1).map_err(|error| error.to_string())?;
        if unpublished.iter().any(|row| row.cause.starts_with("command ")) {
            again(SECOND / 10);
            return Ok(());
        }
        let begun = (EPOCH + self.sim.now()) / 1000;
        let found = self.copies[service].take().unwrap_or_else(|| MemoryStore::new(begun));
        self.kill(service);
        self.site.topics.cut_off(service);
        self.site.watch.lost(service, |at| at <= published || found.holds(at).unwrap_or_default());
        (self.site.stores[service], self.site.locks[service]) = (found, Lock::default());
        self.lost.insert(service);
        self.sim.saw(Situation::StoreLost);
        self.sim.at(self.sim.now() + SECOND / 10, Event::Start(service));
        self.sim.at(self.sim.now() + lasts, Event::Recover(service));
        Ok(())
    }

    /// An operator stops what runs of a service and has it rebuilt from its topic.
    pub(super) fn recover(&mut self, service: usize) -> Result<(), String> {
        if !self.lost.contains(&service) {
            return Ok(());
        }
        self.kill(service);
        let life = self.new_life(service);
        let recovered = recovery::recover(&self.site, life.clone());
        life.end();
        self.sim.note(|| format!("{} recovers {}: {recovered:?}", named(&life), NAMES[service]));
        match recovered {
            Ok(recovered) => {
                self.lost.remove(&service);
                if recovered.generation.is_some() {
                    self.sim.saw(Situation::Recovered);
                }
                if let Some(doubt) = recovered.doubts.first() {
                    self.sim.broken("recovered_without_doubt", doubt, recovered.doubts.clone());
                }
                return if self.is_down(service) { Ok(()) } else { self.start(service) };
            }
            Err(RecoverError::Gap { source_name, .. }) => {
                let source = index_of(source_name);
                self.site.topics.republish(&self.sim, source, &self.site.stores[source]);
            }
            Err(RecoverError::Store(_)) => self.sim.saw(Situation::RecoveryBrokenOff),
            Err(other) => self.sim.broken("recovered", other, vec![]),
        }
        self.sim.at(self.sim.now() + SECOND, Event::Recover(service));
        Ok(())
    }
}
