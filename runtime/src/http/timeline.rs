//! What a service said about something, and what it asked for and still waits for: one service's part of the shop's
//! timeline, and how the parts are merged.

use super::{Problem, Timestamp};
use crate::{Handle, LogRow, record::WorkRow};
use serde::{Deserialize, Serialize};
use std::collections::{HashSet, VecDeque};
use utoipa::ToSchema;

/// What was said about one thing, in the order in which it was said.
#[derive(Default, Serialize, Deserialize, ToSchema)]
pub struct Timeline {
    /// The events of all services.
    pub items: Vec<Said>,
    /// What was asked of the world or the clock and is not answered yet.
    pub open: Vec<Asked>,
    /// The services that could not be asked now: what they said is missing here. Left out where all of them were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, example = json!(["payment"]))]
    pub away: Vec<String>,
}

/// One event.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Said {
    /// When it was committed.
    at: Timestamp,
    /// Who said it.
    #[schema(example = "payment")]
    service: String,
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
}

/// An effect or timer that is not answered yet.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Asked {
    /// Who asked for it.
    service: String,
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
            away: vec![],
        })
    }

    /// The parts of several services as one.
    #[must_use]
    pub fn merged(parts: Vec<Timeline>) -> Timeline {
        let mut whole = Timeline::default();
        for part in parts {
            whole.items.extend(part.items);
            whole.open.extend(part.open);
            whole.away.extend(part.away);
        }
        whole.items.sort_by_key(|said| (said.at, said.seq()));
        whole.items = causes_first(whole.items.into());
        whole
    }
}

impl Said {
    fn of(handle: &Handle, row: &LogRow, version: usize) -> Said {
        let data = shared_events::catalog::to_json(handle.service(), &row.name, row.schema, &row.body);
        Said {
            at: Timestamp(row.at),
            service: handle.service().to_owned(),
            name: row.name.clone(),
            key: row.key.clone(),
            version,
            id: row.id().to_string(),
            causation_id: row.cause.clone(),
            trace_id: row.trace.split('-').nth(1).unwrap_or_default().to_owned(),
            data: data.unwrap_or_else(|why| serde_json::json!({ "unreadable": why })),
        }
    }

    /// The last part of its id.
    fn seq(&self) -> Option<u64> {
        self.id.rsplit('.').next()?.parse().ok()
    }

    /// How what it caused names it.
    fn identity(&self) -> String {
        format!("{}/{}", self.service, self.id)
    }
}

impl Asked {
    fn of(handle: &Handle, row: WorkRow) -> Asked {
        Asked { service: handle.service().to_owned(), name: row.name, due: Timestamp(row.due), stuck: row.stuck }
    }
}

/// Clocks of different machines may differ by a little, and several events may share a moment: a cause is shown before
/// what it caused, and the events of one service in the order in which it said them.
fn causes_first(items: VecDeque<Said>) -> Vec<Said> {
    let mut hidden: HashSet<String> = items.iter().map(Said::identity).collect();
    let (mut waiting, mut shown) = (items, vec![]);
    while !waiting.is_empty() {
        let mut passed_over = HashSet::new();
        let next = waiting.iter().position(|said| {
            let cause = said.causation_id.split(" via ").next().unwrap_or_default();
            let ready = !hidden.contains(cause) && !passed_over.contains(said.service.as_str());
            passed_over.insert(said.service.as_str());
            ready
        });
        // Causes in a circle cannot happen; were one told all the same, it would be shown as it came.
        let said = waiting.remove(next.unwrap_or_default());
        said.iter().for_each(|said| _ = hidden.remove(&said.identity()));
        shown.extend(said);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(service: &str, name: &str, at: &str, seq: u64, cause: &str) -> serde_json::Value {
        json!({ "at": format!("2026-01-31T12:04:{at}Z"), "service": service, "type": name, "key": "o-1", "version": 1,
            "id": format!("7.0.{seq}"), "causation_id": cause, "trace_id": "t", "data": {} })
    }

    fn part(items: &[serde_json::Value]) -> Timeline {
        serde_json::from_value(json!({ "items": items, "open": [] })).unwrap()
    }

    fn names(timeline: &Timeline) -> Vec<&str> {
        timeline.items.iter().map(|said| said.name.as_str()).collect()
    }

    #[test]
    fn a_cause_comes_first_although_its_clock_is_ahead() {
        let order = part(&[said("order", "OrderPlaced", "09.000", 1, "command place")]);
        let stock = part(&[said("inventory", "StockReserved", "05.000", 4, "order/7.0.1")]);
        let payment = part(&[
            said("payment", "PaymentRequested", "06.000", 9, "inventory/7.0.4"),
            said("payment", "PaymentCompleted", "06.000", 10, "payment/7.0.9 via charge#1"),
        ]);
        let whole = Timeline::merged(vec![payment, stock, order]);
        assert_eq!(names(&whole), ["OrderPlaced", "StockReserved", "PaymentRequested", "PaymentCompleted"]);
    }

    #[test]
    fn events_of_one_moment_are_in_the_order_of_their_log() {
        let late = said("order", "Tenth", "05.000", 10, "order/7.0.9");
        let whole = Timeline::merged(vec![part(&[late, said("order", "Ninth", "05.000", 9, "command place")])]);
        assert_eq!(names(&whole), ["Ninth", "Tenth"]);
    }

    #[test]
    fn a_log_keeps_its_order_while_an_event_waits_for_its_cause() {
        let order = part(&[
            said("order", "OrderCancelled", "01.000", 1, "payment/7.0.5"),
            said("order", "OrderUndoProgressed", "02.000", 2, "inventory/7.0.3"),
        ]);
        let payment = part(&[said("payment", "PaymentFailed", "03.000", 5, "payment/7.0.4 via charge#1")]);
        let whole = Timeline::merged(vec![order, payment]);
        assert_eq!(names(&whole), ["PaymentFailed", "OrderCancelled", "OrderUndoProgressed"]);
    }

    #[test]
    fn causes_in_a_circle_are_shown_all_the_same() {
        let circle =
            part(&[said("order", "A", "05.000", 1, "order/7.0.2"), said("order", "B", "05.000", 2, "order/7.0.1")]);
        assert_eq!(names(&Timeline::merged(vec![circle])), ["A", "B"]);
    }
}
