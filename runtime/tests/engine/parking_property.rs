//! Whatever is poison, retried and discarded, over however many deaths: what waits and what was taken is what a queue
//! for each source and key says.

use crate::support::{desk::Desk, service::Act};
use proptest::prelude::*;
use runtime::intake::Wish;
use std::collections::{BTreeMap, VecDeque};

const SOURCES: [&str; 2] = ["left", "right"];
const KEYS: [&str; 2] = ["a", "b"];

/// One line of records: a source, and what they are about.
type Line = (&'static str, &'static str);

/// The reference: who waits in each line, and who was taken. The first in a line is poison, or was not tried again.
#[derive(Default)]
struct Lines {
    waiting: BTreeMap<Line, VecDeque<(u64, bool)>>,
    taken: Vec<String>,
}

impl Lines {
    fn comes(&mut self, line: Line, seq: u64, poison: bool) {
        let waiting = self.waiting.entry(line).or_default();
        waiting.push_back((seq, poison));
        if waiting.len() == 1 {
            self.retried(line);
        }
    }

    fn retried(&mut self, line: Line) {
        let waiting = self.waiting.entry(line).or_default();
        while let Some((seq, false)) = waiting.front() {
            self.taken.push(format!("Noted {} {seq} by {}", line.1, line.0));
            waiting.pop_front();
        }
    }

    fn discarded(&mut self, line: Line) {
        self.waiting.entry(line).or_default().pop_front();
    }

    fn all_waiting(&self) -> Vec<(String, u64)> {
        let row = |(source, key): &Line, seq: u64| (format!("{source} {key}"), seq);
        self.waiting.iter().flat_map(|(line, waiting)| waiting.iter().map(move |(seq, _)| row(line, *seq))).collect()
    }
}

#[derive(Clone, Copy, Debug)]
enum Happens {
    Comes { line: Line, poison: bool },
    Retried(Line),
    Discarded(Line),
    Killed,
}

fn happens() -> impl Strategy<Value = Happens> {
    let line = (prop::sample::select(&SOURCES[..]), prop::sample::select(&KEYS[..]));
    prop_oneof![
        6 => (line.clone(), prop::bool::weighted(0.3)).prop_map(|(line, poison)| Happens::Comes { line, poison }),
        2 => line.clone().prop_map(Happens::Retried),
        2 => line.prop_map(Happens::Discarded),
        1 => Just(Happens::Killed),
    ]
}

fn say(desk: &Desk, (source, key): Line, seq: u64, poison: bool) {
    let act = if poison { Act::Panic } else { Act::Note };
    if source == "left" { desk.left(seq, key, act) } else { desk.right(seq, key, act) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_waits_and_what_was_taken_is_what_a_queue_per_source_and_key_says(
        history in prop::collection::vec(happens(), 1..40)
    ) {
        let (mut lines, mut heads) = (Lines::default(), BTreeMap::<&str, u64>::new());
        let mut desk = Desk::new();
        for happens in history {
            match happens {
                Happens::Comes { line, poison } => {
                    let head = heads.entry(line.0).or_default();
                    *head += 1;
                    say(&desk, line, *head, poison);
                    lines.comes(line, *head, poison);
                }
                // Whether anything came of it, the lines show.
                Happens::Retried(line) => {
                    _ = desk.wish(Wish::Retry { source: line.0.into(), key: line.1.into() });
                    lines.retried(line);
                }
                Happens::Discarded(line) => {
                    _ = desk.wish(Wish::Discard { source: line.0.into(), key: line.1.into() });
                    lines.discarded(line);
                }
                Happens::Killed => desk = desk.killed_and_started_again(),
            }
            desk.settle();
            let mut parked: Vec<_> = desk.parked().into_iter().map(|(line, seq, _)| (line, seq)).collect();
            parked.sort();
            prop_assert_eq!(parked, lines.all_waiting());
            prop_assert_eq!(desk.said(), lines.taken.clone());
        }
    }
}
