//! Timelines across all services: what each said about an order or a SKU, why, and what is still open.

use super::Edge;
use axum::{Json, extract::State, http::StatusCode};
use runtime::{
    Handle, LogRow,
    clock::Micros,
    http::{Path, Problem, Timestamp},
    record::WorkRow,
};
use serde::Serialize;
use utoipa::ToSchema;

/// What was said about one thing, in the order in which it was said.
#[derive(Serialize, ToSchema)]
pub(super) struct Timeline {
    /// The events of all services.
    items: Vec<Said>,
    /// What was asked of the world or the clock and is not answered yet.
    open: Vec<Asked>,
}

/// One event.
#[derive(Serialize, ToSchema)]
struct Said {
    /// When it was committed.
    at: Timestamp,
    /// Who said it.
    #[schema(example = "payment")]
    service: &'static str,
    /// What was said.
    #[serde(rename = "type")]
    #[schema(example = "PaymentCompleted")]
    name: String,
    /// What it is about.
    key: String,
    /// The how manieth event of its service about this key.
    version: usize,
    /// Its identity within its service: generation, lane, sequence number.
    #[schema(example = "1763717000000.0.42")]
    id: String,
    /// What caused it: source and id of an event, perhaps through an effect or timer and its attempts, or a command.
    #[schema(example = "payment/1763717000000.0.41 via charge#1")]
    causation_id: String,
    /// The order's trace.
    trace_id: String,
    /// What it says. Personal data stays sealed.
    data: serde_json::Value,
    /// Breaks ties: events of one moment are shown in the order of the logs.
    #[serde(skip)]
    order: (Micros, u64),
}

/// An effect or timer that is not answered yet.
#[derive(Serialize, ToSchema)]
struct Asked {
    /// Who asked for it.
    service: &'static str,
    /// The effect or timer.
    #[schema(example = "charge")]
    name: String,
    /// When a timer fires; for an effect, when it was asked for.
    due: Timestamp,
    /// Why a person must look at it.
    stuck: Option<String>,
}

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
    let (mut items, mut open) = (vec![], vec![]);
    for handle in edge.handles.iter() {
        let rows = handle.log_of(key).await?;
        items.extend(rows.iter().zip(1..).map(|(row, version)| said(handle, row, version)));
        open.extend(handle.work_of(key).await?.into_iter().map(|row| asked(handle, row)));
    }
    items.sort_by_key(|said: &Said| said.order);
    causes_first(&mut items);
    Ok(Timeline { items, open })
}

fn said(handle: &Handle, row: &LogRow, version: usize) -> Said {
    let data = shared_events::catalog::to_json(handle.service(), &row.name, row.schema, &row.body);
    Said {
        at: Timestamp(row.at),
        service: handle.service(),
        name: row.name.clone(),
        key: row.key.clone(),
        version,
        id: row.id().to_string(),
        causation_id: row.cause.clone(),
        trace_id: row.trace.split('-').nth(1).unwrap_or_default().to_owned(),
        data: data.unwrap_or_else(|why| serde_json::json!({ "unreadable": why })),
        order: (row.at, row.seq),
    }
}

fn asked(handle: &Handle, row: WorkRow) -> Asked {
    Asked { service: handle.service(), name: row.name, due: Timestamp(row.due), stuck: row.stuck }
}

/// Clocks of different services may differ by a little, and several events may share a moment: a cause is shown before
/// what it caused.
fn causes_first(items: &mut Vec<Said>) {
    let mut waiting = std::mem::take(items);
    while !waiting.is_empty() {
        let known = |said: &Said| format!("{}/{}", said.service, said.id);
        let ids: Vec<String> = waiting.iter().map(known).collect();
        let caused_by_waiting = |said: &Said| {
            let cause = said.causation_id.split(" via ").next().unwrap_or_default();
            ids.iter().any(|id| id == cause)
        };
        let next = waiting.iter().position(|said| !caused_by_waiting(said)).unwrap_or_default();
        items.push(waiting.remove(next));
    }
}
