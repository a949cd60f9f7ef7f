//! Timelines across all services, merged from the part that each of them tells about its own log.

use super::{Edge, SERVICES, upstream::Upstreams};
use axum::{extract::State, http::StatusCode};
use runtime::http::{Json, Path, Problem};
use serde::{Deserialize, Serialize};
use std::{
    collections::{HashSet, VecDeque},
    time::Duration,
};
use tokio::task::JoinSet;
use utoipa::ToSchema;

/// How soon to ask again for a timeline that cannot be told now.
const COME_BACK: Duration = Duration::from_secs(1);

/// What was said about one thing, in the order in which it was said.
#[derive(Default, Serialize, Deserialize, ToSchema)]
pub(super) struct Timeline {
    /// The events of all services.
    items: Vec<Said>,
    /// What was asked of the world or the clock and is not answered yet.
    open: Vec<Asked>,
    /// The services that could not be asked now: what they said is missing here. Left out where all of them were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, example = json!(["payment"]))]
    away: Vec<String>,
}

/// One event.
#[derive(Serialize, Deserialize, ToSchema)]
struct Said {
    /// When it was committed.
    #[schema(format = DateTime, example = "2026-01-31T12:04:05.678Z")]
    at: String,
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
    version: u64,
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
struct Asked {
    /// Who asked for it.
    service: String,
    /// The effect or timer.
    #[schema(example = "charge")]
    name: String,
    /// When a timer fires; for an effect, when it was asked for.
    #[schema(format = DateTime, example = "2026-01-31T12:04:05.678Z")]
    due: String,
    /// Why a person must look at it.
    stuck: Option<String>,
}

/// An order's timeline
///
/// Every event that any service said about the order, with what caused it.
#[utoipa::path(get, path = "/orders/{id}/events", tag = "orders", params(("id" = String, Path, description = "The order")),
    responses((status = 200, body = Timeline), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn of_order(State(edge): State<Edge>, Path(id): Path<String>) -> Result<Json<Timeline>, Problem> {
    told(timeline(&edge, &id).await, "order", || order::api::no_such_order(&id))
}

/// The timeline of a SKU
///
/// Deliveries and low-stock warnings.
#[utoipa::path(get, path = "/stock/{sku}/events", tag = "stock", params(("sku" = String, Path, description = "The SKU")),
    responses((status = 200, body = Timeline), (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json")))]
pub(super) async fn of_sku(State(edge): State<Edge>, Path(sku): Path<String>) -> Result<Json<Timeline>, Problem> {
    told(timeline(&edge, &sku).await, "inventory", || crate::http::no_such_sku(&sku))
}

/// Nothing was ever said only if the service that speaks first says so.
fn told(timeline: Timeline, first: &str, unknown: impl FnOnce() -> Problem) -> Result<Json<Timeline>, Problem> {
    match (timeline.items.is_empty(), timeline.away.iter().any(|service| service == first)) {
        (false, _) => Ok(Json(timeline)),
        (true, false) => Err(unknown()),
        (true, true) => {
            let detail = format!("The service {first} is away, so nobody can tell whether there is such a thing.");
            Err(Problem::later(detail, COME_BACK))
        }
    }
}

/// All services are asked at the same time.
async fn timeline(edge: &Edge, key: &str) -> Timeline {
    let mut asking = JoinSet::new();
    for service in SERVICES {
        let (upstreams, key) = (edge.upstreams.clone(), key.to_owned());
        asking.spawn(async move { (service, part(&upstreams, service, &key).await) });
    }
    let mut parts = asking.join_all().await;
    parts.sort_by_key(|(service, _)| SERVICES.iter().position(|name| name == service));
    merged(parts)
}

/// What one service said about this key, and what it still waits for.
async fn part(upstreams: &Upstreams, service: &'static str, key: &str) -> Result<Timeline, String> {
    let (status, body) = upstreams.ask(service, &["log", key]).await.map_err(|away| away.to_string())?;
    match status {
        StatusCode::OK => serde_json::from_slice(&body).map_err(|error| format!("its part is not readable: {error}")),
        StatusCode::NOT_FOUND => Ok(Timeline::default()),
        status => Err(format!("it answers {status}")),
    }
}

fn merged(parts: Vec<(&str, Result<Timeline, String>)>) -> Timeline {
    let mut whole = Timeline::default();
    for (service, part) in parts {
        match part {
            Ok(part) => {
                whole.items.extend(part.items);
                whole.open.extend(part.open);
            }
            Err(why) => {
                tracing::warn!(service, why, "a timeline lacks a part");
                whole.away.push(service.to_owned());
            }
        }
    }
    // Instants are written alike, so their order as text is their order in time.
    whole.items.sort_by(|a, b| (&a.at, sequence(&a.id)).cmp(&(&b.at, sequence(&b.id))));
    whole.items = causes_first(whole.items.into());
    whole
}

/// The last part of an event's id.
fn sequence(id: &str) -> Option<u64> {
    id.rsplit('.').next()?.parse().ok()
}

/// Clocks of different machines may differ by a little, and several events may share a moment: a cause is shown before
/// what it caused, and the events of one service in the order in which it said them.
fn causes_first(items: VecDeque<Said>) -> Vec<Said> {
    let mut hidden: HashSet<String> = items.iter().map(identity).collect();
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
        said.iter().for_each(|said| _ = hidden.remove(&identity(said)));
        shown.extend(said);
    }
    shown
}

fn identity(said: &Said) -> String {
    format!("{}/{}", said.service, said.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(service: &str, name: &str, at: &str, sequence: u64, cause: &str) -> serde_json::Value {
        json!({ "at": format!("2026-01-31T12:04:{at}Z"), "service": service, "type": name, "key": "o-1", "version": 1,
            "id": format!("7.0.{sequence}"), "causation_id": cause, "trace_id": "t", "data": {} })
    }

    fn part(items: &[serde_json::Value]) -> Result<Timeline, String> {
        Ok(serde_json::from_value(json!({ "items": items, "open": [] })).unwrap())
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
        let whole = merged(vec![("payment", payment), ("inventory", stock), ("order", order)]);
        assert_eq!(names(&whole), ["OrderPlaced", "StockReserved", "PaymentRequested", "PaymentCompleted"]);
    }

    #[test]
    fn events_of_one_moment_are_in_the_order_of_their_log() {
        let late = said("order", "Tenth", "05.000", 10, "order/7.0.9");
        let whole = merged(vec![("order", part(&[late, said("order", "Ninth", "05.000", 9, "command place")]))]);
        assert_eq!(names(&whole), ["Ninth", "Tenth"]);
    }

    #[test]
    fn who_is_away_is_named_and_the_rest_is_told() {
        let order = part(&[said("order", "OrderPlaced", "05.000", 1, "command place")]);
        let whole = merged(vec![("order", order), ("payment", Err("it is gone".into()))]);
        let told = serde_json::to_value(&whole).unwrap();
        assert_eq!((told["items"][0]["type"].as_str(), &told["away"]), (Some("OrderPlaced"), &json!(["payment"])));
        let nobody = serde_json::to_value(merged(vec![("order", part(&[]))])).unwrap();
        assert!(nobody.get("away").is_none(), "{nobody}");
    }

    #[test]
    fn only_the_service_that_speaks_first_knows_that_there_is_nothing() {
        let away = |service: &str| merged(vec![("order", part(&[])), (service, Err("it is gone".into()))]);
        let unknown = || order::api::no_such_order("o-1");
        assert_eq!(told(away("payment"), "order", unknown).err().map(|p| p.status().as_u16()), Some(404));
        assert_eq!(told(away("order"), "order", unknown).err().map(|p| p.status().as_u16()), Some(503));
    }

    #[test]
    fn causes_in_a_circle_are_shown_all_the_same() {
        let circle =
            part(&[said("order", "A", "05.000", 1, "order/7.0.2"), said("order", "B", "05.000", 2, "order/7.0.1")]);
        assert_eq!(names(&merged(vec![("order", circle)])), ["A", "B"]);
    }
}
