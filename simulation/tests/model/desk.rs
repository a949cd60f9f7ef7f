//! A shipped service at work in the model: what the door does with one input, on states that stand in a map. Decisions
//! are pure, so each is made once for one memory and one input, and looked up from then on.

use crate::{
    fixed::Fixed,
    heard::{Heard, type_name},
    tables::Row,
};
use choreography::{Decided, Origin, Service, Topic};
use std::{
    any::Any,
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    sync::{Arc, Mutex},
};

/// The kind of state that says where an order stands in each service.
const KINDS: [&str; 4] = ["order", "reservation", "payment", "shipment"];

/// Everything that a service remembers.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Memory {
    /// By kind and key, as it would be stored.
    pub rows: BTreeMap<(&'static str, String), Vec<u8>>,
    /// Where each order stands, as the tables call it.
    stands: BTreeMap<String, String>,
}

impl Memory {
    /// Where an order stands, as the tables call it.
    pub fn of(&self, order_id: &str) -> &str {
        self.stands.get(order_id).map_or("Unknown", |name| name)
    }

    fn keep(&mut self, (kind, key): (&'static str, String), body: Vec<u8>) {
        if KINDS.contains(&kind) {
            // The variant's name is the first text in the state's JSON.
            let json = String::from_utf8_lossy(&body);
            let name = json.split('"').nth(1).unwrap_or("?");
            let asked = if json.contains(r#""asked":true"#) { "(asked)" } else { "" };
            self.stands.insert(key.clone(), format!("{name}{asked}"));
        }
        self.rows.insert((kind, key), body);
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.stands.iter().map(|(id, name)| (short(id), name))).finish()
    }
}

/// An event in a service's log.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Said {
    pub name: &'static str,
    pub key: String,
    pub version: u16,
    pub body: Vec<u8>,
}

/// An effect or timer that is asked for.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Asked {
    pub service: usize,
    pub name: &'static str,
    pub key: String,
    /// One of a family is performed at a time, in the order in which they were asked for. A timer is a family of its own.
    pub family: &'static str,
    pub is_timer: bool,
    pub shape: u16,
    pub body: Vec<u8>,
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.name, short(&self.key))
    }
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.name, short(&self.key))
    }
}

/// The orders of the model differ in their last digit.
pub fn short(order_id: &str) -> &str {
    &order_id[order_id.len().saturating_sub(1)..]
}

/// What one input led to.
pub struct Reaction {
    pub memory: Fixed<Memory>,
    pub said: Vec<Fixed<Said>>,
    pub asked: Vec<Fixed<Asked>>,
    /// Why it was refused; for commands.
    pub refused: Option<&'static str>,
    /// The pair of state and input is in no table.
    pub poison: Option<String>,
    /// The row of the tables that this was.
    pub row: Row,
}

/// A service, whatever its type.
pub trait Decides: Send + Sync {
    /// Whether it reads this event.
    fn reads(&self, source: &str, event: &str) -> bool;
    /// Decides about an input.
    fn decide(&self, memory: &Fixed<Memory>, heard: &Heard) -> Arc<Reaction>;
    /// The rows of the tables that were met so far.
    fn rows(&self) -> BTreeSet<Row>;
}

/// A service with what it has decided so far.
pub struct Desk<T: Topic> {
    service: Service<T>,
    /// Its place among the services.
    index: usize,
    decided: Mutex<HashMap<(u64, Heard), Arc<Reaction>>>,
}

impl<T: Topic> Desk<T> {
    pub fn new(index: usize, service: Service<T>) -> Box<Desk<T>> {
        Box::new(Desk { service, index, decided: Mutex::default() })
    }

