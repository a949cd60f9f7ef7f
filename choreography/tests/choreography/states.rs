//! States are loaded when a decision asks for them: asking for one that is not there notes its key.

use crate::cinema::{Event, Seat, SeatTaken, Visit, come, door, leave, service};
use choreography::{Decided, Origin, Service, Slot, States};

const CAME: Origin = Origin::Event { topic: "door", name: "VisitorCame" };
const LEFT: Origin = Origin::Event { topic: "door", name: "VisitorLeft" };

fn came() -> door::VisitorCame {
    door::VisitorCame { visitor: "ada".into(), seat: "A1".into() }
}

fn decide(service: &Service<Event>, states: &States) -> Result<Decided<Event>, String> {
    service.decide(service.reaction_to(CAME).unwrap(), &came(), states)
}

fn missing(states: &States) -> Vec<Slot> {
    states.take_missing().into_iter().collect()
}

fn slot(kind: &'static str, key: &str) -> Slot {
    (kind, key.to_owned())
}

fn seat(visitor: &str) -> Box<Seat> {
    Box::new(Seat { visitor: visitor.into() })
}

#[test]
fn a_state_that_is_not_loaded_is_blank_and_noted_once() {
    let states = service().states();
    assert_eq!(states.of::<Seat>("A1"), &Seat::default());
    assert_eq!(states.of::<Seat>("A1"), &Seat::default());
    assert_eq!(missing(&states), [slot("seat", "A1")]);
    assert_eq!(missing(&states), [], "and then noted no longer");
}

#[test]
fn a_loaded_state_is_not_asked_for_again() {
    let mut states = service().states();
    states.load("seat", "A1".into(), seat("bob"), 0);
    assert_eq!(states.of::<Seat>("A1").visitor, "bob");
    assert_eq!(missing(&states), []);
}

#[test]
fn a_draft_hides_what_is_loaded_until_it_is_discarded() {
    let mut states = service().states();
    states.load("seat", "A1".into(), seat("bob"), 0);
    states.draft(slot("seat", "A1"), seat("ada"), 1);
    assert_eq!(states.of::<Seat>("A1").visitor, "ada");
    states.discard_drafts();
    assert_eq!(states.of::<Seat>("A1").visitor, "bob");
}

#[test]
fn drafts_are_taken_out_to_be_committed() {
    let mut states = service().states();
    states.load("seat", "A1".into(), seat("bob"), 1);
    states.draft(slot("seat", "A1"), seat("eve"), 1);
    states.draft(slot("seat", "A1"), seat("ada"), 1);
    let drafts = states.take_drafts();
    assert_eq!(
        drafts.iter().map(|(slot, _, version)| (slot.clone(), *version)).collect::<Vec<_>>(),
        [(slot("seat", "A1"), 3)]
    );
    assert_eq!(states.of::<Seat>("A1").visitor, "bob", "until they are loaded as committed");
    assert!(states.take_drafts().is_empty());
}

#[test]
fn what_is_forgotten_is_asked_for_again() {
    let mut states = service().states();
    states.load("seat", "A1".into(), seat("bob"), 0);
    states.forget_loaded();
    assert_eq!(states.of::<Seat>("A1"), &Seat::default());
    assert_eq!(missing(&states), [slot("seat", "A1")]);
}

#[test]
fn a_look_at_an_input_tells_its_own_key_and_those_it_asks_for() {
    let (service, states) = (service(), service().states());
    service.look(service.reaction_to(LEFT).unwrap(), &left(), &states);
    assert_eq!(missing(&states), [slot("visit", "ada")], "the state under its own key");
    service.look(service.reaction_to(CAME).unwrap(), &came(), &states);
    assert_eq!(missing(&states), [slot("seat", "A1")], "whatever it asks for");
}

fn left() -> door::VisitorLeft {
    door::VisitorLeft { visitor: "ada".into(), seat: "A1".into() }
}

#[test]
fn deciding_asks_for_what_the_decision_and_its_events_touch() {
    let service = service();
    let mut states = service.states();
    assert!(decide(&service, &states).is_ok(), "decided on blank states, which means nothing yet");
    let asked = missing(&states);
    assert_eq!(asked, [slot("seat", "A1"), slot("visit", "ada")]);
    for (kind, key) in asked {
        states.load(kind, key, (service.kind(kind).unwrap().blank)(), 0);
    }
    let decided = decide(&service, &states).unwrap();
    assert_eq!(missing(&states), []);
    assert_eq!(decided.out.events, [SeatTaken { visitor: "ada".into(), seat: "A1".into() }.into()]);
}

#[test]
fn a_decision_changes_no_state_by_itself() {
    let service = service();
    let mut states = service.states();
    states.load("seat", "A1".into(), seat(""), 0);
    states.load("visit", "ada".into(), Box::new(Visit::default()), 0);
    let decided = decide(&service, &states).unwrap();
    assert_eq!(states.of::<Seat>("A1"), &Seat::default(), "the copy is folded, not the state");
    let (folded, events) = &decided.folded[&slot("seat", "A1")];
    assert_eq!((folded.downcast_ref::<Seat>().unwrap().visitor.as_str(), *events), ("ada", 1));
}

#[test]
fn a_kind_reads_what_it_wrote_and_its_name_carries_the_shape() {
    let service = service();
    let kind = service.kind("seat").unwrap();
    assert_eq!(kind.stored_as, "seat.1");
    let bytes = (kind.encode)(&*seat("ada")).unwrap();
    assert_eq!((kind.decode)(&bytes).unwrap().downcast_ref(), Some(&*seat("ada")));
    assert!((kind.decode)(b"two\nlines").is_err());
}

#[test]
fn a_state_that_is_not_kept_is_poison_and_never_asked_for() {
    let forgetful = Service::default().keeps::<Visit>().on(come).on(leave);
    let states = forgetful.states();
    let why = decide(&forgetful, &states).err().unwrap();
    assert_eq!(why, "the decision panicked: state `seat` is not kept: add `.keeps::<…>()` to the service");
    assert_eq!(missing(&states), [], "it could never be loaded");
}
