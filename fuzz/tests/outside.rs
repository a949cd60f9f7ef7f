//! Runs the targets: what is in their corpus, random bytes, and the corpus edited as random bytes say. Some seconds; as
//! much longer as `PROPTEST_CASES` is more than 256.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use fuzz::{edits, events, records, requests::Routes, sealed, texts};
use proptest::{collection, prelude::*, test_runner::TestRunner};
use std::cell::Cell;

/// More than all of this may ever need at once, in kilobytes.
const MEMORY: u64 = 512 * 1024;
/// How many inputs are tried for each of proptest's usual cases.
const ROUNDS: u32 = 8;

fn run(target: &str, take: impl Fn(&[u8]) -> bool) {
    choreography::quiet_panics();
    let corpus = edits::corpus(target).unwrap();
    assert!(corpus.iter().any(|input| take(input)), "nothing of the corpus is good");
    let taken = Cell::new(0u32);
    let usual = ProptestConfig::default();
    let config = ProptestConfig { cases: usual.cases * ROUNDS, failure_persistence: None, ..usual };
    let scripts = collection::vec(any::<u8>(), 0..64);
    let tried = TestRunner::new(config).run(&scripts, |script| {
        take(&script);
        taken.set(taken.get() + u32::from(take(&edits::edited(&corpus, &script))));
        Ok(())
    });
    tried.unwrap_or_else(|broken| panic!("{broken}"));
    assert!(taken.get() > 0, "nothing got past the first check");
    let needed = most_memory().unwrap_or_default();
    assert!(needed < MEMORY, "{needed} kilobytes were needed");
}

/// How much memory this process has used at most, in kilobytes, where the system tells.
fn most_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn datums_of_events_are_read_or_refused() {
    run("events", events::read);
}

#[test]
fn records_are_taken_or_foreign() {
    run("records", records::take);
}

#[test]
fn requests_are_answered_and_never_with_the_fault_of_the_service() {
    let routes = Routes::new().unwrap();
    run("requests", |bytes| routes.send(bytes));
}

#[test]
fn texts_are_read_or_refused() {
    run("texts", texts::read);
}

#[test]
fn what_nobody_sealed_does_not_open() {
    run("sealed", sealed::open);
}
