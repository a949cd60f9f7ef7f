//! Waiting for a change under a key.

use super::{Health, Shared};
use choreography::Key;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

/// How often one who watches a process that stands by looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Those who wait, by key. Nothing once nobody may wait any longer.
pub(super) struct Watchers(Mutex<Option<HashMap<Key, watch::Sender<()>>>>);

impl Default for Watchers {
    fn default() -> Watchers {
        Watchers(Mutex::new(Some(HashMap::new())))
    }
}

impl Watchers {
    fn watched(&self) -> MutexGuard<'_, Option<HashMap<Key, watch::Sender<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes those who watch these keys.
    pub fn wake<'k>(&self, touched: impl Iterator<Item = &'k Key>) {
        let watched = self.watched();
        let Some(watched) = watched.as_ref().filter(|watched| !watched.is_empty()) else { return };
        for key in touched {
            if let Some(watchers) = watched.get(key) {
                watchers.send_replace(());
            }
        }
    }

    /// Nobody waits any longer, from now on.
    pub fn end(&self) {
        *self.watched() = None;
    }

    fn join(&self, key: &str) -> watch::Receiver<()> {
        match self.watched().as_mut() {
            Some(watched) => watched.entry(key.to_owned()).or_insert_with(|| watch::channel(()).0).subscribe(),
            None => watch::channel(()).1,
        }
    }

    /// The last one who watches a key takes its entry away.
    fn leave(&self, key: &str) {
        let mut watched = self.watched();
        let Some(watched) = watched.as_mut() else { return };
        if watched.get(key).is_some_and(|watchers| watchers.receiver_count() <= 1) {
            watched.remove(key);
        }
    }
}

/// Told when something under a key has changed.
pub struct Watch {
    shared: Arc<Shared>,
    key: Key,
    changes: watch::Receiver<()>,
    health: watch::Receiver<Health>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.watchers.leave(&self.key);
    }
}

impl Watch {
    pub(super) fn begin(shared: Arc<Shared>, key: &str) -> Watch {
        let (health, changes) = (shared.health.subscribe(), shared.watchers.join(key));
        Watch { shared, key: key.to_owned(), changes, health }
    }

    /// Waits for the next change, at most for a while or until watching ends; returns whether there may have been one. A
    /// process that stands by is told of no change, so there it is time to look again every now and then.
    pub async fn changed(&mut self, at_most: Duration) -> bool {
        let stands_by = matches!(*self.health.borrow_and_update(), Health::Standby(_));
        let at_most_now = if stands_by { at_most.min(LOOK_AGAIN) } else { at_most };
        tokio::select! {
            biased;
            changed = self.changes.changed() => changed.is_ok(),
            // Who leads from now on was told of nothing before.
            _ = self.health.changed() => true,
            () = tokio::time::sleep(at_most_now) => at_most_now < at_most,
        }
    }
}
