//! What a service author uses, and all of it: [`Topic`], [`Event`], [`State`], [`Input`], decisions and what they
//! [`Emits`], [`Do`]/[`Done`], [`After`]/[`Due`], [`Refused`].
//!
//! A service is a list of pure functions. A decision gets an input and the states it needs, and returns which events
//! follow and what is asked of the world. It has no I/O, clock, randomness or ids, because none is passed in. So this
//! crate has no dependencies either: no async runtime, no SQL, no broker.
//!
//! The argument type of a decision is the subscription and its return type is the declaration. The map of who reacts
//! to what is read from these types ([`Service::map`]) and therefore cannot lie.

mod check;
mod decide;
mod effect;
mod emits;
mod event;
mod input;
mod map;
mod recall;
mod service;
mod state;
pub mod testing;

pub use check::{CheckError, Participant, Saga, check_all};
pub use decide::{Decided, cannot_happen, quiet_panics};
pub use effect::{After, Attempted, Do, Done, Due, Effect, Refused, Timer, Undo};
pub use emits::{Declared, Emits, Out, Work};
pub use event::{Event, Key, Topic};
pub use input::{Input, Origin};
pub use map::{MapRow, ServiceMap};
pub use service::{Decision, Decode, Kind, Reaction, Service, Start, TurnOf};
pub use state::{AnyState, Slot, State, States, Stored};
