//! The table of inventory, walked pair by pair: every state meets every input.

use crate::samples::*;
use choreography::{
    Input, quiet_panics,
    testing::{Given, given},
};
use inventory::{domain::Reservation, service};
use shared_events::inventory::Event;

/// An input, what follows from it, and the next state.
type Row = (&'static str, &'static str, &'static str);

/// Per state of an order, which inputs can happen: what they make inventory say, and the next state. All others are
/// poison.
#[rustfmt::skip]
const TABLE: [(&str, &[Row]); 5] = [
    ("Unknown", &[
        ("OrderPlaced, available", "StockReserved",          "Held"),
        ("OrderPlaced, otherwise", "StockReservationFailed", "Refused"),
    ]),
    ("Held", &[
        ("OrderCancelled",         "StockReleased",          "Closed"),
        ("ShipmentDispatched",     "StockDeducted",          "Deducted"),
    ]),
    ("Refused", &[
        ("OrderCancelled",         "StockReleased",          "Closed"),
    ]),
    ("Deducted", &[]),
    ("Closed", &[]),
];

const INPUTS: [&str; 4] = ["OrderPlaced, available", "OrderPlaced, otherwise", "OrderCancelled", "ShipmentDispatched"];

/// Every way into a state, with a hundred units in the house.
fn pasts(state: &str) -> Vec<Vec<Event>> {
    let held = || vec![replenished("d-1", "TEA", 100), reserved(ORDER, &[line("TEA", 2)])];
    let refused = || vec![replenished("d-1", "TEA", 100), failed(ORDER, &[("TEA", 101, 100)])];
    let then = |mut past: Vec<Event>, event: Event| {
        past.push(event);
        past
    };
    match state {
        "Unknown" => vec![vec![replenished("d-1", "TEA", 100)]],
        "Held" => vec![held()],
        "Refused" => vec![refused()],
        "Deducted" => vec![then(held(), deducted(ORDER, &[line("TEA", 2)]))],
        "Closed" => vec![then(held(), released(ORDER, &[line("TEA", 2)])), then(refused(), released(ORDER, &[]))],
        other => panic!("no state {other}"),
    }
}

fn meets(given: &mut Given<Event>, input: &str, follows: &str) {
    match input {
        "OrderPlaced, available" => leads_to(given, &placed(ORDER, &[line("TEA", 2)]), follows),
        "OrderPlaced, otherwise" => leads_to(given, &placed(ORDER, &[line("TEA", 101)]), follows),
        "OrderCancelled" => leads_to(given, &order_cancelled(ORDER), follows),
        "ShipmentDispatched" => leads_to(given, &dispatched(ORDER), follows),
        other => panic!("no input {other}"),
    }
}

fn leads_to<I: Input + Clone>(given: &mut Given<Event>, input: &I, follows: &str) {
    if follows == "poison" {
        let why = given.poison(input);
        assert!(why.contains("cannot happen"), "{why}");
        return;
    }
    given.when(input).says_names(&[follows]).asks_nothing();
}

fn state_of(given: &Given<Event>) -> String {
    let state = format!("{:?}", given.state::<Reservation>(ORDER));
    state.split('(').next().unwrap_or_default().to_owned()
}

#[test]
fn every_state_meets_every_input_as_the_table_says() {
    quiet_panics();
    for (state, rows) in TABLE {
        assert!(rows.iter().all(|(input, ..)| INPUTS.contains(input)), "{state} lists an input that is none");
        for (past, input) in pasts(state).iter().flat_map(|past| INPUTS.map(|input| (past, input))) {
            let row = rows.iter().find(|(listed, ..)| *listed == input);
            let (follows, next) = row.map_or(("poison", state), |(_, follows, next)| (*follows, *next));
            println!("{state} meets {input}: {follows}");

            let mut given = given(service(), past.clone());
            assert_eq!(state_of(&given), state);
            meets(&mut given, input, follows);
            assert_eq!(state_of(&given), next);
        }
    }
}

#[test]
fn the_service_is_consistent() {
    assert_eq!(service().check(), Ok(()));
    assert_eq!(service().sources(), ["order", "shipping"]);
    assert_eq!(service().reactions().len(), 4, "a new input needs its column in the table above");
}
