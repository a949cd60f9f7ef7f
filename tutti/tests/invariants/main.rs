//! The invariants against the real services: a shop with every ending breaks none, and every invariant is broken by a
//! planted mistake that it reports and no other does.

mod directory;
mod frozen;
mod harmless;
mod planted;
mod scene;
mod world;
