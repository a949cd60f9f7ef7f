//! What operators and their tools ask the edge: is it alive, is the shop ready, how is the edge, who reacts to what.

use super::{Edge, SERVICES, upstream::Upstreams};
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use runtime::{
    http::{Json, Problem},
    telemetry::recorder,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::task::JoinSet;
use utoipa::{ToSchema, openapi::OpenApi};

/// The description of the shop in one process, which is checked against what that shop serves.
const SHOP: &str = include_str!("../../../docs/openapi.json");

/// How the services are.
#[derive(Serialize, ToSchema)]
pub(super) struct Readiness {
    /// Whether every service can do its work.
    ready: bool,
    /// Each service.
    services: Vec<ServiceStatus>,
}

/// How one service is. The numbers are left out of one that could not be asked.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
struct ServiceStatus {
    /// Its name.
    service: String,
    /// Whether it can do its work.
    ready: bool,
    /// What holds it up.
    why: Option<String>,
    /// The last sequence number of its log.
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<u64>,
    /// Effects and timers not answered yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    open_work: Option<u64>,
    /// Of these, those that a person must look at.
    #[serde(skip_serializing_if = "Option::is_none")]
    stuck: Option<u64>,
    /// Records set aside.
    #[serde(skip_serializing_if = "Option::is_none")]
    parked: Option<u64>,
}

/// Whether the edge is alive
///
/// This, and not whether all services are ready, is what a load balancer should ask: without one service the rest of
/// the shop still works.
#[utoipa::path(get, path = "/health/live", tag = "operations", responses((status = 200, description = "It is.")))]
pub(super) async fn live() -> &'static str {
    "alive\n"
}

/// Whether every service can do its work
#[utoipa::path(get, path = "/health/ready", tag = "operations",
    responses((status = 200, body = Readiness), (status = 503, body = Readiness)))]
pub(super) async fn ready(State(edge): State<Edge>) -> Response {
    let mut asking = JoinSet::new();
    for service in SERVICES {
        let upstreams = edge.upstreams.clone();
        asking.spawn(async move { status(&upstreams, service).await });
    }
    let mut services = asking.join_all().await;
    services.sort_by_key(|status| SERVICES.iter().position(|name| *name == status.service));
    let ready = services.iter().all(|service| service.ready);
    let code = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(Readiness { ready, services })).into_response()
}

async fn status(upstreams: &Upstreams, service: &'static str) -> ServiceStatus {
    let (ready, told) = match upstreams.ask(service, &["health", "ready"]).await {
        Ok((status, body)) => (status.is_success(), own_words(service, &body).unwrap_or_default()),
        Err(away) => {
            tracing::warn!(service, why = %away, "a service could not be asked how it is");
            // A customer may ask too, and need not know where the service was looked for.
            (false, ServiceStatus { why: Some("it is away".into()), ..ServiceStatus::default() })
        }
    };
    let why = if ready { None } else { told.why.or_else(|| Some("it says that it is not ready".into())) };
    ServiceStatus { service: service.to_owned(), ready, why, ..told }
}

/// What the service says about itself, in the shape of [`Readiness`] or as the one status by itself.
fn own_words(service: &str, body: &[u8]) -> Option<ServiceStatus> {
    let told: Value = serde_json::from_slice(body).ok()?;
    let own = match told.get("services").and_then(|services| services.as_array()) {
        Some(services) => services.iter().find(|one| one["service"] == service)?.clone(),
        None => told,
    };
    serde_json::from_value(own).ok()
}

/// Metrics of the edge in Prometheus' text format
#[utoipa::path(get, path = "/metrics", tag = "operations", responses((status = 200, content_type = "text/plain", body = String)))]
pub(super) async fn metrics() -> Result<Response, Problem> {
    let text = recorder().map_err(|why| Problem::internal(&why))?.render();
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}

/// Who reacts to what, says what and asks what
#[utoipa::path(get, path = "/choreography", tag = "operations", responses((status = 200, content_type = "application/json")))]
pub(super) async fn choreography() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], crate::map::json()).into_response()
}

/// The invariants
///
/// Not checked here: the edge holds no logs.
#[utoipa::path(get, path = "/verify", tag = "operations",
    responses((status = 501, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn verify() -> Problem {
    let detail = "The services of this shop have their logs to themselves, so that the edge cannot hold them against \
                  the invariants. Run `tutti demo --against` with this address: it plays every ending and every race, \
                  and says whether each order ended as it should.";
    Problem::new(StatusCode::NOT_IMPLEMENTED, "not-verified-here", "The invariants are not checked here", detail)
}

pub(super) async fn openapi(State(edge): State<Edge>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], edge.openapi.to_string()).into_response()
}

/// The shop's description, with what the edge describes itself in place of what the shop in one process says of it.
pub(super) fn document(own: &OpenApi) -> Result<String, serde_json::Error> {
    let mut whole: Value = serde_json::from_str(SHOP)?;
    let own = serde_json::to_value(own)?;
    for part in ["/paths", "/components/schemas"] {
        let whole = whole.pointer_mut(part).and_then(Value::as_object_mut);
        if let (Some(whole), Some(own)) = (whole, own.pointer(part).and_then(Value::as_object)) {
            whole.extend(own.clone());
        }
    }
    serde_json::to_string_pretty(&whole)
}
