//! Every effect says how it is taken back, or why it need not be.

#[path = "../support/cinema.rs"]
mod cinema;

use choreography::{Effect, Key};
use cinema::{plain, stored};

#[derive(Clone, Debug, PartialEq)]
struct Sweep {
    hall: String,
}
plain!(Sweep { hall });
stored!(Sweep);

impl Effect for Sweep {
    const NAME: &'static str = "sweep";
    type Done = ();
    type Refused = ();
    fn key(&self) -> Key {
        self.hall.clone()
    }
}

fn main() {}
