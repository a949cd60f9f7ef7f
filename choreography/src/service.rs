//! A service: the states it keeps and the decisions it makes.

use crate::{
    Declared, Emits, Event, Input, Key, MapRow, Origin, Out, ServiceMap, State, States, Topic,
    recall::Recall,
    state::{AnyState, Stored},
};
use std::{any::Any, collections::HashMap, marker::PhantomData};

/// A decision, in one of three shapes: `fn(&Input) -> O`, `fn(&Input, &State) -> O` (the state under the input's own
/// key) and `fn(&Input, &States) -> O` (several keys).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a decision of the service that says `{T}`",
    note = "write fn(&Input) -> O, fn(&Input, &State) -> O or fn(&Input, &States) -> O, where O holds only this service's own events, Do<Effect>, After<Timer> and, for commands, Refused"
)]
pub trait Decision<T: Topic, Shape> {
    /// The decision with its types erased.
    fn reaction(self) -> Reaction<T>;
}

/// Shape of a decision that looks at its input alone.
pub struct Alone<I, O>(PhantomData<(I, O)>);
/// Shape of a decision that looks at the state under its input's key.
pub struct Own<I, S, O>(PhantomData<(I, S, O)>);
/// Shape of a decision that looks at several states.
pub struct Several<I, O>(PhantomData<(I, O)>);

type Look = Box<dyn Fn(&dyn Any, &States) + Send + Sync>;
type Run<T> = Box<dyn Fn(&dyn Any, &States) -> Out<T> + Send + Sync>;
/// Reads an input from bytes: its version or shape, and the bytes.
pub type Decode = fn(u16, &[u8]) -> Result<Box<dyn Any + Send>, String>;

/// Reads the family and the subject of a stored request, from its shape and the bytes.
pub type TurnOf = fn(u16, &[u8]) -> Option<(&'static str, Key)>;

/// One decision with its types erased, as the runtime calls it.
pub struct Reaction<T: Topic> {
    /// What it decides about.
    pub origin: Origin,
    /// What it may return.
    pub declared: Declared,
    /// Reads the input from bytes.
    pub decode: Decode,
    /// For the answer of an effect: family and subject of a stored request.
    pub turn: TurnOf,
    /// Asks for the states the input will need, before anything is loaded.
    pub(crate) look: Look,
    pub(crate) run: Run<T>,
}

fn reaction<T: Topic, I: Input, O: Emits<T>>(
    look: impl Fn(&I, &States) + Send + Sync + 'static,
    decide: impl Fn(&I, &States) -> O + Send + Sync + 'static,
) -> Reaction<T> {
    let mut declared = Declared::default();
    O::declare(&mut declared);
    Reaction {
        origin: I::ORIGIN,
        declared,
        decode: |version, bytes| I::decode(version, bytes).map(|input| Box::new(input) as Box<dyn Any + Send>),
        turn: I::turn,
        look: Box::new(move |input, states| {
            if let Some(input) = input.downcast_ref() {
                look(input, states);
            }
        }),
        run: Box::new(move |input, states| {
            let mut out = Out::default();
            match input.downcast_ref() {
                Some(input) => decide(input, states).emit(&mut out),
                None => panic!("an input was routed to the decision of another: {:?}", I::ORIGIN),
            }
            out
        }),
    }
}

impl<T, I, O, F> Decision<T, Alone<I, O>> for F
where
    T: Topic,
    I: Input,
    O: Emits<T>,
    F: Fn(&I) -> O + Send + Sync + 'static,
{
    fn reaction(self) -> Reaction<T> {
        reaction(|_: &I, _| {}, move |input: &I, _| self(input))
    }
}

impl<T, I, S, O, F> Decision<T, Own<I, S, O>> for F
where
    T: Topic,
    I: Input,
    S: State<Topic = T>,
    O: Emits<T>,
    F: Fn(&I, &S) -> O + Send + Sync + 'static,
{
    fn reaction(self) -> Reaction<T> {
        reaction(
            |input: &I, states| _ = states.of::<S>(&input.key()),
            move |input: &I, states| self(input, states.of::<S>(&input.key())),
        )
    }
}

impl<T, I, O, F> Decision<T, Several<I, O>> for F
where
    T: Topic,
    I: Input,
    O: Emits<T>,
    F: Fn(&I, &States) -> O + Copy + Send + Sync + 'static,
{
    fn reaction(self) -> Reaction<T> {
        reaction(move |input: &I, states| drop(self(input, states)), self)
    }
}

/// One kind of state with its type erased.
pub struct Kind<T: Topic> {
    /// Its name.
    pub name: &'static str,
    /// Its name in the state table: name and shape, so that two builds keep their rows side by side.
    pub stored_as: String,
    /// The state under a key that no event has touched.
    pub blank: fn() -> AnyState,
    /// Which keys of this kind an event changes.
    pub keys: fn(&T) -> Vec<Key>,
    /// The bytes to store.
    pub encode: fn(&dyn Any) -> Result<Vec<u8>, String>,
    /// Reads stored bytes.
    pub decode: fn(&[u8]) -> Result<AnyState, String>,
    pub(crate) copy: fn(&dyn Any) -> Option<AnyState>,
    pub(crate) evolve: fn(&mut dyn Any, &str, &T),
}

impl<T: Topic> Kind<T> {
    fn of<S: State<Topic = T>>() -> Kind<T> {
        Kind {
            name: S::KIND,
            stored_as: format!("{}.{}", S::KIND, S::SHAPE),
            blank: || Box::new(S::default()),
            keys: S::keys,
            encode: |any| any.downcast_ref::<S>().map_or_else(|| Err(format!("not a `{}`", S::KIND)), Stored::encode),
            decode: |bytes| <S as Stored>::decode(S::SHAPE, bytes).map(|s| Box::new(s) as AnyState),
            copy: |any| any.downcast_ref::<S>().map(|s| Box::new(s.clone()) as AnyState),
            evolve: |any, key, event| {
                if let Some(state) = any.downcast_mut::<S>() {
                    state.evolve(key, event);
                }
            },
        }
    }
    /// Folds one event into a state of this kind.
    pub fn evolve(&self, state: &mut AnyState, key: &str, event: &T) {
        (self.evolve)(&mut **state, key, event);
    }
}

/// Where a service begins in a topic it has never read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// At the earliest record there is: for services that decide an order's fate.
    #[default]
    Earliest,
    /// At what is said from now on: for services that would only annoy with the past, such as mail.
    Now,
}

