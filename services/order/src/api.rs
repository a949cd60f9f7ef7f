//! The HTTP API of `order`: place, look, list, cancel, and what there is to buy.

mod cancel;
mod list;
mod place;
mod products;
mod show;
mod view;

use crate::{catalogue::Catalogue, domain::Order};
use axum::http::StatusCode;
use choreography::Refused;
use runtime::{Handle, Keyring, Rejected, TraceId, Versioned, http::Problem, secret::ShopSecret};
use std::{sync::Arc, time::Duration};
use tokio::sync::Semaphore;
use utoipa_axum::{router::OpenApiRouter, routes};

/// How many requests may wait for orders at once; more are asked to come back.
const WAITERS: usize = 4096;

/// What the API needs. Clones are the same API.
#[derive(Clone)]
pub struct OrderApi {
    handle: Handle,
    secret: ShopSecret,
    keyring: Arc<dyn Keyring>,
    catalogue: Arc<Catalogue>,
    deadline: Duration,
    waiters: Arc<Semaphore>,
}

impl OrderApi {
    /// The API of the order service behind `handle`. Orders not confirmed within `deadline` are given up.
    #[must_use]
    pub fn new(
        handle: Handle,
        secret: ShopSecret,
        keyring: Arc<dyn Keyring>,
        catalogue: Arc<Catalogue>,
        deadline: Duration,
    ) -> OrderApi {
        OrderApi { handle, secret, keyring, catalogue, deadline, waiters: Arc::new(Semaphore::new(WAITERS)) }
    }

    /// One order. Text that cannot be an order's id names no order, so it is not even looked up.
    async fn order(&self, order_id: &str) -> Result<Versioned<Order>, Problem> {
        let unknown = || no_such_order(order_id);
        trace_of(order_id)?;
        self.handle.state::<Order>(order_id).await?.filter(|found| found.state.placed().is_some()).ok_or_else(unknown)
    }
}

/// All routes, with their part of the OpenAPI document.
pub fn router(api: OrderApi) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(place::place_order, list::list_orders))
        .routes(routes!(show::show_order))
        .routes(routes!(cancel::cancel_order))
        .routes(routes!(products::list_products))
        .with_state(api)
}

/// An order's id is its trace id.
fn trace_of(order_id: &str) -> Result<TraceId, Problem> {
    order_id.parse().map_err(|_| no_such_order(order_id))
}

/// What anybody hears who asks for an order that is not there.
#[must_use]
pub fn no_such_order(order_id: &str) -> Problem {
    let shown: String = order_id.chars().take(64).collect();
    let detail = format!("There is no order {shown}; an order's id is 32 lowercase hexadecimal digits.");
    Problem::refused(StatusCode::NOT_FOUND, &Refused::new("unknown_order", detail))
}

/// A refusal under the status that fits it.
fn refusal(rejected: Rejected) -> Problem {
    match rejected {
        Rejected::Refused(refused) => Problem::refused(status_of(refused.reason), &refused),
        other => other.into(),
    }
}

fn status_of(reason: &str) -> StatusCode {
    match reason {
        "unknown_order" => StatusCode::NOT_FOUND,
        "idempotency_key_reused" => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::CONFLICT,
    }
}
