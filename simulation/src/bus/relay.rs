//! A service's own events on their way to its topic: in order, repeated now and then, never overtaking.

use super::Topics;
use crate::{
    counters::Situation,
    fault::Fault,
    life::Life,
    plan::SECOND,
    sim::{Event, Sim},
};
use runtime::{LogRow, Micros, Position, Read, bus::Beginning, store::MemoryStore};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

/// What one process has under way to its topic.
pub struct Relay {
    life: Arc<Life>,
    log: MemoryStore,
    topics: Arc<Topics>,
    generation: i64,
    handed: u64,
    confirmed: u64,
    under_way: VecDeque<(Micros, Arc<LogRow>)>,
    /// How often its topic was cut off before it began.
    cut_off: u32,
}

impl Relay {
    /// The relay of a process; it sends nothing before a reign begins.
    #[must_use]
    pub fn new(life: Arc<Life>, log: MemoryStore, topics: Arc<Topics>) -> Relay {
        let cut_off = topics.times_cut_off(life.service);
        Relay { life, log, topics, generation: 0, handed: 0, confirmed: 0, under_way: VecDeque::new(), cut_off }
    }

    /// How far the log is known to be on the topic.
    #[must_use]
    pub fn confirmed(&self) -> u64 {
        self.confirmed
    }

    /// A reign begins: what is not known to be published is sent again.
    pub fn begin(relay: &Arc<Mutex<Relay>>, sim: &Sim, beginning: &Beginning) {
        let mut it = relay.lock().unwrap_or_else(PoisonError::into_inner);
        it.under_way.clear();
        (it.generation, it.handed, it.confirmed) =
            (beginning.head.generation, beginning.published, beginning.published);
        it.send_on(sim);
        it.come_again(relay, sim);
    }

    /// Everything behind a row is sent again.
    pub fn again(relay: &Arc<Mutex<Relay>>, sim: &Sim, after: Position) {
        let mut it = relay.lock().unwrap_or_else(PoisonError::into_inner);
        it.under_way.clear();
        (it.generation, it.handed, it.confirmed) = (after.generation, after.seq, after.seq);
        it.send_on(sim);
        it.come_again(relay, sim);
    }

    /// The log goes on.
    pub fn told(relay: &Arc<Mutex<Relay>>, sim: &Sim) {
        let mut it = relay.lock().unwrap_or_else(PoisonError::into_inner);
        it.send_on(sim);
        it.come_again(relay, sim);
    }

    /// Delivers what has arrived by now.
    pub fn deliver(relay: &Arc<Mutex<Relay>>, sim: &Sim) {
        let mut it = relay.lock().unwrap_or_else(PoisonError::into_inner);
        if it.topics.times_cut_off(it.life.service) != it.cut_off {
            return;
        }
        let now = sim.now();
        while let Some((at, row)) = it.under_way.pop_front() {
            if at > now {
                it.under_way.push_front((at, row));
                break;
            }
            if !it.life.is_alive() && sim.pace(|dice| dice.falls(0.5)) {
                it.under_way.clear(); // what a dead process had under way is lost from some row on
                return;
            }
            it.topics.append(sim, it.life.service, row.clone());
            if sim.strikes(Fault::Repeats, 0.05) {
                sim.saw(Situation::RelayAgain);
                it.under_way.clear(); // nobody knows what arrived, so everything unconfirmed is sent again
                it.handed = it.confirmed;
                it.send_on(sim);
                break;
            }
            // Confirmed late now and then, so that a restart repeats some.
            if it.under_way.is_empty() || sim.pace(|dice| dice.falls(0.7)) {
                it.confirmed = row.seq;
            }
        }
        it.come_again(relay, sim);
    }

    fn send_on(&mut self, sim: &Sim) {
        let after = Position { generation: self.generation, seq: self.handed };
        let rows = self.log.log_after(0, after, usize::MAX >> 1).unwrap_or_default();
        for row in rows.into_iter().filter(|row| row.generation == self.generation) {
            let latest = self.under_way.back().map_or(0, |(at, _)| *at);
            let takes = if sim.strikes(Fault::Delays, 0.05) {
                sim.draw(Fault::Delays, |dice| dice.magnitude(1000, 10 * SECOND))
            } else {
                sim.pace(|dice| dice.between(300, 3000))
            };
            self.handed = row.seq;
            self.under_way.push_back((latest.max(sim.now() + takes), row));
        }
    }

    fn come_again(&self, relay: &Arc<Mutex<Relay>>, sim: &Sim) {
        if let Some((at, _)) = self.under_way.front() {
            sim.at(*at, Event::Relay(relay.clone()));
        }
    }
}
