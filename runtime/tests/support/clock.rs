//! A clock that stands until a test turns it.

use runtime::{Clock, Micros};
use std::sync::{Arc, Mutex};

pub const SECOND: Micros = 1_000_000;
/// When every test begins.
pub const START: Micros = 1_750_000_000 * SECOND;

#[derive(Clone)]
pub struct TestClock(Arc<Mutex<Micros>>);

impl Default for TestClock {
    fn default() -> TestClock {
        TestClock(Arc::new(Mutex::new(START)))
    }
}

impl TestClock {
    pub fn turn(&self, by: Micros) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for TestClock {
    fn now(&self) -> Micros {
        *self.0.lock().unwrap()
    }
}
