//! The table of payment, walked pair by pair: every state meets every input.

use crate::samples::*;
use choreography::{
    Input, quiet_panics,
    testing::{Given, given},
};
use payment::{domain::Payment, service};
use shared_events::{DeclineReason, payment::Event};

/// An input, what follows from it, and the next state.
type Row = (&'static str, &'static str, &'static str);

/// Per state, which inputs can happen: what they make payment say and ask, and the next state. All others are poison.
#[rustfmt::skip]
const TABLE: [(&str, &[Row]); 5] = [
    ("Unknown", &[
        ("StockReserved",   "PaymentRequested + charge",       "Charging"),
        ("OrderCancelled",  "PaymentVoided",                   "Closed"),
    ]),
    ("Charging", &[
        ("Done<Charge>",    "PaymentCompleted",                "Paid"),
        ("Refused<Charge>", "PaymentFailed",                   "Closed"),
        ("OrderCancelled",  "PaymentRefundRequested",          "Undoing"),
    ]),
    ("Paid", &[
        ("OrderCancelled",  "PaymentRefundRequested + refund", "Undoing"),
    ]),
    ("Undoing", &[
        ("Done<Charge>",    "refund",                          "Undoing"),
        ("Refused<Charge>", "PaymentVoided",                   "Closed"),
        ("Done<Refund>",    "PaymentRefunded",                 "Closed"),
    ]),
    ("Closed", &[
        ("StockReserved",   "nothing",                         "Closed"),
        ("OrderCancelled",  "nothing",                         "Closed"),
    ]),
];

const INPUTS: [&str; 5] = ["StockReserved", "OrderCancelled", "Done<Charge>", "Refused<Charge>", "Done<Refund>"];

/// Every way into a state.
fn pasts(state: &str) -> Vec<Vec<Event>> {
    match state {
        "Unknown" => vec![vec![]],
        "Charging" => vec![vec![requested()]],
        "Paid" => vec![vec![requested(), completed()]],
        "Undoing" => vec![vec![requested(), refund_requested()], vec![requested(), completed(), refund_requested()]],
        "Closed" => vec![
            vec![voided()],
            vec![requested(), failed(DeclineReason::Declined)],
            vec![requested(), refund_requested(), voided()],
            vec![requested(), completed(), refund_requested(), refunded()],
        ],
        other => panic!("no state {other}"),
    }
}

fn meets(given: &mut Given<Event>, input: &str, follows: &str) {
    match input {
        "StockReserved" => leads_to(given, &stock_reserved(), follows),
        "OrderCancelled" => leads_to(given, &order_cancelled(), follows),
        "Done<Charge>" => leads_to(given, &charge_done(), follows),
        "Refused<Charge>" => leads_to(given, &charge_refused(DeclineReason::Declined), follows),
        "Done<Refund>" => leads_to(given, &refund_done(), follows),
        other => panic!("no input {other}"),
    }
}

fn leads_to<I: Input + Clone>(given: &mut Given<Event>, input: &I, follows: &str) {
    if follows == "poison" {
        let why = given.poison(input);
        assert!(why.contains("cannot happen"), "{why}");
        return;
    }
    let words = follows.split(" + ").filter(|word| *word != "nothing");
    let (says, asks): (Vec<&str>, Vec<&str>) = words.partition(|word| word.starts_with(char::is_uppercase));
    given.when(input).says_names(&says).asks_names(&asks);
}

fn state_of(given: &Given<Event>) -> String {
    let state = format!("{:?}", given.state::<Payment>(ORDER));
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
    assert_eq!(service().sources(), ["inventory", "order"]);
    assert_eq!(service().reactions().len(), 4, "a new input needs its column in the table above");
}
