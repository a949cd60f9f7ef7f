//! The keyring: one key per customer, so that forgetting a customer is deleting a key. In one process it is a file
//! ([`FileKeyring`]), otherwise a database that several services share ([`PostgresKeyring`]).

mod asks;
mod cache;
mod file;
mod postgres;

pub use file::FileKeyring;
pub use postgres::PostgresKeyring;

use shared_events::CustomerKey;
use std::{future::Future, pin::Pin};

/// Why there is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The customer was forgotten: a definite answer, for good.
    #[error("the customer was forgotten")]
    Forgotten,
    /// No key was ever made. It may yet come, so this is transient.
    #[error("the keyring has no key of this customer")]
    Unknown,
    /// The keyring cannot be reached.
    #[error("the keyring is away: {0}")]
    Away(String),
}

/// A key, later.
pub type KeyAnswer<'a> = Pin<Box<dyn Future<Output = Result<CustomerKey, KeyError>> + Send + 'a>>;

/// The port to the keys of customers.
pub trait Keyring: Send + Sync {
    /// The customer's key; made, durably, when there is none yet.
    fn make_or_get<'a>(&'a self, customer: &'a str) -> KeyAnswer<'a>;
    /// The customer's key.
    fn get<'a>(&'a self, customer: &'a str) -> KeyAnswer<'a>;
}
