//! The simulated outside world on virtual time: payment gateway, carrier, post and keyring behind the services' own
//! ports. Its books are what the invariants are held against; its lines lose, delay and repeat.

mod books;
mod carrier;
mod gateway;
mod keyring;
mod post;

pub use books::{Books, LedgerEntry, Mail, ParcelEntry, Shown};
pub use carrier::{Deed, SimCarrier};
pub use gateway::SimGateway;
pub use keyring::{SimKeyring, key_of};
pub use post::SimPost;

use crate::{
    counters::Situation,
    fault::Fault,
    life::Life,
    plan::SECOND,
    sim::{Event, Sim, named},
};
use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::oneshot;

/// The outside world; clones are the same.
#[derive(Clone)]
pub struct World {
    /// The history it is part of.
    pub sim: Arc<Sim>,
    books: Arc<Mutex<Books>>,
}

/// Which part of the world a call goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The payment gateway.
    Gateway,
    /// The carrier.
    Carrier,
    /// The post.
    Post,
}

/// Why a caller is told nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// It surely was not done.
    NotDone,
    /// Perhaps it was.
    Unclear,
}

/// Wakes the driver when a call is over, however it ends.
struct Wakes(Arc<Sim>);

impl Drop for Wakes {
    fn drop(&mut self) {
        self.0.news.notify_one();
    }
}

impl World {
    /// An outside world with empty books.
    #[must_use]
    pub fn new(sim: Arc<Sim>) -> World {
        World { sim, books: Arc::default() }
    }

    /// Its books.
    pub fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings a process's call to a part of the world and its answer back, unless something goes wrong on the way.
    fn carry<T: Send + 'static>(
        &self,
        part: Part,
        life: &Arc<Life>,
        act: impl FnOnce(&World) -> Result<T, NoAnswer> + Send + 'static,
    ) -> impl Future<Output = Result<T, NoAnswer>> + Send {
        let (world, life, wakes) = (self.clone(), life.clone(), Wakes(self.sim.clone()));
        async move {
            let _wakes = wakes;
            if !life.is_alive() {
                return std::future::pending().await;
            }
            let (answer, answered) = oneshot::channel();
            // On its way it no longer depends on its caller's patience.
            tokio::spawn(world.travel(part, life.clone(), act, answer));
            match answered.await {
                Ok(answer) if life.is_alive() => answer,
                _ => std::future::pending().await,
            }
        }
    }

    async fn travel<T: Send + 'static>(
        self,
        part: Part,
        life: Arc<Life>,
        act: impl FnOnce(&World) -> Result<T, NoAnswer> + Send + 'static,
        answer: oneshot::Sender<Result<T, NoAnswer>>,
    ) {
        let sim = &self.sim;
        let (there, back) = self.times();
        tokio::time::sleep(there).await;
        if sim.lasts(Fault::WorldAway, part as usize) {
            sim.saw(Situation::WorldAway);
            return reply(answer, Err(NoAnswer::NotDone));
        }
        if sim.strikes(Fault::WorldLost, 0.05) {
            sim.saw(Situation::RequestLost);
            return;
        }
        if sim.strikes(Fault::Down, 0.01) && self.caller_goes_down(&life) {
            return;
        }
        let done = act(&self);
        if answer.is_closed() && done.is_ok() {
            sim.saw(Situation::EffectLate);
        }
        tokio::time::sleep(back).await;
        if sim.strikes(Fault::WorldLost, 0.08) {
            sim.saw(Situation::AnswerLost);
            sim.note(|| format!("an answer of the {part:?} to {} is lost", named(&life)));
            return reply(answer, Err(NoAnswer::Unclear));
        }
        if !sim.is_cut_off(&life, Situation::CrashAtEffect) {
            reply(answer, done);
        }
    }

    /// Whoever calls goes down for long in this very moment. Whether the call is lost with it.
    fn caller_goes_down(&self, life: &Life) -> bool {
        let longest = self.sim.plan.faults_until.max(2 * SECOND);
        let (lasts, lost) = self.sim.draw(Fault::Down, |dice| (dice.magnitude(60 * SECOND, longest), dice.falls(0.5)));
        life.end();
        self.sim.at(self.sim.now(), Event::Fault(Fault::Down, life.service, lasts));
        lost
    }

    /// How long a call takes to arrive, and its answer to come back.
    fn times(&self) -> (Duration, Duration) {
        let millis = |millis: i64| Duration::from_millis(millis.unsigned_abs());
        let usual = self.sim.pace(|dice| (dice.between(1, 40), dice.between(1, 40)));
        let slow = self.sim.strikes(Fault::WorldSlow, 0.2);
        let slow = if slow {
            self.sim.draw(Fault::WorldSlow, |dice| (dice.between(0, 8000), dice.between(0, 4000)))
        } else {
            (0, 0)
        };
        (millis(usual.0 + slow.0), millis(usual.1 + slow.1))
    }
}

fn reply<T>(answer: oneshot::Sender<Result<T, NoAnswer>>, with: Result<T, NoAnswer>) {
    // A caller that has given up asks again under the same key.
    drop(answer.send(with));
}

/// After how long a call that takes its time is decided.
const PENDING_FOR: i64 = 6 * SECOND;
