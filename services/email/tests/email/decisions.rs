//! Which message follows which event, and what is said of it.

use crate::samples::*;
use choreography::{Done, Effect, Start, testing::given};
use email::{
    domain::{About, SendMail, SendSms},
    service,
};
use shared_events::{
    CancelReason, NotSentReason, Template,
    email::{EmailFailed, EmailSent, SmsFailed, SmsSent},
};

#[test]
fn each_event_of_an_order_has_its_mail() {
    given(service(), []).when(&confirmed()).says([]).asks(&mail(Template::Confirmed, knows_total()));
    let asked = mail(Template::CancellationRequested, About::default());
    given(service(), []).when(&cancellation_requested()).says([]).asks(&asked);
    given(service(), []).when(&completed()).says([]).asks(&mail(Template::Delivered, knows_total()));
    given(service(), []).when(&undone()).says([]).asks(&mail(Template::Undone, About::default()));
    for reason in CancelReason::ALL {
        let asked = mail(Template::Cancelled, knows_all(*reason));
        given(service(), []).when(&cancelled(*reason)).says([]).asks(&asked);
    }
}

#[test]
fn a_parcel_on_its_way_is_told_as_such_or_as_too_late_to_cancel() {
    let on_its_way = mail(Template::Dispatched, About::default());
    given(service(), []).when(&dispatched(false, false)).says([]).asks(&on_its_way);
    let too_late = mail(Template::TooLateToCancel, About::default());
    given(service(), []).when(&dispatched(true, false)).says([]).asks(&too_late);
}

#[test]
fn who_gave_a_phone_number_gets_a_text_message_at_dispatch_too() {
    for (asked, template) in [(false, Template::Dispatched), (true, Template::TooLateToCancel)] {
        given(service(), []).when(&dispatched(asked, true)).says([]).asks_names(&["mail", "sms"]);
        let (_, text) = email::domain::dispatched(&dispatched(asked, true));
        assert_eq!(text.map(|text| text.0), Some(sms(template)));
    }
}

#[test]
fn the_end_of_a_mail_is_said() {
    let (order_id, template) = (order_id(), Template::Confirmed);
    let message_id = format!("confirmed.{ORDER}@tutti.example");
    let asked = || mail(Template::Confirmed, knows_total());
    let sent = EmailSent { order_id: order_id.clone(), template, message_id: message_id.clone() };
    given(service(), []).when(&Done { asked: asked(), outcome: Ok(()) }).says([sent.into()]).asks_nothing();
    for reason in NotSentReason::ALL.iter().copied() {
        let failed = EmailFailed { order_id: order_id.clone(), template, message_id: message_id.clone(), reason };
        given(service(), []).when(&Done { asked: asked(), outcome: Err(reason) }).says([failed.into()]);
    }
}

#[test]
fn the_end_of_a_text_message_is_said() {
    let (order_id, template) = (order_id(), Template::Dispatched);
    let message_id = format!("sms.dispatched.{ORDER}@tutti.example");
    let asked = || sms(Template::Dispatched);
    let sent = SmsSent { order_id: order_id.clone(), template, message_id: message_id.clone() };
    given(service(), []).when(&Done { asked: asked(), outcome: Ok(()) }).says([sent.into()]).asks_nothing();
    for reason in NotSentReason::ALL.iter().copied() {
        let failed = SmsFailed { order_id: order_id.clone(), template, message_id: message_id.clone(), reason };
        given(service(), []).when(&Done { asked: asked(), outcome: Err(reason) }).says([failed.into()]);
    }
}

#[test]
fn messages_about_one_order_are_one_family_and_each_is_sent_once() {
    assert_eq!((SendMail::NAME, SendSms::NAME), ("mail", "sms"));
    assert_eq!((SendMail::FAMILY, SendSms::FAMILY), ("mail", "mail"));
    let keys: std::collections::BTreeSet<_> =
        Template::ALL.iter().map(|template| mail(*template, About::default()).key()).collect();
    assert_eq!(keys.len(), Template::ALL.len());
    assert_eq!(mail(Template::TooLateToCancel, About::default()).key(), format!("{ORDER}/too_late_to_cancel"));
    assert_eq!(
        (mail(Template::Undone, About::default()).about(), sms(Template::Dispatched).about()),
        (order_id(), order_id())
    );
}

#[test]
fn the_service_reads_the_orders_own_events_only_and_no_past_ones() {
    assert_eq!(service().check(), Ok(()));
    assert_eq!(service().sources(), ["order"]);
    assert_eq!(service().start(), Start::Now);
    let read: Vec<_> = service().map().rows.iter().map(|row| row.origin.name()).collect();
    assert_eq!(
        read,
        [
            "OrderConfirmed",
            "OrderCancellationRequested",
            "OrderDispatched",
            "OrderCompleted",
            "OrderCancelled",
            "OrderUndone",
            "mail",
            "sms"
        ]
    );
}
