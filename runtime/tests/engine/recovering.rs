//! A desk whose store was lost, or is an older copy, is rebuilt from its own topic; what was under way goes on.

use crate::folding::{Tally, newer};
use crate::support::{
    bus::record,
    clock::SECOND,
    desk::{Desk, assert_folds},
    service::{Act, Moves, Page, left},
    world::names,
};
use runtime::{
    LogRow, Position, Record, Step,
    intake::Wish,
    recover::{RecoverError, Recovered},
    store::{Counts, MemoryFault, MemoryStore, Read},
};
use std::{sync::Arc, time::Duration};

/// When a lost store is replaced by an empty one.
const LATER: i64 = 5_000;

fn empty() -> MemoryStore {
    MemoryStore::new(LATER)
}

/// Everything the desk has said is on its topic.
fn publish_all(desk: &Desk) {
    desk.publishes_until(u64::MAX);
}

#[track_caller]
fn recovered(desk: Desk, store: &MemoryStore) -> (Desk, Recovered) {
    let (desk, recovered) = desk.recovered(store);
    (desk, recovered.unwrap())
}

/// `left` says this at the present time; what it says otherwise in these tests, it said long ago.
fn say_now(desk: &Desk, seq: u64, key: &str, act: Act) {
    let told = record(seq, &left::Event::from(left::Told { key: key.into(), n: seq, act }));
    let row = LogRow { at: desk.now(), ..(*told.row).clone() };
    desk.bus.put(Record { row: Arc::new(row), ..told });
}

/// The same rows, and states that are what they fold to.
#[track_caller]
fn assert_same_life(desk: &Desk, log: &[Arc<LogRow>]) {
    assert_eq!(desk.log(), log);
    assert_folds::<Page>(desk);
    assert_folds::<Moves>(desk);
}

/// Keys of open work, with whether it was asked for before it was called.
fn attempts(desk: &Desk) -> Vec<(String, bool)> {
    desk.world.take().iter().map(|tried| (format!("{} {}", tried.effect, tried.key), tried.ask_first)).collect()
}

#[test]
fn a_lost_store_is_rebuilt_from_its_topic() {
    let mut desk = Desk::new();
    desk.left(1, "a", Act::Note);
    desk.right(1, "b", Act::Move("a".into()));
    desk.left(2, "b", Act::Nothing);
    desk.left(3, "c", Act::Note);
    desk.settle();
    let (log, was) = (desk.log(), desk.read.cursors().unwrap());
    publish_all(&desk);
    let (mut desk, recovered) = recovered(desk, &empty());
    assert_eq!((recovered.events, recovered.from), (3, Position::default()));
    assert_eq!(recovered.doubts, [""; 0]);
    assert_same_life(&desk, &log);
    for source in ["left", "right"] {
        let cursor = was.iter().find(|row| row.source == source).unwrap();
        assert_eq!(desk.cursor(source), Some(cursor.at), "{source}");
    }
    // It goes on in a new generation, behind the newest there was.
    let generation = recovered.generation.unwrap();
    assert!(generation > LATER);
    desk.left(4, "a", Act::Note);
    desk.settle();
    let last = desk.log().pop().unwrap();
    assert_eq!((last.generation, last.seq), (generation, 1));
    assert_eq!(desk.page("a").events, 2);
}

#[test]
fn until_it_is_rebuilt_a_lost_store_refuses_to_run() {
    let mut desk = Desk::new();
    desk.left(1, "a", Act::Note);
    desk.settle();
    publish_all(&desk);
    let mut desk = desk.on_store(&empty());
    let Step::Ended(why) = desk.settle() else { panic!("it runs") };
    assert!(why.contains("tutti recover --service desk"), "{why}");
}

#[test]
fn what_was_asked_of_the_world_and_not_answered_is_asked_for_by_its_key() {
    let mut desk = Desk::new();
    // Given effects asked for with an event, without one, and by a command; and one that is answered,
    desk.left(1, "done", Act::NoteAndCook);
    desk.settle();
    desk.world.take_one().done("fine");
    desk.left(2, "a", Act::NoteAndCook);
    desk.left(3, "b", Act::Cook);
    desk.left(4, "c", Act::Note);
    let _placed = desk.write("d", 1, Act::NoteAndCook);
    desk.settle();
    assert_eq!(desk.world.take().len(), 3);
    publish_all(&desk);
    // when the store is lost, then the open ones are asked for, and never called first.
    let (mut desk, recovered) = recovered(desk, &empty());
    assert_eq!((recovered.open_work, recovered.doubts.len()), (3, 0));
    desk.settle();
    let mut tried = desk.world.take();
    tried.sort_by(|a, b| a.key.cmp(&b.key));
    assert_eq!(names(&tried), ["Cook a/2", "Cook b/3", "Cook d/1"]);
    assert!(tried.iter().all(|tried| tried.ask_first));
    tried.iter().for_each(|tried| tried.done("fine"));
    desk.settle();
    assert_eq!(desk.said_of("a"), ["Noted a 2 by left", "Answered a Cook 2 fine"]);
    assert_eq!(desk.said_of("d"), ["Noted d 1 by caller", "Answered d Cook 1 fine"]);
}

