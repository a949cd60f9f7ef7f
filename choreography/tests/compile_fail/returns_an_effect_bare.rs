//! An effect is asked for with `Do`; a value alone would never be performed.

#[path = "../support/cinema.rs"]
mod cinema;

use choreography::Service;
use cinema::{Event, Unfold, door::VisitorCame};

fn unfold(came: &VisitorCame) -> Option<Unfold> {
    Some(Unfold { seat: came.seat.clone() })
}

fn main() {
    let _ = Service::<Event>::default().on(unfold);
}
