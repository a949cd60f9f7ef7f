//! A pair that cannot happen, a panic and a value that cannot be written are poison, each with a reason that a person
//! can act on.

use crate::cinema::{Event, Move, Seat, SeatTaken, Visit, come, door, service};
use choreography::{Service, Topic, cannot_happen, testing::given};

fn came(visitor: &str) -> door::VisitorCame {
    door::VisitorCame { visitor: visitor.into(), seat: "A1".into() }
}

fn seats_by(decision: fn(&door::VisitorCame, &Visit) -> SeatTaken) -> Service<Event> {
    Service::default().keeps::<Visit>().keeps::<Seat>().on(decision)
}

#[test]
fn a_pair_that_cannot_happen_names_the_state_and_the_input() {
    let service = seats_by(|_, visit| cannot_happen(visit, "VisitorCame"));
    assert_eq!(given(service, []).poison(&came("ada")), "VisitorCame cannot happen in state Visit");
}

#[test]
fn what_the_state_holds_is_not_told() {
    #[derive(Debug)]
    #[allow(dead_code, reason = "read by Debug only")]
    enum Card {
        Charged { number: &'static str },
    }
    let service = seats_by(|_, _| cannot_happen(&Card::Charged { number: "4111" }, "VisitorCame"));
    assert_eq!(given(service, []).poison(&came("ada")), "VisitorCame cannot happen in state Charged");
}

#[test]
fn a_panic_is_poison_with_its_message() {
    let formatted = seats_by(|came, _| panic!("no seat for {}", came.visitor));
    assert_eq!(given(formatted, []).poison(&came("ada")), "the decision panicked: no seat for ada");
    let plain = seats_by(|_, _| panic!("no seats at all"));
    assert_eq!(given(plain, []).poison(&came("ada")), "the decision panicked: no seats at all");
    let strange = seats_by(|_, _| std::panic::panic_any(7));
    assert_eq!(given(strange, []).poison(&came("ada")), "the decision panicked: no message");
}

#[test]
fn a_fold_that_cannot_happen_is_poison_too() {
    let careless = seats_by(|came, _| SeatTaken { visitor: came.visitor.clone(), seat: came.seat.clone() });
    let taken: Event = SeatTaken { visitor: "bob".into(), seat: "A1".into() }.into();
    assert_eq!(given(careless, [taken]).poison(&came("ada")), "SeatTaken cannot happen in state Seat");
}

#[test]
fn what_cannot_be_written_is_poison() {
    let service = Service::default().keeps::<Visit>().keeps::<Seat>().on(come);
    let reason = given(service, []).poison(&came("ada\nlovelace"));
    assert_eq!(reason, "cannot be stored: a field of several lines");
}

#[test]
fn poison_leaves_everything_as_it_was() {
    let mut seats = given(service(), [SeatTaken { visitor: "bob".into(), seat: "A1".into() }.into()]);
    seats.poison(&door::VisitorCame { visitor: "x\ny".into(), seat: "A2".into() });
    assert_eq!(seats.state::<Seat>("A2"), Seat::default());
    seats.when(&Move { visitor: "bob".into(), to: "A2".into() }).says_names(&["SeatFreed", "SeatTaken"]);
}

#[test]
fn a_datum_that_cannot_be_read_says_why() {
    assert_eq!(Event::decode("SeatTaken", 1, b"ada").unwrap_err(), "SeatTaken: another number of fields");
    assert_eq!(Event::decode("SeatSold", 1, b"ada\nA1").unwrap_err(), "`SeatSold` is no event of topic `seats`");
    let event: Event = SeatTaken { visitor: "ada".into(), seat: "A1".into() }.into();
    assert_eq!(Event::decode(event.name(), event.version(), &event.encode().unwrap()), Ok(event));
}