#[test]
fn what_was_asked_for_behind_the_last_event_comes_again_and_is_not_called_first_either() {
    let mut desk = Desk::new();
    desk.left(1, "a", Act::Note);
    desk.left(2, "b", Act::Cook);
    desk.left(3, "c", Act::NoteAndCook);
    desk.settle();
    // Given that the last event never got to the topic,
    desk.publishes_until(1);
    let (mut desk, _) = recovered(desk, &empty());
    desk.settle();
    // then its record is decided once more, and both effects are asked for.
    assert_eq!(desk.said_of("c"), ["Noted c 3 by left"]);
    desk.world.take().clear();
    let mut again = desk.killed_and_started_again();
    again.settle();
    assert_eq!(attempts(&again), [("Cook b/2".into(), true), ("Cook c/3".into(), true)]);
}

#[test]
fn a_record_said_before_the_log_was_begun_is_never_called_first() {
    let mut desk = Desk::new();
    desk.left(1, "a", Act::Note);
    desk.settle();
    publish_all(&desk);
    let (mut desk, _) = recovered(desk, &empty());
    desk.left(2, "old", Act::Cook);
    say_now(&desk, 3, "new", Act::Cook);
    desk.settle();
    let mut tried = attempts(&desk);
    tried.sort();
    assert_eq!(tried, [("Cook new/3".into(), false), ("Cook old/2".into(), true)]);
}

#[test]
fn timers_ring_when_they_would_have() {
    let mut desk = Desk::new();
    say_now(&desk, 1, "a", Act::Wake(Duration::from_secs(60)));
    desk.left(2, "b", Act::Note);
    desk.settle();
    publish_all(&desk);
    let (mut desk, recovered) = recovered(desk, &empty());
    assert_eq!(recovered.open_work, 1);
    desk.settle();
    desk.pass_time(59 * SECOND);
    assert_eq!(desk.said_of("a"), [""; 0]);
    desk.pass_time(2 * SECOND);
    assert_eq!(desk.said_of("a"), ["Rang a"]);
}

#[test]
fn a_timer_that_rang_rings_no_more() {
    let mut desk = Desk::new();
    desk.left(1, "a", Act::Wake(Duration::from_secs(1)));
    desk.settle();
    desk.pass_time(2 * SECOND);
    assert_eq!(desk.said(), ["Rang a"]);
    publish_all(&desk);
    let (mut desk, recovered) = recovered(desk, &empty());
    assert_eq!(recovered.open_work, 0);
    desk.pass_time(100 * SECOND);
    assert_eq!(desk.said(), ["Rang a"]);
}

#[test]
fn an_answer_without_an_event_is_known_by_its_successor_in_the_family() {
    let mut desk = Desk::new();
    // Given an effect whose answer says nothing, and a later one of its family that was answered,
    desk.left(1, "a", Act::NoteAndCook);
    desk.settle();
    desk.world.take_one().done("silent");
    desk.left(2, "a", Act::NoteAndClear);
    desk.settle();
    desk.world.take_one().done("fine");
    desk.settle();
    assert_eq!(desk.said().len(), 3);
    publish_all(&desk);
    // then both are known to be over.
    let (_, recovered) = recovered(desk, &empty());
    assert_eq!(recovered.open_work, 0);
}

#[test]
fn an_older_copy_is_brought_up_to_its_topic() {
    let mut desk = Desk::new();
    desk.left(1, "a", Act::NoteAndCook);
    desk.left(2, "b", Act::Cook);
    desk.right(1, "w", Act::Wake(Duration::from_secs(1)));
    desk.settle();
    let backup = desk.memory().copy();
    // Given answers, a timer and records that came after the backup,
    desk.world.take().iter().for_each(|tried| tried.done("fine"));
    desk.pass_time(2 * SECOND);
    desk.left(3, "a", Act::Note);
    desk.left(4, "c", Act::Cook);
    desk.right(2, "d", Act::NoteAndCook);
    desk.settle();
    desk.world.take();
    let log = desk.log();
    publish_all(&desk);
    // when the backup is restored, then nothing of it is lost, and nothing is done twice.
    let mut refused = Desk::on_store(desk, &backup);
    assert!(matches!(refused.settle(), Step::Ended(_)));
    let (mut desk, recovered) = recovered(refused, &backup);
    assert_eq!((recovered.from.seq, recovered.events, recovered.doubts.len()), (1, 5, 0));
    assert_same_life(&desk, &log);
    desk.settle();
    let mut tried = attempts(&desk);
    tried.sort();
    assert_eq!(tried, [("Cook c/4".into(), true), ("Cook d/2".into(), true)]);
}

