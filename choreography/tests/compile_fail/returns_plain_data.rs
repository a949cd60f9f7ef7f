//! What is no event, effect, timer or refusal is nobody's business.

#[path = "../support/cinema.rs"]
mod cinema;

use choreography::Service;
use cinema::{Event, door::VisitorCame};

fn count(_: &VisitorCame) -> Result<(), String> {
    Err("the house is full".into())
}

fn main() {
    let _ = Service::<Event>::default().on(count);
}
