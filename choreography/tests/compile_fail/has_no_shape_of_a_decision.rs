//! A decision takes its input and what it may look at, and nothing else: no clock, no connection.

#[path = "../support/cinema.rs"]
mod cinema;

use choreography::Service;
use cinema::{Event, SeatRefused, Visit, door::VisitorCame};
use std::time::SystemTime;

fn refuse(came: &VisitorCame, _: &Visit, _: SystemTime) -> SeatRefused {
    SeatRefused { visitor: came.visitor.clone(), seat: came.seat.clone() }
}

fn main() {
    let _ = Service::<Event>::default().on(refuse);
}
