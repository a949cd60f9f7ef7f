//! What order must do: its table pair by pair, its decisions in full, its lists.

#![allow(clippy::unwrap_used, reason = "where a test cannot go on, it has failed")]

mod decisions;
mod lists;
mod protocol;
mod samples;
mod undo;
