//! The service under test, `desk`. It reads two others, `left` and `right`, and does with each record what the record
//! says: notes it, asks the world, sets a timer, panics, never has enough.

use choreography::{
    After, Do, Done, Due, Effect, Input, Key, Origin, Refused, Service, State, States, Stored, Timer, Undo,
    cannot_happen,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::time::Duration;

/// What a record or a command asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Act {
    /// Say `Noted`.
    Note,
    /// Say nothing.
    Nothing,
    /// Say `Noted` with this many bytes of text.
    Long(usize),
    /// Say `Noted` under this key.
    NoteUnder(String),
    /// Say `Moved`, looking at both keys.
    Move(String),
    /// Ask for the effect `Cook`, without saying anything.
    Cook,
    /// The same, and say `Noted`.
    NoteAndCook,
    /// Say `Noted`, and ask for the effect `Clear`, of the same family.
    NoteAndClear,
    /// Set the timer, without saying anything.
    Wake(Duration),
    /// Ask for as many effects, under keys of their own.
    CookAll(u64),
    /// Ask for as many effects about the same key.
    CookInTurn(u64),
    /// Set as many timers, under keys of their own, a millisecond apart.
    WakeAll(u64),
    /// Panic.
    Panic,
    /// A pair of state and input that is in no table.
    CannotHappen,
    /// Look at a state that was not loaded yet, each time; after so many it has enough.
    Greedy(usize),
    /// Refuse; only a command can.
    Refuse,
}

/// A codec for the tests: JSON, version 1 only.
pub struct Json;

impl Json {
    pub fn encode<E: Serialize>(event: &E, _: &str, _: &str, _: u16) -> Result<Vec<u8>, String> {
        serde_json::to_vec(event).map_err(|e| e.to_string())
    }
    pub fn decode<E: DeserializeOwned>(_: &str, _: &str, version: u16, _: u16, datum: &[u8]) -> Result<E, String> {
        if version != 1 {
            return Err(format!("version {version} is unknown"));
        }
        serde_json::from_slice(datum).map_err(|e| e.to_string())
    }
}

macro_rules! source {
    ($module:ident, $name:literal) => {
        pub mod $module {
            use super::{Act, Deserialize, Json, Serialize};
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
            pub struct Told {
                pub key: String,
                pub n: u64,
                pub act: Act,
            }
            /// Read by nobody.
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
            pub struct Hummed {
                pub key: String,
            }
            choreography::topic!($name via Json { Told v 1 [key], Hummed v 1 [key] });
        }
    };
}
source!(left, "left");
source!(right, "right");

/// What the desk says.
pub mod desk {
    use super::{Deserialize, Json, Serialize};
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Noted {
        pub key: String,
        pub by: String,
        pub n: u64,
        pub text: String,
    }
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Moved {
        pub key: String,
        pub to: String,
        pub seen: u64,
    }
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Answered {
        pub key: String,
        pub effect: String,
        pub n: u64,
        pub outcome: String,
    }
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Rang {
        pub key: String,
    }
    choreography::topic!("desk" via Json { Noted v 1 [key], Moved v 1 [key], Answered v 1 [key], Rang v 1 [key] });
}
pub use desk::{Answered, Event, Moved, Noted, Rang};

macro_rules! stored {
    ($($kind:ident),+) => {
        $(impl Stored for $kind {
            fn encode(&self) -> Result<Vec<u8>, String> {
                serde_json::to_vec(self).map_err(|e| e.to_string())
            }
            fn decode(_: u16, bytes: &[u8]) -> Result<Self, String> {
                serde_json::from_slice(bytes).map_err(|e| e.to_string())
            }
        })+
    };
}
stored!(Page, Moves, Cook, Clear, Wake);

/// What was said under a key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Page {
    pub events: u64,
    /// The number of the last note.
    pub last: u64,
}

