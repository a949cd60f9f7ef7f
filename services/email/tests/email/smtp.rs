//! Mails over SMTP: how each way in which a server can fail is told, and what a mail looks like.

mod server;

use crate::samples::ORDER;
use email::{
    mail::{
        Message, Post, PostError,
        sms::{HttpSms, SMS_URL},
        smtp::{SMTP_URL, SmtpPost},
    },
    templates::Channel,
};
use server::{Script, Server, Step};
use shared_events::Template;
use std::{sync::Arc, time::Duration};

/// Long enough for a busy machine; only what is meant to be late is.
const PATIENCE: Duration = Duration::from_secs(10);

fn post(smtp_url: &str, patience: Duration) -> SmtpPost {
    let sms = HttpSms::new(SMS_URL.parse("http://127.0.0.1:1/sms").unwrap(), patience).unwrap();
    SmtpPost::new(SMTP_URL.parse(smtp_url).unwrap(), sms, patience).unwrap()
}

fn mail() -> Message {
    Message {
        order_id: ORDER.into(),
        channel: Channel::Mail,
        template: Template::Confirmed,
        to: "ada@example.com".into(),
        subject: "Your order".into(),
        body: "Hello Zoë,\n.\nit is confirmed.".into(),
        message_id: format!("confirmed.{ORDER}@tutti.example"),
    }
}

/// How a mail to such a server ends.
async fn told(script: Script) -> Result<(), PostError> {
    told_within(PATIENCE, script).await
}

async fn told_within(patience: Duration, script: Script) -> Result<(), PostError> {
    let server = Server::start(script).await;
    let told = post(&server.url, patience).send(&mail()).await;
    // The server quotes the address in what it says; nothing that is logged may.
    assert!(!format!("{told:?}").contains("ada@"), "{told:?}");
    told
}

fn at_rcpt(says: &'static str) -> Script {
    Script { rcpt: Step::Say(says), ..Script::default() }
}

fn at_the_end(step: Step) -> Script {
    Script { end: step, ..Script::default() }
}

#[tokio::test]
async fn a_mail_is_taken_with_its_headers_and_its_text() {
    let server = Server::start(Script::default()).await;
    assert_eq!(post(&server.url, PATIENCE).send(&mail()).await, Ok(()));
    let (commands, text) = server.heard();
    assert_eq!(
        commands,
        ["EHLO tutti.example", "MAIL FROM:<orders@tutti.example>", "RCPT TO:<ada@example.com>", "DATA", "QUIT"]
    );
    for line in [
        "To: ada@example.com",
        "Subject: Your order",
        &format!("Message-ID: <confirmed.{ORDER}@tutti.example>"),
        &format!("X-Tutti-Order: {ORDER}"),
        "X-Tutti-Template: confirmed",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Hello Zo=C3=AB,",
        "..",
        "it is confirmed.",
    ] {
        assert!(text.iter().any(|sent| sent == line), "{line} is not in {text:#?}");
    }
    assert!(text.iter().any(|line| line.starts_with("From: ") && line.contains("orders@tutti.example")), "{text:#?}");
    assert!(text.iter().any(|line| line.starts_with("Date: ")), "{text:#?}");
}

#[tokio::test]
async fn what_fails_before_the_end_of_the_data_surely_was_not_sent() {
    for script in [
        Script { greeting: Step::Say("421 4.3.2 too busy"), ..Script::default() },
        Script { greeting: Step::HangUp, ..Script::default() },
        Script { ehlo: Step::Say("451 4.3.0 later"), ..Script::default() },
        Script { ehlo: Step::HangUp, ..Script::default() },
        Script { mail: Step::Say("451 4.3.0 later"), ..Script::default() },
        Script { mail: Step::HangUp, ..Script::default() },
        at_rcpt("450 4.2.0 <ada@example.com> greylisted"),
        at_rcpt("452 4.2.2 mailbox full"),
        at_rcpt("450 5.1.1 a code that contradicts itself"),
        Script { rcpt: Step::HangUp, ..Script::default() },
        Script { data: Step::Say("451 4.3.0 later"), ..Script::default() },
        Script { data: Step::HangUp, ..Script::default() },
        at_the_end(Step::Say("451 4.3.0 out of disk")),
    ] {
        let told = told(script).await;
        assert!(matches!(told, Err(PostError::NotSent(_))), "{script:?}: {told:?}");
    }
    let gone = Server::start(Script::default()).await.url.clone();
    let told = post(&gone, PATIENCE).send(&mail()).await;
    assert!(matches!(told, Err(PostError::NotSent(_))), "{told:?}");
}

#[tokio::test]
async fn a_mail_is_only_sent_to_a_server_that_waits_for_it() {
    let server = Server::start(Script { data: Step::Say("250 what?"), ..Script::default() }).await;
    let told = post(&server.url, PATIENCE).send(&mail()).await;
    assert!(matches!(told, Err(PostError::NotSent(_))), "{told:?}");
    assert_eq!(server.heard().0[3..], ["DATA", "QUIT"]);
}

