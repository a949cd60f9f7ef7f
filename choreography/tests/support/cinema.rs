//! A service small enough to be read at a glance: `seats` gives the seats of a cinema to visitors. Visitors come and
//! leave on a topic of another service, `door`.

use choreography::{
    After, Do, Done, Due, Effect, Input, Key, Origin, Refused, Service, State, States, Timer, Undo, cannot_happen,
};
use std::time::Duration;

/// What the other service says.
pub mod door {
    /// A visitor wants a seat.
    #[derive(Clone, Debug, PartialEq)]
    pub struct VisitorCame {
        pub visitor: String,
        pub seat: String,
    }

    /// A visitor goes, seated or not.
    #[derive(Clone, Debug, PartialEq)]
    pub struct VisitorLeft {
        pub visitor: String,
        pub seat: String,
    }

    crate::cinema::plain!(VisitorCame { visitor, seat }, VisitorLeft { visitor, seat });
    choreography::topic!("door" via crate::cinema::Plain { VisitorCame v 1 [visitor], VisitorLeft v 1 [visitor] });
}

/// The visitor has the seat.
#[derive(Clone, Debug, PartialEq)]
pub struct SeatTaken {
    pub visitor: String,
    pub seat: String,
}

/// The seat was not free.
#[derive(Clone, Debug, PartialEq)]
pub struct SeatRefused {
    pub visitor: String,
    pub seat: String,
}

/// The visitor has given the seat back.
#[derive(Clone, Debug, PartialEq)]
pub struct SeatFreed {
    pub visitor: String,
    pub seat: String,
}

choreography::topic!("seats" via crate::cinema::Plain {
    SeatTaken v 1 [visitor],
    SeatRefused v 1 [visitor],
    SeatFreed v 1 [visitor],
});

/// What one visitor has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Visit {
    pub seat: String,
}

impl State for Visit {
    type Topic = Event;
    const KIND: &'static str = "visit";
    fn evolve(&mut self, _visitor: &str, event: &Event) {
        match event {
            Event::SeatTaken(taken) => self.seat.clone_from(&taken.seat),
            Event::SeatFreed(_) => self.seat.clear(),
            Event::SeatRefused(_) => {}
        }
    }
}

/// Who sits there. Changed by events that are published under the visitor.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seat {
    pub visitor: String,
}

impl State for Seat {
    type Topic = Event;
    const KIND: &'static str = "seat";
    fn keys(event: &Event) -> Vec<Key> {
        match event {
            Event::SeatTaken(SeatTaken { seat, .. }) | Event::SeatFreed(SeatFreed { seat, .. }) => vec![seat.clone()],
            Event::SeatRefused(_) => vec![],
        }
    }
    fn evolve(&mut self, _seat: &str, event: &Event) {
        match event {
            Event::SeatTaken(taken) if self.visitor.is_empty() => self.visitor.clone_from(&taken.visitor),
            Event::SeatTaken(_) => cannot_happen(self, "SeatTaken"),
            Event::SeatFreed(_) => self.visitor.clear(),
            Event::SeatRefused(_) => {}
        }
    }
}

/// Ask the usher to unfold the seat.
#[derive(Clone, Debug, PartialEq)]
pub struct Unfold {
    pub seat: String,
}

impl Effect for Unfold {
    const NAME: &'static str = "unfold";
    const UNDO: Undo = Undo::By(Fold::NAME);
    type Done = ();
    type Refused = ();
    fn key(&self) -> Key {
        self.seat.clone()
    }
}

/// Ask the usher to fold the seat again.
#[derive(Clone, Debug, PartialEq)]
pub struct Fold {
    pub seat: String,
}

impl Effect for Fold {
    const NAME: &'static str = "fold";
    const UNDO: Undo = Undo::IsUndo;
    type Done = ();
    type Refused = ();
    fn key(&self) -> Key {
        self.seat.clone()
    }
}

/// When the film is over.
#[derive(Clone, Debug, PartialEq)]
pub struct Curtain {
    pub visitor: String,
}

impl Timer for Curtain {
    const NAME: &'static str = "curtain";
    fn key(&self) -> Key {
        self.visitor.clone()
    }
}

/// A visitor asks at the counter for another seat.
#[derive(Clone, Debug, PartialEq)]
pub struct Move {
    pub visitor: String,
    pub to: String,
}

impl Input for Move {
    const ORIGIN: Origin = Origin::Command("Move");
    fn key(&self) -> Key {
        self.visitor.clone()
    }
}

plain!(SeatTaken { visitor, seat }, SeatRefused { visitor, seat }, SeatFreed { visitor, seat });
plain!(Visit { seat }, Seat { visitor }, Unfold { seat }, Fold { seat }, Curtain { visitor });
stored!(Visit, Seat, Unfold, Fold, Curtain);

