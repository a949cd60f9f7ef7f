//! What a verification found: each invariant, what it was held against, and every violation.

use crate::{
    screen::{Screen, Tone},
    table::{Cell, Table},
};
use serde::{Deserialize, Serialize};

/// The outcome of all invariants.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// One entry per invariant, also for those that hold.
    pub invariants: Vec<Invariant>,
}

/// The outcome of one invariant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Invariant {
    /// Its number in the design, for example `3`.
    pub number: u8,
    /// What always holds, as one sentence.
    pub holds: String,
    /// How many things it was held against: an invariant held against nothing says nothing.
    pub checked: u64,
    /// Where it does not hold: what was found, and what should have been.
    pub violations: Vec<String>,
}

/// More violations of one invariant are counted, not listed.
const LISTED: usize = 10;

impl Report {
    /// Whether nothing is violated.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.invariants.iter().all(|invariant| invariant.violations.is_empty())
    }

    /// How many violations there are.
    #[must_use]
    pub fn violations(&self) -> usize {
        self.invariants.iter().map(|invariant| invariant.violations.len()).sum()
    }

    /// A table of all invariants, and below it the violations.
    #[must_use]
    pub fn render(&self, screen: &Screen) -> String {
        let mut table = Table::new(&["", "invariant", "checked", ""]).numbers(&[0, 2]);
        for invariant in &self.invariants {
            table.row(invariant.row());
        }
        let found = self.invariants.iter().flat_map(Invariant::lines);
        let found: String = found.map(|line| format!("\n{}", screen.paint(Tone::Bad, &line))).collect();
        table.render(screen) + &found
    }
}

impl Invariant {
    fn row(&self) -> Vec<Cell> {
        let verdict = match self.violations.len() {
            0 if self.checked == 0 => Cell::toned(Tone::Faint, "nothing to check"),
            0 => Cell::toned(Tone::Good, "holds"),
            count => Cell::toned(Tone::Bad, format!("{count} violated")),
        };
        vec![self.number.to_string().into(), self.holds.clone().into(), self.checked.to_string().into(), verdict]
    }

    fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> =
            self.violations.iter().take(LISTED).map(|what| format!("  {}: {what}", self.number)).collect();
        if self.violations.len() > LISTED {
            lines.push(format!("  {}: and {} more", self.number, self.violations.len() - LISTED));
        }
        lines
    }
}
