//! The undo of a cancelled order: the closing events come in any sequence, and before what was said before them.

use crate::samples::*;
use choreography::testing::{Given, given};
use order::service;
use shared_events::{CancelReason, Participant, order::Event};

fn closes(given: &mut Given<Event>, by: Participant, last: bool) {
    let said = if last { undone() } else { progressed(by) };
    let then = match by {
        Participant::Inventory => given.when(&stock_released()),
        Participant::Payment => given.when(&payment_refunded()),
        Participant::Shipping => given.when(&shipment_cancelled()),
    };
    then.says([said]).asks_nothing();
}

#[test]
fn the_closing_events_may_come_in_every_sequence() {
    use Participant::{Inventory, Payment, Shipping};
    for sequence in [
        [Inventory, Payment, Shipping],
        [Inventory, Shipping, Payment],
        [Payment, Inventory, Shipping],
        [Payment, Shipping, Inventory],
        [Shipping, Inventory, Payment],
        [Shipping, Payment, Inventory],
    ] {
        let mut given = given(service(), [placed(), cancelled(CancelReason::Deadline, &[])]);
        for (index, by) in sequence.into_iter().enumerate() {
            closes(&mut given, by, index == 2);
        }
    }
}

#[test]
fn what_was_said_before_the_cancel_got_there_may_come_between_the_closing_events() {
    let cancelled = || cancelled(CancelReason::Deadline, &[]);
    let mut late_shortage = given(service(), [placed(), cancelled()]);
    closes(&mut late_shortage, Participant::Shipping, false);
    closes(&mut late_shortage, Participant::Payment, false);
    late_shortage.when(&stock_reservation_failed()).nothing();
    closes(&mut late_shortage, Participant::Inventory, true);

    let mut late_label = given(service(), [placed(), cancelled()]);
    closes(&mut late_label, Participant::Inventory, false);
    closes(&mut late_label, Participant::Payment, false);
    late_label.when(&shipment_scheduled()).nothing();
    closes(&mut late_label, Participant::Shipping, true);

    let mut late_refusal = given(service(), [placed(), cancelled()]);
    closes(&mut late_refusal, Participant::Inventory, false);
    late_refusal.when(&shipment_scheduling_failed()).nothing();
    closes(&mut late_refusal, Participant::Shipping, false);
    late_refusal.when(&payment_failed()).says([undone()]);
}

#[test]
fn who_closed_with_the_cancel_need_not_close_again() {
    let mut declined = given(service(), [placed()]);
    declined.when(&payment_failed()).says([cancelled(CancelReason::PaymentDeclined, &[Participant::Payment])]);
    closes(&mut declined, Participant::Inventory, false);
    closes(&mut declined, Participant::Shipping, true);

    let mut taken_back = given(service(), [placed(), confirmed(), cancellation_requested()]);
    taken_back.when(&shipment_cancelled()).says([cancelled(CancelReason::Customer, &[Participant::Shipping])]);
    closes(&mut taken_back, Participant::Payment, false);
    closes(&mut taken_back, Participant::Inventory, true);
}

#[test]
fn nobody_closes_twice() {
    choreography::quiet_panics();
    let mut given = given(service(), [placed(), cancelled(CancelReason::Deadline, &[])]);
    closes(&mut given, Participant::Payment, false);
    assert_eq!(given.poison(&payment_voided()), "PaymentVoided cannot happen in state Cancelled");
}