/// A service is a list of pure functions.
pub struct Service<T: Topic> {
    pub(crate) reactions: Vec<Reaction<T>>,
    pub(crate) kinds: Vec<Kind<T>>,
    pub(crate) recalls: Vec<Recall>,
    routes: HashMap<Origin, usize>,
    events: HashMap<&'static str, HashMap<&'static str, usize>>,
    start: Start,
}

impl<T: Topic> Default for Service<T> {
    fn default() -> Self {
        Service {
            reactions: vec![],
            kinds: vec![],
            recalls: vec![],
            routes: HashMap::new(),
            events: HashMap::new(),
            start: Start::Earliest,
        }
    }
}

impl<T: Topic> Service<T> {
    /// Keeps states of kind `S`.
    #[must_use]
    pub fn keeps<S: State<Topic = T>>(mut self) -> Self {
        self.kinds.push(Kind::of::<S>());
        self
    }

    /// Decides about one kind of input. The function's types say which, and what may come of it.
    #[must_use]
    pub fn on<Shape>(mut self, decision: impl Decision<T, Shape>) -> Self {
        let reaction = decision.reaction();
        let index = self.reactions.len();
        self.routes.entry(reaction.origin).or_insert(index);
        if let Origin::Event { topic, name } = reaction.origin {
            self.events.entry(topic).or_default().entry(name).or_insert(index);
        }
        self.reactions.push(reaction);
        self
    }

    /// Tells what was asked for together with an event, where the decision itself cannot be made again: it was about a
    /// command, or about an effect's answer, which nobody keeps. `recall` gets the event, and the state under its key as
    /// it was before. Needed only when a lost store is rebuilt from the events.
    #[must_use]
    pub fn recalls<E, S, O>(mut self, recall: fn(&E, &S) -> O) -> Self
    where
        E: Event<Topic = T>,
        S: State<Topic = T>,
        O: Emits<T> + 'static,
    {
        self.recalls.push(Recall::of(recall));
        self
    }

    /// Begins, in topics it has never read, with what is said from now on.
    #[must_use]
    pub fn starts_now(mut self) -> Self {
        self.start = Start::Now;
        self
    }

    /// Where it begins in a topic it has never read.
    #[must_use]
    pub fn start(&self) -> Start {
        self.start
    }

    /// The service's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        T::NAME
    }

    /// The decision about inputs of this origin.
    #[must_use]
    pub fn reaction_to(&self, origin: Origin) -> Option<&Reaction<T>> {
        self.routes.get(&origin).map(|index| &self.reactions[*index])
    }

    /// The decision about an event, by names as they stand in a record.
    #[must_use]
    pub fn reaction_to_event(&self, topic: &str, event: &str) -> Option<&Reaction<T>> {
        self.events.get(topic).and_then(|events| events.get(event)).map(|index| &self.reactions[*index])
    }

    /// All decisions.
    #[must_use]
    pub fn reactions(&self) -> &[Reaction<T>] {
        &self.reactions
    }

    /// The topics it reads, sorted.
    #[must_use]
    pub fn sources(&self) -> Vec<&'static str> {
        let topics = self.reactions.iter().filter_map(|r| match r.origin {
            Origin::Event { topic, .. } => Some(topic),
            _ => None,
        });
        topics.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }

    /// The kinds of state it keeps.
    #[must_use]
    pub fn kinds(&self) -> &[Kind<T>] {
        &self.kinds
    }

    /// The kind of this name.
    #[must_use]
    pub fn kind(&self, name: &str) -> Option<&Kind<T>> {
        self.kinds.iter().find(|kind| kind.name == name)
    }

    /// No states yet, of the kinds it keeps.
    #[must_use]
    pub fn states(&self) -> States {
        States::of_kinds(self.kinds.iter().map(|k| (k.name, (k.blank)())))
    }

    /// Who reacts to what, says what and asks what, read from the types of the decisions.
    #[must_use]
    pub fn map(&self) -> ServiceMap {
        let rows = self.reactions.iter().map(|r| MapRow { origin: r.origin, declared: r.declared.clone() }).collect();
        ServiceMap { service: T::NAME, events: T::EVENTS, rows }
    }
}
