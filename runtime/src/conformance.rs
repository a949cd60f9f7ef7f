//! What every store, every bus and every keyring is held to: one suite for each port, run on every implementation of it.
//!
//! A check that fails panics, as in any test; its name stands in the output before it.

mod buses;
mod keyrings;
mod stores;

pub use buses::{Connect, Failed, Wire, bus};
pub use keyrings::{Forget, Keys, keyring};
pub use stores::{Open, store};
