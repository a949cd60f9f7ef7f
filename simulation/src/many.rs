//! Plays the histories of many seeds, on all cores: one history is one thread's, and takes nothing from another.

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use simulation::{
    counters::{Counters, Situation},
    plan::{DAY, Narrowed, Plan},
    stage::{Care, Outcome, play},
};
use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// With so many seeds every situation must come true at least once.
const ALL_SEEN_WITHIN: u64 = 10_000;

/// What came of many seeds.
#[derive(Default)]
pub struct Found {
    /// Seeds played.
    pub seeds: u64,
    /// What was seen, over all of them.
    pub counters: Counters,
    /// Those that broke something, the smallest seed first.
    pub broken: Vec<Outcome>,
    orders: u64,
    events: u64,
    days: f64,
    took: Duration,
}

/// When no further seed is begun.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ends {
    /// After so long.
    pub after: Option<Duration>,
    /// After so many seeds that break something.
    pub broken: Option<usize>,
}

/// Plays all seeds, or as many as `ends` allows.
///
/// # Errors
/// When one cannot be played at all.
pub fn play_all(
    seeds: Range<u64>,
    narrowed: &Narrowed,
    care: Care,
    ends: Ends,
    threads: Option<usize>,
    show: bool,
) -> Result<Found, String> {
    let bar = if show { ProgressBar::new(seeds.end - seeds.start) } else { ProgressBar::hidden() };
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} seeds, {per_sec}, {eta} {msg}");
    bar.set_style(style.map_err(|e| e.to_string())?);
    let (next, begun, found) = (AtomicU64::new(seeds.start), Instant::now(), Mutex::new(Ok(Found::default())));
    let threads = threads.or_else(|| std::thread::available_parallelism().ok().map(usize::from)).unwrap_or(1);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while ends.after.is_none_or(|after| begun.elapsed() < after) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    let played = play(Plan::of(seed, narrowed), care).map_err(|why| format!("seed {seed}: {why}"));
                    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                    match (&mut *found, played) {
                        (Ok(found), Ok(outcome)) => {
                            found.add(outcome);
                            if ends.broken.is_some_and(|broken| found.broken.len() >= broken) {
                                break;
                            }
                        }
                        (found @ Ok(_), Err(why)) => *found = Err(why),
                        (Err(_), _) => break,
                    }
                    bar.inc(1);
                }
            });
        }
    });
    bar.finish_and_clear();
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner)?;
    Ok(Found { took: begun.elapsed(), ..found })
}

impl Found {
    fn add(&mut self, outcome: Outcome) {
        self.seeds += 1;
        self.orders += outcome.orders;
        self.events += outcome.events;
        self.days += outcome.took as f64 / DAY as f64;
        self.counters.add(&outcome.counters);
        if outcome.broken.is_some() {
            let place = self.broken.partition_point(|before| before.seed < outcome.seed);
            self.broken.insert(place, outcome);
        }
    }

    /// Whether everything that the simulation claims to cover came true, as far as there were seeds enough to expect it.
    ///
    /// # Errors
    /// Says what never did.
    pub fn all_seen(&self) -> Result<(), String> {
        let never: Vec<_> = self.counters.never().into_iter().map(Situation::says).collect();
        if never.is_empty() || self.seeds < ALL_SEEN_WITHIN {
            return Ok(());
        }
        Err(format!("never seen in {} seeds: {}", self.seeds, never.join("; ")))
    }

    /// One line that sums up.
    #[must_use]
    pub fn summary(&self) -> String {
        let Found { seeds, orders, events, days, took, .. } = self;
        let mut by_invariant: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for outcome in &self.broken {
            let name = outcome.broken.as_ref().map_or("", |broken| &*broken.invariant);
            by_invariant.entry(name.to_owned()).or_default().push(outcome.seed);
        }
        let list = |(name, seeds): (&String, &Vec<u64>)| {
            let first: Vec<_> = seeds.iter().take(8).map(ToString::to_string).collect();
            format!("\n  {name}: {} seeds, as {}", seeds.len(), first.join(", "))
        };
        let broken: String = by_invariant.iter().map(list).collect();
        let verdict = if broken.is_empty() { "all invariants hold".to_owned() } else { format!("violations:{broken}") };
        format!(
            "{seeds} seeds, {orders} orders, {events} events, {days:.0} simulated days in {:.0} s: {verdict}",
            took.as_secs_f64()
        )
    }

    /// The same for a program.
    #[must_use]
    pub fn json(&self) -> Value {
        let broken = self.broken.iter().filter_map(|outcome| {
            let broken = outcome.broken.as_ref()?;
            Some(json!({ "seed": outcome.seed, "invariant": broken.invariant, "sentence": broken.sentence }))
        });
        let situations: serde_json::Map<String, Value> =
            Situation::ALL.iter().map(|it| (format!("{it:?}"), self.counters.of(*it).into())).collect();
        json!({
            "seeds": self.seeds,
            "orders": self.orders,
            "events": self.events,
            "simulated_days": self.days,
            "seconds": self.took.as_secs_f64(),
            "violations": broken.collect::<Vec<_>>(),
            "situations": situations,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_but(lacking: Option<Situation>, seeds: u64) -> Found {
        let mut found = Found { seeds, ..Found::default() };
        let seen = Situation::ALL.iter().filter(|situation| Some(**situation) != lacking);
        seen.for_each(|situation| found.counters.saw(*situation));
        found
    }

    #[test]
    fn a_long_run_in_which_a_situation_never_came_true_fails_and_names_it() {
        let why = all_but(Some(Situation::Paused), ALL_SEEN_WITHIN).all_seen().expect_err("one is lacking");
        assert!(why.contains(Situation::Paused.says()), "{why}");
        assert!(!why.contains(Situation::Stale.says()), "{why}");
    }

    #[test]
    fn a_long_run_in_which_all_came_true_passes() {
        assert_eq!(all_but(None, ALL_SEEN_WITHIN).all_seen(), Ok(()));
    }

    #[test]
    fn a_short_run_need_not_see_everything() {
        assert_eq!(all_but(Some(Situation::Paused), ALL_SEEN_WITHIN - 1).all_seen(), Ok(()));
    }
}
