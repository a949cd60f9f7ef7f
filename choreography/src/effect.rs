//! What a decision asks of the world, and the answers it gets: effects and timers.

use crate::{Key, Stored};
use std::{fmt::Debug, time::Duration};

/// A request to the outside world. It is stored with the decision that asked for it and performed after the commit, at
/// least once, under `<service>/<NAME>/<key>`, a key that never changes.
pub trait Effect: Stored {
    /// Its name in the map, in the work table and in the idempotency key.
    const NAME: &'static str;
    /// Effects of one family about the same thing run one at a time, in the order in which they were asked for.
    const FAMILY: &'static str = Self::NAME;
    /// Past this time after it was asked for, an effect that nobody has performed is answered with [`Effect::stale`].
    const USEFUL_FOR: Option<Duration> = None;
    /// Which effect takes this one back.
    const UNDO: Undo;
    /// What a success tells.
    type Done: Clone + Debug + PartialEq + Send + Sync + 'static;
    /// Why it was refused: for good, so that nothing happened and nothing ever will.
    type Refused: Clone + Debug + PartialEq + Send + Sync + 'static;
    /// What makes it the same request: chosen by business identity, never drawn.
    fn key(&self) -> Key;
    /// Whose state the answer is decided on, and what its family is serialised by.
    fn about(&self) -> Key {
        self.key()
    }
    /// The refusal that stands for "no longer useful"; needed where [`Effect::USEFUL_FOR`] is given.
    fn stale() -> Option<Self::Refused> {
        None
    }
}

/// How an effect is taken back; [`Service::check`](crate::Service::check) holds the service to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undo {
    /// By the effect of this name.
    By(&'static str),
    /// It is itself the undo of another.
    IsUndo,
    /// It cannot be taken back, and need not be, for this reason.
    Never(&'static str),
}

/// A wish to be woken. A timer is work whose performer is the clock.
pub trait Timer: Stored {
    /// Its name in the map and in the work table.
    const NAME: &'static str;
    /// What it is about.
    fn key(&self) -> Key;
}

/// Return this from a decision to ask for an effect.
#[derive(Clone, Debug, PartialEq)]
pub struct Do<X: Effect>(pub X);

/// Return this from a decision to be woken after a while.
#[derive(Clone, Debug, PartialEq)]
pub struct After<T: Timer>(pub Duration, pub T);

/// Only a command can be refused: an event has no caller. A refusal that answers an event is itself an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// A stable word for machines, for example `already_dispatched`.
    pub reason: &'static str,
    /// One sentence for the person who asked.
    pub detail: String,
}

impl Refused {
    /// A refusal with its word and its sentence.
    pub fn new(reason: &'static str, detail: impl Into<String>) -> Refused {
        Refused { reason, detail: detail.into() }
    }
}

/// The answer of an effect. It is always definite: *unknown* never reaches a decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Done<X: Effect> {
    /// What was asked for.
    pub asked: X,
    /// How it ended.
    pub outcome: Attempted<X>,
}

/// How an effect ended: done, or refused for good.
pub type Attempted<X> = Result<<X as Effect>::Done, <X as Effect>::Refused>;

/// A timer that is due.
#[derive(Clone, Debug, PartialEq)]
pub struct Due<T: Timer>(pub T);
