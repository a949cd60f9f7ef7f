//! What must hold of everything that was acknowledged to callers who count up, each under a key of its own.

use std::collections::BTreeMap;

/// One record as a reader got it.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Its number in the log.
    pub seq: u64,
    /// Who counted.
    pub key: String,
    /// How far.
    pub n: u64,
    /// The reign that committed it.
    pub epoch: u64,
    /// When its batch was begun.
    pub at: i64,
}

/// What went wrong, by kind.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Violations {
    /// Acknowledged, and never seen.
    pub lost: Vec<String>,
    /// Seen more than once.
    pub doubled: Vec<String>,
    /// Seen after what came later.
    pub inverted: Vec<String>,
    /// Numbers left out of the log, and reigns that wrote into each other's time.
    pub torn: Vec<String>,
}

impl Violations {
    pub fn none() -> Violations {
        Violations::default()
    }
}

/// Holds what a reader saw, in the order in which it saw it, against what was acknowledged: to each key, how far.
pub fn violations(acknowledged: &BTreeMap<String, u64>, seen: &[Seen]) -> Violations {
    let mut found = Violations::none();
    let mut counted: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for record in seen {
        let before = counted.entry(&record.key).or_default();
        if before.contains(&record.n) {
            found.doubled.push(format!("{} {}", record.key, record.n));
        } else if before.last().is_some_and(|last| *last > record.n) {
            found.inverted.push(format!("{} {} after {before:?}", record.key, record.n));
        }
        before.push(record.n);
    }
    for (key, last) in acknowledged {
        let counted = counted.get(&**key).map(Vec::as_slice).unwrap_or_default();
        let lost = (1..=*last).filter(|n| !counted.contains(n));
        found.lost.extend(lost.map(|n| format!("{key} {n}")));
    }
    found.torn = torn(seen);
    found
}

fn torn(seen: &[Seen]) -> Vec<String> {
    let mut torn = vec![];
    let holes = seen.iter().zip(1..).filter(|(record, expected)| record.seq != *expected);
    torn.extend(holes.map(|(record, expected)| format!("{} where {expected} is expected", record.seq)));
    for pair in seen.windows(2) {
        let [earlier, later] = pair else { continue };
        if later.epoch < earlier.epoch {
            torn.push(format!("{}: reign {} wrote after reign {} had begun", later.seq, later.epoch, earlier.epoch));
        }
        if later.epoch != earlier.epoch && later.at == earlier.at {
            torn.push(format!("{}: reigns {} and {} in one batch", later.seq, earlier.epoch, later.epoch));
        }
    }
    torn
}
