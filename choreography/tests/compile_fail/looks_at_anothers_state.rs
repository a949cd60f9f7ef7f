//! A state belongs to the service whose events it folds; nobody else can look at it.

#[path = "../support/cinema.rs"]
mod cinema;

use choreography::Service;
use cinema::{
    Visit,
    door::{Event, VisitorCame, VisitorLeft},
};

fn expel(came: &VisitorCame, _: &Visit) -> VisitorLeft {
    VisitorLeft { visitor: came.visitor.clone(), seat: came.seat.clone() }
}

fn main() {
    let _ = Service::<Event>::default().on(expel);
}
