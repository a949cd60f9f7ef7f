//! One read per batch: everything it needs is looked up first, further states in at most four more rounds.

use crate::support::{
    desk::{Desk, assert_folds, on_both_stores},
    service::{Act, Moves, Page},
};
use runtime::incoming::Reply;

/// What the store was asked for during one batch.
fn reads_of(mut desk: Desk, batch: impl Fn(&Desk)) -> Vec<(String, usize)> {
    desk.settle();
    batch(&desk);
    desk.notes().reads.clear();
    let commits = desk.notes().commits;
    desk.step();
    assert_eq!(desk.notes().commits, commits + 1, "it was one batch");
    desk.notes().reads.clone()
}

#[test]
fn a_batch_over_distinct_keys_reads_each_kind_once() {
    let batch = |desk: &Desk| (1..=256).for_each(|seq| desk.left(seq, &format!("key-{seq}"), Act::Note));
    let mut desk = Desk::new();
    desk.settle();
    batch(&desk);
    let before = desk.memory().effort();
    desk.step();
    // `Told` is decided on nothing; what is folded is found when all are decided, and read at once.
    assert_eq!(desk.notes().reads, [("page.1".into(), 256)]);
    let after = desk.memory().effort();
    assert_eq!((after.0 - before.0, after.1 - before.1), (1, 1), "reads and commits");
    assert_eq!(desk.log().len(), 256);
}

#[test]
fn commands_over_distinct_keys_read_each_kind_once() {
    let batch = |desk: &Desk| (1..=256).for_each(|n| drop(desk.write(&format!("key-{n}"), 1, Act::Note)));
    assert_eq!(reads_of(Desk::new(), batch), [("page.1".into(), 256)]);
}

#[test]
fn a_decision_over_several_keys_reads_each_kind_once() {
    let batch = |desk: &Desk| {
        for seq in 1..=256 {
            desk.left(seq, &format!("from-{seq}"), Act::Move(format!("to-{seq}")));
        }
    };
    assert_eq!(reads_of(Desk::new(), batch), [("moves.1".into(), 512), ("page.1".into(), 512)]);
}

#[test]
fn states_that_were_read_once_are_not_read_again_in_the_same_reign() {
    let mut desk = Desk::new();
    (1..=100).for_each(|seq| desk.left(seq, &format!("key-{}", seq % 10), Act::Note));
    desk.settle();
    let batch = |desk: &Desk| (101..=200).for_each(|seq| desk.left(seq, &format!("key-{}", seq % 10), Act::Note));
    assert_eq!(reads_of(desk, batch), []);
}

#[test]
fn a_new_reign_reads_again_what_it_knows() {
    on_both_stores(|mut desk| {
        (1..=30).for_each(|seq| desk.left(seq, &format!("key-{}", seq % 3), Act::Note));
        desk.settle();
        let mut desk = desk.killed_and_started_again();
        (31..=60).for_each(|seq| desk.left(seq, &format!("key-{}", seq % 3), Act::Move("key-0".into())));
        desk.settle();
        assert_folds::<Page>(&desk);
        assert_folds::<Moves>(&desk);
        assert_eq!(desk.page("key-0").events, 10 + 10);
    });
}

#[test]
fn a_decision_that_needs_further_states_gets_them_in_four_rounds_and_no_more() {
    // One look ahead and four rounds: five states one after the other.
    let mut desk = Desk::new();
    desk.left(1, "patient", Act::Greedy(5));
    desk.left(2, "greedy", Act::Greedy(6));
    desk.left(3, "a", Act::Note);
    desk.settle();
    assert_eq!(desk.said(), ["Noted patient 1 by left", "Noted a 3 by left"]);
    assert_eq!(desk.parked().len(), 1);
}

#[test]
fn a_decision_that_never_has_enough_is_poison_and_only_it() {
    on_both_stores(|mut desk| {
        desk.left(1, "a", Act::Note);
        desk.left(2, "greedy", Act::Greedy(1_000_000));
        desk.left(3, "patient", Act::Greedy(2));
        desk.left(4, "a", Act::Note);
        let mut command = desk.write("greedy", 1, Act::Greedy(1_000_000));
        desk.settle();
        let why = "asks for further states each time it is decided";
        assert_eq!(desk.said(), ["Noted a 1 by left", "Noted patient 3 by left", "Noted a 4 by left"]);
        assert_eq!(desk.parked(), [("left greedy".into(), 2, why.into())]);
        assert_eq!(command.try_recv(), Ok(Reply::Failed(why.into())));
        assert_folds::<Page>(&desk);
    });
}

#[test]
fn a_batch_begun_again_says_everything_once() {
    // Given a batch in which the last input needs a second round,
    let mut desk = Desk::new();
    desk.settle();
    (1..=3).for_each(|seq| desk.left(seq, "a", Act::Note));
    (4..=6).for_each(|seq| desk.left(seq, "b", Act::Cook));
    (7..=9).for_each(|seq| desk.left(seq, "c", Act::Panic));
    desk.left(10, "d", Act::Greedy(3));
    desk.settle();
    // then what came before it was decided again, and happened once.
    assert_eq!(
        desk.said(),
        [("a", 1), ("a", 2), ("a", 3), ("d", 10)].map(|(key, n)| format!("Noted {key} {n} by left"))
    );
    assert_eq!(desk.world.take().len(), 1, "three about the same thing, one at a time");
    assert_eq!(desk.read.counts().unwrap(), runtime::store::Counts { work: 3, stuck: 0, parked: 3 });
    assert_folds::<Page>(&desk);
}
