//! Somebody else's server, called over HTTP: one request in its order's trace, one bounded reply, within a time.
//! What a reply means is for the caller to say.
//!
//! How many calls are under way at a time is bounded by the work runner, for each effect, and nowhere else.

mod server_url;

pub use server_url::{BadSetting, ServerUrl, UrlSetting};

use crate::trace;
use reqwest::{Client, RequestBuilder, redirect::Policy};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    error::Error,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

pub use reqwest::StatusCode;

/// The longest reply that is read, in bytes.
const REPLY_LIMIT: usize = 64 * 1024;
/// The longest word of a server that goes into an event, in bytes.
const LONGEST_WORD: usize = 255;
/// Connections kept for the next call; more are closed after theirs.
const IDLE_CONNECTIONS: usize = 64;

/// A server of the outside world.
pub struct Remote {
    name: &'static str,
    base: ServerUrl,
    http: Client,
    /// The last reply that was not the server's own fault said no more than that the shop asks it wrongly.
    turned_away: AtomicBool,
}

/// An HTTP client that calls whom a setting names, and nobody else: a redirect would repeat the request elsewhere, and a
/// proxy from the environment would be asked for addresses that it cannot know. A call may take `timeout`, from
/// connecting to the reply's last byte.
///
/// # Errors
/// When the client cannot be made.
pub fn client(timeout: Duration) -> Result<Client, String> {
    let client = Client::builder().timeout(timeout).redirect(Policy::none()).no_proxy();
    let client = client.pool_max_idle_per_host(IDLE_CONNECTIONS).build();
    client.map_err(|error| format!("cannot make an HTTP client: {}", root_cause(&error)))
}

/// What a server replied. `Debug` shows no body: it may quote what was sent.
pub struct Reply {
    /// The HTTP status.
    pub status: StatusCode,
    body: Vec<u8>,
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Why there is no reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoReply {
    /// The request surely did not reach the server.
    #[error("{0}")]
    NotSent(String),
    /// Perhaps it did, perhaps not.
    #[error("{0}")]
    Lost(String),
}

impl Remote {
    /// The server at `base`, called `name` in logs; each call may take `timeout`.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(name: &'static str, base: ServerUrl, timeout: Duration) -> Result<Remote, String> {
        Ok(Remote { name, base, http: client(timeout)?, turned_away: AtomicBool::new(false) })
    }

    /// Sends `body` with POST to `path` below the base, under an idempotency key. Each part of the path is escaped.
    ///
    /// # Errors
    /// When there is no reply; see [`NoReply`].
    pub async fn post(&self, path: &[&str], key: &str, body: &impl Serialize) -> Result<Reply, NoReply> {
        self.exchange(self.http.post(self.base.join(path)).header("Idempotency-Key", key).json(body)).await
    }

    /// Reads what is at `path` below the base.
    ///
    /// # Errors
    /// When there is no reply; see [`NoReply`].
    pub async fn get(&self, path: &[&str]) -> Result<Reply, NoReply> {
        self.exchange(self.http.get(self.base.join(path))).await
    }

    async fn exchange(&self, request: RequestBuilder) -> Result<Reply, NoReply> {
        let parent = trace::current();
        let request = parent.iter().fold(request, |request, parent| request.header("traceparent", parent.to_string()));
        let mut response = request.send().await.map_err(no_reply)?;
        let mut body = vec![];
        while let Some(chunk) = response.chunk().await.map_err(|error| NoReply::Lost(root_cause(&error)))? {
            if body.len() + chunk.len() > REPLY_LIMIT {
                return Err(NoReply::Lost(format!("a reply longer than {REPLY_LIMIT} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(self.noted(Reply { status: response.status(), body }))
    }

    fn noted(&self, reply: Reply) -> Reply {
        if reply.status.is_success() && self.turned_away.swap(false, Ordering::Relaxed) {
            tracing::info!(server = self.name, "takes the shop's requests again");
        }
        reply
    }

    /// Says why a reply tells nothing about what was asked. A reply that must be the shop's own fault (a wrong address,
    /// a wrong credential) is a warning, once for a run of them: it decides nothing about an order, and only a person
    /// can mend it.
    pub fn says_nothing(&self, reply: &Reply) -> String {
        let status = reply.status;
        let not_now = [StatusCode::REQUEST_TIMEOUT, StatusCode::CONFLICT, StatusCode::TOO_EARLY];
        let passes = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS || not_now.contains(&status);
        if !passes && !self.turned_away.swap(true, Ordering::Relaxed) {
            tracing::warn!(server = self.name, %status, "a reply that is no answer: check its address and credential");
        }
        format!("a reply that is no answer, with status {status}")
    }
}

impl Reply {
    /// The body, if it is JSON of this shape.
    #[must_use]
    pub fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// Whether a word that a server says, a label or a code, may go into an event, which must not grow with whatever somebody
/// else's server says.
#[must_use]
pub fn fits_an_event(word: &str) -> bool {
    (1..=LONGEST_WORD).contains(&word.len()) && !word.chars().any(char::is_control)
}

fn no_reply(error: reqwest::Error) -> NoReply {
    let why = root_cause(&error);
    if error.is_connect() || error.is_builder() { NoReply::NotSent(why) } else { NoReply::Lost(why) }
}

/// The innermost reason: the outer ones only repeat the address.
fn root_cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no reply in time".into();
    }
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