impl State for Page {
    type Topic = Event;
    const KIND: &'static str = "page";
    fn evolve(&mut self, _: &str, event: &Event) {
        self.events += 1;
        match event {
            Event::Noted(noted) => self.last = noted.n,
            Event::Moved(_) | Event::Answered(_) | Event::Rang(_) => {}
        }
    }
}

/// How often something was moved from or to a key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Moves {
    pub count: u64,
}

impl State for Moves {
    type Topic = Event;
    const KIND: &'static str = "moves";
    fn keys(event: &Event) -> Vec<Key> {
        match event {
            Event::Moved(moved) => vec![moved.key.clone(), moved.to.clone()],
            Event::Noted(_) | Event::Answered(_) | Event::Rang(_) => vec![],
        }
    }
    fn evolve(&mut self, _: &str, event: &Event) {
        match event {
            Event::Moved(_) => self.count += 1,
            Event::Noted(_) | Event::Answered(_) | Event::Rang(_) => {}
        }
    }
}

/// An effect that is useful for a minute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cook {
    pub key: String,
    pub n: u64,
}

impl Effect for Cook {
    const NAME: &'static str = "Cook";
    const FAMILY: &'static str = "stove";
    const USEFUL_FOR: Option<Duration> = Some(Duration::from_secs(60));
    const UNDO: Undo = Undo::By("Clear");
    type Done = String;
    type Refused = String;
    fn key(&self) -> Key {
        format!("{}/{}", self.key, self.n)
    }
    fn about(&self) -> Key {
        self.key.clone()
    }
    fn stale() -> Option<String> {
        Some("stale".into())
    }
}

/// Another effect of the same family.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clear {
    pub key: String,
    pub n: u64,
}

impl Effect for Clear {
    const NAME: &'static str = "Clear";
    const FAMILY: &'static str = "stove";
    const UNDO: Undo = Undo::IsUndo;
    type Done = String;
    type Refused = String;
    fn key(&self) -> Key {
        format!("{}/{}", self.key, self.n)
    }
    fn about(&self) -> Key {
        self.key.clone()
    }
}

/// A timer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wake {
    pub key: String,
}

impl Timer for Wake {
    const NAME: &'static str = "Wake";
    fn key(&self) -> Key {
        self.key.clone()
    }
}

/// A command that does what it says, once per number: its key and number are what makes it the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    pub key: String,
    pub n: u64,
    pub act: Act,
}

impl Input for Write {
    const ORIGIN: Origin = Origin::Command("Write");
    fn key(&self) -> Key {
        self.key.clone()
    }
}

/// A command that counts on from the last note of its key; a number left out is poison.
#[derive(Clone, Debug, PartialEq)]
pub struct Count {
    pub key: String,
    pub n: u64,
}

impl Input for Count {
    const ORIGIN: Origin = Origin::Command("Count");
    fn key(&self) -> Key {
        self.key.clone()
    }
}

pub fn service() -> Service<Event> {
    Service::default()
        .keeps::<Page>()
        .keeps::<Moves>()
        .on(left_told)
        .on(right_told)
        .on(write)
        .on(count)
        .on(cooked)
        .on(cleared)
        .on(rang)
        .recalls(cooking_of)
}

/// The text of a note that was said together with a wish to cook.
const AND_COOK: &str = "and cook";

fn cooking_of(noted: &Noted, _: &Page) -> Option<Do<Cook>> {
    (noted.text == AND_COOK).then(|| Do(Cook { key: noted.key.clone(), n: noted.n }))
}

type Said = (Option<Noted>, Option<Moved>, Asked);
type Asked = (Vec<Do<Cook>>, Option<Do<Clear>>, Vec<After<Wake>>);

fn left_told(told: &left::Told, now: &States) -> Said {
    act("left", &told.key, told.n, &told.act, now)
}

fn right_told(told: &right::Told, now: &States) -> Said {
    act("right", &told.key, told.n, &told.act, now)
}

fn write(ask: &Write, now: &States) -> Result<Option<Said>, Refused> {
    if now.of::<Page>(&ask.key).last >= ask.n {
        return Ok(None);
    }
    match ask.act {
        Act::Refuse => Err(Refused::new("closed", "The desk is closed.")),
        _ => Ok(Some(act("caller", &ask.key, ask.n, &ask.act, now))),
    }
}

