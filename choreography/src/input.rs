//! What can make a service act: an event of any service, a command, the answer of an effect, a timer that is due.

use crate::{Done, Due, Effect, Event, Key, Timer, Topic};

/// What kind of input it is, and its name: the left column of the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// An event of `topic`, which may be the service's own.
    Event {
        /// The service that says it.
        topic: &'static str,
        /// The event's name.
        name: &'static str,
    },
    /// A command: it has a caller who waits for an answer, and who may be refused.
    Command(&'static str),
    /// The answer of an effect.
    Effect(&'static str),
    /// A timer that is due.
    Timer(&'static str),
}

/// Something a decision can be made about.
pub trait Input: Send + 'static {
    /// Where it comes from.
    const ORIGIN: Origin;
    /// What it is about: the key of the state that a decision of shape `fn(&Input, &State)` gets.
    fn key(&self) -> Key;
    /// Reads the input from stored or received bytes. Commands and answers exist in memory only.
    ///
    /// # Errors
    /// When the bytes are none of this input's; the input is then poison.
    fn decode(_version: u16, _body: &[u8]) -> Result<Self, String>
    where
        Self: Sized,
    {
        Err("this input never travels as bytes".into())
    }
    /// For the answer of an effect: the family of the stored request that these bytes are, and what that is about. Of
    /// those that share both, one is performed at a time, in the order in which they were asked for.
    #[must_use]
    fn turn(_shape: u16, _body: &[u8]) -> Option<(&'static str, Key)> {
        None
    }
}

impl<E: Event> Input for E {
    const ORIGIN: Origin = Origin::Event { topic: E::Topic::NAME, name: E::NAME };
    fn key(&self) -> Key {
        Event::key(self).to_owned()
    }
    fn decode(version: u16, body: &[u8]) -> Result<Self, String> {
        <E as Event>::decode(version, body)
    }
}

impl<X: Effect> Input for Done<X> {
    const ORIGIN: Origin = Origin::Effect(X::NAME);
    fn key(&self) -> Key {
        self.asked.about()
    }
    fn turn(shape: u16, body: &[u8]) -> Option<(&'static str, Key)> {
        X::decode(shape, body).ok().map(|effect| (X::FAMILY, effect.about()))
    }
}

impl<T: Timer> Input for Due<T> {
    const ORIGIN: Origin = Origin::Timer(T::NAME);
    fn key(&self) -> Key {
        self.0.key()
    }
    fn decode(version: u16, body: &[u8]) -> Result<Self, String> {
        T::decode(version, body).map(Due)
    }
}
