//! Where commands, answers of the world and an operator's wishes wait for the door. Everything is bounded: at the bound
//! a command is turned away at once, so that nothing is half accepted.

use crate::{
    bus::Bell,
    incoming::{Incoming, Reply},
    record::{Position, WorkId},
    skip::Skip,
};
use choreography::{Key, Origin};
use std::{
    any::Any,
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::oneshot;

/// Commands that may wait.
const MAX_COMMANDS: usize = 4096;

/// What the world answered, or that it did not.
pub enum Verdict {
    /// It is done or refused: the answer as an input.
    Definite(Origin, Box<dyn Any + Send>),
    /// Nobody knows yet: ask again.
    Again(String),
    /// It can never succeed.
    Stuck(String),
}

/// One attempt's end.
pub struct Answer {
    /// The reign that handed the work out; an answer to an older one is dropped, because the new reign asks itself.
    pub epoch: u64,
    /// The work it is about.
    pub id: WorkId,
    /// How it ended.
    pub verdict: Verdict,
}

/// What an operator may ask of parked things.
pub enum Wish {
    /// Decides parked records of a source and key again, in order, as far as it goes.
    Retry {
        /// The service that said them.
        source: String,
        /// What they are about.
        key: Key,
    },
    /// Drops the first parked record of a source and key.
    Discard {
        /// The service that said it.
        source: String,
        /// What it is about.
        key: Key,
    },
    /// Performs a stuck effect, or fires a stuck timer, once more.
    RetryWork(WorkId),
    /// Passes over a record at which its lane stands, because it is lost for good.
    Skip(Skip),
    /// Looks at what the own topic lacks behind an event, and publishes it again from there.
    PublishAgain {
        /// The last event before it.
        after: Position,
    },
}

#[derive(Default)]
struct Queues {
    commands: VecDeque<Incoming>,
    answers: VecDeque<Answer>,
    wishes: VecDeque<(Wish, oneshot::Sender<Result<String, String>>)>,
    stopping: bool,
}

/// The queues before one service's door.
#[derive(Default)]
pub struct Intake {
    queues: Mutex<Queues>,
    bell: Arc<Bell>,
}

/// Why a command was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TurnedAway {
    /// Too many wait already.
    Full,
    /// The service is stopping.
    Stopping,
}

impl Intake {
    /// The bell that rings for anything new here or on the bus.
    #[must_use]
    pub fn bell(&self) -> &Arc<Bell> {
        &self.bell
    }

    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Offers a command.
    ///
    /// # Errors
    /// When it cannot wait here; nothing was kept of it.
    pub fn offer(&self, command: Incoming) -> Result<(), TurnedAway> {
        let mut queues = self.queues();
        if queues.stopping {
            return Err(TurnedAway::Stopping);
        }
        if queues.commands.len() >= MAX_COMMANDS {
            return Err(TurnedAway::Full);
        }
        queues.commands.push_back(command);
        drop(queues);
        self.bell.ring();
        Ok(())
    }

    /// Offers commands again whose batch did not become known: first in line, in their order.
    pub(crate) fn offer_again(&self, commands: Vec<Incoming>) {
        let mut queues = self.queues();
        commands.into_iter().rev().for_each(|command| queues.commands.push_front(command));
    }

    /// Tells everybody who waits here that another process leads. Answers of the world are dropped: who leads asks itself.
    pub(crate) fn turn_away(&self, owner: &str) {
        let (commands, wishes) = {
            let mut queues = self.queues();
            queues.answers.clear();
            (std::mem::take(&mut queues.commands), std::mem::take(&mut queues.wishes))
        };
        for caller in commands.into_iter().filter_map(|command| command.caller) {
            // A caller that went away has nothing to be told.
            _ = caller.send(Reply::Led(owner.to_owned()));
        }
        for (_, reply) in wishes {
            _ = reply.send(Err(format!("the process at {owner} leads: ask there")));
        }
    }

    /// Takes an attempt's end. Attempts under way are bounded, so this queue is.
    pub fn answer(&self, answer: Answer) {
        self.queues().answers.push_back(answer);
        self.bell.ring();
    }

    /// Takes an operator's wish.
    pub fn wish(&self, wish: Wish) -> oneshot::Receiver<Result<String, String>> {
        let (reply, replied) = oneshot::channel();
        self.queues().wishes.push_back((wish, reply));
        self.bell.ring();
        replied
    }

    /// Takes no more commands; what waits is still served.
    pub fn stop(&self) {
        self.queues().stopping = true;
        self.bell.ring();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.queues().stopping
    }

    pub(crate) fn commands(&self, max: usize) -> Vec<Incoming> {
        let mut queues = self.queues();
        let count = max.min(queues.commands.len());
        queues.commands.drain(..count).collect()
    }

    pub(crate) fn answers(&self, max: usize) -> Vec<Answer> {
        let mut queues = self.queues();
        let count = max.min(queues.answers.len());
        queues.answers.drain(..count).collect()
    }

    pub(crate) fn next_wish(&self) -> Option<(Wish, oneshot::Sender<Result<String, String>>)> {
        self.queues().wishes.pop_front()
    }
}
