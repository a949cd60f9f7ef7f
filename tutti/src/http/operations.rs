//! What operators and their tools ask: is it alive, is it ready, how is it, who reacts to what.

use super::Edge;
use crate::invariants::{Report, verify_dir};
use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use runtime::{
    Health, Status,
    http::Problem,
    telemetry::{recorder, refresh},
};
use serde::Serialize;
use utoipa::ToSchema;

/// How the services are.
#[derive(Serialize, ToSchema)]
pub(super) struct Readiness {
    /// Whether every service can do its work.
    ready: bool,
    /// Each service.
    services: Vec<ServiceStatus>,
}

/// How one service is.
#[derive(Serialize, ToSchema)]
struct ServiceStatus {
    /// Its name.
    service: &'static str,
    /// Whether it can do its work.
    ready: bool,
    /// What holds it up.
    why: Option<String>,
    /// The last sequence number of its log.
    head: u64,
    /// Effects and timers not answered yet.
    open_work: u64,
    /// Of these, those that a person must look at.
    stuck: u64,
    /// Records set aside.
    parked: u64,
}

/// Whether the process is alive
#[utoipa::path(get, path = "/health/live", tag = "operations", responses((status = 200, description = "It is.")))]
pub(super) async fn live() -> &'static str {
    "alive\n"
}

/// Whether every service can do its work
#[utoipa::path(get, path = "/health/ready", tag = "operations",
    responses((status = 200, body = Readiness), (status = 503, body = Readiness)))]
pub(super) async fn ready(State(edge): State<Edge>) -> Result<Response, Problem> {
    let mut services = vec![];
    for handle in edge.handles.iter() {
        services.push(status(handle.status().await?));
    }
    let ready = services.iter().all(|service| service.ready);
    let code = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Ok((code, Json(Readiness { ready, services })).into_response())
}

fn status(status: Status) -> ServiceStatus {
    let why = match status.health {
        // A standby serves reads, and forwards or turns away what it may not take.
        Health::Ready | Health::Standby(_) => None,
        Health::Starting => Some("it is starting".into()),
        Health::HeldUp(why) | Health::Away(why) => Some(why),
    };
    ServiceStatus {
        service: status.service,
        ready: why.is_none(),
        why,
        head: status.head,
        open_work: status.counts.work,
        stuck: status.counts.stuck,
        parked: status.counts.parked,
    }
}

/// Metrics in Prometheus' text format
#[utoipa::path(get, path = "/metrics", tag = "operations", responses((status = 200, content_type = "text/plain", body = String)))]
pub(super) async fn metrics(State(edge): State<Edge>) -> Result<Response, Problem> {
    refresh(&edge.handles).await?;
    let text = recorder().map_err(|why| Problem::internal(&why))?.render();
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}

/// Who reacts to what, says what and asks what
#[utoipa::path(get, path = "/choreography", tag = "operations", responses((status = 200, content_type = "application/json")))]
pub(super) async fn choreography() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], crate::map::json()).into_response()
}

/// The invariants, held against this running shop
///
/// Reads every log once, so it takes a while for a large shop; one verification runs at a time.
#[utoipa::path(get, path = "/verify", tag = "operations", responses((status = 200, content_type = "application/json",
    description = "The report: what was checked, and every violation found."),
    (status = 500, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn verify(State(edge): State<Edge>) -> Result<Json<Report>, Problem> {
    let _one_at_a_time = edge.verifying.lock().await;
    let data = edge.data.clone();
    let verified = tokio::task::spawn_blocking(move || verify_dir(&data, &())).await;
    let report = verified.map_err(|e| Problem::internal(&e.to_string()))?;
    report.map(Json).map_err(|e| Problem::internal(&e.to_string()))
}
