//! The conformance suites, run on every store and bus of this crate, and what is promised of one of them only.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod buses;
mod keyrings;
mod sqlite;
mod stores;
