//! The servers behind the edge: connections that are kept and used again, answers within a time, and a problem that
//! names the service where there is none.

use super::{Settings, rewound::Rewound};
use axum::{
    body::{Body, to_bytes},
    http::{Request, Response, StatusCode, Uri, uri::PathAndQuery},
};
use hyper_util::{
    client::legacy::{Client, Error, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use runtime::{http::Problem, remote::ServerUrl};
use std::time::Duration;
use tokio::sync::Semaphore;
use tower_http::timeout::TimeoutBody;

/// A service that runs is connected to sooner; one whose machine is gone answers nothing at all.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// Connections kept for the next request, to each server.
const IDLE_CONNECTIONS: usize = 128;
/// Shorter than servers usually keep theirs, so that few requests meet a connection that is just being closed.
const IDLE_FOR: Duration = Duration::from_secs(30);
/// Requests under way at a time. One more is told to come back, rather than to wait in a queue without end.
const UNDER_WAY: usize = 4096;
/// The longest part of a timeline that is read, in bytes.
const PART_LIMIT: usize = 16 * 1024 * 1024;
/// How soon to come back where nobody can tell for how long the service is away.
const COME_BACK: Duration = Duration::from_secs(1);

/// Why a service did not answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Away {
    /// The request surely did not reach it.
    #[error("it cannot be reached: {0}")]
    NotReached(String),
    /// Perhaps it was carried out, perhaps not.
    #[error("the connection to it broke: {0}")]
    Lost(String),
    /// It may still be at work.
    #[error("it did not answer in time")]
    Late,
    /// The edge has too much to do to ask it.
    #[error("too many requests are under way")]
    Busy,
}

impl Away {
    /// Tells the customer, who may know the service's name but not its address.
    pub(super) fn problem(&self, service: &str) -> Problem {
        let detail = match self {
            Away::NotReached(_) => {
                format!("The service {service} is away. Nothing of this request has happened; try again.")
            }
            Away::Lost(_) | Away::Late => format!(
                "The service {service} did not answer, and may or may not carry this request out; repeating it with \
                 the same Idempotency-Key is harmless."
            ),
            Away::Busy => "The shop has too much to do. Nothing of this request has happened; try again.".to_owned(),
        };
        Problem::later(detail, COME_BACK)
    }

    /// As a label of a metric.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Away::NotReached(_) => "not_reached",
            Away::Lost(_) => "lost",
            Away::Late => "late",
            Away::Busy => "busy",
        }
    }
}

/// All servers behind the edge.
pub(super) struct Upstreams {
    http: Client<HttpConnector, Rewound>,
    public: Vec<(&'static str, ServerUrl)>,
    admin: Vec<(&'static str, ServerUrl)>,
    answer_within: Duration,
    free: Semaphore,
}

impl Upstreams {
    pub(super) fn new(settings: &Settings) -> Upstreams {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_WITHIN));
        connector.set_nodelay(true);
        connector.set_keepalive(Some(IDLE_FOR));
        let mut http = Client::builder(TokioExecutor::new());
        http.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE_FOR).pool_max_idle_per_host(IDLE_CONNECTIONS);
        Upstreams {
            http: http.build(connector),
            public: settings.public.clone(),
            admin: settings.admin.clone(),
            answer_within: settings.answer_within,
            free: Semaphore::new(UNDER_WAY),
        }
    }

    /// Where a service answers what customers ask, at this path and query, which go on as they came: escaped once more,
    /// or once less, they would mean something else. `None` for a service that has no address.
    pub(super) fn at(&self, service: &str, asked: &PathAndQuery) -> Option<Uri> {
        let (_, base) = self.public.iter().find(|(name, _)| *name == service)?;
        Uri::builder().scheme("http").authority(base.join(&[]).authority()).path_and_query(asked.clone()).build().ok()
    }

    /// Sends a request, and waits for the beginning of the answer; `patience` is how long the service may take on top,
    /// because it was asked to wait. The rest of the answer may be slow, but must not stop.
    pub(super) async fn send(&self, request: Request<Rewound>, patience: Duration) -> Result<Response<Body>, Away> {
        let _under_way = self.free.try_acquire().map_err(|_| Away::Busy)?;
        let answer = tokio::time::timeout(self.answer_within + patience, self.http.request(request)).await;
        let answer = answer.map_err(|_| Away::Late)?.map_err(|error| away(&error))?;
        Ok(answer.map(|body| Body::new(TimeoutBody::new(self.answer_within, body))))
    }

    /// What a service answers operators at `path`: status and body. Each part of the path is escaped.
    pub(super) async fn ask(&self, service: &'static str, path: &[&str]) -> Result<(StatusCode, Vec<u8>), Away> {
        let named = self.admin.iter().find(|(name, _)| *name == service);
        let (_, base) = named.ok_or_else(|| Away::NotReached("it has no address".into()))?;
        let request = Request::get(base.join(path).as_str()).body(Rewound::new(Body::empty()));
        let request = request.map_err(|error| Away::NotReached(error.to_string()))?;
        let (parts, body) = self.send(request, Duration::ZERO).await?.into_parts();
        let body = to_bytes(body, PART_LIMIT).await.map_err(|error| Away::Lost(root_cause(&error)))?;
        Ok((parts.status, body.to_vec()))
    }
}

fn away(error: &Error) -> Away {
    let why = root_cause(error);
    if error.is_connect() { Away::NotReached(why) } else { Away::Lost(why) }
}

/// The innermost reason: the outer ones only say that there is one.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