#[tokio::test]
async fn a_server_that_does_not_want_the_shop_refuses_no_address() {
    for script in [
        Script { greeting: Step::Say("554 5.7.1 no service for you"), ..Script::default() },
        Script { ehlo: Step::Say("550 5.7.1 who are you?"), ..Script::default() },
        Script { mail: Step::Say("530 5.7.0 authentication required"), ..Script::default() },
        Script { mail: Step::Say("550 5.1.8 sender rejected"), ..Script::default() },
        at_rcpt("554 5.7.1 <ada@example.com>: Relay access denied"),
        at_rcpt("530 authentication required"),
        at_rcpt("503 5.5.1 need MAIL before RCPT"),
        Script { data: Step::Say("503 bad sequence of commands"), ..Script::default() },
        at_the_end(Step::Say("554 5.7.1 your network is on a block list")),
    ] {
        let told = told(script).await;
        assert!(matches!(told, Err(PostError::NotSent(_))), "{script:?}: {told:?}");
    }
}

#[tokio::test]
async fn a_permanent_refusal_of_the_mail_is_for_good() {
    for script in [
        at_rcpt("550 5.1.1 <ada@example.com>: no such user"),
        at_rcpt("550 no such user"),
        at_rcpt("501 5.1.3 bad recipient address syntax"),
        at_rcpt("550-5.1.2 <ada@example.com>:\r\n550 5.1.2 no such domain"),
        at_rcpt("552 5.2.2 mailbox full"),
        at_rcpt("556 5.1.10 domain takes no mail"),
        Script { data: Step::Say("554 5.1.1 no valid recipients"), ..Script::default() },
        at_the_end(Step::Say("554 5.6.0 message content rejected")),
        at_the_end(Step::Say("550 5.1.1 no such user after all")),
    ] {
        let told = told(script).await;
        assert!(matches!(told, Err(PostError::Refused(_))), "{script:?}: {told:?}");
    }
}

#[tokio::test]
async fn without_a_reply_to_the_data_it_is_unclear() {
    for script in [at_the_end(Step::HangUp), at_the_end(Step::Say("what?")), at_the_end(Step::Say("354 go on"))] {
        let told = told(script).await;
        assert!(matches!(told, Err(PostError::Unclear(_))), "{script:?}: {told:?}");
    }
    let silent = told_within(Duration::from_millis(300), at_the_end(Step::Silent)).await;
    assert!(matches!(silent, Err(PostError::Unclear(_))), "{silent:?}");
}

#[tokio::test]
async fn a_server_that_is_silent_before_the_data_was_sent_nothing() {
    for script in [
        Script { greeting: Step::Silent, ..Script::default() },
        Script { rcpt: Step::Silent, ..Script::default() },
        Script { data: Step::Silent, ..Script::default() },
    ] {
        let told = told_within(Duration::from_millis(300), script).await;
        assert!(matches!(told, Err(PostError::NotSent(_))), "{script:?}: {told:?}");
    }
}

#[tokio::test]
async fn an_address_beyond_ascii_needs_a_server_that_knows_it() {
    let mail = Message { to: "ädä@example.com".into(), ..mail() };
    let server = Server::start(Script::default()).await;
    let told = post(&server.url, PATIENCE).send(&mail).await;
    assert!(matches!(told, Err(PostError::Refused(_))), "{told:?}");
    let knows = Step::Say("250-there\r\n250-8BITMIME\r\n250 SMTPUTF8");
    let server = Server::start(Script { ehlo: knows, ..Script::default() }).await;
    assert_eq!(post(&server.url, PATIENCE).send(&mail).await, Ok(()));
    let (commands, _) = server.heard();
    assert_eq!(
        commands[1..3],
        ["MAIL FROM:<orders@tutti.example> SMTPUTF8 BODY=8BITMIME", "RCPT TO:<ädä@example.com>"]
    );
}

#[tokio::test]
async fn only_so_many_mails_are_sent_at_a_time() {
    let server = Server::start(Script::default()).await;
    let post = Arc::new(post(&server.url, PATIENCE));
    let sending: Vec<_> = (0..200)
        .map(|_| {
            let post = post.clone();
            tokio::spawn(async move { post.send(&mail()).await })
        })
        .collect();
    for sent in sending {
        assert_eq!(sent.await.unwrap(), Ok(()));
    }
    assert!((2..=32).contains(&server.most_at_once()), "{} at once", server.most_at_once());
}

#[test]
fn the_address_of_the_server_is_a_host_and_a_port_and_nothing_else() {
    for url in ["smtp://shop:hunter2@there:25", "smtp://there/inbox"] {
        let sms = HttpSms::new(SMS_URL.parse("http://there/sms").unwrap(), PATIENCE).unwrap();
        let bad = SmtpPost::new(SMTP_URL.parse(url).unwrap(), sms, PATIENCE).err().unwrap().to_string();
        assert!(bad.contains("SMTP_URL") && bad.contains("there") && !bad.contains("hunter2"), "{bad}");
    }
    let tls = SMTP_URL.parse("smtps://there").unwrap_err().to_string();
    assert!(tls.contains("SMTP_URL is `smtps://there`") && tls.contains("only smtp:// is spoken"), "{tls}");
}
