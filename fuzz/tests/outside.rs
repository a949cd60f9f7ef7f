//! Runs the targets: what is in their corpus, random bytes, and the corpus edited as random bytes say. Some seconds; as
//! much longer as `PROPTEST_CASES` is more than 256.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use cap::Cap;
use fuzz::{edits, events, records, requests::Routes, sealed, texts};
use proptest::{collection, prelude::*, test_runner::TestRunner};
use std::alloc::System;

/// More than all of this may ever need at once; whoever asks for more is stopped.
const MEMORY: usize = 512 * 1024 * 1024;
/// How many inputs are tried for each of proptest's usual cases.
const ROUNDS: u32 = 20;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, MEMORY);

fn run(target: &str, take: impl Fn(&[u8])) {
    choreography::quiet_panics();
    let corpus = edits::corpus(target).unwrap();
    assert!(!corpus.is_empty());
    corpus.iter().for_each(|input| take(input));
    let usual = ProptestConfig::default();
    let config = ProptestConfig { cases: usual.cases * ROUNDS, failure_persistence: None, ..usual };
    let scripts = collection::vec(any::<u8>(), 0..64);
    let tried = TestRunner::new(config).run(&scripts, |script| {
        take(&script);
        take(&edits::edited(&corpus, &script));
        Ok(())
    });
    tried.unwrap_or_else(|broken| panic!("{broken}"));
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
    run("requests", |bytes| _ = routes.send(bytes));
}

#[test]
fn texts_are_read_or_refused() {
    run("texts", texts::read);
}

#[test]
fn what_nobody_sealed_does_not_open() {
    run("sealed", sealed::open);
}
