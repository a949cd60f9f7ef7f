//! The table of order, walked pair by pair: every state meets every input.

use crate::samples::*;
use choreography::{
    Input, quiet_panics,
    testing::{Given, given},
};
use order::{
    domain::{self, Order},
    service,
};
use shared_events::{CancelReason, Participant, order::Event};

/// An input, what follows from it, and the next state.
type Row = (&'static str, &'static str, &'static str);

/// What is the same in every state but Unknown: the request that placed the order has the same answer, another one
/// under its key is refused.
const PLACED_BEFORE: [(&str, &str); 2] =
    [("PlaceOrder, again", "nothing"), ("PlaceOrder, other body", "refused idempotency_key_reused")];

/// Per state, which inputs can happen: what they make order say and ask, and the next state. All others are poison.
/// A cancelled order is named with those who have closed: i, p, s.
#[rustfmt::skip]
const TABLE: [(&str, &[Row]); 14] = [
    ("Unknown", &[
        ("PlaceOrder, again",        "OrderPlaced + deadline",     "Pending"),
        ("PlaceOrder, other body",   "OrderPlaced + deadline",     "Pending"),
        ("CancelOrder",              "refused unknown_order",      "Unknown"),
        ("Due<Deadline>",            "nothing",                    "Unknown"),
    ]),
    ("Pending", &[
        ("ShipmentScheduled",        "OrderConfirmed",             "Confirmed"),
        ("StockReservationFailed",   "OrderCancelled",             "Cancelled()"),
        ("ShipmentSchedulingFailed", "OrderCancelled",             "Cancelled()"),
        ("CancelOrder",              "OrderCancelled",             "Cancelled()"),
        ("Due<Deadline>",            "OrderCancelled",             "Cancelled()"),
        ("PaymentFailed",            "OrderCancelled",             "Cancelled(p)"),
    ]),
    ("Confirmed", &[
        ("CancelOrder",              "OrderCancellationRequested", "CancelAsked"),
        ("ShipmentDispatched",       "OrderDispatched",            "Dispatched"),
        ("ShipmentCancelled",        "OrderCancelled",             "Cancelled(s)"),
        ("Due<Deadline>",            "nothing",                    "Confirmed"),
    ]),
    ("CancelAsked", &[
        ("CancelOrder",              "nothing",                    "CancelAsked"),
        ("ShipmentDispatched",       "OrderDispatched",            "Dispatched"),
        ("ShipmentCancelled",        "OrderCancelled",             "Cancelled(s)"),
        ("Due<Deadline>",            "nothing",                    "CancelAsked"),
    ]),
    ("Dispatched", &[
        ("CancelOrder",              "refused already_dispatched", "Dispatched"),
        ("ShipmentDelivered",        "OrderCompleted",             "Completed"),
        ("Due<Deadline>",            "nothing",                    "Dispatched"),
    ]),
    ("Completed", &[
        ("CancelOrder",              "refused already_dispatched", "Completed"),
        ("Due<Deadline>",            "nothing",                    "Completed"),
    ]),
    ("Cancelled()", &[
        ("StockReleased",            "OrderUndoProgressed",        "Cancelled(i)"),
        ("PaymentVoided",            "OrderUndoProgressed",        "Cancelled(p)"),
        ("PaymentRefunded",          "OrderUndoProgressed",        "Cancelled(p)"),
        ("PaymentFailed",            "OrderUndoProgressed",        "Cancelled(p)"),
        ("ShipmentCancelled",        "OrderUndoProgressed",        "Cancelled(s)"),
        ("StockReservationFailed",   "nothing",                    "Cancelled()"),
        ("ShipmentScheduled",        "nothing",                    "Cancelled()"),
        ("ShipmentSchedulingFailed", "nothing",                    "Cancelled()"),
        ("CancelOrder",              "nothing",                    "Cancelled()"),
        ("Due<Deadline>",            "nothing",                    "Cancelled()"),
    ]),
    ("Cancelled(i)", &[
        ("PaymentVoided",            "OrderUndoProgressed",        "Cancelled(ip)"),
        ("PaymentRefunded",          "OrderUndoProgressed",        "Cancelled(ip)"),
        ("PaymentFailed",            "OrderUndoProgressed",        "Cancelled(ip)"),
        ("ShipmentCancelled",        "OrderUndoProgressed",        "Cancelled(is)"),
        ("StockReservationFailed",   "nothing",                    "Cancelled(i)"),
        ("ShipmentScheduled",        "nothing",                    "Cancelled(i)"),
        ("ShipmentSchedulingFailed", "nothing",                    "Cancelled(i)"),
        ("CancelOrder",              "nothing",                    "Cancelled(i)"),
        ("Due<Deadline>",            "nothing",                    "Cancelled(i)"),
    ]),
    ("Cancelled(p)", &[
        ("StockReleased",            "OrderUndoProgressed",        "Cancelled(ip)"),
        ("ShipmentCancelled",        "OrderUndoProgressed",        "Cancelled(ps)"),
        ("StockReservationFailed",   "nothing",                    "Cancelled(p)"),
        ("ShipmentScheduled",        "nothing",                    "Cancelled(p)"),
        ("ShipmentSchedulingFailed", "nothing",                    "Cancelled(p)"),
        ("CancelOrder",              "nothing",                    "Cancelled(p)"),
        ("Due<Deadline>",            "nothing",                    "Cancelled(p)"),
    ]),
    ("Cancelled(s)", &[
        ("StockReleased",            "OrderUndoProgressed",        "Cancelled(is)"),
        ("PaymentVoided",            "OrderUndoProgressed",        "Cancelled(ps)"),
        ("PaymentRefunded",          "OrderUndoProgressed",        "Cancelled(ps)"),
        ("PaymentFailed",            "OrderUndoProgressed",        "Cancelled(ps)"),
        ("StockReservationFailed",   "nothing",                    "Cancelled(s)"),
        ("ShipmentScheduled",        "nothing",                    "Cancelled(s)"),
        ("ShipmentSchedulingFailed", "nothing",                    "Cancelled(s)"),
        ("CancelOrder",              "nothing",                    "Cancelled(s)"),
        ("Due<Deadline>",            "nothing",                    "Cancelled(s)"),
    ]),
    ("Cancelled(ip)", &[
        ("ShipmentCancelled",        "OrderUndone",                "Undone"),
        ("StockReservationFailed",   "nothing",                    "Cancelled(ip)"),
        ("ShipmentScheduled",        "nothing",                    "Cancelled(ip)"),
        ("ShipmentSchedulingFailed", "nothing",                    "Cancelled(ip)"),
        ("CancelOrder",              "nothing",                    "Cancelled(ip)"),
        ("Due<Deadline>",            "nothing",                    "Cancelled(ip)"),
    ]),
    ("Cancelled(is)", &[
        ("PaymentVoided",            "OrderUndone",                "Undone"),
        ("PaymentRefunded",          "OrderUndone",                "Undone"),
        ("PaymentFailed",            "OrderUndone",                "Undone"),
        ("StockReservationFailed",   "nothing",                    "Cancelled(is)"),
        ("ShipmentScheduled",        "nothing",                    "Cancelled(is)"),
        ("ShipmentSchedulingFailed", "nothing",                    "Cancelled(is)"),
        ("CancelOrder",              "nothing",                    "Cancelled(is)"),
        ("Due<Deadline>",            "nothing",                    "Cancelled(is)"),
    ]),
    ("Cancelled(ps)", &[
        ("StockReleased",            "OrderUndone",                "Undone"),
        ("StockReservationFailed",   "nothing",                    "Cancelled(ps)"),
        ("ShipmentScheduled",        "nothing",                    "Cancelled(ps)"),
        ("ShipmentSchedulingFailed", "nothing",                    "Cancelled(ps)"),
        ("CancelOrder",              "nothing",                    "Cancelled(ps)"),
        ("Due<Deadline>",            "nothing",                    "Cancelled(ps)"),
    ]),
    ("Undone", &[
        ("CancelOrder",              "nothing",                    "Undone"),
        ("Due<Deadline>",            "nothing",                    "Undone"),
    ]),
];

const INPUTS: [&str; 14] = [
    "PlaceOrder, again",
    "PlaceOrder, other body",
    "CancelOrder",
    "Due<Deadline>",
    "StockReservationFailed",
    "StockReleased",
    "PaymentFailed",
    "PaymentVoided",
    "PaymentRefunded",
    "ShipmentScheduled",
    "ShipmentSchedulingFailed",
    "ShipmentDispatched",
    "ShipmentDelivered",
    "ShipmentCancelled",
];

/// Every way into a state; a cancelled order may have been closed with the cancel or after it.
fn pasts(state: &str) -> Vec<Vec<Event>> {
    use Participant::{Inventory, Payment, Shipping};
    let undo = |closed: &[Participant]| {
        let one_by_one = closed.iter().map(|by| progressed(*by));
        let after = [placed(), cancelled(CancelReason::Deadline, &[])].into_iter().chain(one_by_one).collect();
        vec![after, vec![placed(), cancelled(CancelReason::Deadline, closed)]]
    };
    match state {
        "Unknown" => vec![vec![]],
        "Pending" => vec![vec![placed()]],
        "Confirmed" => vec![vec![placed(), confirmed()]],
        "CancelAsked" => vec![vec![placed(), confirmed(), cancellation_requested()]],
        "Dispatched" => vec![
            vec![placed(), confirmed(), dispatched(false)],
            vec![placed(), confirmed(), cancellation_requested(), dispatched(true)],
        ],
        "Completed" => vec![vec![placed(), confirmed(), dispatched(false), completed()]],
        "Cancelled()" => undo(&[]),
        "Cancelled(i)" => undo(&[Inventory]),
        "Cancelled(p)" => undo(&[Payment]),
        "Cancelled(s)" => undo(&[Shipping]),
        "Cancelled(ip)" => [undo(&[Inventory, Payment]), undo(&[Payment, Inventory])].concat(),
        "Cancelled(is)" => [undo(&[Inventory, Shipping]), undo(&[Shipping, Inventory])].concat(),
        "Cancelled(ps)" => [undo(&[Payment, Shipping]), undo(&[Shipping, Payment])].concat(),
        "Undone" => {
            vec![vec![placed(), cancelled(CancelReason::Customer, &[Shipping]), progressed(Inventory), undone()]]
        }
        other => panic!("no state {other}"),
    }
}

fn meets(given: &mut Given<Event>, input: &str, follows: &str) {
    match input {
        "PlaceOrder, again" => places(given, &place_again(), follows),
        "PlaceOrder, other body" => places(given, &place_other(), follows),
        "CancelOrder" => {
            let refused = domain::cancel(&cancel(), &given.state(ORDER)).err().map(|refused| refused.reason);
            answers(given, &cancel(), refused, follows);
        }
        "Due<Deadline>" => leads_to(given, &deadline_due(), follows),
        "StockReservationFailed" => leads_to(given, &stock_reservation_failed(), follows),
        "StockReleased" => leads_to(given, &stock_released(), follows),
        "PaymentFailed" => leads_to(given, &payment_failed(), follows),
        "PaymentVoided" => leads_to(given, &payment_voided(), follows),
        "PaymentRefunded" => leads_to(given, &payment_refunded(), follows),
        "ShipmentScheduled" => leads_to(given, &shipment_scheduled(), follows),
        "ShipmentSchedulingFailed" => leads_to(given, &shipment_scheduling_failed(), follows),
        "ShipmentDispatched" => leads_to(given, &shipment_dispatched(), follows),
        "ShipmentDelivered" => leads_to(given, &shipment_delivered(), follows),
        "ShipmentCancelled" => leads_to(given, &shipment_cancelled(), follows),
        other => panic!("no input {other}"),
    }
}

fn places(given: &mut Given<Event>, ask: &domain::PlaceOrder, follows: &str) {
    let refused = domain::accept(ask, &given.state(ORDER)).err().map(|refused| refused.reason);
    answers(given, ask, refused, follows);
}

/// A command may be refused, which an event cannot.
fn answers<I: Input + Clone>(given: &mut Given<Event>, ask: &I, refused: Option<&str>, follows: &str) {
    assert_eq!(refused, follows.strip_prefix("refused "));
    match refused {
        Some(reason) => _ = given.when(ask).nothing().refuses(reason),
        None => leads_to(given, ask, follows),
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
    match given.state::<Order>(ORDER) {
        Order::Cancelled(cancellation) => {
            let mut closed: Vec<char> = cancellation.closed.iter().filter_map(|p| p.as_str().chars().next()).collect();
            closed.sort_unstable();
            format!("Cancelled({})", closed.into_iter().collect::<String>())
        }
        other => format!("{other:?}").split('(').next().unwrap_or_default().to_owned(),
    }
}

fn row_of(state: &'static str, rows: &[Row], input: &str) -> (&'static str, &'static str) {
    let listed = rows.iter().find(|(listed, ..)| *listed == input).map(|(_, follows, next)| (*follows, *next));
    let before = PLACED_BEFORE.iter().find(|(listed, _)| *listed == input).map(|(_, follows)| (*follows, state));
    listed.or(before).unwrap_or(("poison", state))
}

#[test]
fn every_state_meets_every_input_as_the_table_says() {
    quiet_panics();
    for (state, rows) in TABLE {
        assert!(rows.iter().all(|(input, ..)| INPUTS.contains(input)), "{state} lists an input that is none");
        for (past, input) in pasts(state).iter().flat_map(|past| INPUTS.map(|input| (past, input))) {
            let (follows, next) = row_of(state, rows, input);
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
    assert_eq!(service().sources(), ["inventory", "payment", "shipping"]);
    assert_eq!(service().reactions().len(), 13, "a new input needs its column in the table above");
}
