//! What a service said about something, and what it asked for and still waits for: one service's part of the shop's
//! timeline, and how the parts are merged.

use super::{Problem, Timestamp};
use crate::{Handle, LogRow, clock::Micros, record::WorkRow};
use serde::Serialize;
use utoipa::ToSchema;

/// What was said about one thing, in the order in which it was said.
#[derive(Default, Serialize, ToSchema)]
pub struct Timeline {
    /// The events of all services.
    pub items: Vec<Said>,
    /// What was asked of the world or the clock and is not answered yet.
    pub open: Vec<Asked>,
}

/// One event.
#[derive(Serialize, ToSchema)]
pub struct Said {
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
pub struct Asked {
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

impl Timeline {
    /// A service's part of what happened under a key.
    ///
    /// # Errors
    /// When its store cannot be read.
    pub async fn of(handle: &Handle, key: &str) -> Result<Timeline, Problem> {
        let rows = handle.log_of(key).await?;
        let open = handle.work_of(key).await?;
        Ok(Timeline {
            items: rows.iter().zip(1..).map(|(row, version)| Said::of(handle, row, version)).collect(),
            open: open.into_iter().map(|row| Asked::of(handle, row)).collect(),
        })
    }

    /// The parts of several services as one.
    #[must_use]
    pub fn merged(parts: Vec<Timeline>) -> Timeline {
        let mut merged = Timeline::default();
        for part in parts {
            merged.items.extend(part.items);
            merged.open.extend(part.open);
        }
        merged.items.sort_by_key(|said| said.order);
        causes_first(&mut merged.items);
        merged
    }
}

impl Said {
    fn of(handle: &Handle, row: &LogRow, version: usize) -> Said {
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
}

impl Asked {
    fn of(handle: &Handle, row: WorkRow) -> Asked {
        Asked { service: handle.service(), name: row.name, due: Timestamp(row.due), stuck: row.stuck }
    }
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
