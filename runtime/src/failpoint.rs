//! Places at which a test ends the process, as a power cut would: no destructor runs, nothing is flushed. They exist in
//! debug builds only; a release build has none of this.
//!
//! `TUTTI_KILL_AT=door.committed.record:3` ends the process when it is for the third time where a batch with a record
//! was committed and nothing else has happened yet.

use crate::incoming::{Body, From, Incoming};

/// Every place there is, in the order in which a service's life comes by.
pub const FAILPOINTS: &[&str] = &[
    "migration.applied",
    "migration.committed",
    "lead.locked",
    "lead.taken",
    "lanes.begun",
    "lanes.fetched",
    "door.decided.command",
    "door.committed.command",
    "door.decided.record",
    "door.committed.record",
    "door.decided.foreign",
    "door.committed.foreign",
    "door.decided.answer",
    "door.committed.answer",
    "door.decided.timer",
    "door.committed.timer",
    "door.decided.parked",
    "door.committed.parked",
    "callers.answered",
    "relay.offered",
    "relay.sent",
    "relay.delivered",
    "relay.noted",
    "work.handed",
    "work.asked",
    "work.called",
];

/// The process ends here if it was told to.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub(crate) fn reached(_place: &'static str) {}

/// The process ends here if it was told to.
#[cfg(debug_assertions)]
pub(crate) fn reached(place: &'static str) {
    chosen::reached(place);
}

/// The same for each kind of input that a batch holds.
#[inline]
pub(crate) fn reached_with(step: Step, batch: &[Incoming]) {
    if cfg!(debug_assertions) {
        batch.iter().for_each(|input| reached(place_of(step, input)));
    }
}

/// A step of the door.
#[derive(Clone, Copy)]
pub(crate) enum Step {
    /// Decided, and nothing is written.
    Decided,
    /// Written, and nobody knows.
    Committed,
}

fn place_of(step: Step, input: &Incoming) -> &'static str {
    let [decided, committed] = match (&input.from, &input.body) {
        (From::Caller, _) => ["door.decided.command", "door.committed.command"],
        (From::Record(_), _) => ["door.decided.record", "door.committed.record"],
        (From::Foreign(_), _) => ["door.decided.foreign", "door.committed.foreign"],
        (From::Parked(_), _) => ["door.decided.parked", "door.committed.parked"],
        (From::Work { .. }, Body::Input(choreography::Origin::Timer(_), _)) => {
            ["door.decided.timer", "door.committed.timer"]
        }
        (From::Work { .. }, _) => ["door.decided.answer", "door.committed.answer"],
    };
    match step {
        Step::Decided => decided,
        Step::Committed => committed,
    }
}

#[cfg(debug_assertions)]
mod chosen {
    use std::sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    };

    /// The place that this process was told to end at, and how many times it still may come by.
    static CHOSEN: LazyLock<Option<(String, AtomicU64)>> = LazyLock::new(|| {
        let chosen = std::env::var("TUTTI_KILL_AT").ok()?;
        let (place, times) = chosen.rsplit_once(':').unwrap_or((&chosen, "1"));
        let Some(times) = times.parse().ok().filter(|_| super::FAILPOINTS.contains(&place)) else {
            tracing::error!(TUTTI_KILL_AT = chosen, "names no failpoint: write for example door.committed.record:3");
            return None;
        };
        Some((place.to_owned(), AtomicU64::new(times)))
    });

    pub fn reached(place: &'static str) {
        if let Some((chosen, times)) = &*CHOSEN
            && chosen == place
            && times.fetch_sub(1, Ordering::Relaxed) == 1
        {
            eprintln!("the process ends at {place}, as TUTTI_KILL_AT says");
            std::process::abort();
        }
    }
}
