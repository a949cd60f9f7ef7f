//! What the messages say.

use crate::samples::*;
use email::{domain::About, templates::Templates};
use shared_events::{CancelReason, Template};

/// What the event behind each template knows.
fn known_to(template: Template) -> About {
    match template {
        Template::Confirmed | Template::Delivered => knows_total(),
        Template::Cancelled => knows_all(CancelReason::OutOfStock),
        Template::CancellationRequested | Template::Dispatched | Template::TooLateToCancel | Template::Undone => {
            About::default()
        }
    }
}

#[test]
fn every_mail_has_a_subject_and_text_that_name_order_and_customer() {
    let templates = Templates::parse().unwrap();
    let mut subjects = std::collections::BTreeSet::new();
    for template in Template::ALL {
        let (subject, body) = templates.mail(&mail(*template, known_to(*template)), "Ada").unwrap();
        assert!(subject.contains(ORDER) && !subject.contains('\n'), "{template}: {subject}");
        assert!(body.starts_with("Hello Ada,\n") && body.contains(ORDER), "{template}: {body}");
        assert!(body.ends_with("Your tutti shop"), "{template}: {body}");
        assert!(!body.contains("\n\n\n") && !body.contains("none"), "{template}: {body}");
        subjects.insert(subject);
    }
    assert_eq!(subjects.len(), Template::ALL.len());
}

#[test]
fn a_confirmation_in_full() {
    let (subject, body) = Templates::parse().unwrap().mail(&mail(Template::Confirmed, knows_total()), "Ada").unwrap();
    assert_eq!(subject, format!("Your order {ORDER} is confirmed"));
    assert!(body.contains("25.90 EUR"), "{body}");
}

#[test]
fn a_cancellation_lists_the_lines_and_gives_the_reason() {
    let templates = Templates::parse().unwrap();
    let mut texts = std::collections::BTreeSet::new();
    for reason in CancelReason::ALL {
        let (_, body) = templates.mail(&mail(Template::Cancelled, knows_all(*reason)), "Ada").unwrap();
        assert!(body.contains("\n  2 x TEA-001\n  1 x CUP-007\n\n  in all 25.90 EUR\n"), "{body}");
        texts.insert(body);
    }
    assert_eq!(texts.len(), CancelReason::ALL.len(), "each reason has its own words");
}

#[test]
fn only_the_last_mail_of_a_cancelled_order_says_that_the_money_is_back() {
    let templates = Templates::parse().unwrap();
    for template in Template::ALL {
        let (_, body) = templates.mail(&mail(*template, known_to(*template)), "Ada").unwrap();
        assert_eq!(body.contains("has been returned"), *template == Template::Undone, "{template}: {body}");
    }
}

#[test]
fn the_text_messages_fit_into_one_and_name_nobody() {
    let templates = Templates::parse().unwrap();
    for template in [Template::Dispatched, Template::TooLateToCancel] {
        let text = templates.sms(&sms(template)).unwrap();
        assert!(text.contains(ORDER) && text.chars().count() <= 160 && !text.contains('\n'), "{text}");
    }
    assert!(templates.sms(&sms(Template::Confirmed)).is_err(), "there is no such text message");
}

#[test]
fn a_name_is_text_and_never_a_template() {
    let templates = Templates::parse().unwrap();
    let (_, body) = templates.mail(&mail(Template::Dispatched, About::default()), "{{ order_id }} <b>&").unwrap();
    assert!(body.starts_with("Hello {{ order_id }} <b>&,\n"), "{body}");
}

#[test]
fn a_template_that_names_what_the_event_does_not_know_fails() {
    let templates = Templates::parse().unwrap();
    assert!(templates.mail(&mail(Template::Confirmed, About::default()), "Ada").is_err());
    assert!(templates.mail(&mail(Template::Cancelled, About::default()), "Ada").is_err());
}
