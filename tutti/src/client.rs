//! The shop's HTTP API as its clients use it: the command line, the demo and the benchmark.

mod problem;
mod wire;

pub use problem::Problem;
pub use wire::{Asked, Event, Events, Order, Page, Readiness, Stock, Waiting};

use reqwest::{Method, RequestBuilder, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;

/// How long any answer but a long poll may take. A shop that is busy says so much sooner, with 503.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// How long a connection may take; the shop is usually on this machine.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// The longest single wait to ask the server for; longer ones are asked for again.
const LONGEST_POLL: Duration = Duration::from_secs(30);

/// What went wrong between this client and the shop.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answered.
    #[error(
        "cannot reach the shop at {url}: {why}\n  Is it running? Start it with `tutti up`, or say where it is with --url or TUTTI_URL."
    )]
    Unreachable {
        /// What was asked for.
        url: String,
        /// What the connection said.
        why: String,
    },
    /// The shop answered that it will not.
    #[error("{problem}\n  from {url}")]
    Refused {
        /// What was asked for.
        url: String,
        /// The HTTP status.
        status: u16,
        /// After how long to ask again, if the shop said so.
        retry_after: Option<Duration>,
        /// Why.
        problem: Box<Problem>,
    },
    /// Somebody answered, but not as this shop would.
    #[error(
        "{url} answered with something that is not this shop's: {why}\n  Does --url or TUTTI_URL name a tutti shop?"
    )]
    Garbled {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        why: String,
    },
}

impl ClientError {
    /// Whether the same request may go through later: nobody answered, or the shop is busy or going away.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            ClientError::Unreachable { .. } => true,
            ClientError::Refused { status, .. } => *status >= 500 || *status == 429,
            ClientError::Garbled { .. } => false,
        }
    }

    /// The HTTP status, if there was an answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            ClientError::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }
}

/// An order's milestones that the API can wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Milestone {
    /// The shop has promised the goods, or the order has failed.
    Confirmed,
    /// Nothing more will happen: completed, or cancelled and everything undone.
    Settled,
}

impl Milestone {
    /// Its name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Milestone::Confirmed => "confirmed",
            Milestone::Settled => "settled",
        }
    }

    /// Whether `order` has got there, or will never get there because it has failed.
    #[must_use]
    pub fn is_reached_by(self, order: &Order) -> bool {
        match self {
            Milestone::Confirmed => order.state != "pending",
            Milestone::Settled => order.settled,
        }
    }
}

/// A client of one shop.
#[derive(Clone, Debug)]
pub struct Client {
    base: Url,
    http: reqwest::Client,
}

impl Client {
    /// A client of the shop at `url`.
    ///
    /// # Errors
    /// When `url` is not the address of an HTTP server.
    pub fn new(url: &str) -> Result<Client, String> {
        let wrong =
            |why: &str| format!("`{url}` is not a shop's address ({why}); write for example http://127.0.0.1:8080");
        let base = Url::parse(url).map_err(|error| wrong(&error.to_string()))?;
        if base.scheme() != "http" || base.cannot_be_a_base() {
            return Err(wrong("only http:// is spoken here"));
        }
        // A proxy from the environment would be asked for 127.0.0.1, which it cannot know.
        let http = reqwest::Client::builder().connect_timeout(CONNECT_WITHIN).timeout(ANSWER_WITHIN).no_proxy();
        Ok(Client { base, http: http.build().map_err(|error| error.to_string())? })
    }

    /// The shop's address.
    #[must_use]
    pub fn url(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// Reads what is at `path`. Each part of the path is escaped.
    ///
    /// # Errors
    /// See [`ClientError`]; so for every request below.
    pub async fn get<T: DeserializeOwned>(&self, path: &[&str], query: &[(&str, String)]) -> Result<T, ClientError> {
        let url = self.at(path);
        self.send(&url, self.http.request(Method::GET, url.clone()).query(query)).await
    }

    /// Sends `body` with POST, under an idempotency key where one is given.
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &[&str],
        key: Option<&str>,
        body: &Value,
    ) -> Result<T, ClientError> {
        let url = self.at(path);
        let request = self.http.request(Method::POST, url.clone()).json(body);
        let request = key.into_iter().fold(request, |request, key| request.header("Idempotency-Key", key));
        self.send(&url, request).await
    }

