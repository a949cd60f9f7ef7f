//! The store on PostgreSQL: the suite that every store passes, and what is promised of this one only. Needs
//! `DATABASE_URL`, whose user may create databases and roles; without it nothing is tested, and said so. Every test makes
//! databases of its own, and drops them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "made for the engine's tests; here it is only the service that runs")]
mod support;

mod check;
mod conformance;
mod keyring;
mod naive;
mod process;
mod provision;
mod readers;
mod reigns;
mod server;
mod start;
mod takeover;
mod torture;
