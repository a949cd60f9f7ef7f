//! What a verification found: every invariant with how much it was held against, and every violation with its evidence.

use super::list::When;
use crate::{
    screen::{Screen, Tone},
    table::{Cell, Table},
};
use serde::{Deserialize, Serialize};

/// The outcome of a verification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Orders that were placed.
    pub orders: u64,
    /// Those of them that are neither completed nor undone yet.
    pub open: u64,
    /// Rows in all logs.
    pub events: u64,
    /// Whether nothing was under way anywhere: no open order, nothing unread, nothing parked.
    pub at_rest: bool,
    /// One entry per invariant, also for those that hold.
    pub invariants: Vec<Outcome>,
    /// What is not as it must be. Of each invariant the first few are listed.
    pub violations: Vec<Violation>,
}

/// How one invariant fared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Its number in the design.
    pub number: u8,
    /// Its name.
    pub name: String,
    /// What must be true.
    pub statement: String,
    /// Whether it holds at any moment.
    pub when: When,
    /// How many things it was held against: an invariant held against nothing says nothing.
    pub checked: u64,
    /// How many of them broke it.
    pub violated: u64,
}

/// One thing that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The invariant's name.
    pub invariant: String,
    /// The order, or whatever else it is about.
    pub key: String,
    /// What is wrong, in one sentence.
    pub sentence: String,
    /// The rows that show it. They name events, never persons.
    pub evidence: Vec<String>,
}

impl Report {
    /// Whether nothing is violated.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.violated() == 0
    }

    /// How many violations there are, also those that are not listed.
    #[must_use]
    pub fn violated(&self) -> u64 {
        self.invariants.iter().map(|outcome| outcome.violated).sum()
    }

    /// For a person: a table of all invariants, below it the violations, and a last line that sums up.
    #[must_use]
    pub fn render(&self, screen: &Screen) -> String {
        let mut table = Table::new(&["", "invariant", "held against", ""]).numbers(&[0, 2]);
        for outcome in &self.invariants {
            table.row(outcome.row());
        }
        let mut text = table.render(screen);
        for violation in &self.violations {
            text += &violation.render(screen);
        }
        text + "\n\n" + &self.summary(screen)
    }

    fn summary(&self, screen: &Screen) -> String {
        let Report { orders, open, events, .. } = self;
        let state = match (self.at_rest, open) {
            (true, _) => "everything at rest".into(),
            (false, 0) => "not everything at rest".into(),
            (false, 1) => "1 order open".into(),
            (false, _) => format!("{open} orders open"),
        };
        let verdict = match self.violated() {
            0 => screen.paint(Tone::Good, "all invariants hold"),
            1 => screen.paint(Tone::Bad, "1 violation"),
            count => screen.paint(Tone::Bad, &format!("{count} violations")),
        };
        format!("{orders} orders, {events} events, {state}: {verdict}")
    }
}

impl Outcome {
    fn row(&self) -> Vec<Cell> {
        let verdict = match (self.violated, self.checked) {
            (0, 0) => Cell::toned(Tone::Faint, "nothing to check"),
            (0, _) => Cell::toned(Tone::Good, "holds"),
            (count, _) => Cell::toned(Tone::Bad, format!("{count} violated")),
        };
        vec![self.number.to_string().into(), self.statement.clone().into(), self.checked.to_string().into(), verdict]
    }
}

impl Violation {
    fn render(&self, screen: &Screen) -> String {
        let Violation { invariant, key, sentence, evidence } = self;
        let mut text = format!("\n{} {key}: {sentence}", screen.paint(Tone::Bad, invariant));
        for line in evidence {
            text += &format!("\n    {line}");
        }
        text
    }
}