/// How long a film is.
pub const FILM: Duration = Duration::from_secs(5400);

/// The whole service.
pub fn service() -> Service<Event> {
    Service::default()
        .keeps::<Visit>()
        .keeps::<Seat>()
        .on(come) // VisitorCame -> SeatTaken, Do<Unfold>, After<Curtain> | SeatRefused
        .on(leave) // VisitorLeft -> SeatFreed, Do<Fold>
        .on(change) // Move -> SeatFreed, SeatTaken | refused
        .on(unfolded) // Done<Unfold> -> nothing
        .on(folded) // Done<Fold> -> nothing
        .on(end) // Due<Curtain> -> SeatFreed
}

/// Looks at a seat, which is not the input's own key.
pub fn come(came: &door::VisitorCame, now: &States) -> Result<(SeatTaken, Do<Unfold>, After<Curtain>), SeatRefused> {
    let door::VisitorCame { visitor, seat } = came.clone();
    if !now.of::<Seat>(&seat).visitor.is_empty() {
        return Err(SeatRefused { visitor, seat });
    }
    let film = After(FILM, Curtain { visitor: visitor.clone() });
    Ok((SeatTaken { visitor, seat: seat.clone() }, Do(Unfold { seat }), film))
}

/// Looks at the input's own key.
pub fn leave(left: &door::VisitorLeft, visit: &Visit) -> Option<(SeatFreed, Do<Fold>)> {
    let (visitor, seat) = (left.visitor.clone(), visit.seat.clone());
    (!seat.is_empty()).then(|| (SeatFreed { visitor, seat: seat.clone() }, Do(Fold { seat })))
}

/// A command: it may be refused.
pub fn change(ask: &Move, now: &States) -> Result<(SeatFreed, SeatTaken), Refused> {
    let Move { visitor, to } = ask.clone();
    let seat = now.of::<Visit>(&visitor).seat.clone();
    match now.of::<Seat>(&to).visitor.is_empty() {
        true => Ok((SeatFreed { visitor: visitor.clone(), seat }, SeatTaken { visitor, seat: to })),
        false => Err(Refused::new("seat_taken", format!("Somebody sits on {to}."))),
    }
}

/// An answer that changes nothing.
pub fn unfolded(_: &Done<Unfold>) {}

/// The same.
pub fn folded(_: &Done<Fold>) {}

/// A timer; by then the visitor may have left.
pub fn end(due: &Due<Curtain>, visit: &Visit) -> Option<SeatFreed> {
    let (visitor, seat) = (due.0.visitor.clone(), visit.seat.clone());
    (!seat.is_empty()).then_some(SeatFreed { visitor, seat })
}

/// A codec so trivial that it is surely not what a test is about: the fields, one a line.
pub struct Plain;

/// What is made of text fields.
pub trait Fields: Sized {
    fn fields(&self) -> Vec<String>;
    fn of(fields: Vec<String>) -> Option<Self>;
}

impl Plain {
    pub fn encode<E: Fields>(event: &E, _: &str, _: &str, _: u16) -> Result<Vec<u8>, String> {
        to_bytes(event)
    }
    pub fn decode<E: Fields>(_: &str, name: &str, _: u16, _: u16, datum: &[u8]) -> Result<E, String> {
        from_bytes(datum).map_err(|why| format!("{name}: {why}"))
    }
}

pub fn to_bytes(value: &impl Fields) -> Result<Vec<u8>, String> {
    let fields = value.fields();
    if fields.iter().any(|field| field.contains('\n')) {
        return Err("a field of several lines".into());
    }
    Ok(fields.join("\n").into_bytes())
}

pub fn from_bytes<E: Fields>(bytes: &[u8]) -> Result<E, String> {
    let text = str::from_utf8(bytes).map_err(|_| "no text")?;
    E::of(text.split('\n').map(str::to_owned).collect()).ok_or_else(|| "another number of fields".into())
}

macro_rules! plain {
    ($($name:ident { $($field:ident),+ }),+) => { $(
        impl $crate::cinema::Fields for $name {
            fn fields(&self) -> Vec<String> {
                vec![$(self.$field.clone()),+]
            }
            fn of(fields: Vec<String>) -> Option<Self> {
                let mut fields = fields.into_iter();
                let read = $name { $($field: fields.next()?),+ };
                fields.next().is_none().then_some(read)
            }
        }
    )+ };
}
pub(crate) use plain;

macro_rules! stored {
    ($($name:ident),+) => { $(
        impl choreography::Stored for $name {
            fn encode(&self) -> Result<Vec<u8>, String> {
                $crate::cinema::to_bytes(self)
            }
            fn decode(_: u16, bytes: &[u8]) -> Result<Self, String> {
                $crate::cinema::from_bytes(bytes)
            }
        }
    )+ };
}
pub(crate) use stored;
