//! How the burst went: a table of endings, expected against got.

use super::mix::{KINDS, Kind};
use crate::{
    client::Order,
    screen::{Screen, Tone},
    table::{Cell, Table},
    timeline,
};
use serde::Serialize;

/// Orders that ended otherwise are counted; of each kind only so many are listed.
const LISTED: usize = 3;

/// How the burst went.
#[derive(Debug, Serialize)]
pub(super) struct Burst {
    /// How many orders were placed.
    pub(super) orders: usize,
    /// Per kind of order, how they ended.
    pub(super) rows: Vec<Row>,
    /// Whatever is wrong beyond single orders, such as an order nobody placed.
    pub(super) problems: Vec<String>,
    pub(super) placed_in_ms: u128,
    pub(super) settled_in_ms: u128,
    /// Requests sent again because the shop was away or busy.
    pub(super) retried: usize,
}

/// One line of the table of endings.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    kind: &'static str,
    expected: String,
    as_expected: usize,
    /// The others, each with what it is instead.
    otherwise: Vec<String>,
}

/// Counts how the orders of each kind ended.
pub(super) fn count<'o>(ended: impl Iterator<Item = (&'static Kind, &'o Order)>) -> Vec<Row> {
    let row = |kind: &Kind| Row { kind: kind.name, expected: kind.ends.to_string(), as_expected: 0, otherwise: vec![] };
    let mut rows: Vec<Row> = KINDS.iter().map(row).collect();
    for (kind, order) in ended {
        let Some(row) = rows.iter_mut().find(|row| row.kind == kind.name) else { continue };
        if kind.ends.fits(order) {
            row.as_expected += 1;
        } else {
            row.otherwise.push(format!("{}: {}", order.order_id, timeline::ending(order)));
        }
    }
    rows
}

impl Burst {
    /// How many things are wrong. Every order placed counts that is not known to have ended as it should.
    pub(super) fn wrong(&self) -> usize {
        let good: usize = self.rows.iter().map(|row| row.as_expected).sum();
        self.orders.abs_diff(good) + self.problems.len()
    }

    /// The table of endings, and below it whatever is wrong.
    pub(super) fn render(&self, screen: &Screen) -> String {
        let mut table = Table::new(&["orders", "kind", "should end", "did", "otherwise"]).numbers(&[0, 3, 4]);
        self.rows.iter().for_each(|row| table.row(row.cells()));
        let wrong = self.rows.iter().flat_map(|row| row.otherwise.iter().take(LISTED)).chain(&self.problems);
        let wrong: String = wrong.map(|what| format!("\n  {}", screen.paint(Tone::Bad, what))).collect();
        let tail =
            format!("{} requests were sent again while the shop was away; each key made one order.", self.retried);
        let tail = if self.problems.is_empty() { screen.paint(Tone::Faint, &tail) } else { String::new() };
        format!("{}{wrong}\n{tail}", table.render(screen)).trim_end().to_owned()
    }
}

impl Row {
    fn cells(&self) -> Vec<Cell> {
        let (good, bad) = (self.as_expected, self.otherwise.len());
        let tones = if bad == 0 { (Tone::Good, Tone::Plain) } else { (Tone::Plain, Tone::Bad) };
        vec![
            (good + bad).to_string().into(),
            self.kind.into(),
            self.expected.clone().into(),
            Cell::toned(tones.0, good.to_string()),
            Cell::toned(tones.1, bad.to_string()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(state: &str, settled: bool) -> Order {
        let order = serde_json::json!({ "order_id": "o-1", "state": state, "settled": settled });
        serde_json::from_value(order).unwrap()
    }

    fn burst(orders: usize, ended: &[(&'static Kind, &Order)]) -> Burst {
        let rows = count(ended.iter().copied());
        Burst { orders, rows, problems: vec![], placed_in_ms: 0, settled_in_ms: 0, retried: 0 }
    }

    #[test]
    fn orders_that_end_as_their_kind_should_are_not_wrong() {
        let completed = order("completed", true);
        assert_eq!(burst(2, &[(&KINDS[0], &completed), (&KINDS[1], &completed)]).wrong(), 0);
    }

    #[test]
    fn an_order_that_ends_otherwise_is_wrong_and_named() {
        let (completed, open) = (order("completed", true), order("confirmed", false));
        let burst = burst(2, &[(&KINDS[0], &completed), (&KINDS[0], &open)]);
        assert_eq!(burst.wrong(), 1);
        assert!(burst.render(&Screen::plain()).contains("o-1: confirmed"));
    }

    #[test]
    fn an_order_nobody_knows_the_ending_of_is_wrong() {
        assert_eq!(burst(3, &[(&KINDS[0], &order("completed", true))]).wrong(), 2);
    }
}
