//! Waits for a condition, with a deadline.

use std::{future::Future, time::Duration};
use tokio::time::Instant;

/// How long anything may take; far more than it does, because the machine may be busy with something else.
pub const PATIENCE: Duration = Duration::from_secs(90);
/// How long to wait between two looks.
pub const LOOK_EVERY: Duration = Duration::from_millis(25);

/// Looks until there is something to see.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
