//! `GET /mailbox` where mails went over SMTP to a mail catcher.

use crate::served::{PATIENCE, Served};
use email::{
    mail::{
        Message, Post,
        conformance::Received,
        sms::{HttpSms, SMS_URL},
        smtp::{SMTP_URL, SmtpPost},
    },
    templates::Channel,
};
use serde_json::{Value, json};
use shared_events::Template;
use std::{env, process};
use world::post::mailpit::{MAIL_API_URL, Mailpit};

/// A world whose mails are in the mail catcher that the environment names, and a post that sends there.
pub async fn mail_server() -> Option<(Served, SmtpPost)> {
    let (Ok(smtp), Ok(api)) = (env::var(SMTP_URL.name), env::var(MAIL_API_URL.name)) else {
        eprintln!("skipped: set SMTP_URL and MAIL_API_URL to those of a Mailpit that is started with --max 0");
        return None;
    };
    let catcher = Mailpit::new(MAIL_API_URL.parse(&api).unwrap()).unwrap();
    let served = Served::with(json!({}), |_| async { Ok(()) }, |world| world.with_mails_of(catcher)).await;
    let post = post(&served, &smtp);
    Some((served, post))
}

/// A post that sends mails to this server, and text messages to this world.
pub fn post(served: &Served, smtp: &str) -> SmtpPost {
    let sms = HttpSms::new(served.url(SMS_URL, "sms"), PATIENCE).unwrap();
    SmtpPost::new(SMTP_URL.parse(smtp).unwrap(), sms, PATIENCE).unwrap()
}

/// A name that no other run has used: a mail catcher remembers.
pub fn unique() -> String {
    let now = runtime::Clock::now(&runtime::SystemClock);
    format!("run-{}-{now}", process::id())
}

/// What lies in the mailbox about an order.
pub async fn received(served: &Served, order_id: String) -> Vec<Received> {
    let page = served.get(&format!("/mailbox?order_id={order_id}")).await;
    let text = |message: &Value, member: &str| message[member].as_str().unwrap().to_owned();
    let received = page["messages"].as_array().unwrap().iter().map(|message| Received {
        channel: text(message, "channel"),
        to: text(message, "to"),
        subject: text(message, "subject"),
        body: text(message, "body").trim_end().to_owned(),
        template: text(message, "template"),
        message_id: text(message, "message_id"),
        copies: message["copies"].as_i64().unwrap(),
    });
    received.collect()
}

fn mail(order_id: &str, template: Template) -> Message {
    Message {
        order_id: order_id.into(),
        channel: Channel::Mail,
        template,
        to: "ada@example.com".into(),
        subject: "Your order".into(),
        body: "Hello.".into(),
        message_id: format!("{template}.{order_id}@tutti.example"),
    }
}

pub fn sms(order_id: &str) -> Message {
    let message_id = format!("sms.dispatched.{order_id}@tutti.example");
    let (channel, to, subject) = (Channel::Sms, "+49301234567".into(), String::new());
    Message { channel, to, subject, message_id, ..mail(order_id, Template::Dispatched) }
}

/// Channel and template of each message, page by page.
async fn pages(served: &Served, query: &str, limit: usize) -> Vec<Vec<String>> {
    let (mut pages, mut after) = (vec![], json!(0));
    while !after.is_null() {
        let page = served.get(&format!("/mailbox?{query}&after={after}&limit={limit}")).await;
        let messages = page["messages"].as_array().unwrap().iter();
        let name = |message: &Value| {
            format!("{} {}", message["channel"].as_str().unwrap(), message["template"].as_str().unwrap())
        };
        pages.push(messages.map(name).collect());
        after = page["next"].clone();
    }
    pages
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_and_text_messages_are_one_mailbox_in_pages_each_message_once() {
    let Some((served, post)) = mail_server().await else { return };
    let one = unique();
    let another = format!("{one}-another"); // found by a search for the one
    for message in [
        mail(&one, Template::Confirmed),
        sms(&one),
        mail(&another, Template::Cancelled),
        mail(&one, Template::Confirmed),
        mail(&one, Template::Dispatched),
        mail(&one, Template::Delivered),
    ] {
        assert_eq!(post.send(&message).await, Ok(()));
    }
    let all = ["mail confirmed", "sms dispatched", "mail dispatched", "mail delivered"];
    for limit in [1, 2, 3, 100] {
        let pages = pages(&served, &format!("order_id={one}"), limit).await;
        assert_eq!(pages.concat(), all, "{limit}");
        assert!(pages.iter().all(|page| page.len() <= limit), "{pages:?}");
    }
    assert_eq!(pages(&served, &format!("order_id={another}"), 10).await, [["mail cancelled"]]);
    assert_eq!(pages(&served, "order_id=%22%20subject:Your", 10).await.concat(), Vec::<String>::new());
    let unfiltered = pages(&served, "", 1_000).await.concat();
    assert!(unfiltered.len() >= 5, "{unfiltered:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_catcher_that_is_away_is_a_problem_and_not_an_empty_mailbox() {
    let catcher = Mailpit::new(MAIL_API_URL.parse("http://127.0.0.1:1").unwrap()).unwrap();
    let served = Served::with(json!({}), |_| async { Ok(()) }, |world| world.with_mails_of(catcher)).await;
    let reply = reqwest::get(format!("http://{}/mailbox", served.address)).await.unwrap();
    assert_eq!(reply.status(), 500);
}
