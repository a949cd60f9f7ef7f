//! The table of shipping, walked pair by pair: every state meets every input.

use crate::samples::*;
use choreography::{
    Input, quiet_panics,
    testing::{Given, given},
};
use shared_events::{CancelledBy, NoLabelReason, shipping::Event};
use shipping::domain::Shipment;

/// An input, what follows from it, and the next state.
type Row = (&'static str, &'static str, &'static str);

/// Per state, which inputs can happen: what they make shipping say and ask, and the next state. All others are poison.
#[rustfmt::skip]
const TABLE: [(&str, &[Row]); 11] = [
    ("Unknown", &[
        ("PaymentCompleted",           "ShipmentRequested + book_label",                  "Booking"),
        ("OrderCancelled",             "ShipmentCancelled",                               "Closed"),
    ]),
    ("Booking", &[
        ("Done<BookLabel>",            "ShipmentScheduled",                               "Scheduled"),
        ("Refused<BookLabel>",         "ShipmentSchedulingFailed",                        "Failed"),
        ("OrderCancelled",             "ShipmentCancellationRequested",                   "Undoing"),
    ]),
    ("Scheduled", &[
        ("OrderConfirmed",             "ShipmentReleased + hand_over + pick_up",          "Released"),
        ("OrderCancelled",             "ShipmentCancellationRequested + cancel_label",    "Undoing"),
    ]),
    ("Failed", &[
        ("OrderCancelled",             "ShipmentCancelled",                               "Closed"),
    ]),
    ("Released", &[
        ("OrderCancellationRequested", "ShipmentCancellationRequested + cancel_label",    "Cancelling(asked)"),
        ("Due<PickUp>",                "ShipmentCancellationRequested + cancel_label",    "Cancelling"),
        ("Refused<HandOver>",          "ShipmentCancellationRequested + cancel_label",    "Cancelling"),
        ("Done<HandOver>",             "nothing",                                         "Released"),
        ("Report(dispatched)",         "ShipmentDispatched",                              "Dispatched"),
        ("Report(tracking)",           "ShipmentDispatched + TrackingUpdated",            "Dispatched"),
        ("Report(delivered)",          "ShipmentDispatched + ShipmentDelivered",          "Delivered"),
    ]),
    ("Undoing", &[
        ("Done<BookLabel>",            "cancel_label",                                    "Undoing"),
        ("Refused<BookLabel>",         "ShipmentCancelled",                               "Closed"),
        ("Done<CancelLabel>",          "ShipmentCancelled",                               "Closed"),
    ]),
    ("Cancelling", &[
        ("OrderCancellationRequested", "ShipmentCancellationRequested",                   "Cancelling(asked)"),
        ("Done<CancelLabel>",          "ShipmentCancelled",                               "Closed"),
        ("Refused<CancelLabel>",       "ShipmentDispatched",                              "Dispatched"),
        ("Report(dispatched)",         "ShipmentDispatched",                              "Dispatched"),
        ("Report(tracking)",           "ShipmentDispatched + TrackingUpdated",            "Dispatched"),
        ("Report(delivered)",          "ShipmentDispatched + ShipmentDelivered",          "Delivered"),
        ("Done<HandOver>",             "nothing",                                         "Cancelling"),
        ("Refused<HandOver>",          "nothing",                                         "Cancelling"),
        ("Due<PickUp>",                "nothing",                                         "Cancelling"),
    ]),
    ("Cancelling(asked)", &[
        ("Done<CancelLabel>",          "ShipmentCancelled",                               "Closed"),
        ("Refused<CancelLabel>",       "ShipmentDispatched + ShipmentCancellationRejected",                     "Dispatched"),
        ("Report(dispatched)",         "ShipmentDispatched + ShipmentCancellationRejected",                     "Dispatched"),
        ("Report(tracking)",           "ShipmentDispatched + ShipmentCancellationRejected + TrackingUpdated",   "Dispatched"),
        ("Report(delivered)",          "ShipmentDispatched + ShipmentCancellationRejected + ShipmentDelivered", "Delivered"),
        ("Done<HandOver>",             "nothing",                                         "Cancelling(asked)"),
        ("Refused<HandOver>",          "nothing",                                         "Cancelling(asked)"),
        ("Due<PickUp>",                "nothing",                                         "Cancelling(asked)"),
    ]),
    ("Dispatched", &[
        ("Report(tracking)",           "TrackingUpdated",                                 "Dispatched"),
        ("Report(delivered)",          "ShipmentDelivered",                               "Delivered"),
        ("OrderCancellationRequested", "ShipmentCancellationRejected",                    "Dispatched"),
        ("Report(dispatched)",         "nothing",                                         "Dispatched"),
        ("Refused<CancelLabel>",       "nothing",                                         "Dispatched"),
        ("Done<HandOver>",             "nothing",                                         "Dispatched"),
        ("Due<PickUp>",                "nothing",                                         "Dispatched"),
    ]),
    ("Delivered", &[
        ("OrderCancellationRequested", "ShipmentCancellationRejected",                    "Delivered"),
        ("Report(dispatched)",         "nothing",                                         "Delivered"),
        ("Report(tracking)",           "nothing",                                         "Delivered"),
        ("Report(delivered)",          "nothing",                                         "Delivered"),
        ("Refused<CancelLabel>",       "nothing",                                         "Delivered"),
        ("Done<HandOver>",             "nothing",                                         "Delivered"),
        ("Due<PickUp>",                "nothing",                                         "Delivered"),
    ]),
    ("Closed", &[
        ("PaymentCompleted",           "nothing",                                         "Closed"),
        ("OrderCancelled",             "nothing",                                         "Closed"),
        ("OrderCancellationRequested", "nothing",                                         "Closed"),
        ("Due<PickUp>",                "nothing",                                         "Closed"),
    ]),
];

const INPUTS: [&str; 14] = [
    "PaymentCompleted",
    "OrderConfirmed",
    "OrderCancellationRequested",
    "OrderCancelled",
    "Done<BookLabel>",
    "Refused<BookLabel>",
    "Done<HandOver>",
    "Refused<HandOver>",
    "Done<CancelLabel>",
    "Refused<CancelLabel>",
    "Report(dispatched)",
    "Report(tracking)",
    "Report(delivered)",
    "Due<PickUp>",
];

/// Every way into a state.
fn pasts(state: &str) -> Vec<Vec<Event>> {
    use CancelledBy::{Carrier, Customer, OrderCancelled, PickUpDeadline};
    let out = || vec![requested(), scheduled(), released()];
    let after = |past: Vec<Event>, more: &[Event]| past.into_iter().chain(more.iter().cloned()).collect::<Vec<_>>();
    match state {
        "Unknown" => vec![vec![]],
        "Booking" => vec![vec![requested()]],
        "Scheduled" => vec![vec![requested(), scheduled()]],
        "Failed" => vec![vec![requested(), failed(NoLabelReason::CountryNotServed)]],
        "Released" => vec![out()],
        "Undoing" => vec![
            vec![requested(), called_back(OrderCancelled)],
            vec![requested(), scheduled(), called_back(OrderCancelled)],
        ],
        "Cancelling" => vec![after(out(), &[called_back(PickUpDeadline)]), after(out(), &[called_back(Carrier)])],
        "Cancelling(asked)" => vec![
            after(out(), &[called_back(Customer)]),
            after(out(), &[called_back(PickUpDeadline), called_back(Customer)]),
        ],
        "Dispatched" => vec![
            after(out(), &[dispatched()]),
            after(out(), &[dispatched(), tracked("r-0", "Kassel")]),
            after(out(), &[called_back(Customer), dispatched(), rejected()]),
        ],
        "Delivered" => vec![
            after(out(), &[dispatched(), delivered()]),
            after(out(), &[called_back(Customer), dispatched(), rejected(), delivered()]),
        ],
        "Closed" => vec![
            vec![cancelled()],
            vec![requested(), failed(NoLabelReason::Stale), cancelled()],
            vec![requested(), called_back(OrderCancelled), cancelled()],
            after(out(), &[called_back(Customer), cancelled()]),
        ],
        other => panic!("no state {other}"),
    }
}

fn meets(given: &mut Given<Event>, input: &str, follows: &str) {
    match input {
        "PaymentCompleted" => leads_to(given, &paid(), follows),
        "OrderConfirmed" => leads_to(given, &order_confirmed(), follows),
        "OrderCancellationRequested" => leads_to(given, &order_cancellation_requested(), follows),
        "OrderCancelled" => leads_to(given, &order_cancelled(), follows),
        "Done<BookLabel>" => leads_to(given, &booked(), follows),
        "Refused<BookLabel>" => leads_to(given, &not_booked(NoLabelReason::CountryNotServed), follows),
        "Done<HandOver>" => leads_to(given, &handed_over(), follows),
        "Refused<HandOver>" => leads_to(given, &not_handed_over(), follows),
        "Done<CancelLabel>" => leads_to(given, &label_void(), follows),
        "Refused<CancelLabel>" => leads_to(given, &already_collected(), follows),
        "Report(dispatched)" => leads_to(given, &out(), follows),
        "Report(tracking)" => leads_to(given, &seen_at("r-1", "Kassel"), follows),
        "Report(delivered)" => leads_to(given, &arrived(), follows),
        "Due<PickUp>" => leads_to(given, &pick_up_due(), follows),
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
    match given.state::<Shipment>(ORDER) {
        Shipment::Cancelling { asked: true } => "Cancelling(asked)".into(),
        other => format!("{other:?}").split(' ').next().unwrap_or_default().to_owned(),
    }
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
    assert_eq!(service().sources(), ["order", "payment"]);
    assert_eq!(service().reactions().len(), 9, "a new input needs its column in the table above");
}
