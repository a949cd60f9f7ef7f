//! What payment must do: its table pair by pair, its decisions in full, its adapter against a gateway.

#![allow(clippy::unwrap_used, reason = "where a test cannot go on, it has failed")]

mod decisions;
mod gateway;
mod http;
mod protocol;
mod samples;
