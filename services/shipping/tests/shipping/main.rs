//! What shipping must do: its table pair by pair, its decisions in full, its adapter against a carrier.

#![allow(clippy::unwrap_used, reason = "where a test cannot go on, it has failed")]

mod carrier;
mod decisions;
mod http;
mod protocol;
mod samples;
