//! Keys that were read a moment ago.

use shared_events::CustomerKey;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long a key may be used after it was asked for: so long after a customer was forgotten, data may still be opened.
const CACHED_FOR: Duration = Duration::from_secs(60);
/// Keys cached at most; beyond it the cache is emptied, since keys are cheap to read again.
const CACHED: usize = 10_000;

#[derive(Default)]
pub(super) struct Cache(Mutex<HashMap<String, (CustomerKey, Instant)>>);

impl Cache {
    fn keys(&self) -> MutexGuard<'_, HashMap<String, (CustomerKey, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn get(&self, customer: &str) -> Option<CustomerKey> {
        let keys = self.keys();
        keys.get(customer).filter(|(_, asked)| asked.elapsed() < CACHED_FOR).map(|(key, _)| key.clone())
    }

    /// Keeps a key that was asked for at `asked`: what took long to come is no fresher for it.
    pub fn put(&self, customer: &str, key: &CustomerKey, asked: Instant) {
        let mut keys = self.keys();
        if keys.len() >= CACHED {
            keys.clear();
        }
        keys.insert(customer.to_owned(), (key.clone(), asked));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> CustomerKey {
        CustomerKey::from_bytes([7; 32])
    }

    #[test]
    fn a_key_is_used_for_a_minute_after_it_was_asked_for_and_no_longer() {
        let cache = Cache::default();
        let now = Instant::now();
        cache.put("fresh", &key(), now);
        if let Some(long_ago) = now.checked_sub(CACHED_FOR) {
            cache.put("old", &key(), long_ago);
        }
        assert!(cache.get("fresh").is_some() && cache.get("old").is_none() && cache.get("nobody").is_none());
    }

    #[test]
    fn it_never_holds_more_than_so_many() {
        let cache = Cache::default();
        for n in 0..=CACHED {
            cache.put(&n.to_string(), &key(), Instant::now());
        }
        assert_eq!(cache.keys().len(), 1);
    }
}
