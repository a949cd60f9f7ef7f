//! The outside world over HTTP: its books to read, its faults to set, and the calls that a shop makes.

mod carrier;
mod gateway;
mod shapes;
mod sms;
#[cfg(test)]
mod tests;
mod told;

use crate::{BadFault, Faults, NoAnswer, World};
use axum::{extract::State, http::StatusCode};
use runtime::http::{Json, Problem, Query};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

pub use shapes::{Ledger, LedgerEntry, Mailbox, MailboxMessage, Parcel, Parcels};

/// How many rows come without a limit.
const LIMIT: usize = 100;
/// The most that may be asked for at once.
const MOST: usize = 1_000;

/// The routes of the outside world, with their OpenAPI description.
pub fn router(world: World) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(ledger))
        .routes(routes!(parcels))
        .routes(routes!(mailbox))
        .routes(routes!(faults, set_faults))
        .with_state(world)
}

/// The same, and the calls that a shop makes: for an outside world that is a server of its own.
pub fn with_calls(world: World) -> OpenApiRouter {
    let calls = gateway::routes().merge(carrier::routes()).merge(sms::routes());
    router(world.clone()).merge(calls.with_state(world))
}

/// Which rows of a book.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Page {
    /// Only this order's.
    order_id: Option<String>,
    /// Only what comes after this `next` of an earlier page.
    #[param(minimum = 0)]
    after: Option<i64>,
    /// At most so many (default 100).
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

impl Page {
    fn order_id(&self) -> Option<&str> {
        self.order_id.as_deref()
    }

    fn after(&self) -> i64 {
        self.after.unwrap_or(0)
    }

    fn limit(&self) -> Option<usize> {
        Some(self.limit.unwrap_or(LIMIT)).filter(|limit| (1..=MOST).contains(limit))
    }
}

fn wrong_limit() -> Problem {
    Problem::invalid("limit", format!("must be at least 1 and at most {MOST}"))
}

/// Shows the payment gateway's own ledger: what it really took and gave back.
#[utoipa::path(get, path = "/gateway/ledger", tag = "world", params(Page),
    responses((status = 200, body = Ledger), (status = 400, body = Problem, content_type = "application/problem+json")))]
async fn ledger(State(world): State<World>, Query(page): Query<Page>) -> Result<Json<Ledger>, Problem> {
    let limit = page.limit().ok_or_else(wrong_limit)?;
    let entries = world.gateway.ledger(page.order_id(), page.after(), limit).await.map_err(unreadable)?;
    let next = entries.last().filter(|_| entries.len() == limit).map(|entry| entry.id);
    Ok(Json(Ledger { entries: entries.into_iter().map(LedgerEntry::from).collect(), next }))
}

/// Shows the carrier's own book: where each parcel is.
#[utoipa::path(get, path = "/carrier/parcels", tag = "world", params(Page),
    responses((status = 200, body = Parcels), (status = 400, body = Problem, content_type = "application/problem+json")))]
async fn parcels(State(world): State<World>, Query(page): Query<Page>) -> Result<Json<Parcels>, Problem> {
    let limit = page.limit().ok_or_else(wrong_limit)?;
    let parcels = world.carrier.parcels(page.order_id(), page.after(), limit).await.map_err(unreadable)?;
    let next = parcels.last().filter(|_| parcels.len() == limit).map(|parcel| parcel.id);
    Ok(Json(Parcels { parcels: parcels.into_iter().map(Parcel::from).collect(), next }))
}

/// Shows every mail and short message that was taken.
#[utoipa::path(get, path = "/mailbox", tag = "world", params(Page),
    responses((status = 200, body = Mailbox), (status = 400, body = Problem, content_type = "application/problem+json")))]
async fn mailbox(State(world): State<World>, Query(page): Query<Page>) -> Result<Json<Mailbox>, Problem> {
    let limit = page.limit().ok_or_else(wrong_limit)?;
    let (messages, next) = world.mailbox(page.order_id(), page.after(), limit).await.map_err(unreadable)?;
    Ok(Json(Mailbox { messages: messages.into_iter().map(MailboxMessage::from).collect(), next }))
}

/// Shows what the outside world does wrong just now.
#[utoipa::path(get, path = "/world", tag = "world", responses((status = 200, body = Faults)))]
async fn faults(State(world): State<World>) -> Json<Faults> {
    Json(world.faults())
}

/// Makes the outside world misbehave, or behave again: what the body leaves out stays as it is. It lasts until the next
/// start.
#[utoipa::path(patch, path = "/world", tag = "world", request_body = Faults,
    responses((status = 200, body = Faults), (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn set_faults(State(world): State<World>, Json(patch): Json<serde_json::Value>) -> Result<Json<Faults>, Problem> {
    world.set(&patch).map(Json).map_err(cannot_be_set)
}

fn cannot_be_set(bad: BadFault) -> Problem {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let problem = Problem::new(status, "fault-not-settable", "The fault cannot be set", bad.problem);
    if bad.field.is_empty() { problem } else { problem.about(bad.field) }
}

fn unreadable(cause: NoAnswer) -> Problem {
    Problem::internal(&cause.to_string())
}