/// Found by the simulation (seed 7 of then): the row stayed stuck, and trying it again could not succeed.
#[test]
fn what_was_stuck_in_the_copy_and_is_answered_since_is_stuck_no_longer() {
    let mut desk = Desk::new();
    desk.left(1, "a", Act::NoteAndCook);
    desk.settle();
    desk.world.take_one().stuck("the oven is gone");
    desk.settle();
    let backup = desk.memory().copy();
    assert_eq!(backup.counts().unwrap().stuck, 1);
    assert!(desk.wish(Wish::RetryWork(("Cook".into(), "a/1".into()))).is_ok());
    desk.settle();
    desk.world.take_one().done("fine");
    desk.settle();
    publish_all(&desk);
    let (_, recovered) = recovered(desk, &backup);
    assert_eq!((recovered.open_work, recovered.doubts.len()), (0, 0));
    assert_eq!(backup.counts().unwrap(), Counts::default());
}

/// Found by the simulation (seed 772 of then): answers come in any order, so the first event need not be what came of the
/// first record.
#[test]
fn a_service_that_starts_now_is_rebuilt_from_the_first_record_that_it_is_known_to_have_taken() {
    let mut desk = Desk::from_now_on();
    desk.settle();
    (1..=3).zip(["a", "c", "b"]).for_each(|(n, key)| desk.left(n, key, Act::Cook));
    desk.settle();
    let tried = desk.world.take();
    let answer = |key: &str| tried.iter().find(|tried| tried.key == key).unwrap().done("fine");
    answer("b/3");
    desk.settle();
    answer("a/1");
    desk.settle();
    assert_eq!(desk.said(), ["Answered b Cook 3 fine", "Answered a Cook 1 fine"]);
    publish_all(&desk);
    let (mut desk, recovered) = recovered(desk, &empty());
    assert_eq!(recovered.open_work, 1);
    desk.settle();
    assert_eq!(attempts(&desk), [("Cook c/2".into(), true)]);
}

#[test]
fn what_was_parked_is_parked_again_with_what_came_behind_it() {
    let mut desk = Desk::new();
    desk.left(1, "a", Act::Panic);
    desk.left(2, "a", Act::Note);
    desk.left(3, "b", Act::Note);
    desk.settle();
    let parked = desk.parked();
    assert_eq!(parked.len(), 2);
    publish_all(&desk);
    let (mut desk, recovered) = recovered(desk, &empty());
    assert_eq!((desk.parked(), recovered.parked), (parked, 2));
    desk.left(4, "a", Act::Note);
    desk.settle();
    assert_eq!(desk.parked().len(), 3, "and what comes now goes behind it");
}

#[test]
fn what_was_parked_and_taken_later_is_not_parked_again() {
    let mut desk = Desk::new();
    desk.left(1, "poison-a", Act::Note);
    desk.right(1, "a", Act::Panic);
    desk.right(2, "a", Act::Note);
    desk.right(3, "b", Act::Note);
    desk.settle();
    desk.wish(runtime::intake::Wish::Discard { source: "right".into(), key: "a".into() }).unwrap();
    desk.wish(runtime::intake::Wish::Retry { source: "right".into(), key: "a".into() }).unwrap();
    assert_eq!(desk.said_of("a"), ["Noted a 2 by right"]);
    let log = desk.log();
    publish_all(&desk);
    let (desk, recovered) = recovered(desk, &empty());
    assert_same_life(&desk, &log);
    assert_eq!((desk.parked(), recovered.parked, recovered.doubts.len()), (vec![], 0, 0));
}

#[test]
fn a_recovery_that_is_broken_off_is_gone_on_with() {
    const MANY: u64 = 5_000;
    let mut desk = Desk::new();
    (1..=MANY).for_each(|seq| desk.left(seq, &format!("k{}", seq % 50), Act::Note));
    desk.left(MANY + 1, "open", Act::Cook);
    desk.left(MANY + 2, "end", Act::Note);
    desk.settle();
    let log = desk.log();
    publish_all(&desk);
    // Given a store that fails at each step of it in turn, before or after it has written,
    let (store, mut broken) = (empty(), 0);
    while !store.holds(log[log.len() - 1].position()).unwrap() {
        store.fail_next([MemoryFault::LostBefore, MemoryFault::LostAfter][broken % 2]);
        let (next, result) = desk.recovered(&store);
        assert!(matches!(result, Err(RecoverError::Store(_))), "{result:?}");
        (desk, broken) = (next, broken + 1);
        // then it refuses to run until all is there,
        let whole = store.holds(log[log.len() - 1].position()).unwrap();
        assert_ne!(matches!(desk.settle(), Step::Ended(_)), whole, "after {broken}");
    }
    // and what is there at last is the same life.
    assert!(broken >= 8, "it was broken off {broken} times only");
    assert_same_life(&desk, &log);
    assert_eq!(attempts(&desk), [("Cook open/5001".into(), true)]);
}