    /// Sends `body` with PATCH.
    pub async fn patch<T: DeserializeOwned>(&self, path: &[&str], body: &Value) -> Result<T, ClientError> {
        let url = self.at(path);
        self.send(&url, self.http.request(Method::PATCH, url.clone()).json(body)).await
    }

    /// The order as it is now.
    pub async fn order(&self, id: &str) -> Result<Order, ClientError> {
        self.get(&["orders", id], &[]).await
    }

    /// The order's events over all services, causes before what they caused, and what is still under way for it.
    pub async fn events(&self, id: &str) -> Result<Events, ClientError> {
        self.get(&["orders", id, "events"], &[]).await
    }

    /// Whether each service can do its work. A shop that is not ready says so with another status, in the same shape.
    pub async fn readiness(&self) -> Result<Readiness, ClientError> {
        let url = self.at(&["health", "ready"]);
        let unreachable =
            |error: reqwest::Error| ClientError::Unreachable { url: url.to_string(), why: root_cause(&error) };
        let response = self.http.get(url.clone()).send().await.map_err(unreachable)?;
        let (status, retry_after) = (response.status(), retry_after(&response));
        let body = response.bytes().await.map_err(unreachable)?;
        serde_json::from_slice(&body).map_err(|_| refused(url.to_string(), status, retry_after, &body))
    }

    /// All orders of a customer.
    pub async fn orders_of(&self, customer: &str) -> Result<Vec<Order>, ClientError> {
        let mut orders: Vec<Order> = vec![];
        let mut query = vec![("customer_id", customer.to_owned())];
        loop {
            let page: Page<Order> = self.get(&["orders"], &query).await?;
            orders.extend(page.items);
            let Some(next) = page.next else { return Ok(orders) };
            query.truncate(1);
            query.push(("after", next));
        }
    }

    /// Waits on the server until the order has reached `milestone`, at most for `within`; then gives the order as it is.
    pub async fn wait(&self, id: &str, milestone: Milestone, within: Duration) -> Result<Order, ClientError> {
        let until = tokio::time::Instant::now() + within;
        loop {
            let left = until.saturating_duration_since(tokio::time::Instant::now());
            let order = self.poll(id, milestone, left.min(LONGEST_POLL)).await?;
            if milestone.is_reached_by(&order) || left <= LONGEST_POLL {
                return Ok(order);
            }
        }
    }

    async fn poll(&self, id: &str, milestone: Milestone, within: Duration) -> Result<Order, ClientError> {
        let url = self.at(&["orders", id]);
        let seconds = within.as_secs_f64().ceil();
        let query = [("wait", milestone.name().to_owned()), ("timeout_s", format!("{seconds}"))];
        let request = self.http.request(Method::GET, url.clone()).query(&query);
        self.send(&url, request.timeout(ANSWER_WITHIN + within)).await
    }

    fn at(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        // The constructor made sure that the address has a path.
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().extend(path);
        }
        url
    }

    async fn send<T: DeserializeOwned>(&self, url: &Url, request: RequestBuilder) -> Result<T, ClientError> {
        let url = url.to_string();
        let unreachable =
            |error: reqwest::Error| ClientError::Unreachable { url: url.clone(), why: root_cause(&error) };
        let response = request.send().await.map_err(unreachable)?;
        let (status, retry_after) = (response.status(), retry_after(&response));
        let body = response.bytes().await.map_err(unreachable)?;
        if !status.is_success() {
            return Err(refused(url, status, retry_after, &body));
        }
        serde_json::from_slice(&body).map_err(|error| ClientError::Garbled { url, why: error.to_string() })
    }
}

fn refused(url: String, status: StatusCode, retry_after: Option<Duration>, body: &[u8]) -> ClientError {
    match Problem::read(status.as_u16(), body) {
        Some(problem) => ClientError::Refused { url, status: status.as_u16(), retry_after, problem: Box::new(problem) },
        None => ClientError::Garbled { url, why: format!("status {status} without a problem document") },
    }
}

fn retry_after(response: &reqwest::Response) -> Option<Duration> {
    let header = response.headers().get("retry-after")?.to_str().ok()?;
    header.parse().ok().map(Duration::from_secs)
}

/// The innermost reason: the outer ones only repeat the address.
fn root_cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".into();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
