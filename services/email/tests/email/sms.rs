//! Text messages over HTTP: what surely was not taken may be sent again, what is in doubt never is.

use crate::samples::ORDER;
use axum::{Router, http::StatusCode, http::header::CONTENT_TYPE};
use email::{
    mail::{
        Message, Post, PostError,
        sms::{HttpSms, SMS_URL},
        smtp::{SMTP_URL, SmtpPost},
    },
    templates::Channel,
};
use shared_events::Template;
use std::time::Duration;
use tokio::net::TcpListener;

const PATIENCE: Duration = Duration::from_secs(10);

fn post(url: &str) -> SmtpPost {
    let sms = HttpSms::new(SMS_URL.parse(url).unwrap(), PATIENCE).unwrap();
    SmtpPost::new(SMTP_URL.parse("smtp://127.0.0.1:1").unwrap(), sms, PATIENCE).unwrap()
}

/// What is told of a message to a centre that replies this.
async fn told(status: u16, body: &'static str) -> Result<(), PostError> {
    let status = StatusCode::from_u16(status).unwrap();
    let routes = Router::new().fallback(move || async move { (status, [(CONTENT_TYPE, "application/json")], body) });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/sms", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    post(&url).send(&sms()).await
}

fn sms() -> Message {
    Message {
        order_id: ORDER.into(),
        channel: Channel::Sms,
        template: Template::Dispatched,
        to: "+49301234567".into(),
        subject: String::new(),
        body: "It is on its way.".into(),
        message_id: format!("sms.dispatched.{ORDER}@tutti.example"),
    }
}

const TAKEN: &str = r#"{"outcome":"taken"}"#;
const NOT_TAKEN: &str = r#"{"outcome":"not_taken"}"#;
const REFUSED: &str = r#"{"outcome":"refused","reason":"+49301234567 is no number"}"#;

#[tokio::test]
async fn the_centres_own_words_under_their_status_end_it() {
    assert_eq!(told(200, TAKEN).await, Ok(()));
    assert!(matches!(told(503, NOT_TAKEN).await, Err(PostError::NotSent(_))));
    let refused = told(422, REFUSED).await;
    assert!(matches!(&refused, Err(PostError::Refused(why)) if !why.contains("+49")), "{refused:?}");
}

#[tokio::test]
async fn what_was_never_carried_out_may_be_sent_again() {
    for status in [400, 401, 403, 404, 405, 413, 415, 422, 429] {
        for body in ["", TAKEN] {
            let told = told(status, body).await;
            assert!(matches!(told, Err(PostError::NotSent(_))), "{status} {body}: {told:?}");
        }
    }
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let told = post(&format!("http://{gone}")).send(&sms()).await;
    assert!(matches!(told, Err(PostError::NotSent(_))), "{told:?}");
}

#[tokio::test]
async fn everything_else_is_in_doubt() {
    for (status, body) in [
        (200, ""),
        (200, REFUSED),
        (200, NOT_TAKEN),
        (202, TAKEN),
        (301, ""),
        (408, ""),
        (409, ""),
        (500, TAKEN),
        (500, NOT_TAKEN),
        (502, ""),
        (503, ""),
        (503, TAKEN),
        (504, ""),
    ] {
        let told = told(status, body).await;
        assert!(matches!(told, Err(PostError::Unclear(_))), "{status} {body}: {told:?}");
    }
}