    fn decide_anew(&self, memory: &Fixed<Memory>, heard: &Heard) -> Reaction {
        let (origin, input) = heard.to(&self.service);
        let reaction = self.service.reaction_to(origin).expect("a decision");
        let mut states = self.service.states();
        self.service.look(reaction, &*input, &states);
        let decided = loop {
            for (kind, key) in states.take_missing() {
                let kept = self.service.kind(kind).expect("a kind");
                let stored = memory.rows.get(&(kind, key.clone()));
                let state = stored.map_or_else(kept.blank, |body| (kept.decode)(body).expect("a state"));
                states.load(kind, key, state, 0);
            }
            let decided = self.service.decide(reaction, &*input, &states);
            let missing = states.take_missing();
            if missing.is_empty() {
                break decided;
            }
            missing.iter().for_each(|(kind, key)| states.lacks(kind, key));
        };
        self.reaction(memory, heard, decided)
    }

    fn reaction(&self, memory: &Fixed<Memory>, heard: &Heard, decided: Result<Decided<T>, String>) -> Reaction {
        let mut after = Memory::clone(memory);
        let mut reaction = Reaction::nothing(memory, Row::of(T::NAME, memory.of(heard.key()), heard));
        match decided {
            Err(why) => reaction.poison = Some(why),
            Ok(decided) => {
                for (slot, (state, _)) in decided.folded {
                    let body = (self.service.kind(slot.0).expect("a kind").encode)(&*state).expect("bytes");
                    after.keep(slot, body);
                }
                reaction.said = decided.out.events.iter().map(said).collect();
                reaction.asked = decided.out.work.into_iter().map(|work| self.asked(work)).collect();
                reaction.refused = decided.out.refused.map(|refused| refused.reason);
            }
        }
        reaction.complete_row(after.of(heard.key()), heard.key());
        if after != **memory {
            reaction.memory = after.into();
        }
        reaction
    }

    fn asked(&self, work: choreography::Work) -> Fixed<Asked> {
        let is_timer = self.service.reaction_to(Origin::Effect(work.name)).is_none();
        let origin = if is_timer { Origin::Timer(work.name) } else { Origin::Effect(work.name) };
        let turn = self.service.reaction_to(origin).expect("somebody takes the answer").turn;
        let family = turn(work.shape, &work.body).map_or(work.name, |(family, _)| family);
        let choreography::Work { name, key, shape, body, .. } = work;
        Asked { service: self.index, name, key, family, is_timer, shape, body }.into()
    }
}

fn said(event: &impl Topic) -> Fixed<Said> {
    let (key, body) = (event.key().to_owned(), event.encode().expect("a datum"));
    Said { name: event.name(), key, version: event.version(), body }.into()
}

impl Reaction {
    fn nothing(memory: &Fixed<Memory>, row: Row) -> Reaction {
        Reaction { memory: memory.clone(), said: vec![], asked: vec![], refused: None, poison: None, row }
    }

    /// Writes down what was said about the order, what is asked, and where that leads.
    fn complete_row(&mut self, next: &str, key: &str) {
        let said = self.said.iter().filter(|said| said.key == key).map(|said| said.name.to_owned());
        let asked = self.asked.iter().map(|asked| {
            let name = type_name(asked.name);
            if asked.is_timer { format!("After<{name}>") } else { format!("Do<{name}>") }
        });
        let refused = self.refused.map(|reason| format!("refused {reason}"));
        self.row.says = said.chain(asked).chain(refused).chain(self.poison.clone()).collect();
        self.row.next = next.to_owned();
    }
}

impl<T: Topic> Decides for Desk<T> {
    fn rows(&self) -> BTreeSet<Row> {
        self.decided.lock().expect("no decision panics past its catcher").values().map(|it| it.row.clone()).collect()
    }

    fn reads(&self, source: &str, event: &str) -> bool {
        self.service.reaction_to_event(source, event).is_some()
    }

    fn decide(&self, memory: &Fixed<Memory>, heard: &Heard) -> Arc<Reaction> {
        let mut decided = self.decided.lock().expect("no decision panics past its catcher");
        let known = (memory.hash_value(), heard.clone());
        decided.entry(known).or_insert_with(|| Arc::new(self.decide_anew(memory, heard))).clone()
    }
}

/// An input with its type erased.
pub type AnyInput = (Origin, Box<dyn Any + Send>);