#[test]
fn a_service_is_recovered_again_and_again() {
    let mut desk = Desk::new();
    desk.left(1, "a", Act::NoteAndCook);
    desk.settle();
    let mut store = desk.memory().clone();
    for turn in 2..5 {
        desk.left(turn, "a", Act::Note);
        desk.settle();
        publish_all(&desk);
        let (log, before) = (desk.log(), store.lead().unwrap().generation);
        store = empty();
        let (next, recovered) = recovered(desk, &store);
        assert!(recovered.generation.unwrap() > before);
        desk = next;
        assert_same_life(&desk, &log);
        desk.settle();
        assert_eq!(attempts(&desk), [("Cook a/1".into(), true)]);
    }
    // Also an older copy of any generation is brought to the newest.
    let backup = store.copy();
    desk.left(5, "a", Act::Note);
    desk.settle();
    publish_all(&desk);
    let log = desk.log();
    let (_, first) = desk.recovered(&backup);
    assert_eq!(first.unwrap().events, 1);
    assert_eq!(backup.log_after(0, Position::default(), 100).unwrap(), log);
}

#[test]
fn a_kind_that_is_kept_for_the_first_time_after_a_recovery_is_folded_whole() {
    let mut desk = Desk::new();
    desk.left(1, "a", Act::Note);
    desk.left(2, "b", Act::Note);
    desk.left(3, "a", Act::Note);
    desk.settle();
    publish_all(&desk);
    let (mut desk, _) = recovered(desk, &empty());
    desk.left(4, "a", Act::Note);
    desk.left(5, "c", Act::Note);
    desk.settle();
    // Given a log of two generations, when a build keeps a kind that none did before,
    let mut desk = desk.followed_by(newer);
    desk.settle();
    // then it is folded over both.
    assert_folds::<Tally>(&desk);
    desk.left(6, "a", Act::Note);
    desk.settle();
    assert_folds::<Tally>(&desk);
    assert_folds::<Page>(&desk);
}

#[test]
fn a_store_that_lacks_nothing_is_left_as_it_is() {
    let mut desk = Desk::new();
    desk.left(1, "a", Act::Note);
    desk.settle();
    publish_all(&desk);
    let store = desk.memory().clone();
    let (desk, result) = desk.recovered(&store);
    let result = result.unwrap();
    assert_eq!((result.events, result.generation), (0, None));
    assert_eq!(desk.read.lead().unwrap().generation, 7);
}

#[test]
fn a_topic_that_was_cut_back_cannot_rebuild_a_lost_store() {
    let mut desk = Desk::new();
    (1..=3).for_each(|seq| desk.left(seq, "a", Act::Note));
    desk.settle();
    let backup = {
        let mut old = Desk::new();
        old.left(1, "a", Act::Note);
        old.settle();
        old.memory().copy()
    };
    for row in desk.log().into_iter().filter(|row| row.seq > 1) {
        desk.bus.put(runtime::Record::new("desk", row));
    }
    desk.bus.script().earliest.insert("desk", Position { generation: 7, seq: 1 });
    let (desk, result) = desk.recovered(&empty());
    let why = result.unwrap_err().to_string();
    assert!(why.contains("Restore a backup") && why.contains("7.0.2") && why.contains("tutti reset"), "{why}");
    // A backup that reaches up to it can be brought up.
    let (desk, result) = desk.recovered(&backup);
    assert_eq!(result.unwrap().events, 2);
    assert_eq!(desk.log().len(), 3);
}

#[test]
fn a_hole_in_a_topic_is_named_with_what_mends_it() {
    let mut desk = Desk::new();
    (1..=3).for_each(|seq| desk.left(seq, "a", Act::Note));
    desk.settle();
    publish_all(&desk);
    desk.bus.lose("left", 2);
    let (desk, result) = desk.recovered(&empty());
    let why = result.unwrap_err().to_string();
    assert!(
        why.contains("left") && why.contains("1000.0.2") && why.contains("tutti republish --service left"),
        "{why}"
    );
    desk.bus.mend();
    let store = desk.memory().clone();
    let (desk, result) = desk.recovered(&store);
    assert_eq!(result.unwrap().doubts, [""; 0]);
    assert_eq!(desk.log().len(), 3);
}
