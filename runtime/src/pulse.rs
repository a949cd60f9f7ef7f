//! The watchdog's view of a door: what is being decided, and since when.

use crate::incoming::Incoming;
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

#[derive(Debug, Default)]
struct Deciding {
    since: Option<Instant>,
    name: String,
    key: String,
}

/// What one door is deciding about just now.
#[derive(Debug, Default)]
pub struct Pulse(Mutex<Deciding>);

/// A decision under way; it is over when this is dropped.
pub struct Watched<'p>(&'p Pulse);

impl Pulse {
    pub(crate) fn begin(&self, input: &Incoming) -> Watched<'_> {
        let mut deciding = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The strings are reused, so that watching costs no allocation per input.
        deciding.since = Some(Instant::now());
        deciding.name.clear();
        deciding.name.push_str(input.name());
        deciding.key.clear();
        deciding.key.push_str(&input.key);
        Watched(self)
    }

    /// Name and key of an input that has been under way for longer than this.
    #[must_use]
    pub fn stuck_for(&self, limit: Duration) -> Option<(String, String)> {
        let deciding = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stuck = deciding.since.is_some_and(|since| since.elapsed() > limit);
        stuck.then(|| (deciding.name.clone(), deciding.key.clone()))
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).since = None;
    }
}
