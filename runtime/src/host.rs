//! Runs engines: one thread each, and a watchdog over all of them.

use crate::{
    clock::Clock,
    engine::{Engine, Step},
    intake::Intake,
    pulse::Pulse,
};
use choreography::Topic;
use std::{sync::Arc, thread::JoinHandle, time::Duration};
use tokio::sync::mpsc;

/// A decision that takes longer than this is never going to end.
const STUCK_AFTER: Duration = Duration::from_secs(30);
/// How often the watchdog looks whether a decision is stuck.
const WATCH_EVERY: Duration = Duration::from_secs(5);

/// A running engine.
pub struct Running {
    service: &'static str,
    intake: Arc<Intake>,
    pulse: Arc<Pulse>,
    thread: JoinHandle<Result<(), String>>,
}

/// Starts an engine on a thread of its own. When the engine ends by itself, the reason goes to `ended`.
///
/// # Errors
/// When the thread cannot be started.
pub fn start<T: Topic>(mut engine: Engine<T>, ended: mpsc::UnboundedSender<String>) -> std::io::Result<Running> {
    let (intake, pulse) = (engine.intake().clone(), engine.pulse());
    let thread = std::thread::Builder::new().name(T::NAME.into()).spawn(move || {
        let result = run(&mut engine);
        if let Err(why) = &result {
            // Nobody listens only when the process is ending anyway.
            _ = ended.send(format!("{}: {why}", T::NAME));
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

/// What a service is deciding about, if that has taken too long: the process must end.
fn stuck(service: &str, pulse: &Pulse) -> Option<String> {
    let (name, key) = pulse.stuck_for(STUCK_AFTER)?;
    Some(format!("{service}: deciding about {name} {key} has taken more than {} s", STUCK_AFTER.as_secs()))
}

/// A decision that never ends cannot be interrupted, only reported: the process must end, and start again. Goes on until
/// nobody listens to `ended` any more.
pub async fn watch_over(watched: Vec<(&'static str, Arc<Pulse>)>, ended: mpsc::UnboundedSender<String>) {
    while !ended.is_closed() {
        tokio::time::sleep(WATCH_EVERY).await;
        for (service, pulse) in &watched {
            if let Some(stuck) = stuck(service, pulse) {
                // If nobody listens, the process is ending already.
                _ = ended.send(stuck);
            }
        }
    }
}

impl Running {
    /// What the watchdog looks at.
    #[must_use]
    pub fn watched(&self) -> (&'static str, Arc<Pulse>) {
        (self.service, self.pulse.clone())
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
