//! What operators ask of one service's process. These routes are for an address that customers never reach.

mod parked;
mod status;
mod work;

use super::{Path, Problem, Timeline, finish, health::health};
use crate::{
    Handle,
    telemetry::{recorder, refresh},
};
use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Serialize;

/// All of them.
pub fn admin(handle: Handle) -> Router {
    let routes = Router::new()
        .route("/log/{*key}", get(log))
        .route("/status", get(status::show))
        .route("/metrics", get(metrics))
        .route("/parked", get(parked::list))
        .route("/parked/retry", post(parked::retry))
        .route("/parked/discard", post(parked::discard))
        .route("/work/retry", post(work::retry))
        .with_state(handle.clone());
    finish(routes.merge(health(handle)))
}

/// The service's part of the shop's timeline: all it said about a key, and what it still waits for.
async fn log(State(handle): State<Handle>, Path(key): Path<String>) -> Result<Json<Timeline>, Problem> {
    Timeline::of(&handle, &key).await.map(Json)
}

/// Metrics in Prometheus' text format.
async fn metrics(State(handle): State<Handle>) -> Result<Response, Problem> {
    refresh(&[handle]).await?;
    let text = recorder().map_err(|why| Problem::internal(&why))?.render();
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}

/// What became of an operator's wish.
#[derive(Serialize)]
struct Done {
    /// In words.
    done: String,
}

/// The engine's word for what it did, or why not.
fn answered(wished: Result<String, String>) -> Result<Json<Done>, Problem> {
    let refused = |why: String| Problem::new(StatusCode::CONFLICT, "not-done", "It was not done", why);
    wished.map(|done| Json(Done { done })).map_err(refused)
}
