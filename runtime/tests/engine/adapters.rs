//! How a stored effect is performed by an adapter: call first, ask ever after, and never call what is stale.

use crate::support::{
    clock::{SECOND, TestClock},
    desk::Desk,
    service::{Act, Clear, Cook},
    world::World,
};
use runtime::{Adapter, Outcome, Step, TraceId, performer, trace};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

#[derive(Default)]
struct Kitchen {
    /// What the next calls and questions are answered; done when nothing is left.
    calls: VecDeque<Outcome<Cook>>,
    asks: VecDeque<Option<Outcome<Cook>>>,
    heard: Vec<String>,
    /// The trace that each call came in.
    traces: Vec<Option<TraceId>>,
}

/// The other side, as a test plays it.
#[derive(Clone, Default)]
struct TheOther(Arc<Mutex<Kitchen>>);

impl Adapter<Cook> for TheOther {
    async fn call(&self, key: &str, effect: &Cook) -> Outcome<Cook> {
        let mut kitchen = self.0.lock().unwrap();
        kitchen.heard.push(format!("call {key} {}", effect.n));
        kitchen.traces.push(trace::current().map(|parent| parent.trace_id));
        kitchen.calls.pop_front().unwrap_or(Outcome::Done("called".into()))
    }
    async fn ask(&self, key: &str, effect: &Cook) -> Option<Outcome<Cook>> {
        let mut kitchen = self.0.lock().unwrap();
        kitchen.heard.push(format!("ask {key} {}", effect.n));
        kitchen.asks.pop_front().unwrap_or(Some(Outcome::Done("asked".into())))
    }
}

/// A desk whose effects are performed by an adapter on a real runtime.
struct Performing {
    desk: Desk,
    other: TheOther,
    tokio: tokio::runtime::Runtime,
}

impl Performing {
    /// The other side answers so.
    fn new(calls: &[Outcome<Cook>], asks: &[Option<Outcome<Cook>>]) -> Performing {
        let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let other = TheOther::default();
        *other.0.lock().unwrap() =
            Kitchen { calls: calls.to_vec().into(), asks: asks.to_vec().into(), ..Kitchen::default() };
        let clock = TestClock::default();
        let _within = tokio.enter();
        let clear = World::default().performers().remove(1);
        assert_eq!(clear.name(), <Clear as choreography::Effect>::NAME);
        let performers = vec![performer::<Cook>(other.clone(), Arc::new(clock.clone())), clear];
        Performing { desk: Desk::performing(clock, performers), other, tokio }
    }

    /// Runs until so much was heard and all of it was answered.
    fn until_heard(&mut self, count: usize) -> Vec<String> {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            assert!(Instant::now() < deadline, "heard {:?}", self.other.0.lock().unwrap().heard);
            let Step::Idle(until) = self.desk.settle() else { panic!("it ended") };
            let heard = self.other.0.lock().unwrap().heard.clone();
            if heard.len() >= count && self.desk.read.counts().unwrap().work as usize == self.stuck() {
                return heard;
            }
            // Either an answer comes, or a pause is over as soon as the clock says so.
            self.desk.shared.intake.bell().wait(Some(Duration::from_millis(20)));
            if let Some(until) = until {
                self.desk.clock.turn((until - self.desk.now()).clamp(0, SECOND));
            }
        }
    }

    /// Runs until something was heard, answered or not.
    fn until_asked(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.other.0.lock().unwrap().heard.is_empty() {
            assert!(Instant::now() < deadline, "nothing was heard");
            self.desk.settle();
            self.desk.shared.intake.bell().wait(Some(Duration::from_millis(20)));
        }
        self.desk.settle();
    }

    fn stuck(&self) -> usize {
        self.desk.read.counts().unwrap().stuck as usize
    }

    /// Asked for in the past life of the desk, so that it may have been tried.
    fn found_at_start(&mut self) {
        let mut past = self.desk.rival();
        past.left(1, "a", Act::Cook);
        past.settle();
    }
}

const KEY: &str = "desk/Cook/a/1";

#[test]
fn a_first_attempt_calls_without_asking() {
    let mut performing = Performing::new(&[], &[]);
    performing.desk.left(1, "a", Act::Cook);
    assert_eq!(performing.until_heard(1), [format!("call {KEY} 1")]);
    assert_eq!(performing.desk.said(), ["Answered a Cook 1 called"]);
}

#[test]
fn an_adapter_works_in_the_trace_of_what_asked_for_it() {
    let mut performing = Performing::new(&[], &[]);
    performing.desk.left(1, "a", Act::Cook);
    performing.until_heard(1);
    let trace: TraceId = "4bf92f3577b34da6a3ce929d0e0e4736".parse().unwrap();
    assert_eq!(performing.other.0.lock().unwrap().traces, [Some(trace)]);
}

#[test]
fn a_later_attempt_asks_and_takes_what_the_other_side_knows() {
    let unclear = Outcome::Unclear("a timeout".into());
    let mut performing = Performing::new(&[unclear], &[Some(Outcome::Refused("no flour".into()))]);
    performing.desk.left(1, "a", Act::Cook);
    assert_eq!(performing.until_heard(2), [format!("call {KEY} 1"), format!("ask {KEY} 1")]);
    assert_eq!(performing.desk.said(), ["Answered a Cook 1 refused: no flour"]);
}

