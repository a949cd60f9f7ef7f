//! The wire contract in Rust: every event of the shop, what they are made of, and how they become bytes and back.
//!
//! `schemas/` is the authority; the structs here are tied to it by tests. One module per topic, in each of them the
//! event structs and the `Event` enum of everything that service may say.

pub mod catalog;
pub mod codec;
mod compatibility;
pub mod email;
pub mod inventory;
mod learned;
pub mod order;
mod parsed;
pub mod payment;
mod sealed;
pub mod shipping;
pub mod stored;
mod types;
mod words;

pub use sealed::{CustomerKey, SealError, Sealed};
pub use types::{CustomerId, Fingerprint, Line, Money, OrderId, Personal, Shortage, Sku};
pub use words::{CancelReason, CancelledBy, DeclineReason, NoLabelReason, NotSentReason, Participant, Template};
