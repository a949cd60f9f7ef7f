//! What a service remembers under a key: states, and the set of them that a decision may look at.

use crate::{Key, Topic};
use std::{
    any::Any,
    cell::RefCell,
    collections::{BTreeSet, HashMap},
    fmt::Debug,
};

/// A value that is kept as bytes in a table of the service's own: a state, an effect, a timer.
pub trait Stored: Clone + Debug + PartialEq + Send + Sized + 'static {
    /// The shape of the bytes. A changed shape gets a new number; old rows keep theirs.
    const SHAPE: u16 = 1;
    /// The bytes to keep.
    ///
    /// # Errors
    /// When the value cannot be written; the input that led to it is then poison.
    fn encode(&self) -> Result<Vec<u8>, String>;
    /// Reads what [`Stored::encode`] wrote under `shape`.
    ///
    /// # Errors
    /// Says what does not fit.
    fn decode(shape: u16, bytes: &[u8]) -> Result<Self, String>;
}

/// What a service remembers under one key. It is a fold of the service's own events and changes in no other way.
pub trait State: Stored + Default {
    /// The events it folds.
    type Topic: Topic;
    /// Its name in the state table.
    const KIND: &'static str;
    /// Whose state an event changes. Usually the one under the key it is published under.
    fn keys(event: &Self::Topic) -> Vec<Key> {
        vec![event.key().to_owned()]
    }
    /// Folds one event. Match every event, so that a new one does not compile until this state says what it does.
    fn evolve(&mut self, key: &str, event: &Self::Topic);
}

/// A state whose type is known only to its kind.
pub type AnyState = Box<dyn Any + Send>;

/// Names one state: its kind, and its key.
pub type Slot = (&'static str, Key);

/// A state with how many events are folded into it.
struct Kept {
    state: AnyState,
    version: u64,
}

/// The states of one kind that are at hand.
struct Kind {
    name: &'static str,
    blank: AnyState,
    loaded: HashMap<Key, Kept>,
    drafts: HashMap<Key, Kept>,
}

impl Kind {
    fn get(&self, key: &str) -> Option<&Kept> {
        self.drafts.get(key).or_else(|| self.loaded.get(key))
    }
}

/// The states a decision may look at. Asking for one that is not loaded notes its key and answers the blank one; it is
/// then loaded, and the decision is made again. Decisions are pure, so deciding twice is deciding once.
#[derive(Default)]
pub struct States {
    /// A service keeps a handful of kinds: looking through them is faster than hashing a name.
    kinds: Vec<Kind>,
    missing: RefCell<BTreeSet<Slot>>,
}

impl States {
    /// No states, of these kinds.
    pub(crate) fn of_kinds(blank: impl IntoIterator<Item = (&'static str, AnyState)>) -> States {
        let kind = |(name, blank)| Kind { name, blank, loaded: HashMap::new(), drafts: HashMap::new() };
        States { kinds: blank.into_iter().map(kind).collect(), ..States::default() }
    }

    fn kind(&self, name: &str) -> Option<&Kind> {
        self.kinds.iter().find(|kind| kind.name == name)
    }

    fn kind_mut(&mut self, name: &str) -> Option<&mut Kind> {
        self.kinds.iter_mut().find(|kind| kind.name == name)
    }

    /// The state of kind `S` under `key`, as it is after everything decided before.
    ///
    /// # Panics
    /// When the service does not keep `S`, or keeps another state under the same name: a mistake in the service itself,
    /// which every test of the decision meets. It is on purpose: [`Service::decide`](crate::Service::decide) catches it
    /// like any panic of a decision, and the input is set aside with the reason.
    #[must_use]
    pub fn of<S: State>(&self, key: &str) -> &S {
        // Only what can be loaded is noted as missing, or the decision would be made again for ever.
        let Some(kind) = self.kind(S::KIND) else {
            panic!("state `{}` is not kept: add `.keeps::<…>()` to the service", S::KIND);
        };
        let any = match kind.get(key) {
            Some(kept) => &*kept.state,
            None => {
                self.lacks(kind.name, key);
                &*kind.blank
            }
        };
        match any.downcast_ref() {
            Some(state) => state,
            None => panic!("two states call themselves `{}`", S::KIND),
        }
    }

    /// A state that is drafted or loaded.
    pub(crate) fn get(&self, kind: &str, key: &str) -> Option<&(dyn Any + Send)> {
        self.kind(kind)?.get(key).map(|kept| &*kept.state)
    }

    /// How many events are folded into a state, as far as it is at hand.
    #[must_use]
    pub fn version(&self, kind: &str, key: &str) -> u64 {
        self.kind(kind).and_then(|kind| kind.get(key)).map_or(0, |kept| kept.version)
    }

    /// Whether the state is at hand.
    #[must_use]
    pub fn holds(&self, kind: &str, key: &str) -> bool {
        self.get(kind, key).is_some()
    }

    /// Notes that a state is needed.
    pub fn lacks(&self, kind: &'static str, key: &str) {
        self.missing.borrow_mut().insert((kind, key.to_owned()));
    }

    /// The states that were asked for and not there, which are noted no longer.
    #[must_use]
    pub fn take_missing(&self) -> BTreeSet<Slot> {
        std::mem::take(&mut *self.missing.borrow_mut())
    }

    /// Puts a state there as the store has it. One of a kind that is not kept is not needed either.
    pub fn load(&mut self, kind: &str, key: Key, state: AnyState, version: u64) {
        if let Some(kind) = self.kind_mut(kind) {
            kind.loaded.insert(key, Kept { state, version });
        }
    }

    /// Puts a state there that is decided, but not yet committed: so many events further than it was.
    pub fn draft(&mut self, (kind, key): Slot, state: AnyState, events: u64) {
        if let Some(kind) = self.kind_mut(kind) {
            let version = kind.get(&key).map_or(0, |kept| kept.version) + events;
            kind.drafts.insert(key, Kept { state, version });
        }
    }

    /// Forgets what was drafted: the batch is started again.
    pub fn discard_drafts(&mut self) {
        self.kinds.iter_mut().for_each(|kind| kind.drafts.clear());
    }

    /// Takes the drafted states out, each with its version: they are about to be committed.
    #[must_use]
    pub fn take_drafts(&mut self) -> Vec<(Slot, AnyState, u64)> {
        let drafts = self.kinds.iter_mut().flat_map(|kind| {
            let name = kind.name;
            kind.drafts.drain().map(move |(key, kept)| ((name, key), kept.state, kept.version))
        });
        drafts.collect()
    }

    /// Forgets everything loaded, so that memory is bounded; what is needed is read again.
    pub fn forget_loaded(&mut self) {
        self.kinds.iter_mut().for_each(|kind| kind.loaded = HashMap::new());
    }
}