fn count(ask: &Count, page: &Page) -> Option<Noted> {
    match ask.n {
        seen if seen <= page.last => None,
        next if next == page.last + 1 => Some(noted("caller", &ask.key, ask.n, "")),
        _ => cannot_happen(page, "Count"),
    }
}

fn cooked(done: &Done<Cook>, _: &Page) -> Option<Answered> {
    let silent = done.outcome.as_ref().is_ok_and(|what| what == "silent");
    (!silent).then(|| answered(Cook::NAME, &done.asked.key, done.asked.n, &done.outcome))
}

fn cleared(done: &Done<Clear>, _: &Page) -> Answered {
    answered(Clear::NAME, &done.asked.key, done.asked.n, &done.outcome)
}

fn rang(due: &Due<Wake>, _: &Page) -> Rang {
    assert!(!due.0.key.starts_with("poison"), "told to");
    Rang { key: due.0.key.clone() }
}

fn answered(effect: &str, key: &str, n: u64, outcome: &Result<String, String>) -> Answered {
    let outcome = match outcome {
        Ok(done) => done.clone(),
        Err(refused) => format!("refused: {refused}"),
    };
    assert_ne!(outcome, "poison", "told to");
    Answered { key: key.into(), effect: effect.into(), n, outcome }
}

fn noted(by: &str, key: &str, n: u64, text: &str) -> Noted {
    Noted { key: key.into(), by: by.into(), n, text: text.into() }
}

fn act(by: &str, key: &str, n: u64, act: &Act, now: &States) -> Said {
    let mut said = Said::default();
    match act {
        Act::Nothing | Act::Refuse => {}
        Act::Note => said.0 = Some(noted(by, key, n, "")),
        Act::Long(bytes) => said.0 = Some(noted(by, key, n, &"x".repeat(*bytes))),
        Act::NoteUnder(other) => said.0 = Some(noted(by, other, n, "")),
        Act::Move(to) => said.1 = Some(moved(key, to, now)),
        Act::Cook => said.2.0 = vec![Do(Cook { key: key.into(), n })],
        Act::NoteAndCook => {
            (said.0, said.2.0) = (Some(noted(by, key, n, AND_COOK)), vec![Do(Cook { key: key.into(), n })])
        }
        Act::NoteAndClear => (said.0, said.2.1) = (Some(noted(by, key, n, "")), Some(Do(Clear { key: key.into(), n }))),
        Act::CookAll(count) => {
            said.2.0 = (0..*count).map(|i| Do(Cook { key: format!("{key}-{n}-{i}"), n })).collect();
        }
        Act::CookInTurn(count) => said.2.0 = (1..=*count).map(|n| Do(Cook { key: key.into(), n })).collect(),
        Act::Wake(after) => said.2.2 = vec![After(*after, Wake { key: key.into() })],
        Act::WakeAll(count) => {
            let wake = |i| After(Duration::from_millis(i + 1), Wake { key: format!("{key}-{n}-{i}") });
            said.2.2 = (0..*count).map(wake).collect();
        }
        Act::Panic => panic!("told to"),
        Act::CannotHappen => cannot_happen(now.of::<Page>(key), "Told"),
        Act::Greedy(enough) => {
            let further = (0..*enough).map(|i| format!("{key}/{i}")).find(|key| !now.holds(Page::KIND, key));
            further.iter().for_each(|key| _ = now.of::<Page>(key));
            said.0 = Some(noted(by, key, n, "enough"));
        }
    }
    said
}

fn moved(key: &str, to: &str, now: &States) -> Moved {
    let seen = now.of::<Page>(key).events + now.of::<Page>(to).events;
    // Looked at because they will be folded.
    let moves = now.of::<Moves>(key).count + now.of::<Moves>(to).count;
    Moved { key: key.into(), to: to.into(), seen: seen + moves }
}
