//! The store on PostgreSQL: the suite that every store passes, and what is promised of this one only. Needs
//! `DATABASE_URL`, whose user may create databases and roles; without it nothing is tested, and said so. Every test makes
//! databases of its own, and drops them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conformance;
mod provision;
mod readers;
mod reigns;
mod server;
mod start;
