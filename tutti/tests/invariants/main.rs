//! The invariants against the real services: a shop with every ending breaks none, and every invariant is broken by a
//! planted mistake that it reports and no other does.

#![allow(clippy::expect_used, reason = "where a test cannot go on, it has failed")]

mod directory;
mod frozen;
mod harmless;
mod planted;
mod scene;
mod world;
