//! What `check_all` finds over all services. A theatre of three: `box_office` owns a booking's fate, `seats` and
//! `cloakroom` take part in it.

use choreography::{Declared, MapRow, Origin, Participant, Saga, ServiceMap, check_all};

const SEATS: Participant = Participant { service: "seats", closing: &["SeatFreed"] };

const SAGA: Saga = Saga {
    owner: "box_office",
    undo: "BookingCancelled",
    participants: &[SEATS, Participant { service: "cloakroom", closing: &["CoatReturned"] }],
    for_outside: &["BookingClosed"],
};

fn event(topic: &'static str, name: &'static str) -> Origin {
    Origin::Event { topic, name }
}

fn row(origin: Origin, says: &[&'static str]) -> MapRow {
    MapRow { origin, declared: Declared { events: says.iter().copied().collect(), ..Declared::default() } }
}

fn box_office() -> ServiceMap {
    let rows = vec![
        row(Origin::Command("Book"), &["BookingMade"]),
        row(event("seats", "SeatTaken"), &[]),
        row(event("cloakroom", "CoatTaken"), &["BookingCancelled"]),
        row(event("seats", "SeatFreed"), &["BookingClosed"]),
        row(event("cloakroom", "CoatReturned"), &["BookingClosed"]),
    ];
    ServiceMap { service: "box_office", events: &["BookingMade", "BookingCancelled", "BookingClosed"], rows }
}

fn seats() -> ServiceMap {
    let rows = vec![
        row(event("box_office", "BookingMade"), &["SeatTaken"]),
        row(event("box_office", "BookingCancelled"), &["SeatFreed"]),
    ];
    ServiceMap { service: "seats", events: &["SeatTaken", "SeatFreed"], rows }
}

fn cloakroom() -> ServiceMap {
    let rows = vec![
        row(event("seats", "SeatTaken"), &["CoatTaken"]),
        row(event("box_office", "BookingCancelled"), &["CoatReturned"]),
    ];
    ServiceMap { service: "cloakroom", events: &["CoatTaken", "CoatReturned"], rows }
}

fn findings(services: &[ServiceMap], saga: &Saga) -> Vec<String> {
    check_all(services, saga).err().map(|found| found.0).unwrap_or_default()
}

/// All three, after a change to the first, second and third of them.
fn theatre(change: impl FnOnce(&mut [ServiceMap; 3])) -> [ServiceMap; 3] {
    let mut services = [box_office(), seats(), cloakroom()];
    change(&mut services);
    services
}

fn forget(service: &mut ServiceMap, name: &str) {
    service.rows.retain(|row| row.origin.name() != name);
}

#[test]
fn a_whole_choreography_passes() {
    assert_eq!(check_all(&theatre(|_| {}), &SAGA), Ok(()));
}

#[test]
fn an_event_without_a_reader_is_found_unless_it_is_for_outside() {
    let unread = Saga { for_outside: &[], ..SAGA };
    let found = findings(&theatre(|_| {}), &unread);
    assert_eq!(found, ["BookingClosed of box_office is read by nobody and not listed as for outside"]);
}

#[test]
fn a_service_that_reads_its_own_event_is_a_reader() {
    let reads_itself = theatre(|[office, ..]| office.rows.push(row(event("box_office", "BookingClosed"), &[])));
    assert_eq!(findings(&reads_itself, &Saga { for_outside: &[], ..SAGA }), [""; 0]);
}

#[test]
fn a_reaction_to_what_nobody_says_is_found() {
    let waits = theatre(|[_, seats, _]| seats.rows.push(row(event("box_office", "BookingMoved"), &[])));
    assert_eq!(findings(&waits, &SAGA), ["seats waits for BookingMoved of box_office, which nobody says"]);
}

#[test]
fn an_event_is_known_by_its_topic_and_its_name() {
    let elsewhere = theatre(|[_, seats, _]| seats.rows.push(row(event("cloakroom", "SeatTaken"), &[])));
    assert_eq!(findings(&elsewhere, &SAGA), ["seats waits for SeatTaken of cloakroom, which nobody says"]);
}

#[test]
fn a_service_that_others_build_on_must_be_a_participant() {
    let saga = Saga { participants: &[SEATS], ..SAGA };
    assert_eq!(findings(&theatre(|_| {}), &saga), ["others build on cloakroom, which has no closing event"]);
}

#[test]
fn a_service_that_nobody_builds_on_needs_no_undo() {
    let usher = ServiceMap {
        service: "usher",
        events: &["TorchLit"],
        rows: vec![row(event("seats", "SeatTaken"), &["TorchLit"])],
    };
    let saga = Saga { for_outside: &["BookingClosed", "TorchLit"], ..SAGA };
    assert_eq!(findings(&[box_office(), seats(), cloakroom(), usher], &saga), [""; 0]);
}

#[test]
fn a_participant_that_does_not_hear_of_the_undo_is_found() {
    let deaf = theatre(|[_, _, cloakroom]| forget(cloakroom, "BookingCancelled"));
    assert_eq!(
        findings(&deaf, &SAGA),
        ["cloakroom does not undo its step: it does not read BookingCancelled"],
        "what it says is declared by its topic, so it still counts as said"
    );
}

#[test]
fn a_closing_event_that_the_owner_does_not_read_is_found() {
    let ignored = theatre(|[office, ..]| {
        forget(office, "CoatReturned");
        forget(office, "CoatTaken");
        office.rows.push(row(event("cloakroom", "CoatTaken"), &[]));
    });
    assert_eq!(
        findings(&ignored, &SAGA),
        [
            "CoatReturned of cloakroom is read by nobody and not listed as for outside",
            "CoatReturned should close the undo of cloakroom, but is not said or not read by box_office"
        ]
    );
}

#[test]
fn a_closing_event_that_nobody_says_is_found() {
    let burnt = &[SEATS, Participant { service: "cloakroom", closing: &["CoatBurnt"] }];
    let saga = Saga { participants: burnt, ..SAGA };
    let found = findings(&theatre(|_| {}), &saga);
    assert_eq!(found, ["CoatBurnt should close the undo of cloakroom, but is not said or not read by box_office"]);
}

#[test]
fn two_decisions_that_wait_for_the_same_nothing_are_one_finding() {
    let waits = || row(event("box_office", "BookingMoved"), &[]);
    let twice = theatre(|[_, seats, _]| seats.rows.extend([waits(), waits()]));
    assert_eq!(findings(&twice, &SAGA), ["seats waits for BookingMoved of box_office, which nobody says"]);
}
