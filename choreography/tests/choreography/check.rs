//! What `Service::check` finds in one service, each thing once.

use crate::cinema::{
    Curtain, Event, Fold, Seat, SeatFreed, SeatRefused, SeatTaken, Unfold, Visit, change, come, door, end, folded,
    leave, service, unfolded,
};
use choreography::{After, Do, Refused, Service};

fn findings(service: &Service<Event>) -> Vec<String> {
    service.check().err().map(|found| found.0).unwrap_or_default()
}

fn without_reactions() -> Service<Event> {
    Service::default().keeps::<Visit>().keeps::<Seat>()
}

fn refuse(left: &door::VisitorLeft) -> SeatRefused {
    SeatRefused { visitor: left.visitor.clone(), seat: left.seat.clone() }
}

#[test]
fn a_whole_service_passes() {
    assert_eq!(service().check(), Ok(()));
}

#[test]
fn an_event_that_nobody_says_is_found() {
    let without_refusal = without_reactions().on(change).on(end);
    assert_eq!(findings(&without_refusal), ["seats: SeatRefused is never said"]);
}

#[test]
fn an_input_decided_twice_is_found_and_the_first_decision_counts() {
    let twice = service().on(refuse);
    assert_eq!(findings(&twice), ["seats: VisitorLeft is decided twice"]);
    assert_eq!(findings(&twice.on(refuse)), ["seats: VisitorLeft is decided twice"], "also when it is decided thrice");
}

#[test]
fn an_event_cannot_be_refused() {
    fn turn_away(_: &door::VisitorLeft) -> Option<Refused> {
        None
    }
    let refusing = without_reactions().on(come).on(change).on(turn_away).on(unfolded).on(folded).on(end).on(fold_all);
    assert_eq!(findings(&refusing), ["seats: VisitorLeft has no caller to refuse"]);
}

fn fold_all(_: &SeatFreed) -> Option<Do<Fold>> {
    None
}

#[test]
fn an_effect_whose_answer_nobody_takes_is_found_once() {
    fn unfold_too(taken: &SeatTaken) -> Do<Unfold> {
        Do(Unfold { seat: taken.seat.clone() })
    }
    let unanswered = without_reactions().on(come).on(leave).on(change).on(folded).on(end).on(unfold_too);
    assert_eq!(findings(&unanswered), ["seats: nobody takes the answer of unfold"]);
}

#[test]
fn a_timer_that_nobody_takes_is_found() {
    let unheard = without_reactions().on(come).on(leave).on(change).on(unfolded).on(folded);
    assert_eq!(findings(&unheard), ["seats: nobody takes the answer of curtain"]);
}

#[test]
fn an_effect_that_nobody_undoes_is_found() {
    let forgotten = without_reactions().on(come).on(change).on(unfolded).on(end);
    assert_eq!(findings(&forgotten), ["seats: nothing asks for fold, which is to undo"]);
}

#[test]
fn everything_wrong_is_listed_in_one_error() {
    fn wait(_: &door::VisitorCame) -> After<Curtain> {
        After(crate::cinema::FILM, Curtain { visitor: String::new() })
    }
    let error = without_reactions().on(wait).check().unwrap_err();
    assert_eq!(
        error.to_string(),
        "seats: SeatTaken is never said\n\
         seats: SeatRefused is never said\n\
         seats: SeatFreed is never said\n\
         seats: nobody takes the answer of curtain"
    );
}
