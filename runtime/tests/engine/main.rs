//! The engine held to the rules of the runtime, step by step: given what was said, when this comes, then that.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod adapters;
mod administration;
mod agenda;
mod bounds;
mod callers;
mod commands;
mod content;
mod cursor_property;
mod figures;
mod folding;
mod forwarding;
mod lost_commits;
mod parking;
mod parking_property;
mod published;
mod records;
mod recovering;
mod republishing;
mod rounds;
mod skipping;
mod standby;
mod takeover;
mod timers;
mod traces;
mod turns;
mod watching;
mod work;
