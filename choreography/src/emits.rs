//! What a decision may return. The return type *is* the declaration: the map is read from it, and the compiler holds
//! the service to it.

use crate::{After, Do, Effect, Event, Key, Refused, Timer, Topic, Undo};
use std::{collections::BTreeSet, time::Duration};

/// Something a decision of the service with topic `T` may return.
#[diagnostic::on_unimplemented(
    message = "a decision of the service that says `{T}` cannot return `{Self}`",
    label = "not something this service may say or ask for",
    note = "return an event of this service's own topic, Do<Effect>, After<Timer>, Refused (commands only), (), or an Option, Result, Vec or tuple of these; for more than two outcomes write an enum and `one_of!`"
)]
pub trait Emits<T: Topic> {
    /// Adds everything a value of this type could hold.
    fn declare(declared: &mut Declared);
    /// Adds what this value holds, in the order in which it is said.
    fn emit(self, out: &mut Out<T>);
}

/// What a decision could return, read from its type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    /// Names of the events it may say.
    pub events: BTreeSet<&'static str>,
    /// Names of the effects it may ask for.
    pub effects: BTreeSet<&'static str>,
    /// For each of these effects, how it is taken back.
    pub undo: Vec<(&'static str, Undo)>,
    /// Names of the timers it may set.
    pub timers: BTreeSet<&'static str>,
    /// Whether it may refuse.
    pub refuses: bool,
}

/// What one decision returned.
#[derive(Debug)]
pub struct Out<T> {
    /// The events it says, in order.
    pub events: Vec<T>,
    /// The effects and timers it asks for.
    pub work: Vec<Work>,
    /// Why it refuses the command.
    pub refused: Option<Refused>,
    /// Set when something returned could not be written as bytes.
    pub unwritable: Option<String>,
}

impl<T> Default for Out<T> {
    fn default() -> Self {
        Out { events: vec![], work: vec![], refused: None, unwritable: None }
    }
}

/// One row of the work table: an effect to perform, or a timer to fire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// The effect's or timer's name.
    pub name: &'static str,
    /// Its key.
    pub key: Key,
    /// How long to wait before; nothing for an effect.
    pub after: Duration,
    /// The shape of `body`.
    pub shape: u16,
    /// The effect or timer as it is stored.
    pub body: Vec<u8>,
}

impl<T: Topic> Emits<T> for () {
    fn declare(_: &mut Declared) {}
    fn emit(self, _: &mut Out<T>) {}
}

impl<E: Event> Emits<E::Topic> for E {
    fn declare(declared: &mut Declared) {
        declared.events.insert(E::NAME);
    }
    fn emit(self, out: &mut Out<E::Topic>) {
        out.events.push(self.into());
    }
}

impl<T: Topic, X: Effect> Emits<T> for Do<X> {
    fn declare(declared: &mut Declared) {
        if declared.effects.insert(X::NAME) {
            declared.undo.push((X::NAME, X::UNDO));
        }
    }
    fn emit(self, out: &mut Out<T>) {
        match self.0.encode() {
            Ok(body) => {
                out.work.push(Work { name: X::NAME, key: self.0.key(), after: Duration::ZERO, shape: X::SHAPE, body })
            }
            Err(why) => out.unwritable = Some(why),
        }
    }
}

impl<T: Topic, W: Timer> Emits<T> for After<W> {
    fn declare(declared: &mut Declared) {
        declared.timers.insert(W::NAME);
    }
    fn emit(self, out: &mut Out<T>) {
        match self.1.encode() {
            Ok(body) => out.work.push(Work { name: W::NAME, key: self.1.key(), after: self.0, shape: W::SHAPE, body }),
            Err(why) => out.unwritable = Some(why),
        }
    }
}

impl<T: Topic> Emits<T> for Refused {
    fn declare(declared: &mut Declared) {
        declared.refuses = true;
    }
    fn emit(self, out: &mut Out<T>) {
        out.refused = Some(self);
    }
}

impl<T: Topic, A: Emits<T>> Emits<T> for Option<A> {
    fn declare(declared: &mut Declared) {
        A::declare(declared);
    }
    fn emit(self, out: &mut Out<T>) {
        if let Some(a) = self {
            a.emit(out);
        }
    }
}

impl<T: Topic, A: Emits<T>> Emits<T> for Vec<A> {
    fn declare(declared: &mut Declared) {
        A::declare(declared);
    }
    fn emit(self, out: &mut Out<T>) {
        self.into_iter().for_each(|a| a.emit(out));
    }
}

impl<T: Topic, A: Emits<T>, B: Emits<T>> Emits<T> for Result<A, B> {
    fn declare(declared: &mut Declared) {
        A::declare(declared);
        B::declare(declared);
    }
    fn emit(self, out: &mut Out<T>) {
        match self {
            Ok(a) => a.emit(out),
            Err(b) => b.emit(out),
        }
    }
}

macro_rules! tuple_emits {
    ($($part:ident $index:tt),+) => {
        impl<T: Topic, $($part: Emits<T>),+> Emits<T> for ($($part,)+) {
            fn declare(declared: &mut Declared) {
                $($part::declare(declared);)+
            }
            fn emit(self, out: &mut Out<T>) {
                $(self.$index.emit(out);)+
            }
        }
    };
}
tuple_emits!(A 0, B 1);
tuple_emits!(A 0, B 1, C 2);
tuple_emits!(A 0, B 1, C 2, D 3);

/// For a decision with more than two outcomes: an enum whose variants each hold something a decision may return.
/// `one_of!(Charged: Event { Kept(PaymentCompleted), Failed(PaymentFailed) });`
#[macro_export]
macro_rules! one_of {
    ($name:ident: $topic:ty { $($variant:ident($what:ty)),+ $(,)? }) => {
        impl $crate::Emits<$topic> for $name {
            fn declare(declared: &mut $crate::Declared) {
                $(<$what as $crate::Emits<$topic>>::declare(declared);)+
            }
            fn emit(self, out: &mut $crate::Out<$topic>) {
                match self { $($name::$variant(what) => $crate::Emits::emit(what, out)),+ }
            }
        }
    };
}
