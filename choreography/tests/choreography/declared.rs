//! The return type is the declaration: what the map shows of each decision.

use crate::cinema::{Event, SeatFreed, SeatRefused, SeatTaken, door, service};
use choreography::{Declared, Emits, MapRow, Origin, Start, Undo};

fn declared_by<O: Emits<Event>>() -> Declared {
    let mut declared = Declared::default();
    O::declare(&mut declared);
    declared
}

fn row(origin: Origin) -> MapRow {
    service().map().rows.into_iter().find(|row| row.origin == origin).unwrap()
}

#[test]
fn a_decision_declares_everything_that_its_type_can_hold() {
    let came = row(Origin::Event { topic: "door", name: "VisitorCame" }).declared;
    assert_eq!(came.events, ["SeatRefused", "SeatTaken"].into());
    assert_eq!(came.effects, ["unfold"].into());
    assert_eq!(came.undo, [("unfold", Undo::By("fold"))]);
    assert_eq!(came.timers, ["curtain"].into());
    assert!(!came.refuses);
}

#[test]
fn only_what_may_refuse_says_so() {
    assert!(row(Origin::Command("Move")).declared.refuses);
    assert_eq!(row(Origin::Effect("unfold")).declared, Declared::default());
}

#[test]
fn options_vectors_results_and_tuples_declare_what_is_in_them() {
    type Nested = Result<(Option<SeatTaken>, Vec<SeatFreed>), Option<SeatRefused>>;
    assert_eq!(declared_by::<Nested>().events, ["SeatFreed", "SeatRefused", "SeatTaken"].into());
    assert_eq!(declared_by::<()>(), Declared::default());
}

#[test]
fn the_map_has_the_decisions_in_the_order_of_the_table_of_contents() {
    let map = service().map();
    let origins: Vec<String> = map.rows.iter().map(|row| row.origin.to_string()).collect();
    assert_eq!(
        origins,
        ["VisitorCame", "VisitorLeft", "command Move", "answer of unfold", "answer of fold", "timer curtain"]
    );
    assert_eq!((map.service, map.events), ("seats", &["SeatTaken", "SeatRefused", "SeatFreed"][..]));
    assert!(map.reads("door", "VisitorLeft") && !map.reads("seats", "VisitorLeft"));
}

#[test]
fn a_service_is_found_by_what_it_reacts_to() {
    let service = service();
    assert_eq!((service.name(), service.sources()), ("seats", vec!["door"]));
    let reaction = service.reaction_to_event("door", "VisitorLeft").unwrap();
    let left = door::VisitorLeft { visitor: "ada".into(), seat: "A1".into() };
    let decoded = (reaction.decode)(1, b"ada\nA1").unwrap();
    assert_eq!(decoded.downcast_ref(), Some(&left));
    assert!(service.reaction_to_event("seats", "SeatTaken").is_none(), "it does not react to its own events");
}

#[test]
fn where_a_service_begins_is_its_own_choice() {
    assert_eq!(service().start(), Start::Earliest);
    assert_eq!(service().starts_now().start(), Start::Now);
}
