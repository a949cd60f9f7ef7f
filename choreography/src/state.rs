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

/// The states a decision may look at. Asking for one that is not loaded notes its key and answers the blank one; it is
/// then loaded, and the decision is made again. Decisions are pure, so deciding twice is deciding once.
#[derive(Default)]
pub struct States {
    loaded: HashMap<&'static str, HashMap<Key, AnyState>>,
    drafts: HashMap<&'static str, HashMap<Key, AnyState>>,
    blank: HashMap<&'static str, AnyState>,
    missing: RefCell<BTreeSet<Slot>>,
}

impl States {
    /// No states, of these kinds.
    pub(crate) fn of_kinds(blank: HashMap<&'static str, AnyState>) -> States {
        States { blank, ..States::default() }
    }

    /// The state of kind `S` under `key`, as it is after everything decided before.
    #[must_use]
    pub fn of<S: State>(&self, key: &str) -> &S {
        let any = match self.get(S::KIND, key) {
            Some(state) => state,
            None => self.note_missing(S::KIND, key),
        };
        match any.downcast_ref() {
            Some(state) => state,
            None => panic!("two states call themselves `{}`", S::KIND),
        }
    }

    fn note_missing(&self, kind: &'static str, key: &str) -> &(dyn Any + Send) {
        // Only what can be loaded is noted, or the decision would be made again for ever.
        let Some(blank) = self.blank.get(kind) else {
            panic!("state `{kind}` is not kept: add `.keeps::<…>()` to the service");
        };
        self.missing.borrow_mut().insert((kind, key.to_owned()));
        &**blank
    }

    /// A state that is drafted or loaded.
    pub(crate) fn get(&self, kind: &'static str, key: &str) -> Option<&(dyn Any + Send)> {
        let held = |layer: &'_ HashMap<&'static str, HashMap<Key, AnyState>>| {
            layer.get(kind).is_some_and(|states| states.contains_key(key))
        };
        let layer = if held(&self.drafts) { &self.drafts } else { &self.loaded };
        layer.get(kind).and_then(|states| states.get(key)).map(|state| &**state)
    }

    /// Whether the state is at hand.
    #[must_use]
    pub fn holds(&self, kind: &'static str, key: &str) -> bool {
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

    /// Puts a state there as the store has it.
    pub fn load(&mut self, kind: &'static str, key: Key, state: AnyState) {
        self.loaded.entry(kind).or_default().insert(key, state);
    }

    /// Puts a state there that is decided, but not yet committed.
    pub fn draft(&mut self, (kind, key): Slot, state: AnyState) {
        self.drafts.entry(kind).or_default().insert(key, state);
    }

    /// Forgets what was drafted: the batch is started again.
    pub fn discard_drafts(&mut self) {
        self.drafts.clear();
    }

    /// Takes the drafted states out: they are about to be committed.
    #[must_use]
    pub fn take_drafts(&mut self) -> Vec<(Slot, AnyState)> {
        let drafts = std::mem::take(&mut self.drafts);
        drafts.into_iter().flat_map(|(kind, states)| states.into_iter().map(move |(key, s)| ((kind, key), s))).collect()
    }

    /// Forgets everything loaded, so that memory is bounded; what is needed is read again.
    pub fn forget_loaded(&mut self) {
        self.loaded.clear();
    }
}
