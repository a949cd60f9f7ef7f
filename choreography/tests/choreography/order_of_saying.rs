//! What a decision returns is said in the order in which it stands there.

use crate::cinema::{Curtain, Event, FILM, Fold, SeatFreed, SeatRefused, SeatTaken, Unfold};
use choreography::{After, Declared, Do, Emits, Out, Refused, Topic, Work, one_of};
use std::time::Duration;

fn emitted(what: impl Emits<Event>) -> Out<Event> {
    let mut out = Out::default();
    what.emit(&mut out);
    out
}

fn names(what: impl Emits<Event>) -> Vec<&'static str> {
    emitted(what).events.iter().map(Topic::name).collect()
}

fn taken(seat: &str) -> SeatTaken {
    SeatTaken { visitor: "ada".into(), seat: seat.into() }
}

fn freed(seat: &str) -> SeatFreed {
    SeatFreed { visitor: "ada".into(), seat: seat.into() }
}

fn refused(seat: &str) -> SeatRefused {
    SeatRefused { visitor: "ada".into(), seat: seat.into() }
}

#[test]
fn a_tuple_is_said_from_left_to_right() {
    assert_eq!(names((freed("A1"), taken("A2"))), ["SeatFreed", "SeatTaken"]);
    assert_eq!(names((taken("A2"), freed("A1"))), ["SeatTaken", "SeatFreed"]);
    assert_eq!(names((taken("A1"), (), Some(freed("A1")), refused("A1"))), ["SeatTaken", "SeatFreed", "SeatRefused"]);
}

#[test]
fn a_vector_is_said_in_its_order() {
    let out = emitted(vec![taken("B2"), taken("A1"), taken("C3")]);
    assert_eq!(out.events, [taken("B2").into(), taken("A1").into(), taken("C3").into()]);
}

#[test]
fn nothing_is_said_for_nothing() {
    assert_eq!(names(()), [""; 0]);
    assert_eq!(names(None::<SeatTaken>), [""; 0]);
    assert_eq!(names(Vec::<SeatTaken>::new()), [""; 0]);
}

#[test]
fn a_result_says_what_it_holds() {
    assert_eq!(names(Ok::<_, SeatRefused>(taken("A1"))), ["SeatTaken"]);
    assert_eq!(names(Err::<SeatTaken, _>(refused("A1"))), ["SeatRefused"]);
}

#[test]
fn effects_and_timers_are_work_in_the_order_they_were_asked_for() {
    let (unfold, curtain) = (Unfold { seat: "A1".into() }, Curtain { visitor: "ada".into() });
    let out = emitted((Do(unfold), After(FILM, curtain), Do(Fold { seat: "A1".into() })));
    let work = |name, key: &str, after| Work { name, key: key.into(), after, shape: 1, body: key.into() };
    let none = Duration::ZERO;
    assert_eq!(out.work, [work("unfold", "A1", none), work("curtain", "ada", FILM), work("fold", "A1", none)]);
    assert!(out.events.is_empty());
}

#[test]
fn a_refusal_is_neither_event_nor_work() {
    let out = emitted(Err::<SeatTaken, _>(Refused::new("seat_taken", "Somebody sits there.")));
    assert_eq!(out.refused.map(|refused| refused.reason), Some("seat_taken"));
    assert!(out.events.is_empty() && out.work.is_empty());
}

#[derive(Debug)]
enum Answer {
    Seated((SeatTaken, Do<Unfold>)),
    Moved((SeatFreed, SeatTaken)),
    Full(SeatRefused),
}
one_of!(Answer: Event { Seated((SeatTaken, Do<Unfold>)), Moved((SeatFreed, SeatTaken)), Full(SeatRefused) });

#[test]
fn one_of_many_outcomes_says_what_its_variant_holds() {
    assert_eq!(names(Answer::Moved((freed("A1"), taken("A2")))), ["SeatFreed", "SeatTaken"]);
    assert_eq!(names(Answer::Full(refused("A1"))), ["SeatRefused"]);
    let seated = emitted(Answer::Seated((taken("A1"), Do(Unfold { seat: "A1".into() }))));
    assert_eq!((seated.events.len(), seated.work.len()), (1, 1));
}

#[test]
fn one_of_many_outcomes_declares_them_all() {
    let mut declared = Declared::default();
    <Answer as Emits<Event>>::declare(&mut declared);
    assert_eq!(declared.events, ["SeatFreed", "SeatRefused", "SeatTaken"].into());
    assert_eq!(declared.effects, ["unfold"].into());
}
