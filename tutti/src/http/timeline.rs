//! Timelines across all services: what each said about an order or a SKU, why, and what is still open.

use super::Edge;
use axum::{Json, extract::State, http::StatusCode};
use runtime::http::{Path, Problem, Timeline};

/// An order's timeline
///
/// Every event that any service said about the order, with what caused it.
#[utoipa::path(get, path = "/orders/{id}/events", tag = "orders", params(("id" = String, Path, description = "The order")),
    responses((status = 200, body = Timeline), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn of_order(State(edge): State<Edge>, Path(id): Path<String>) -> Result<Json<Timeline>, Problem> {
    let timeline = timeline(&edge, &id).await?;
    if timeline.items.is_empty() {
        return Err(order::api::no_such_order(&id));
    }
    Ok(Json(timeline))
}

/// The timeline of a SKU
///
/// Deliveries and low-stock warnings.
#[utoipa::path(get, path = "/stock/{sku}/events", tag = "stock", params(("sku" = String, Path, description = "The SKU")),
    responses((status = 200, body = Timeline), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn of_sku(State(edge): State<Edge>, Path(sku): Path<String>) -> Result<Json<Timeline>, Problem> {
    let timeline = timeline(&edge, &sku).await?;
    if timeline.items.is_empty() {
        return Err(no_such_sku(&sku));
    }
    Ok(Json(timeline))
}

/// Also where another process puts the timeline together.
pub(crate) fn no_such_sku(sku: &str) -> Problem {
    let shown: String = sku.chars().take(64).collect();
    let detail = format!("Nothing was ever said about a SKU {shown}; GET /products lists what there is.");
    Problem::new(StatusCode::NOT_FOUND, "unknown-sku", "There is no such SKU", detail)
}

async fn timeline(edge: &Edge, key: &str) -> Result<Timeline, Problem> {
    let mut parts = vec![];
    for handle in edge.handles.iter() {
        parts.push(Timeline::of(handle, key).await?);
    }
    Ok(Timeline::merged(parts))
}
