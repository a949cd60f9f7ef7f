//! `GET /status`: how far a service's log goes, what waits in its store, and how far it has read the others.

use super::super::{Problem, health::why_not};
use crate::{Handle, Health, record::EventId};
use axum::{Json, extract::State};
use serde::Serialize;

/// How a service is.
#[derive(Serialize)]
pub(super) struct Shown {
    service: &'static str,
    /// Whether it can do its work.
    ready: bool,
    /// What holds it up.
    why: Option<String>,
    /// Where the process is that leads, while this one stands by.
    led_by: Option<String>,
    /// When its log was begun, in milliseconds since 1970.
    generation: i64,
    /// How often the lead was taken.
    epoch: u64,
    /// The last sequence number of its log.
    head: u64,
    /// The last of them that is known to be on the bus; noted with a short delay.
    published: u64,
    /// Effects and timers not answered yet.
    open_work: u64,
    /// Of these, those that a person must look at.
    stuck: u64,
    /// Records set aside.
    parked: u64,
    /// How far it has read the others.
    read: Vec<ReadUpTo>,
}

/// How far a source is read.
#[derive(Serialize)]
struct ReadUpTo {
    source: String,
    /// The last event that was taken.
    id: String,
}

pub(super) async fn show(State(handle): State<Handle>) -> Result<Json<Shown>, Problem> {
    let (lead, counts, cursors) = handle.standing().await?;
    // What is told apart by a prefix is the service's own book-keeping.
    let sources = cursors.into_iter().filter(|cursor| !cursor.source.contains(':'));
    let read = sources.map(|cursor| ReadUpTo {
        id: EventId { generation: cursor.at.generation, lane: cursor.lane, seq: cursor.at.seq }.to_string(),
        source: cursor.source,
    });
    let health = handle.health();
    let led_by = if let Health::Standby(owner) = &health { Some(owner.clone()) } else { None };
    let why = why_not(health);
    Ok(Json(Shown {
        service: handle.service(),
        ready: why.is_none(),
        why,
        led_by,
        generation: lead.generation,
        epoch: lead.epoch,
        head: lead.head,
        published: lead.published,
        open_work: counts.work,
        stuck: counts.stuck,
        parked: counts.parked,
        read: read.collect(),
    }))
}
