//! Asking for keys: what was not read a moment ago waits in a queue, and whoever serves it answers many at once.

use super::{KeyError, cache::Cache};
use shared_events::CustomerKey;
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};

/// Keys answered at once, at most.
pub(super) const BATCH: usize = 256;
/// Keys that may wait.
const WAITING: usize = 4 * BATCH;

/// One who waits for a key.
pub(super) struct Ask {
    pub customer: String,
    /// Whether it is to be made when there is none.
    pub make: bool,
    answer: oneshot::Sender<Result<CustomerKey, KeyError>>,
}

impl Ask {
    /// Answers it.
    pub fn answer(self, key: Result<CustomerKey, KeyError>) {
        // Whoever asked may have gone away meanwhile; the key is there all the same.
        _ = self.answer.send(key);
    }
}

/// The end of the queue where keys are asked for.
pub(super) struct Asks {
    queue: mpsc::Sender<Ask>,
    cache: Cache,
}

impl Asks {
    /// A queue, and the end at which it is served. It is over when nobody can ask any more.
    pub fn queue() -> (Asks, mpsc::Receiver<Ask>) {
        let (queue, asked) = mpsc::channel(WAITING);
        (Asks { queue, cache: Cache::default() }, asked)
    }

    /// The customer's key. When too many wait, the keyring counts as away.
    pub async fn key(&self, customer: &str, make: bool) -> Result<CustomerKey, KeyError> {
        if let Some(key) = self.cache.get(customer) {
            return Ok(key);
        }
        let asked = Instant::now();
        let (answer, answered) = oneshot::channel();
        let ask = Ask { customer: customer.to_owned(), make, answer };
        self.queue.try_send(ask).map_err(|e| KeyError::Away(e.to_string()))?;
        let key = answered.await.map_err(|e| KeyError::Away(e.to_string()))??;
        self.cache.put(customer, &key, asked);
        Ok(key)
    }
}
