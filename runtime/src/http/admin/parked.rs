//! `GET /parked`, `POST /parked/retry`, `POST /parked/discard`: records that were set aside, in order, for a person.

use super::{Done, answered};
use crate::{
    Handle, ParkedRow,
    http::{Json as Body, Problem, Query, Timestamp},
    intake::Wish,
};
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use shared_events::catalog;

/// The one trigger of every undo. A participant that never hears it never closes, and the undo never ends.
const UNDO: &str = "OrderCancelled";
/// How many come at once.
const PAGE: usize = 100;

/// Which page.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct After {
    /// Only those behind this id: the `next` of the page before.
    after: Option<u64>,
}

/// What was set aside, in that order.
#[derive(Serialize)]
pub(super) struct Page {
    items: Vec<Parked>,
    /// Where the next page begins, if there is one.
    next: Option<u64>,
}

/// One record.
#[derive(Serialize)]
struct Parked {
    /// Names it, in the order of parking.
    id: u64,
    /// The service that said it.
    source: String,
    /// What it is about.
    key: String,
    /// What it says.
    #[serde(rename = "type")]
    name: String,
    /// Its identity within its source.
    event: String,
    /// Why it was set aside.
    reason: String,
    /// When.
    since: Timestamp,
    /// Its content, as far as this build can read it. Personal data stays sealed.
    data: Option<serde_json::Value>,
}

/// Records of one source about one key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    source: String,
    key: String,
}

/// The first record of a source about a key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct First {
    source: String,
    key: String,
    /// Drop it even if it is the trigger of an undo.
    #[serde(default)]
    force: bool,
}

impl Parked {
    fn of(parked: ParkedRow) -> Parked {
        let ParkedRow { id, source, row, reason, since } = parked;
        Parked {
            id,
            key: row.key.clone(),
            name: row.name.clone(),
            event: row.id().to_string(),
            reason,
            since: Timestamp(since),
            // What cannot be read is perhaps why it is here.
            data: catalog::to_json(&source, &row.name, row.schema, &row.body).ok(),
            source,
        }
    }
}

pub(super) async fn list(State(handle): State<Handle>, Query(page): Query<After>) -> Result<Json<Page>, Problem> {
    let rows = handle.parked_after(page.after.unwrap_or(0), PAGE).await?;
    let next = rows.last().filter(|_| rows.len() == PAGE).map(|row| row.id);
    Ok(Json(Page { items: rows.into_iter().map(Parked::of).collect(), next }))
}

/// Decides them again, in order, as far as it goes.
pub(super) async fn retry(State(handle): State<Handle>, Body(which): Body<Which>) -> Result<Json<Done>, Problem> {
    answered(handle.wish(Wish::Retry { source: which.source, key: which.key }).await)
}

/// Drops the first of them.
pub(super) async fn discard(State(handle): State<Handle>, Body(first): Body<First>) -> Result<Json<Done>, Problem> {
    let First { source, key, force } = first;
    if !force && is_undo(&handle, &source, &key).await? {
        let detail = format!(
            "The first parked record of {source} about {key} is {UNDO}: without it the undo of this order never ends. \
             Retry it; or send \"force\": true if the order is put right by hand."
        );
        return Err(Problem::new(StatusCode::CONFLICT, "undo-trigger", "It triggers an undo", detail).about("force"));
    }
    answered(handle.wish(Wish::Discard { source, key }).await)
}

async fn is_undo(handle: &Handle, source: &str, key: &str) -> Result<bool, Problem> {
    let mut after = 0;
    loop {
        let rows = handle.parked_after(after, PAGE).await?;
        if let Some(first) = rows.iter().find(|parked| parked.source == source && parked.row.key == key) {
            return Ok(first.row.name == UNDO);
        }
        let Some(last) = rows.last() else { return Ok(false) };
        after = last.id;
    }
}
