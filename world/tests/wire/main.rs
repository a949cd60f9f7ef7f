//! The outside world over the wire: each port's suite on the simulator in the same process and on client and server,
//! the carrier's webhook into a running service, and the program `world` itself.

#![allow(clippy::unwrap_used, reason = "where a test cannot go on, it has failed")]

mod carrier;
mod gateway;
mod mailbox;
mod post;
mod program;
mod served;
mod shop;
mod webhook;
