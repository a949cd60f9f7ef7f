//! `GET /orders/{id}`, at once or after something has happened.

use super::{OrderApi, view::OrderDetail};
use crate::domain::{Order, PublicState};
use axum::extract::State;
use runtime::{
    Versioned,
    http::{Json, Path, Problem, Query},
};
use serde::Deserialize;
use std::time::{Duration, Instant};
use utoipa::{IntoParams, ToSchema};

const LONGEST_WAIT_S: u64 = 60;

/// When to answer.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wait {
    /// Answer when it is so. `confirmed`: no longer pending, also when it is cancelled. `settled`: nothing more will
    /// happen. Without it the answer comes at once.
    #[param(inline)]
    wait: Option<Until>,
    /// Answer after so many seconds in any case, with the order as it is then; 30 if not given.
    #[param(minimum = 0, maximum = 60, example = 30)]
    timeout_s: Option<u64>,
}

/// What to wait for.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Until {
    /// It is no longer pending.
    Confirmed,
    /// Nothing more will happen.
    Settled,
}

impl Until {
    fn is_met(self, order: &Order) -> bool {
        match self {
            Until::Confirmed => order.public_state() != Some(PublicState::Pending),
            Until::Settled => order.settled(),
        }
    }
}

/// Show an order, and what it waits for.
///
/// With `wait` the answer comes when the order has got there, or after `timeout_s` with the order as it is then: look at
/// `state` and `settled`.
#[utoipa::path(
    get, path = "/orders/{id}", tag = "orders",
    params(("id" = String, Path, description = "The order's id.", example = "5f0c6e1b9a4d4c0f8e2b7a6d3c1e9f80"), Wait),
    responses(
        (status = 200, description = "The order.", body = OrderDetail, example = json!({
            "order_id": "5f0c6e1b9a4d4c0f8e2b7a6d3c1e9f80", "customer_id": "c-42", "state": "pending", "settled": false,
            "reason": null, "total": { "amount_minor": 2590, "currency": "EUR" },
            "lines": [{ "sku": "TEA-001", "quantity": 2, "unit_price_minor": 1295 }], "version": 1,
            "trace_id": "5f0c6e1b9a4d4c0f8e2b7a6d3c1e9f80", "placed_at": "2026-01-31T12:04:05.678Z",
            "waiting_for": { "service": "shipping", "event": "ShipmentScheduled", "since": "2026-01-31T12:04:05.679Z",
                "until": "2026-01-31T12:19:05.679Z" }
        })),
        (status = 400, description = "A parameter is wrong.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such order.", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "The service is at fault; its log says why.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now, or too many are waiting; see Retry-After.", body = Problem, content_type = "application/problem+json",
            headers(("Retry-After" = u64, description = "Seconds."))),
    )
)]
pub(super) async fn show_order(
    State(api): State<OrderApi>,
    Path(id): Path<String>,
    Query(wait): Query<Wait>,
) -> Result<Json<OrderDetail>, Problem> {
    let timeout_s = wait.timeout_s.unwrap_or(30);
    if timeout_s > LONGEST_WAIT_S {
        return Err(Problem::invalid("timeout_s", format!("must be at most {LONGEST_WAIT_S}")));
    }
    let mut found = api.order(&id).await?;
    if let Some(until) = wait.wait.filter(|until| !until.is_met(&found.state)) {
        found = api.wait_for(&id, until, Duration::from_secs(timeout_s)).await?;
    }
    api.detail(&id, &found).await.map(Json)
}

impl OrderApi {
    async fn wait_for(&self, id: &str, until: Until, at_most: Duration) -> Result<Versioned<Order>, Problem> {
        let too_many = |_| Problem::later("Too many requests wait for orders.", Duration::from_secs(1));
        let _place = self.waiters.try_acquire().map_err(too_many)?;
        let begun = Instant::now();
        let mut watch = self.handle.watch(id);
        loop {
            // Read after the watch began, so that no change falls between the two.
            let found = self.order(id).await?;
            let left = at_most.saturating_sub(begun.elapsed());
            if until.is_met(&found.state) || left.is_zero() {
                return Ok(found);
            }
            if !watch.changed(left).await {
                return self.order(id).await;
            }
        }
    }

    async fn detail(&self, id: &str, found: &Versioned<Order>) -> Result<OrderDetail, Problem> {
        if found.state.settled() {
            return OrderDetail::of(found, &[], &[]);
        }
        let log = self.handle.log_of(id).await?;
        let work = self.handle.work_of(id).await?;
        OrderDetail::of(found, &log, &work)
    }
}
