//! A process that stands by serves what only looks, and sends everything else to the process that leads: once, with all
//! its headers, so that the Idempotency-Key goes along.

use super::{BODY_LIMIT, Problem, strip_hop_by_hop};
use crate::{
    Handle, Health,
    remote::{self, ServerUrl, UrlSetting},
};
use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use reqwest::Client;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Marks a request that was forwarded: it is not forwarded again, so that none goes in circles while the lead changes.
const FORWARDED: HeaderName = HeaderName::from_static("tutti-forwarded");
/// How long the leader may take. It answers every command within 10 s.
const ANSWERS_WITHIN: Duration = Duration::from_secs(15);
/// How long a body may take to arrive, as everywhere.
const BODY_WITHIN: Duration = Duration::from_secs(10);
/// The longest answer to a command that is passed on, in bytes.
const ANSWER_LIMIT: usize = 1 << 20;
/// When a caller should come back: by then there is a new leader, in most cases.
const COME_BACK: Duration = Duration::from_secs(1);
/// What `lead.owner` holds, as a setting: it was one of another process.
const ADVERTISE: UrlSetting = UrlSetting { name: "ADVERTISE", scheme: "http", example: "order-0.order:8080" };

#[derive(Clone)]
struct Forwarding {
    handle: Handle,
    http: Client,
    /// The last request could not be forwarded.
    failing: Arc<AtomicBool>,
}

/// Lets these routes forward what they must not do themselves while `handle` stands by.
///
/// # Errors
/// When the HTTP client cannot be made.
pub fn forwarding(routes: Router, handle: Handle) -> Result<Router, String> {
    let http = remote::client(ANSWERS_WITHIN)?;
    Ok(routes.layer(from_fn_with_state(Forwarding { handle, http, failing: Arc::default() }, around)))
}

async fn around(State(forwarding): State<Forwarding>, request: Request, next: Next) -> Response {
    let looks = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    match forwarding.handle.health() {
        Health::Standby(owner) if !looks && !request.headers().contains_key(FORWARDED) => {
            let answer = forwarding.forward(&owner, request).await;
            answer.unwrap_or_else(IntoResponse::into_response)
        }
        _ => next.run(request).await,
    }
}

impl Forwarding {
    async fn forward(&self, owner: &str, request: Request) -> Result<Response, Problem> {
        let (parts, body) = request.into_parts();
        let body = read(body).await?;
        let mut headers = of_the_message(&parts.headers);
        headers.insert(FORWARDED, HeaderValue::from_static("1"));
        let sent = async {
            let address = address(owner, &parts).ok_or("that is no address")?;
            let request = self.http.request(parts.method, address).headers(headers).body(body);
            relay(request.send().await.map_err(|error| error.to_string())?).await
        };
        let answer = sent.await;
        let failed_before = self.failing.swap(answer.is_err(), Ordering::Relaxed);
        answer.map_err(|why| {
            if !failed_before {
                tracing::warn!(owner, why, "a request could not be forwarded to the process that leads");
            }
            unreachable()
        })
    }
}

async fn read(body: Body) -> Result<Bytes, Problem> {
    match tokio::time::timeout(BODY_WITHIN, to_bytes(body, BODY_LIMIT)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => {
            let detail = format!("The body is longer than {BODY_LIMIT} bytes, or was cut off.");
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large", detail))
        }
        Err(_) => {
            let detail = format!("The body did not arrive within {} s.", BODY_WITHIN.as_secs());
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body-too-slow", "The body is too slow", detail))
        }
    }
}

fn address(owner: &str, parts: &Parts) -> Option<reqwest::Url> {
    let base: ServerUrl = ADVERTISE.parse(&format!("http://{owner}")).ok()?;
    let mut url = base.join(&[]);
    url.set_path(parts.uri.path());
    url.set_query(parts.uri.query());
    Some(url)
}

fn of_the_message(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    strip_hop_by_hop(&mut headers);
    // The body was read whole, and its length is told anew.
    headers.remove(header::CONTENT_LENGTH);
    headers
}

async fn relay(mut answer: reqwest::Response) -> Result<Response, String> {
    let mut body = vec![];
    while let Some(chunk) = answer.chunk().await.map_err(|error| error.to_string())? {
        if body.len() + chunk.len() > ANSWER_LIMIT {
            return Err(format!("an answer longer than {ANSWER_LIMIT} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((answer.status(), of_the_message(answer.headers()), body).into_response())
}

/// The request may have reached the leader all the same.
fn unreachable() -> Problem {
    let detail = "The process that takes such requests does not answer. This one may or may not be carried out; \
                  repeating it with the same Idempotency-Key is harmless.";
    Problem::later(detail, COME_BACK)
}
