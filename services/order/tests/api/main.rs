//! The HTTP API of the order service, on the real engine over a store in memory. The other services are played: what
//! they say is put into their logs.

#![allow(clippy::unwrap_used, reason = "where a test cannot go on, it has failed")]

mod cancel;
mod document;
mod figures;
mod list;
mod place;
mod shop;
mod show;
mod traces;
