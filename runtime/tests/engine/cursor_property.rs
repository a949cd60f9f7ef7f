//! Whatever comes, in whatever order, however often, over however many deaths: taken is what the simplest reader takes.

use crate::support::{
    bus::{GENERATION, in_generation, record},
    clock::SECOND,
    desk::Desk,
    service::{Act, left},
};
use proptest::prelude::*;
use runtime::Record;

/// The reference: one place in a log. The record behind it is next, and so is the first one of a later log.
struct Place {
    generation: i64,
    seq: u64,
}

impl Place {
    fn takes(&mut self, generation: i64, seq: u64) -> bool {
        let here = generation == self.generation && seq == self.seq + 1;
        let is_next = here || (generation > self.generation && seq == 1);
        if is_next {
            *self = Place { generation, seq };
        }
        is_next
    }
}

#[derive(Clone, Debug)]
enum Happens {
    /// These come with one fetch: generation and number.
    Come(Vec<(i64, u64)>),
    Killed,
}

fn happens() -> impl Strategy<Value = Happens> {
    // Mostly one log, from whose beginning it comes again and again.
    let generation = prop_oneof![8 => Just(0i64), 1 => Just(1), 1 => Just(2), 1 => Just(-1)];
    let alone = (generation.clone(), 1..6u64);
    let run =
        (generation, 1..4u64, 1..5u64).prop_map(|(of, from, many)| (from..from + many).map(|n| (of, n)).collect());
    prop_oneof![
        4 => prop::collection::vec(alone, 1..6).prop_map(Happens::Come),
        4 => run.prop_map(Happens::Come),
        1 => Just(Happens::Killed),
    ]
}

fn told(generation: i64, seq: u64) -> Record {
    let told = left::Told { key: format!("log{generation}"), n: seq, act: Act::Note };
    in_generation(GENERATION + generation, record(seq, &left::Event::from(told)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_record_is_taken_if_it_is_the_next_and_only_then(history in prop::collection::vec(happens(), 1..12)) {
        let (mut place, mut expected) = (Place { generation: 0, seq: 0 }, vec![]);
        let mut desk = Desk::new();
        desk.settle();
        for happens in history {
            match happens {
                Happens::Killed => desk = desk.killed_and_started_again(),
                Happens::Come(records) => for (generation, seq) in records {
                    desk.bus.repeat(told(generation, seq));
                    if place.takes(generation, seq) {
                        expected.push(format!("Noted log{generation} {seq} by left"));
                    }
                },
            }
            desk.pass_time(2 * SECOND); // a lane that stands at a gap is asked again
            prop_assert_eq!(desk.said(), expected.clone());
        }
    }
}
