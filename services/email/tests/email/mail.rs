//! The adapter against a server that answers as told.

use crate::samples::*;
use email::{
    domain::{About, SendMail, SendSms},
    mail::{Mailer, Message, Post, PostError},
    templates::{Channel, resend},
};
use runtime::{
    Adapter, Outcome,
    keyring::{KeyAnswer, KeyError, Keyring},
};
use shared_events::{CustomerKey, NotSentReason, Personal, Sealed, Template};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// Takes messages as told, one answer after the other; at the end it does not answer any more.
struct FakePost {
    answers: Mutex<Vec<Result<(), PostError>>>,
    taken: Mutex<Vec<Message>>,
}

impl Post for FakePost {
    async fn send(&self, message: &Message) -> Result<(), PostError> {
        self.taken.lock().unwrap().push(message.clone());
        let answer = self.answers.lock().unwrap().pop();
        match answer {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }
}

/// One key for everybody, or none.
struct FakeKeyring(Result<CustomerKey, KeyError>);

impl Keyring for FakeKeyring {
    fn make_or_get<'a>(&'a self, customer: &'a str) -> KeyAnswer<'a> {
        self.get(customer)
    }
    fn get<'a>(&'a self, _: &'a str) -> KeyAnswer<'a> {
        Box::pin(std::future::ready(self.0.clone()))
    }
}

fn mailer<const N: usize>(
    answers: [Result<(), PostError>; N],
    key: Result<CustomerKey, KeyError>,
) -> (Arc<FakePost>, Mailer<FakePost>) {
    let answers = Mutex::new(answers.into_iter().rev().collect());
    let post = Arc::new(FakePost { answers, taken: Mutex::default() });
    let mailer = Mailer::new(post.clone(), Arc::new(FakeKeyring(key)), Duration::from_millis(20)).unwrap();
    (post, mailer)
}

fn to(personal: &Personal) -> Sealed<Personal> {
    Sealed::seal(&key(), "c-42", personal).unwrap()
}
fn mail_to(personal: &Personal) -> SendMail {
    SendMail { sealed: to(personal), ..mail(Template::Dispatched, About::default()) }
}
fn sms_to(personal: &Personal) -> SendSms {
    SendSms { sealed: to(personal), ..sms(Template::Dispatched) }
}
fn not_sent() -> Result<(), PostError> {
    Err(PostError::NotSent("connection refused".into()))
}
fn unclear() -> Result<(), PostError> {
    Err(PostError::Unclear("lost the reply".into()))
}

#[tokio::test]
async fn a_mail_goes_to_the_sealed_address_under_its_message_id() {
    let (post, mailer) = mailer([Ok(())], Ok(key()));
    assert_eq!(mailer.call("k", &mail_to(&ada())).await, Outcome::Done(()));
    let taken = post.taken.lock().unwrap();
    let [sent] = &taken[..] else { panic!("sent {} mails", taken.len()) };
    assert_eq!((sent.channel, sent.template, &*sent.order_id), (Channel::Mail, Template::Dispatched, ORDER));
    assert_eq!(sent.to, "ada@example.com");
    assert_eq!(sent.subject, format!("Your order {ORDER} is on its way"));
    assert_eq!(sent.message_id, format!("dispatched.{ORDER}@tutti.example"));
    assert!(sent.body.starts_with("Hello Ada,"));
}

#[tokio::test]
async fn a_text_message_goes_to_the_sealed_phone() {
    let (post, mailer) = mailer([Ok(())], Ok(key()));
    assert_eq!(mailer.call("k", &sms_to(&ada())).await, Outcome::Done(()));
    let taken = post.taken.lock().unwrap();
    let [sent] = &taken[..] else { panic!("sent {} messages", taken.len()) };
    assert_eq!((sent.channel, &*sent.to, &*sent.subject), (Channel::Sms, "+49301234567", ""));
}

#[tokio::test]
async fn a_mail_that_may_have_been_sent_is_sent_again_under_the_same_message_id() {
    let (post, mailer) = mailer([unclear(), Ok(())], Ok(key()));
    let mail = mail_to(&ada());
    assert!(matches!(mailer.call("k", &mail).await, Outcome::Unclear(_)));
    assert_eq!(mailer.ask("k", &mail).await, None);
    assert_eq!(mailer.call("k", &mail).await, Outcome::Done(()));
    let ids: Vec<String> = post.taken.lock().unwrap().iter().map(|sent| sent.message_id.clone()).collect();
    assert_eq!((ids.len(), &ids[0]), (2, &ids[1]));
}

#[tokio::test]
async fn a_text_message_that_may_have_been_sent_is_not_sent_again() {
    for answers in [vec![unclear()], vec![]] {
        let (post, mailer) = mailer([], Ok(key()));
        *post.answers.lock().unwrap() = answers;
        assert!(matches!(mailer.call("k", &sms_to(&ada())).await, Outcome::Unclear(_)));
        let not_resent = Some(Outcome::Refused(NotSentReason::NotResent));
        assert_eq!(mailer.ask("k", &sms_to(&ada())).await, not_resent);
    }
}

#[tokio::test]
async fn a_text_message_that_surely_was_not_sent_is_tried_again() {
    let (_, mailer) = mailer([not_sent(), unclear()], Ok(key()));
    let sms = sms_to(&ada());
    assert!(matches!(mailer.call("k", &sms).await, Outcome::Unclear(_)));
    assert_eq!(mailer.ask("k", &sms).await, None, "nothing was sent");
    assert!(matches!(mailer.call("k", &sms).await, Outcome::Unclear(_)));
    assert_eq!(mailer.ask("k", &sms).await, Some(Outcome::Refused(NotSentReason::NotResent)), "now it is in doubt");
}

#[tokio::test]
async fn a_text_message_found_at_start_is_in_doubt() {
    let (_, mailer) = mailer([], Ok(key()));
    assert_eq!(mailer.ask("k", &sms_to(&ada())).await, Some(Outcome::Refused(NotSentReason::NotResent)));
}

#[tokio::test]
async fn an_address_that_the_server_or_a_header_refuses_is_refused_for_good() {
    let refused = || Outcome::Refused(NotSentReason::AddressRefused);
    let (_, by_server) = mailer([Err(PostError::Refused("no such mailbox".into()))], Ok(key()));
    assert_eq!(by_server.call("k", &mail_to(&ada())).await, refused());

    let (post, mailer) = mailer([], Ok(key()));
    for email in ["", "ada@example.com\r\nBcc: all@example.com", "ada\n@example.com", "ada\0@example.com"] {
        let personal = Personal { email: email.into(), ..ada() };
        assert_eq!(mailer.call("k", &mail_to(&personal)).await, refused(), "{email:?}");
    }
    for phone in [None, Some(""), Some("+49\r\n30")] {
        let personal = Personal { phone: phone.map(Into::into), ..ada() };
        let refused = Outcome::Refused(NotSentReason::AddressRefused);
        assert_eq!(mailer.call("k", &sms_to(&personal)).await, refused, "{phone:?}");
    }
    assert!(post.taken.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_line_break_in_what_the_subject_names_is_refused_too() {
    let (post, mailer) = mailer([], Ok(key()));
    let mail = SendMail { order_id: "o\r\nBcc: all@example.com".into(), ..mail_to(&ada()) };
    assert_eq!(mailer.call("k", &mail).await, Outcome::Refused(NotSentReason::AddressRefused));
    assert!(post.taken.lock().unwrap().is_empty());
}

#[tokio::test]
async fn without_the_customers_key_nothing_is_sent() {
    let (post, forgotten) = mailer([], Err(KeyError::Forgotten));
    assert_eq!(forgotten.call("k", &mail_to(&ada())).await, Outcome::Refused(NotSentReason::Forgotten));
    assert_eq!(forgotten.call("k", &sms_to(&ada())).await, Outcome::Refused(NotSentReason::Forgotten));
    assert!(post.taken.lock().unwrap().is_empty());
    for no_key in [KeyError::Unknown, KeyError::Away("disk".into())] {
        let (post, mailer) = mailer([], Err(no_key));
        assert!(matches!(mailer.call("k", &sms_to(&ada())).await, Outcome::Unclear(_)));
        assert_eq!(mailer.ask("k", &sms_to(&ada())).await, None, "surely nothing was sent");
        assert!(post.taken.lock().unwrap().is_empty());
    }
    let (post, wrong) = mailer([], Ok(CustomerKey::from_bytes([6; 32])));
    assert!(matches!(wrong.call("k", &mail_to(&ada())).await, Outcome::Stuck(_)));
    assert!(post.taken.lock().unwrap().is_empty());
}

#[test]
fn mails_are_sent_again_and_text_messages_rather_not() {
    for template in Template::ALL {
        assert!(resend(Channel::Mail, *template));
        assert!(!resend(Channel::Sms, *template));
    }
}

#[test]
fn a_message_shows_neither_address_nor_text() {
    let message = Message {
        order_id: order_id(),
        channel: Channel::Mail,
        template: Template::Confirmed,
        to: "ada@example.com".into(),
        subject: "subject".into(),
        body: "Hello Ada".into(),
        message_id: "confirmed.o@tutti.example".into(),
    };
    let shown = format!("{message:?}");
    assert!(!shown.contains("ada@") && !shown.contains("Ada") && shown.contains("confirmed.o"), "{shown}");
}