#[test]
fn a_later_attempt_calls_again_only_if_the_other_side_knows_nothing() {
    let unclear = || Outcome::Unclear("a timeout".into());
    let asks = [Some(unclear()), None];
    let mut performing = Performing::new(&[unclear()], &asks);
    performing.desk.left(1, "a", Act::Cook);
    let expected = ["call", "ask", "ask", "call"].map(|what| format!("{what} {KEY} 1"));
    assert_eq!(performing.until_heard(4), expected);
    assert_eq!(performing.desk.said(), ["Answered a Cook 1 called"]);
}

#[test]
fn what_is_found_at_start_is_asked_for_and_not_called() {
    let mut performing = Performing::new(&[], &[]);
    performing.found_at_start();
    assert_eq!(performing.until_heard(1), [format!("ask {KEY} 1")]);
    assert_eq!(performing.desk.said(), ["Answered a Cook 1 asked"]);
}

#[test]
fn what_is_stale_and_unknown_is_refused_without_a_call_once_nothing_can_arrive_any_more() {
    let mut performing = Performing::new(&[], &vec![None; 5000]);
    performing.found_at_start();
    performing.desk.clock.turn(61 * SECOND);
    performing.until_asked();
    assert_eq!(performing.desk.said(), Vec::<String>::new());
    performing.desk.clock.turn(61 * SECOND);
    assert!(performing.until_heard(2).iter().all(|heard| *heard == format!("ask {KEY} 1")));
    assert_eq!(performing.desk.said(), ["Answered a Cook 1 refused: stale"]);
}

#[test]
fn what_was_still_on_its_way_when_it_was_stale_counts_after_all() {
    let asks = [None, Some(Outcome::Done("late".into()))];
    let mut performing = Performing::new(&[], &asks);
    performing.found_at_start();
    performing.desk.clock.turn(61 * SECOND);
    assert_eq!(performing.until_heard(2), [0; 2].map(|_| format!("ask {KEY} 1")));
    assert_eq!(performing.desk.said(), ["Answered a Cook 1 late"]);
}

#[test]
fn a_refusal_that_the_other_side_knows_nothing_of_counts_only_once_nothing_can_arrive_any_more() {
    // Given an attempt whose end is unclear, and an adapter that then refuses without calling,
    let calls = [Outcome::Unclear("a timeout".into()), Outcome::Refused("forgotten".into())];
    let asks = [None, None, Some(Outcome::Done("late".into()))];
    let mut performing = Performing::new(&calls, &asks);
    performing.desk.left(1, "a", Act::Cook);
    // when the first attempt arrives after all, then it counts.
    performing.until_heard(5);
    assert_eq!(performing.desk.said(), ["Answered a Cook 1 late"]);
}

#[test]
fn what_is_stale_but_known_is_what_the_other_side_knows() {
    let mut performing = Performing::new(&[], &[Some(Outcome::Done("in time".into()))]);
    performing.found_at_start();
    performing.desk.clock.turn(61 * SECOND);
    performing.until_heard(1);
    assert_eq!(performing.desk.said(), ["Answered a Cook 1 in time"]);
}

#[test]
fn what_is_stale_but_unclear_is_asked_for_until_it_is_clear() {
    let unclear = || Some(Outcome::Unclear("away".into()));
    let asks: Vec<_> = [unclear(), unclear(), unclear()].into_iter().chain(vec![None; 5000]).collect();
    let mut performing = Performing::new(&[], &asks);
    performing.found_at_start();
    performing.desk.clock.turn(3600 * SECOND);
    performing.until_asked();
    performing.desk.clock.turn(61 * SECOND);
    assert!(performing.until_heard(4).iter().all(|heard| *heard == format!("ask {KEY} 1")));
    assert_eq!(performing.desk.said(), ["Answered a Cook 1 refused: stale"]);
}

#[test]
fn what_is_still_useful_and_unknown_is_called() {
    let mut performing = Performing::new(&[], &[None]);
    performing.found_at_start();
    performing.desk.clock.turn(50 * SECOND);
    assert_eq!(performing.until_heard(2), [format!("ask {KEY} 1"), format!("call {KEY} 1")]);
    assert_eq!(performing.desk.said(), ["Answered a Cook 1 called"]);
}

#[test]
fn a_never_tried_effect_that_is_stale_is_refused_unseen() {
    // Given an effect that waits for its turn until it is no longer useful,
    let unclear = Outcome::Unclear("slow".into());
    let mut performing = Performing::new(&[unclear], &[]);
    performing.desk.left(1, "a", Act::Cook);
    performing.desk.settle();
    performing.desk.left(2, "a", Act::Cook);
    performing.desk.settle();
    performing.desk.clock.turn(61 * SECOND);
    // when its turn comes, then nobody hears of it.
    let heard = performing.until_heard(2);
    assert_eq!(heard, [format!("call {KEY} 1"), format!("ask {KEY} 1")]);
    assert_eq!(performing.desk.said(), ["Answered a Cook 1 asked", "Answered a Cook 2 refused: stale"]);
}

#[test]
fn what_can_never_succeed_is_stuck() {
    let mut performing = Performing::new(&[Outcome::Stuck("a refund refused".into())], &[]);
    performing.desk.left(1, "a", Act::Cook);
    performing.until_heard(1);
    assert_eq!(performing.stuck(), 1);
    assert!(performing.desk.said().is_empty());
    drop(performing.tokio);
}
