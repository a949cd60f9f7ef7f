//! Text messages over HTTP.
//!
//! What surely was not taken may be sent again, what is in doubt never is. So a failure counts as *not sent* only where
//! the request cannot have been carried out: no connection, a refusal of the request as such, or the centre's own word.

use super::{Message, PostError};
use runtime::remote::{NoReply, Remote, Reply, ServerUrl, StatusCode, UrlSetting};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Where the SMS centre is.
pub const SMS_URL: UrlSetting = UrlSetting { name: "SMS_URL", scheme: "http", example: "http://127.0.0.1:8090/sms" };

/// An SMS centre over HTTP.
pub struct HttpSms {
    remote: Remote,
}

/// A message, as the centre reads it.
#[derive(Serialize)]
struct Sms<'a> {
    message_id: &'a str,
    order_id: &'a str,
    template: String,
    to: &'a str,
    body: &'a str,
}

/// What became of it, as the centre writes it.
#[derive(Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
enum Outcome {
    Taken,
    NotTaken,
    Refused,
}

impl HttpSms {
    /// The centre at `base`; each message may take `timeout`.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(base: ServerUrl, timeout: Duration) -> Result<HttpSms, String> {
        Ok(HttpSms { remote: Remote::new("SMS centre", base, timeout)? })
    }

    pub(super) async fn send(&self, message: &Message) -> Result<(), PostError> {
        let Message { order_id, template, to, body, message_id, .. } = message;
        let sms = Sms { message_id, order_id, template: template.to_string(), to, body };
        let reply = self.remote.post(&["messages"], message_id, &sms).await.map_err(|no_reply| match no_reply {
            NoReply::NotSent(why) => PostError::NotSent(why),
            NoReply::Lost(why) => PostError::Unclear(why),
        })?;
        match (reply.status, reply.json()) {
            (StatusCode::OK, Some(Outcome::Taken)) => Ok(()),
            (StatusCode::SERVICE_UNAVAILABLE, Some(Outcome::NotTaken)) => {
                Err(PostError::NotSent("the SMS centre takes no messages now".into()))
            }
            (StatusCode::UNPROCESSABLE_ENTITY, Some(Outcome::Refused)) => {
                Err(PostError::Refused("the SMS centre refuses it".into()))
            }
            _ => Err(self.no_answer(&reply)),
        }
    }

    /// A request that was refused as such (4xx) was not carried out; a conflict or a timeout may be about one that was.
    fn no_answer(&self, reply: &Reply) -> PostError {
        let why = self.remote.says_nothing(reply);
        let in_doubt = [StatusCode::REQUEST_TIMEOUT, StatusCode::CONFLICT];
        let refused = reply.status.is_client_error() && !in_doubt.contains(&reply.status);
        if refused { PostError::NotSent(why) } else { PostError::Unclear(why) }
    }
}
