//! The whole shop in one process, as its customers and operators meet it.
//!
//! Helpers: [`program`] runs the program, [`shop`] keeps one open over kills and restarts, [`client`] speaks HTTP to
//! it, [`request`] writes orders, [`customers`] order all at once and insist, [`endings`] plays one order of each ending,
//! [`kept`] is all that a service keeps, [`audit`] goes over the books when all is over, [`wait`] waits for a condition, [`dice`] throws what a seed says.

#![allow(clippy::unwrap_used, reason = "clippy knows tests by their attribute, and helpers have none")]

mod against;
mod audit;
mod bad_input;
mod bounds;
mod client;
mod crash;
mod customers;
mod dice;
mod edge;
mod endings;
mod idempotency;
mod idle;
mod jaeger;
mod kept;
mod lists;
mod operations;
mod orders;
mod privacy;
mod program;
mod replay;
mod request;
mod restart;
mod shop;
mod start;
mod stock;
mod stop;
mod telemetry;
mod trace;
mod traces;
mod verified;
mod wait;
mod world;
