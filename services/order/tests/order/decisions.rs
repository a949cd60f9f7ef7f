//! The decisions of order in full, and what its customer sees.

use crate::samples::*;
use choreography::testing::given;
use order::{
    domain::{Order, PublicState},
    service,
};
use shared_events::{CancelReason, Participant};
use std::time::Duration;

#[test]
fn an_accepted_order_is_placed_with_all_that_others_need_and_its_deadline_set() {
    given(service(), []).when(&place()).says([placed()]).sets(&deadline());
    let (_, after) = order::domain::accept(&place(), &Order::Unknown).unwrap().unwrap();
    assert_eq!(after.0, Duration::from_secs(900));
}

#[test]
fn the_same_request_is_answered_alike_whatever_became_of_the_order() {
    let mut given = given(service(), []);
    given.when(&place());
    for _ in 0..2 {
        given.when(&place_again()).nothing();
    }
    given.when(&cancel());
    given.when(&place_again()).nothing();
    given.when(&place_other()).nothing().refuses("idempotency_key_reused");
}

#[test]
fn the_way_from_placed_to_completed() {
    let mut given = given(service(), [placed()]);
    given.when(&shipment_scheduled()).says([confirmed()]).asks_nothing();
    given.when(&deadline_due()).nothing();
    given.when(&shipment_dispatched()).says([dispatched(false)]).asks_nothing();
    given.when(&shipment_delivered()).says([completed()]).asks_nothing();
}

#[test]
fn each_failure_cancels_a_pending_order_for_its_reason() {
    let pending = || given(service(), [placed()]);
    let out_of_stock = cancelled(CancelReason::OutOfStock, &[]);
    pending().when(&stock_reservation_failed()).says([out_of_stock]).asks_nothing();
    let declined = cancelled(CancelReason::PaymentDeclined, &[Participant::Payment]);
    pending().when(&payment_failed()).says([declined]).asks_nothing();
    let no_carrier = cancelled(CancelReason::NoCarrier, &[]);
    pending().when(&shipment_scheduling_failed()).says([no_carrier]).asks_nothing();
    pending().when(&deadline_due()).says([cancelled(CancelReason::Deadline, &[])]).asks_nothing();
    pending().when(&cancel()).says([cancelled(CancelReason::Customer, &[])]).asks_nothing();
}

#[test]
fn a_confirmed_order_is_not_cancelled_but_asked_for() {
    let mut given = given(service(), [placed(), confirmed()]);
    given.when(&cancel()).says([cancellation_requested()]).asks_nothing();
    given.when(&cancel()).nothing();
    given.when(&shipment_cancelled()).says([cancelled(CancelReason::Customer, &[Participant::Shipping])]);
}

#[test]
fn a_cancel_that_was_asked_too_late_is_remembered_at_dispatch() {
    let mut given = given(service(), [placed(), confirmed(), cancellation_requested()]);
    given.when(&shipment_dispatched()).says([dispatched(true)]);
    given.when(&cancel()).nothing().refuses("already_dispatched");
    given.when(&shipment_delivered()).says([completed()]);
}

#[test]
fn a_parcel_that_nobody_collected_cancels_a_confirmed_order() {
    let mut given = given(service(), [placed(), confirmed()]);
    given.when(&shipment_cancelled()).says([cancelled(CancelReason::NoCarrier, &[Participant::Shipping])]);
}

#[test]
fn what_the_customer_sees_of_each_state() {
    let cancelled = || cancelled(CancelReason::OutOfStock, &[]);
    let seen = [
        (vec![], None, false, None),
        (vec![placed()], Some(PublicState::Pending), false, None),
        (vec![placed(), confirmed()], Some(PublicState::Confirmed), false, None),
        (vec![placed(), confirmed(), cancellation_requested()], Some(PublicState::Confirmed), false, None),
        (vec![placed(), confirmed(), dispatched(false)], Some(PublicState::Confirmed), false, None),
        (vec![placed(), confirmed(), dispatched(false), completed()], Some(PublicState::Completed), true, None),
        (vec![placed(), cancelled()], Some(PublicState::Cancelled), false, Some(CancelReason::OutOfStock)),
        (vec![placed(), cancelled(), undone()], Some(PublicState::Cancelled), true, Some(CancelReason::OutOfStock)),
    ];
    for (past, public_state, settled, reason) in seen {
        let order = past.iter().fold(Order::default(), |mut order, event| {
            choreography::State::evolve(&mut order, ORDER, event);
            order
        });
        assert_eq!(
            (order.public_state(), order.settled(), order.reason()),
            (public_state, settled, reason),
            "{order:?}"
        );
    }
}

#[test]
fn a_deadline_longer_than_can_be_written_is_the_longest_there_is() {
    let ask = order::domain::PlaceOrder { deadline: Duration::MAX, ..place() };
    let (placed, _) = order::domain::accept(&ask, &Order::Unknown).unwrap().unwrap();
    assert_eq!(placed.deadline_ms, i64::MAX);
}

#[test]
fn a_state_row_can_be_read_back() {
    use choreography::Stored;
    let past = [placed(), cancelled(CancelReason::Customer, &[Participant::Shipping])];
    let mut order = Order::default();
    past.iter().for_each(|event| choreography::State::evolve(&mut order, ORDER, event));
    assert_eq!(Order::decode(Order::SHAPE, &order.encode().unwrap()), Ok(order));
}
