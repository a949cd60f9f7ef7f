//! Properties against small reference models. Those of cursors and of parking are in `runtime/tests/engine`, beside the
//! engine's other tests.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod fate;
mod orders;
mod payment;
mod stock;
