//! Every state says what each event means to it, so a new event does not compile until all of them do.

#[path = "../support/cinema.rs"]
mod cinema;

use choreography::State;
use cinema::{Event, plain, stored};

#[derive(Clone, Debug, Default, PartialEq)]
struct Turnout {
    last: String,
}
plain!(Turnout { last });
stored!(Turnout);

impl State for Turnout {
    type Topic = Event;
    const KIND: &'static str = "turnout";
    fn evolve(&mut self, visitor: &str, event: &Event) {
        match event {
            Event::SeatTaken(_) => self.last = visitor.to_owned(),
            Event::SeatRefused(_) => {}
        }
    }
}

fn main() {}
