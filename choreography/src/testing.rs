//! Test support: *given* these events, *when* this input, *then* these events.
//!
//! ```text
//! given(payment::service(), [requested.into()])
//!     .when(&order_cancelled)
//!     .says([PaymentRefundRequested { order_id }.into()])
//!     .asks_nothing();
//! ```

use crate::{Effect, Input, Out, Service, State, States, Stored, Timer, Topic, Work};
use std::fmt::Debug;

/// A service with a past.
pub struct Given<T: Topic> {
    service: Service<T>,
    states: States,
}

/// What came of one input.
#[derive(Debug)]
pub struct Then<T: Topic> {
    out: Out<T>,
}

/// A service that has said these events.
///
/// # Panics
/// When a state cannot fold them.
pub fn given<T: Topic>(service: Service<T>, past: impl IntoIterator<Item = T>) -> Given<T> {
    let states = service.states();
    let mut given = Given { service, states };
    past.into_iter().for_each(|event| given.fold(&event));
    given
}

impl<T: Topic> Given<T> {
    fn fold(&mut self, event: &T) {
        for kind in self.service.kinds() {
            for key in (kind.keys)(event) {
                let mut state =
                    self.states.get(kind.name, &key).and_then(|s| (kind.copy)(s)).unwrap_or_else(kind.blank);
                kind.evolve(&mut state, &key, event);
                let version = self.states.version(kind.name, &key) + 1;
                self.states.load(kind.name, key, state, version);
            }
        }
    }

    /// Loads blank states until the decision misses nothing, then returns what it said.
    fn attempt<I: Input + Clone>(&mut self, input: &I) -> Result<Out<T>, String> {
        let input: Box<dyn std::any::Any + Send> = Box::new(input.clone());
        loop {
            let Some(reaction) = self.service.reaction_to(I::ORIGIN) else {
                return Err(format!("{} does not react to {}", T::NAME, I::ORIGIN));
            };
            let decided = self.service.decide(reaction, &*input, &self.states);
            let missing = self.states.take_missing();
            if missing.is_empty() {
                return decided.map(|decided| decided.out);
            }
            for (kind, key) in missing {
                if let Some(blank) = self.service.kind(kind).map(|k| (k.blank)()) {
                    self.states.load(kind, key, blank, 0);
                }
            }
        }
    }

    /// Hands the service an input; its events are folded, so that more inputs may follow.
    ///
    /// # Panics
    /// When the input is poison.
    pub fn when<I: Input + Clone>(&mut self, input: &I) -> Then<T> {
        match self.attempt(input) {
            Ok(out) => {
                out.events.iter().for_each(|event| self.fold(event));
                Then { out }
            }
            Err(why) => panic!("poison: {why}"),
        }
    }

    /// Hands the service an input that must be poison, and returns the reason.
    ///
    /// # Panics
    /// When it is not poison.
    pub fn poison<I: Input + Clone>(&mut self, input: &I) -> String {
        match self.attempt(input) {
            Ok(out) => panic!("expected poison, got {out:?}"),
            Err(why) => why,
        }
    }

    /// The state under a key.
    #[must_use]
    pub fn state<S: State<Topic = T>>(&self, key: &str) -> S {
        self.states.of::<S>(key).clone()
    }
}

impl<T: Topic> Then<T> {
    /// It said exactly these events.
    ///
    /// # Panics
    /// When it said something else.
    #[track_caller]
    pub fn says(self, expected: impl IntoIterator<Item = T>) -> Self {
        assert_eq!(self.out.events, expected.into_iter().collect::<Vec<_>>());
        self
    }

    /// It said events of exactly these names.
    ///
    /// # Panics
    /// When it said something else.
    #[track_caller]
    pub fn says_names(self, expected: &[&str]) -> Self {
        assert_eq!(self.out.events.iter().map(Topic::name).collect::<Vec<_>>(), expected);
        self
    }

    /// It asked for exactly this effect, and for nothing else.
    ///
    /// # Panics
    /// When it asked for something else.
    #[track_caller]
    pub fn asks<X: Effect>(self, expected: &X) -> Self {
        self.asked_once(X::NAME, &expected.key(), expected)
    }

    /// It set exactly this timer, and asked for nothing else.
    ///
    /// # Panics
    /// When it asked for something else.
    #[track_caller]
    pub fn sets<W: Timer>(self, expected: &W) -> Self {
        self.asked_once(W::NAME, &expected.key(), expected)
    }

    #[track_caller]
    fn asked_once<W: Stored + Debug>(self, name: &str, key: &str, expected: &W) -> Self {
        match &self.out.work[..] {
            [Work { name: n, key: k, shape, body, .. }] if *n == name && k == key => {
                assert_eq!(W::decode(*shape, body).as_ref(), Ok(expected));
            }
            other => panic!("expected only {name} {key}, got {other:?}"),
        }
        self
    }

    /// It asked for effects and timers of exactly these names.
    ///
    /// # Panics
    /// When it asked for something else.
    #[track_caller]
    pub fn asks_names(self, expected: &[&str]) -> Self {
        assert_eq!(self.out.work.iter().map(|w| w.name).collect::<Vec<_>>(), expected);
        self
    }

    /// It asked for no effect and no timer.
    ///
    /// # Panics
    /// When it asked for something.
    #[track_caller]
    pub fn asks_nothing(self) -> Self {
        self.asks_names(&[])
    }

    /// It refused the command, with this reason.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    pub fn refuses(self, reason: &str) -> Self {
        assert_eq!(self.out.refused.as_ref().map(|r| r.reason), Some(reason));
        self
    }

    /// It did nothing at all.
    ///
    /// # Panics
    /// When it did something.
    #[track_caller]
    pub fn nothing(self) -> Self {
        self.says([]).asks_nothing()
    }
}
