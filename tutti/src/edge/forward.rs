//! Hands a request on to the service that answers it, and its answer back, both as they come.

use super::{
    Edge, forwarded_for,
    rewound::Rewound,
    upstream::{Away, Upstreams},
};
use axum::{
    body::Body,
    extract::{ConnectInfo, Request},
    http::{HeaderMap, Method, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Response},
};
use metrics::{counter, histogram};
use runtime::http::{BODY_LIMIT, Problem, strip_hop_by_hop};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

/// The longest that an order can be waited for; `GET /orders/{id}` says so.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Hands `request` on to `service`.
pub(super) async fn forward(edge: Edge, service: &'static str, request: Request) -> Response {
    let began = Instant::now();
    let answered = match prepared(&edge.upstreams, service, request) {
        Ok((parts, body)) => answer(&edge.upstreams, service, parts, body).await,
        Err(problem) => return problem.into_response(),
    };
    histogram!("tutti.edge.seconds", "service" => service).record(began.elapsed());
    let outcome = match &answered {
        Ok(response) => response.status().as_str().to_owned(),
        Err(away) => away.name().to_owned(),
    };
    counter!("tutti.edge.requests", "service" => service, "outcome" => outcome).increment(1);
    answered.unwrap_or_else(|away| {
        tracing::warn!(service, why = %away, "a request met a service that is away");
        away.problem(service).into_response()
    })
}

/// The request as the service is to get it.
fn prepared(upstreams: &Upstreams, service: &str, request: Request) -> Result<(Parts, Body), Problem> {
    let (mut parts, body) = request.into_parts();
    if declared_length(&parts.headers).is_some_and(|length| length > BODY_LIMIT) {
        // A service that refuses it while it still comes in would cut the connection that its refusal goes over.
        let detail = format!("The body is longer than {BODY_LIMIT} bytes.");
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        return Err(Problem::new(status, "body-too-large", "The body is too large", detail));
    }
    strip_hop_by_hop(&mut parts.headers);
    if let Some(ConnectInfo(peer)) = parts.extensions.get::<ConnectInfo<SocketAddr>>() {
        forwarded_for::add(&mut parts.headers, peer.ip());
    }
    let uri = parts.uri.path_and_query().and_then(|asked| upstreams.at(service, asked));
    parts.uri = uri.ok_or_else(|| Problem::internal(&format!("{service} has no address for {}", parts.uri)))?;
    Ok((parts, body))
}

fn declared_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

async fn answer(upstreams: &Upstreams, service: &str, parts: Parts, body: Body) -> Result<Response, Away> {
    let (patience, body) = (patience(&parts.uri), Rewound::new(body));
    let first = upstreams.send(request(&parts, body.clone()), patience).await;
    let answered = match first {
        // The next connection may lead to another process of the service, or to one that has just been started.
        Err(Away::NotReached(why)) if is_idempotent(&parts) => {
            tracing::debug!(service, why, "a request is sent once more");
            upstreams.send(request(&parts, body), patience).await
        }
        first => first,
    };
    answered.map(|mut response| {
        strip_hop_by_hop(response.headers_mut());
        response
    })
}

fn request(parts: &Parts, body: Rewound) -> axum::http::Request<Rewound> {
    let mut request = axum::http::Request::new(body);
    *request.method_mut() = parts.method.clone();
    *request.uri_mut() = parts.uri.clone();
    *request.headers_mut() = parts.headers.clone();
    request
}

fn is_idempotent(parts: &Parts) -> bool {
    let keyed = parts.method == Method::POST && parts.headers.contains_key("idempotency-key");
    keyed || [Method::GET, Method::HEAD].contains(&parts.method)
}

/// How long the request asks the service to wait.
fn patience(uri: &Uri) -> Duration {
    let waits = uri.query().unwrap_or_default().split('&').any(|parameter| parameter.starts_with("wait="));
    if waits { LONGEST_WAIT } else { Duration::ZERO }
}
