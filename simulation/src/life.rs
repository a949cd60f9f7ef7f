//! The life of one simulated process: once it is over, nothing that it still does has any effect.

use std::sync::atomic::{AtomicBool, Ordering};

/// One process of a service, from start to crash. Its store, its bus and its calls to the outside world all look here
/// first.
#[derive(Debug)]
pub struct Life {
    /// Which service's.
    pub service: usize,
    /// Counts the processes of a history.
    pub number: u32,
    alive: AtomicBool,
    stands_by: AtomicBool,
}

impl Life {
    /// It begins.
    #[must_use]
    pub fn new(service: usize, number: u32) -> Life {
        Life { service, number, alive: AtomicBool::new(true), stands_by: AtomicBool::new(false) }
    }

    /// Whether it goes on.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.alive.load(Ordering::Relaxed)
    }

    /// It ends here and now.
    pub fn end(&self) {
        self.alive.store(false, Ordering::Relaxed);
    }

    /// Another process leads. Whether that is new.
    pub fn stand_by(&self) -> bool {
        !self.stands_by.swap(true, Ordering::Relaxed)
    }

    /// It leads from here on. Whether it had stood by until now.
    pub fn end_standby(&self) -> bool {
        self.stands_by.swap(false, Ordering::Relaxed)
    }
}
