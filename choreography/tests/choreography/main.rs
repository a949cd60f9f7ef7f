//! The pure crate, held against a cinema of one service: see `../support/cinema.rs`.

mod check;
mod check_all;
#[path = "../support/cinema.rs"]
mod cinema;
mod declared;
mod given;
mod order_of_saying;
mod poison;
mod states;
