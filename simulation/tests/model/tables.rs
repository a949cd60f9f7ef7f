//! The protocol's tables, one row per state and input, and whether the model met just these.

use crate::heard::Heard;
use std::{collections::BTreeSet, fmt};

/// The tables, as people wrote them down before there was any code.
const TABLES: &str = include_str!("tables.txt");

/// What one service does about one input in one state.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    pub service: String,
    pub state: String,
    pub input: String,
    /// Events about the order, then what is asked for.
    pub says: Vec<String>,
    pub next: String,
}

impl Row {
    /// A row whose end is not known yet.
    pub fn of(service: &str, state: &str, heard: &Heard) -> Row {
        let (service, state) = (service.to_owned(), state.to_owned());
        Row { service, state, input: heard.to_string(), ..Row::default() }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let says = if self.says.is_empty() { "nothing".to_owned() } else { self.says.join(", ") };
        write!(f, "{}: {} | {} | {says} | {}", self.service, self.state, self.input, self.next)
    }
}

/// All rows of the tables, those that group states and inputs written out.
fn rows() -> BTreeSet<Row> {
    let mut rows = BTreeSet::new();
    let mut service = "";
    for line in TABLES.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let [states, inputs, says, next] = line.split(" | ").collect::<Vec<_>>()[..] else {
            service = line;
            continue;
        };
        let says: Vec<String> = says.split(", ").filter(|it| *it != "nothing").map(str::to_owned).collect();
        for (state, input) in states.split(", ").flat_map(|state| inputs.split(", ").map(move |input| (state, input))) {
            let next = if next == "same" { state } else { next };
            let [service, state, input, next] = [service, state, input, next].map(str::to_owned);
            assert!(rows.insert(Row { service, state, input, says: says.clone(), next }), "twice: {line}");
        }
    }
    rows
}

/// What was met and is in no table, and what is in a table and was not met.
pub fn differences(met: &BTreeSet<Row>) -> Vec<String> {
    let rows = rows();
    let unknown = met.difference(&rows).map(|row| format!("in no table: {row}"));
    let unmet = rows.difference(met).map(|row| format!("never met: {row}"));
    unknown.chain(unmet).collect()
}
