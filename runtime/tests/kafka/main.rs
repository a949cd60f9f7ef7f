//! The bus on Kafka, held to what is promised of it by real brokers and a real registry. Faults are played by proxies
//! in between, so that no broker has to be killed.
//!
//! Needs `KAFKA_BOOTSTRAP_SERVERS` and `SCHEMA_REGISTRY_URL`; without them each test says so and passes.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the engine's tests, which use more of it")]
mod support;

mod broker;
mod cluster;
mod conformance;
mod engine;
mod faults;
mod reader;
mod rebuilding;
mod registry;
mod relay;
#[path = "../postgres/server.rs"]
#[allow(dead_code, reason = "shared with the tests of the store, which use more of it")]
mod server;
mod topics;
mod wire;
