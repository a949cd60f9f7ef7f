//! Only `door` may say its events.

#[path = "../support/cinema.rs"]
mod cinema;

use choreography::Service;
use cinema::{
    Event,
    door::{VisitorCame, VisitorLeft},
};

fn send_away(came: &VisitorCame) -> VisitorLeft {
    VisitorLeft { visitor: came.visitor.clone(), seat: came.seat.clone() }
}

fn main() {
    let _ = Service::<Event>::default().on(send_away);
}
