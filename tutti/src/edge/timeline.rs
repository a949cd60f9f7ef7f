//! Timelines across all services, merged from the part that each of them tells about its own log.

use super::{Edge, SERVICES, upstream::Upstreams};
use axum::{extract::State, http::StatusCode};
use runtime::http::{Json, Path, Problem, Timeline};
use std::time::Duration;
use tokio::task::JoinSet;

/// How soon to ask again for a timeline that cannot be told now.
const COME_BACK: Duration = Duration::from_secs(1);

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
    let told = parts.into_iter().map(|(service, part)| {
        part.unwrap_or_else(|why| {
            tracing::warn!(service, why, "a timeline lacks a part");
            Timeline { away: vec![service.to_owned()], ..Timeline::default() }
        })
    });
    Timeline::merged(told.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn part(items: &[serde_json::Value]) -> Result<Timeline, String> {
        Ok(serde_json::from_value(json!({ "items": items, "open": [] })).unwrap())
    }

    #[test]
    fn who_is_away_is_named_and_the_rest_is_told() {
        let placed = json!({ "at": "2026-01-31T12:04:05.000Z", "service": "order", "type": "OrderPlaced", "key": "o-1",
            "version": 1, "id": "7.0.1", "causation_id": "command place", "trace_id": "t", "data": {} });
        let order = part(&[placed]);
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
}
