//! Making one decision: run it, then fold what it says into copies of the states it touches.

use crate::{AnyState, Out, Reaction, Service, Slot, States, Topic};
use std::{
    any::Any,
    cell::Cell,
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind, panic_any},
    sync::Once,
};

/// What one decision led to. Nothing of it has happened yet: the caller drafts the states and commits.
pub struct Decided<T> {
    /// What it returned.
    pub out: Out<T>,
    /// The states after its events, and how many events each has folded.
    pub folded: HashMap<Slot, (AnyState, u64)>,
}

/// A pair of state and input that the protocol rules out. It is poison: the input is parked and alarmed, never
/// silently dropped.
struct CannotHappen(String);

/// Call this for a (state, input) pair that cannot happen.
///
/// # Panics
/// Always; the runtime catches it and parks the input with this reason.
pub fn cannot_happen(state: &impl std::fmt::Debug, input: &str) -> ! {
    let state = format!("{state:?}");
    let state = state.split(['(', '{', ' ']).next().unwrap_or_default();
    panic_any(CannotHappen(format!("{input} cannot happen in state {state}")))
}

thread_local! { static DECIDING: Cell<bool> = const { Cell::new(false) } }

/// Keeps the default panic hook from printing panics of decisions: they are caught and reported where they are
/// handled. Panics elsewhere print as before.
pub fn quiet_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !DECIDING.get() {
                before(info);
            }
        }));
    });
}

pub(crate) fn caught<R>(run: impl FnOnce() -> R) -> Result<R, String> {
    DECIDING.set(true);
    let result = catch_unwind(AssertUnwindSafe(run));
    DECIDING.set(false);
    result.map_err(|panic| match panic.downcast_ref::<CannotHappen>() {
        Some(CannotHappen(why)) => why.clone(),
        None => format!("the decision panicked: {}", panic_message(&*panic)),
    })
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}

impl<T: Topic> Service<T> {
    /// Notes the states that the input will need, as far as they can be told before anything is loaded.
    pub fn look(&self, reaction: &Reaction<T>, input: &(dyn Any + Send), states: &States) {
        // Against blank states a decision may panic; that means nothing yet, because it is made again.
        _ = caught(|| (reaction.look)(input, states));
    }

    /// Decides, and folds the events. When `states` then has something missing, the result means nothing: load that
    /// and decide again.
    ///
    /// # Errors
    /// Why the input is poison: the decision or the fold panicked, or said something that cannot be written.
    pub fn decide(
        &self,
        reaction: &Reaction<T>,
        input: &(dyn Any + Send),
        states: &States,
    ) -> Result<Decided<T>, String> {
        let decided = caught(|| {
            let out = (reaction.run)(input, states);
            let folded = self.fold(states, &out.events);
            Decided { out, folded }
        })?;
        match &decided.out.unwritable {
            Some(why) => Err(format!("cannot be stored: {why}")),
            None => Ok(decided),
        }
    }

    /// Folds events that were said before into copies of the states they touch, as [`Service::decide`] does.
    ///
    /// # Errors
    /// Why they cannot be folded: a state that cannot be has met one of them.
    pub fn folded(&self, states: &States, events: &[T]) -> Result<HashMap<Slot, (AnyState, u64)>, String> {
        caught(|| self.fold(states, events))
    }

    fn fold(&self, states: &States, events: &[T]) -> HashMap<Slot, (AnyState, u64)> {
        let mut folded = HashMap::new();
        for event in events {
            for kind in &self.kinds {
                for key in (kind.keys)(event) {
                    let slot = (kind.name, key);
                    let copy = || states.get(slot.0, &slot.1).and_then(|s| (kind.copy)(s)).map(|s| (s, 0));
                    let Some((mut state, events)) = folded.remove(&slot).or_else(copy) else {
                        states.lacks(slot.0, &slot.1);
                        continue;
                    };
                    kind.evolve(&mut state, &slot.1, event);
                    folded.insert(slot, (state, events + 1));
                }
            }
        }
        folded
    }
}
