//! Runs engines: one thread each, and a watchdog over all of them.

use crate::{
    clock::Clock,
    engine::{Engine, Step},
    intake::Intake,
    pulse::Pulse,
};
use choreography::Topic;
use std::{
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::Duration,
};

/// A decision that takes longer than this is never going to end.
const STUCK_AFTER: Duration = Duration::from_secs(30);

/// A running engine.
pub struct Running {
    service: &'static str,
    intake: Arc<Intake>,
    pulse: Arc<Pulse>,
    thread: JoinHandle<Result<(), String>>,
}

/// Starts an engine on a thread of its own. When the engine ends by itself, its name and the reason go to `ended`.
///
/// # Errors
/// When the thread cannot be started.
pub fn start<T: Topic>(mut engine: Engine<T>, ended: mpsc::Sender<(&'static str, String)>) -> std::io::Result<Running> {
    let (intake, pulse) = (engine.intake().clone(), engine.pulse());
    let thread = std::thread::Builder::new().name(T::NAME.into()).spawn(move || {
        let result = run(&mut engine);
        if let Err(why) = &result {
            // Nobody listens only when the process is ending anyway.
            _ = ended.send((T::NAME, why.clone()));
        }
        result
    })?;
    Ok(Running { service: T::NAME, intake, pulse, thread })
}

fn run<T: Topic>(engine: &mut Engine<T>) -> Result<(), String> {
    let (clock, bell): (Arc<dyn Clock>, _) = (engine.clock().clone(), engine.intake().bell().clone());
    loop {
        match engine.step() {
            Step::Worked => {}
            Step::Idle(until) => {
                let micros = until.map(|until| u64::try_from(until - clock.now()).unwrap_or_default());
                bell.wait(micros.map(Duration::from_micros));
            }
            Step::Stopped => return Ok(()),
            Step::Ended(why) => return Err(why),
        }
    }
}

impl Running {
    /// What it is deciding about, if that has taken too long: the process must end.
    #[must_use]
    pub fn stuck(&self) -> Option<String> {
        let (name, key) = self.pulse.stuck_for(STUCK_AFTER)?;
        Some(format!("{}: deciding about {name} {key} has taken more than {} s", self.service, STUCK_AFTER.as_secs()))
    }

    /// Takes no more commands, finishes what waits, and ends the thread.
    ///
    /// # Errors
    /// Why the engine had ended before, or that it panicked.
    pub fn stop(self) -> Result<(), String> {
        self.intake.stop();
        self.thread.join().unwrap_or_else(|_| Err(format!("{} panicked", self.service)))
    }
}
