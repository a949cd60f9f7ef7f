//! *Given* these events, *when* this input, *then* these events.

use crate::cinema::{Curtain, Event, Fold, Move, SeatFreed, SeatRefused, SeatTaken, Unfold, Visit, door, service};
use choreography::{Done, Due, testing::given};

fn came(visitor: &str, seat: &str) -> door::VisitorCame {
    door::VisitorCame { visitor: visitor.into(), seat: seat.into() }
}

fn taken(visitor: &str, seat: &str) -> Event {
    SeatTaken { visitor: visitor.into(), seat: seat.into() }.into()
}

fn freed(visitor: &str, seat: &str) -> Event {
    SeatFreed { visitor: visitor.into(), seat: seat.into() }.into()
}

#[test]
fn a_free_seat_is_taken() {
    given(service(), [])
        .when(&came("ada", "A1"))
        .says([taken("ada", "A1")])
        .says_names(&["SeatTaken"])
        .asks_names(&["unfold", "curtain"]);
}

#[test]
fn a_taken_seat_is_refused_by_an_event() {
    let refused = SeatRefused { visitor: "bob".into(), seat: "A1".into() };
    given(service(), [taken("ada", "A1")]).when(&came("bob", "A1")).says([refused.into()]).asks_nothing();
}

#[test]
fn what_it_said_is_its_past_from_then_on() {
    let mut seats = given(service(), []);
    seats.when(&came("ada", "A1")).says_names(&["SeatTaken"]);
    seats.when(&came("bob", "A1")).says_names(&["SeatRefused"]);
    assert_eq!(seats.state::<Visit>("ada"), Visit { seat: "A1".into() });
    assert_eq!(seats.state::<Visit>("bob"), Visit::default());
}

#[test]
fn an_effect_is_compared_by_what_is_stored_of_it() {
    given(service(), [taken("ada", "A1")])
        .when(&door::VisitorLeft { visitor: "ada".into(), seat: String::new() })
        .says([freed("ada", "A1")])
        .asks(&Fold { seat: "A1".into() });
}

#[test]
fn a_timer_that_comes_too_late_does_nothing() {
    let curtain = Due(Curtain { visitor: "ada".into() });
    given(service(), [taken("ada", "A1")]).when(&curtain).says([freed("ada", "A1")]);
    given(service(), [taken("ada", "A1"), freed("ada", "A1")]).when(&curtain).nothing();
}

#[test]
fn an_answer_is_an_input_like_any_other() {
    given(service(), []).when(&Done { asked: Unfold { seat: "A1".into() }, outcome: Err(()) }).nothing();
}

#[test]
fn a_command_may_be_refused() {
    let ask = Move { visitor: "ada".into(), to: "A2".into() };
    given(service(), [taken("ada", "A1"), taken("bob", "A2")]).when(&ask).refuses("seat_taken");
    given(service(), [taken("ada", "A1")]).when(&ask).says([freed("ada", "A1"), taken("ada", "A2")]);
}

#[test]
#[should_panic(expected = "expected only fold A1")]
fn asking_for_something_else_fails_the_test() {
    given(service(), []).when(&came("ada", "A1")).asks(&Fold { seat: "A1".into() });
}

#[test]
#[should_panic(expected = "expected only curtain ada")]
fn a_timer_beside_an_effect_is_not_only_a_timer() {
    given(service(), []).when(&came("ada", "A1")).sets(&Curtain { visitor: "ada".into() });
}

#[test]
#[should_panic(expected = "assertion `left == right` failed")]
fn saying_something_else_fails_the_test() {
    given(service(), []).when(&came("ada", "A1")).nothing();
}

#[test]
#[should_panic(expected = "poison: seats does not react to SeatTaken")]
fn an_input_that_nobody_takes_fails_the_test() {
    given(service(), []).when(&SeatTaken { visitor: "ada".into(), seat: "A1".into() });
}
