//! The decisions of shipping in full, the arrivals that really invert, and the races with the carrier.

use crate::samples::*;
use choreography::{Undo, testing::given};
use shared_events::{CancelledBy, NoLabelReason};
use shipping::domain::{BookLabel, HandOver, PickUp};

#[test]
fn a_paid_order_gets_a_label() {
    let mut given = given(service(), []);
    given.when(&paid()).says([requested()]).asks(&book_label());
    given.when(&booked()).says([scheduled()]).asks_nothing();
}

#[test]
fn a_booking_that_is_refused_says_why() {
    for reason in NoLabelReason::ALL {
        given(service(), [requested()]).when(&not_booked(*reason)).says([failed(*reason)]).asks_nothing();
    }
}

#[test]
fn a_confirmed_order_is_released_for_as_long_as_the_setting_says() {
    let mut given = given(service(), [requested(), scheduled()]);
    given.when(&order_confirmed()).says([released()]).asks_names(&["hand_over", "pick_up"]);

    use shipping::{domain::Shipment, labels::release};
    let (_, asked, timer) = release(&order_confirmed(), &Shipment::Scheduled { label: "L-1".into() }, PICK_UP);
    assert_eq!(asked.0, hand_over());
    assert_eq!((timer.0, timer.1), (PICK_UP, PickUp { order_id: order_id() }));
}

#[test]
fn the_cancel_may_come_before_the_payment() {
    let mut given = given(service(), []);
    given.when(&order_cancelled()).says([cancelled()]).asks_nothing();
    given.when(&paid()).nothing();
}

#[test]
fn a_label_booked_after_the_cancel_is_voided() {
    let mut given = given(service(), [requested()]);
    given.when(&order_cancelled()).says([called_back(CancelledBy::OrderCancelled)]).asks_nothing();
    given.when(&booked()).says([]).asks(&cancel_label());
    given.when(&label_void()).says([cancelled()]).asks_nothing();
}

#[test]
fn a_label_that_was_booked_is_voided_at_the_cancel() {
    let mut given = given(service(), [requested(), scheduled()]);
    given.when(&order_cancelled()).says([called_back(CancelledBy::OrderCancelled)]).asks(&cancel_label());
    given.when(&label_void()).says([cancelled()]).asks_nothing();
}

#[test]
fn a_label_that_was_refused_closes_at_the_cancel() {
    let mut given = given(service(), [requested(), failed(NoLabelReason::CountryNotServed)]);
    given.when(&order_cancelled()).says([cancelled()]).asks_nothing();
}

#[test]
fn a_released_parcel_is_called_back_by_customer_deadline_or_carrier() {
    let past = || [requested(), scheduled(), released()];
    let asked = |by| [called_back(by)];
    let mut by_customer = given(service(), past());
    by_customer.when(&order_cancellation_requested()).says(asked(CancelledBy::Customer)).asks(&cancel_label());
    let mut by_deadline = given(service(), past());
    by_deadline.when(&pick_up_due()).says(asked(CancelledBy::PickUpDeadline)).asks(&cancel_label());
    let mut by_carrier = given(service(), past());
    by_carrier.when(&not_handed_over()).says(asked(CancelledBy::Carrier)).asks(&cancel_label());
    for mut given in [by_customer, by_deadline, by_carrier] {
        given.when(&label_void()).says([cancelled()]).asks_nothing();
    }
}

#[test]
fn a_customer_who_asks_while_the_parcel_is_called_back_anyway_hears_of_it_too() {
    let mut given = given(service(), [requested(), scheduled(), released()]);
    given.when(&pick_up_due()).asks(&cancel_label());
    given.when(&order_cancellation_requested()).says([called_back(CancelledBy::Customer)]).asks_nothing();
    given.when(&already_collected()).says([dispatched(), rejected()]).asks_nothing();
}

#[test]
fn too_late_to_void_is_evidence_of_dispatch_before_the_reports_and_nothing_new_after() {
    let past = [requested(), scheduled(), released(), called_back(CancelledBy::Customer)];
    let mut answer_first = given(service(), past.clone());
    answer_first.when(&already_collected()).says([dispatched(), rejected()]);
    answer_first.when(&out()).nothing();
    answer_first.when(&arrived()).says([delivered()]);

    let mut report_first = given(service(), past);
    report_first.when(&out()).says([dispatched(), rejected()]);
    report_first.when(&already_collected()).nothing();
    report_first.when(&arrived()).says([delivered()]);
}

#[test]
fn any_first_report_says_that_the_parcel_is_out() {
    let past = || [requested(), scheduled(), released()];
    given(service(), past()).when(&seen_at("r-1", "Kassel")).says([dispatched(), tracked("r-1", "Kassel")]);
    let mut arrived_first = given(service(), past());
    arrived_first.when(&arrived()).says([dispatched(), delivered()]);
    for late in [out(), seen_at("r-1", "Kassel"), arrived()] {
        arrived_first.when(&late).nothing();
    }
}

#[test]
fn a_tracking_update_that_comes_again_is_said_once() {
    let mut given = given(service(), [requested(), scheduled(), released()]);
    given.when(&seen_at("r-1", "Kassel")).says([dispatched(), tracked("r-1", "Kassel")]);
    given.when(&seen_at("r-1", "Kassel")).nothing();
    given.when(&seen_at("r-2", "Kassel")).says([tracked("r-2", "Kassel")]);
    given.when(&out()).nothing();
    given.when(&seen_at("r-1", "Kassel")).nothing();
    given.when(&seen_at("r-2", "Kassel")).nothing();
}

#[test]
fn a_customer_who_asks_after_the_parcel_left_hears_that_it_is_too_late() {
    let mut given = given(service(), [requested(), scheduled(), released(), dispatched()]);
    given.when(&order_cancellation_requested()).says([rejected()]).asks_nothing();
}

#[test]
fn effects_on_a_label_are_one_family_under_the_order() {
    use choreography::Effect;
    use shipping::domain::CancelLabel;
    assert_eq!((BookLabel::NAME, HandOver::NAME, CancelLabel::NAME), ("book_label", "hand_over", "cancel_label"));
    assert_eq!((BookLabel::FAMILY, HandOver::FAMILY, CancelLabel::FAMILY), ("label", "label", "label"));
    assert_eq!([book_label().key(), hand_over().key(), cancel_label().key()], [ORDER, ORDER, ORDER]);
    assert_eq!((BookLabel::UNDO, HandOver::UNDO), (Undo::By("cancel_label"), Undo::By("cancel_label")));
    assert_eq!(BookLabel::stale(), Some(NoLabelReason::Stale));
}
