//! Where everything that is found is collected: counts of all, and the first few of each invariant in full.

use super::{
    list::{INVARIANTS, Invariant},
    report::{Outcome, Violation},
};
use std::collections::HashMap;

/// Violations of one invariant that are listed; the others are counted.
const LISTED: u64 = 20;

/// What was found so far.
#[derive(Default)]
pub(super) struct Findings {
    counts: HashMap<&'static str, Counts>,
    violations: Vec<Violation>,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    checked: u64,
    violated: u64,
}

impl Findings {
    /// The invariant was held against one more thing.
    pub fn checked(&mut self, invariant: &Invariant) {
        self.counts.entry(invariant.name).or_default().checked += 1;
    }

    /// The invariant is broken.
    pub fn found(&mut self, invariant: &Invariant, key: &str, sentence: String, evidence: Vec<String>) {
        let counts = self.counts.entry(invariant.name).or_default();
        counts.violated += 1;
        if counts.violated <= LISTED {
            let (invariant, key) = (invariant.name.to_owned(), key.to_owned());
            self.violations.push(Violation { invariant, key, sentence, evidence });
        }
    }

    /// Held against one more thing, which broke it if there is a sentence.
    pub fn judged(&mut self, invariant: &Invariant, key: &str, broken: Option<String>, row: impl FnOnce() -> String) {
        self.checked(invariant);
        if let Some(sentence) = broken {
            self.found(invariant, key, sentence, vec![row()]);
        }
    }

    /// Whether a further violation of this invariant would be listed.
    pub fn lists(&self, invariant: &Invariant) -> bool {
        self.counts.get(invariant.name).is_none_or(|counts| counts.violated < LISTED)
    }

    /// Every invariant with its counts, and the violations that are listed, in the order of the invariants.
    pub fn into_parts(mut self) -> (Vec<Outcome>, Vec<Violation>) {
        let outcome = |invariant: &Invariant| {
            let Counts { checked, violated } = self.counts.get(invariant.name).copied().unwrap_or_default();
            let Invariant { number, name, statement, when, .. } = *invariant;
            Outcome { number, name: name.into(), statement: statement.into(), when, checked, violated }
        };
        let outcomes = INVARIANTS.iter().map(outcome).collect();
        let place = |violation: &Violation| INVARIANTS.iter().position(|i| i.name == violation.invariant);
        self.violations.sort_by_key(place);
        (outcomes, self.violations)
    }
}
