//! Properties against small reference models, and bytes from outside that nobody has ever seen.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod bytes;
mod stock;
