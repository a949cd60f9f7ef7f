//! Whether a service's process lives, and whether it can do its work.

use super::Json;
use crate::{Handle, Health};
use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Serialize;

/// How the services of a process are.
#[derive(Serialize)]
struct Readiness {
    /// Whether each can do its work.
    ready: bool,
    /// Each service.
    services: Vec<ServiceReadiness>,
}

#[derive(Serialize)]
struct ServiceReadiness {
    service: &'static str,
    ready: bool,
    /// What holds it up.
    why: Option<String>,
}

/// `GET /health/live` and `GET /health/ready` of the process in which this service runs. Neither asks anybody, so that
/// they answer at once also where the store does not.
pub fn health(handle: Handle) -> Router {
    Router::new().route("/health/live", get(live)).route("/health/ready", get(ready)).with_state(handle)
}

async fn live() -> &'static str {
    "alive\n"
}

async fn ready(State(handle): State<Handle>) -> Response {
    let why = why_not(handle.health());
    let ready = why.is_none();
    let services = vec![ServiceReadiness { service: handle.service(), ready, why }];
    let code = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(Readiness { ready, services })).into_response()
}

/// Why a service cannot do its work. A standby can: it serves reads, and sends the rest to the one that leads.
pub(super) fn why_not(health: Health) -> Option<String> {
    match health {
        Health::Ready | Health::Standby(_) => None,
        Health::Starting => Some("it is starting".into()),
        Health::HeldUp(why) | Health::Away(why) => Some(why),
    }
}
