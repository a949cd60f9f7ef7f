//! The decisions of payment in full, and the arrivals that really invert.

use crate::samples::*;
use choreography::testing::given;
use payment::{domain::Payment, service};
use shared_events::DeclineReason;

#[test]
fn a_reserved_order_is_charged_with_all_that_later_services_need() {
    given(service(), []).when(&stock_reserved()).says([requested()]).asks(&charge());
}

#[test]
fn a_charge_that_succeeds_completes_the_payment() {
    let mut given = given(service(), [requested()]);
    given.when(&charge_done()).says([completed()]).asks_nothing();
    assert_eq!(given.state::<Payment>(ORDER), Payment::Paid(amount()));
}

#[test]
fn a_charge_that_is_refused_fails_the_payment_and_says_why() {
    for reason in DeclineReason::ALL {
        given(service(), [requested()]).when(&charge_refused(*reason)).says([failed(*reason)]).asks_nothing();
    }
}

#[test]
fn what_was_paid_is_refunded_when_the_order_is_cancelled() {
    let mut given = given(service(), [requested(), completed()]);
    given.when(&order_cancelled()).says([refund_requested()]).asks(&refund());
    given.when(&refund_done()).says([refunded()]).asks_nothing();
}

#[test]
fn the_cancel_may_come_before_the_reservation() {
    let mut given = given(service(), []);
    given.when(&order_cancelled()).says([voided()]).asks_nothing();
    given.when(&stock_reserved()).nothing();
}

#[test]
fn the_cancel_may_come_while_the_charge_is_in_flight_and_succeeds() {
    let mut given = given(service(), []);
    given.when(&stock_reserved()).asks(&charge());
    given.when(&order_cancelled()).says([refund_requested()]).asks_nothing();
    given.when(&charge_done()).says([]).asks(&refund());
    given.when(&refund_done()).says([refunded()]).asks_nothing();
}

#[test]
fn the_cancel_may_come_while_the_charge_is_in_flight_and_is_refused() {
    let mut given = given(service(), [requested()]);
    given.when(&order_cancelled()).says([refund_requested()]).asks_nothing();
    given.when(&charge_refused(DeclineReason::Stale)).says([voided()]).asks_nothing();
}

#[test]
fn a_payment_that_failed_has_closed_already() {
    let mut given = given(service(), [requested(), failed(DeclineReason::InsufficientFunds)]);
    given.when(&order_cancelled()).nothing();
}

#[test]
fn effects_of_one_order_share_a_family_and_a_key() {
    use choreography::{Effect, Undo};
    use payment::domain::{Charge, Refund};
    assert_eq!((Charge::NAME, Refund::NAME), ("charge", "refund"));
    assert_eq!(Charge::FAMILY, Refund::FAMILY);
    assert_eq!((charge().key(), refund().key()), (order_id(), order_id()));
    assert_eq!(Charge::UNDO, Undo::By(Refund::NAME));
    assert_eq!(Charge::stale(), Some(DeclineReason::Stale));
}
