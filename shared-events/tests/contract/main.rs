//! Holds the Rust types, the schema files and the bytes to one another, and yesterday's to today's.

#![allow(clippy::unwrap_used, reason = "also outside `#[test]` functions, a test may fail by it")]

mod evolution;
mod golden;
mod hostile;
mod kept;
mod learning;
mod money;
mod samples;
mod schemas;
mod seal;
mod shape;
mod yesterday;
