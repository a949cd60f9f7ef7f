//! Invariant 8, inputs: each took effect at most once, in order, and none past one that is parked.

use super::{
    causes::CauseOf,
    cut::{Cut, shown},
    evidence::SERVICES,
    facts::hash,
    findings::Findings,
    list::{How, Invariant, When},
};
use runtime::{LogRow, Position};
use std::collections::HashMap;

pub(super) const CURSORS: Invariant = Invariant {
    number: 8,
    name: "cursors",
    statement: "No service has read further in another's log than the log goes",
    when: When::Always,
    how: How::Rows,
};
pub(super) const TAKEN_ONCE: Invariant = Invariant {
    number: 8,
    name: "taken_once",
    statement: "No input was decided twice: what it led to stands side by side, each event once",
    when: When::Always,
    how: How::Rows,
};
pub(super) const SAID_IN_ORDER: Invariant = Invariant {
    number: 8,
    name: "said_in_order",
    statement: "About each order a service says only what the protocol allows after what it said before",
    when: When::Always,
    how: How::Rows,
};
pub(super) const NOT_PAST_PARKED: Invariant = Invariant {
    number: 8,
    name: "not_past_parked",
    statement: "No input was decided while an earlier one of its source and key was parked",
    when: When::Always,
    how: How::Rows,
};

/// Cursors against the ends of what they read.
pub(super) fn hold_cursors(cut: &Cut, findings: &mut Findings) {
    for (reader, cursors) in cut.cursors.iter().enumerate() {
        for cursor in cursors {
            let Some(source) = super::cut::index_of(&cursor.source) else { continue };
            let end = cut.end_of(source);
            let broken = (cursor.at > end)
                .then(|| format!("it has read {} up to {}, which ends at {}", cursor.source, cursor.at.seq, end.seq));
            findings.judged(&CURSORS, SERVICES[reader], broken, || format!("{cursor:?}"));
        }
    }
}

/// Which inputs of one service were decided, as the rows of its log go by: one bit for each place of each source.
pub(super) struct Taken {
    service: usize,
    decided: HashMap<(usize, i64, Option<String>), Vec<u64>>,
    /// The input of the last row, and the rows that were said because of it.
    group: Option<u64>,
    said: Vec<u64>,
}

/// A place that no log reaches, so that a broken row cannot ask for the memory.
const LAST_PLACE: u64 = 1 << 34;

impl Taken {
    pub fn of(service: usize) -> Taken {
        Taken { service, decided: HashMap::new(), group: None, said: vec![] }
    }

    pub fn take(&mut self, row: &LogRow, cause: &CauseOf, cut: &Cut, findings: &mut Findings) {
        let Some((source, at)) = cause.event else {
            self.group = None;
            return;
        };
        let broken = self.taken_before(row, source, at, cause.via).map(|how| format!("{} {how}", row.cause));
        findings.judged(&TAKEN_ONCE, &row.key, broken, || shown(self.service, row));
        if cause.via.is_none() && cut.is_marked(self.service, row) {
            let first = cut.parked.get(&(self.service, source, hash(&row.key)));
            let broken = first.filter(|first| at > **first).map(|first| {
                format!("{} was decided although {} {} is parked", row.cause, SERVICES[source], first.seq)
            });
            findings.judged(&NOT_PAST_PARKED, &row.key, broken, || shown(self.service, row));
        }
    }

    fn taken_before(&mut self, row: &LogRow, source: usize, at: Position, via: Option<&str>) -> Option<&'static str> {
        let (input, said) = (hash(&(source, at, via)), hash(&(&row.name, &row.key)));
        if self.group == Some(input) {
            let again = self.said.contains(&said);
            self.said.push(said);
            return again.then_some("led to the same event twice");
        }
        self.group = Some(input);
        self.said.clear();
        self.said.push(said);
        self.was_decided(source, at, via).then_some("was decided a second time")
    }

    /// Notes that an input was decided, and tells whether it had been before.
    fn was_decided(&mut self, source: usize, at: Position, via: Option<&str>) -> bool {
        if at.seq >= LAST_PLACE {
            return false; // no such event; that is found elsewhere
        }
        let bits = self.decided.entry((source, at.generation, via.map(str::to_owned))).or_default();
        let (word, bit) = ((at.seq / 64) as usize, 1_u64 << (at.seq % 64));
        if bits.len() <= word {
            bits.resize(word + 1, 0);
        }
        let before = bits[word] & bit != 0;
        bits[word] |= bit;
        before
    }
}
