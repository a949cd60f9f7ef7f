//! The simulated keyring: a key per customer that follows from the customer's name.

use super::Wakes;
use crate::{counters::Situation, fault::Fault, sim::Sim};
use runtime::{KeyError, Keyring, keyring::KeyAnswer};
use shared_events::CustomerKey;
use std::sync::Arc;

/// The keyring of a history.
pub struct SimKeyring(pub Arc<Sim>);

/// A customer's key.
#[must_use]
pub fn key_of(customer: &str) -> CustomerKey {
    let mut bytes = [7; 32];
    bytes.iter_mut().zip(customer.bytes()).for_each(|(byte, letter)| *byte ^= letter);
    CustomerKey::from_bytes(bytes)
}

impl SimKeyring {
    fn key(&self, customer: &str) -> Result<CustomerKey, KeyError> {
        let _wakes = Wakes(self.0.clone());
        if self.0.lasts(Fault::KeyringAway, 0) {
            self.0.saw(Situation::KeyringAway);
            return Err(KeyError::Away("switched off".into()));
        }
        if self.0.is_forgotten(customer) { Err(KeyError::Forgotten) } else { Ok(key_of(customer)) }
    }
}

impl Keyring for SimKeyring {
    fn make_or_get<'a>(&'a self, customer: &'a str) -> KeyAnswer<'a> {
        Box::pin(async move { self.key(customer) })
    }
    fn get<'a>(&'a self, customer: &'a str) -> KeyAnswer<'a> {
        Box::pin(async move { self.key(customer) })
    }
}
