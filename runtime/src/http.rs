//! What the HTTP APIs of all services share: problems that name the field, extractors that answer with them, bounds.

mod admin;
mod extract;
mod forward;
mod health;
mod hop_by_hop;
mod idempotency;
mod problem;
mod span;
mod timeline;
mod timestamp;

pub use admin::admin;
pub use extract::{Json, JsonBytes, Path, Query};
pub use forward::forwarding;
pub use health::health;
pub use hop_by_hop::strip_hop_by_hop;
pub use idempotency::IdempotencyKey;
pub use problem::Problem;
pub use span::RequestSpan;
pub(crate) use span::{Told, UnderWay};
pub use timeline::{Asked, Said, Timeline};
pub use timestamp::Timestamp;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{Method, StatusCode, Uri},
};

/// The longest request body that is read, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;

/// Bounds every body, answers what no route takes with a problem, and keeps the spans of requests. Call it once, on all
/// routes together.
pub fn finish(routes: Router) -> Router {
    routes
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(axum::middleware::from_fn(span::around))
}

async fn no_such_path(uri: Uri) -> Problem {
    let detail = format!("Nothing is served under {}; /openapi.json lists what is.", uri.path());
    Problem::new(StatusCode::NOT_FOUND, "no-such-path", "No such path", detail)
}

async fn no_such_method(method: Method, uri: Uri) -> Problem {
    let detail = format!("{} does not take {method}; the header Allow lists what it takes.", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed", detail)
}
