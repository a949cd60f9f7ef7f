//! The pure crate, held against a cinema of one service: see `../support/cinema.rs`.

#![allow(clippy::unwrap_used, reason = "also outside `#[test]` functions, a test may fail by it")]

mod check;
mod check_all;
#[path = "../support/cinema.rs"]
mod cinema;
mod declared;
mod given;
mod order_of_saying;
mod poison;
mod states;
