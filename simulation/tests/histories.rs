//! The simulation itself: histories repeat, differ between seeds, hold, and are made smaller when they break.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use simulation::{
    plan::{Narrowed, Plan},
    stage::{Care, Outcome, play},
};

fn history(seed: u64, care: Care) -> Outcome {
    play(Plan::of(seed, &Narrowed::default()), care).expect("a history")
}

#[test]
fn the_same_seed_gives_the_same_history() {
    for seed in 0..20 {
        let first = history(seed, Care::default());
        // On another thread, and with every line kept: neither may show.
        let again = std::thread::spawn(move || history(seed, Care { keep_lines: true, every_commit: false }));
        let again = again.join().expect("a thread");
        assert_eq!((first.hash, first.events, first.took), (again.hash, again.events, again.took), "seed {seed}");
        assert_eq!(first.counters, again.counters, "seed {seed}");
    }
}

#[test]
fn different_seeds_give_different_histories() {
    let hashes: std::collections::BTreeSet<u64> = (0..20).map(|seed| history(seed, Care::default()).hash).collect();
    assert_eq!(hashes.len(), 20);
}

#[test]
fn every_invariant_holds_at_every_commit() {
    for seed in 100..110 {
        let outcome = history(seed, Care { keep_lines: false, every_commit: true });
        assert_eq!(outcome.broken, None, "seed {seed}");
        assert!(outcome.orders > 0);
    }
}

#[test]
fn what_is_switched_off_stays_off() {
    let all = Plan::of(3, &Narrowed::default());
    let off = Narrowed { without: all.faults.clone(), orders: Some([all.orders[0].number].into()) };
    let narrowed = Plan::of(3, &off);
    assert!(narrowed.faults.is_empty());
    assert_eq!(narrowed.orders.len(), 1);
    assert_eq!((narrowed.deadline, narrowed.embedded), (all.deadline, all.embedded));
}
