//! The conformance suites, run on every store and bus of this crate, and what is promised of one of them only.

mod buses;
mod sqlite;
mod stores;
