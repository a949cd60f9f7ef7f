//! `POST /orders`.

use super::{OrderApi, refusal, trace_of};
use crate::{
    domain::{Order, PlaceOrder},
    request::{OrderRequest, ValidRequest},
    requests::{self, Request, request_of},
};
use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header::LOCATION},
    response::IntoResponse,
};
use choreography::Refused;
use runtime::{
    Clock, KeyError, Settled, SystemClock, Traceparent,
    http::{IdempotencyKey, Json, Problem, RequestSpan},
};
use serde::Serialize;
use shared_events::{Fingerprint, OrderId, Sealed};
use std::time::Duration;
use utoipa::ToSchema;

/// An order was accepted: it will be completed, or undone completely.
#[derive(Serialize, ToSchema)]
pub(super) struct Accepted {
    /// Names the order; the same for the same customer and Idempotency-Key.
    #[schema(example = "5f0c6e1b9a4d4c0f8e2b7a6d3c1e9f80")]
    order_id: OrderId,
    /// The state in which every order begins, also in the answer to a repeated request.
    #[schema(example = "pending")]
    state: &'static str,
    /// The trace of everything that will happen because of the order: its id.
    #[schema(example = "5f0c6e1b9a4d4c0f8e2b7a6d3c1e9f80")]
    trace_id: String,
}

/// Place an order.
///
/// Answers once the order is stored durably. Everything else (stock, payment, shipment) happens afterwards; follow it
/// with `GET /orders/{id}`. Sending the same request again with the same Idempotency-Key is harmless at any time: it
/// has the same answer and no further effect. Prices are the shop's. A `traceparent` that is sent along is logged;
/// the order has a trace of its own.
#[utoipa::path(
    post, path = "/orders", tag = "orders",
    params(("Idempotency-Key" = String, Header, description = "Your name for this request: 1 to 255 visible ASCII characters.", example = "checkout-7f3a")),
    request_body = OrderRequest,
    responses(
        (status = 202, description = "Accepted, durably.", body = Accepted,
            headers(("Location" = String, description = "Where to follow the order: `/orders/{id}`."))),
        (status = 400, description = "The request does not have this shape, or has no Idempotency-Key.", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A SKU is not sold here, the customer was forgotten, the total is too large, or the Idempotency-Key was used for another request.", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "The service is at fault; its log says why.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now; see Retry-After.", body = Problem, content_type = "application/problem+json",
            headers(("Retry-After" = u64, description = "Seconds."))),
    )
)]
pub(super) async fn place_order(
    State(api): State<OrderApi>,
    key: IdempotencyKey,
    span: RequestSpan,
    headers: HeaderMap,
    Json(request): Json<OrderRequest>,
) -> Result<impl IntoResponse, Problem> {
    let request = request.validate()?;
    let asked = api.identify(&request, &key);
    note_traceparent(&headers, &asked);
    match api.command(&request, &asked).await {
        Ok(command) => {
            let trace = span.begins(&api.handle, trace_of(&asked.order_id)?);
            match api.handle.command(command, trace).await.map_err(refusal)? {
                Settled::Changed => accepted(asked.order_id),
                Settled::Unchanged => {
                    let order_id = api.placed_before(&asked).await?.unwrap_or(asked.order_id);
                    span.repeats(trace_of(&order_id)?);
                    accepted(order_id)
                }
            }
        }
        // What could be ordered then may no longer be; the order of then has its answer all the same.
        Err(problem) => accepted(api.placed_before(&asked).await?.ok_or(problem)?),
    }
}

/// What a request is: the order it places if it is new, and a keyed hash of its content.
struct Identity {
    placed_at: i64,
    order_id: OrderId,
    fingerprint: Fingerprint,
}

impl OrderApi {
    fn identify(&self, request: &ValidRequest, key: &IdempotencyKey) -> Identity {
        let mac = self.secret.mac("order-id", &[request.customer_id().as_bytes(), key.0.as_bytes()]);
        let placed_at = SystemClock.now() / 1000;
        let fingerprint = Fingerprint(self.secret.mac("request", &[&request.canonical()]));
        Identity { placed_at, order_id: requests::order_id(placed_at, &mac), fingerprint }
    }

    async fn command(&self, request: &ValidRequest, asked: &Identity) -> Result<PlaceOrder, Problem> {
        let (lines, total) = self.catalogue.price(&request.wanted())?;
        let customer_id = request.customer_id().to_owned();
        let key = self.keyring.make_or_get(&customer_id).await.map_err(no_key)?;
        let sealed = Sealed::seal(&key, &customer_id, &request.personal());
        Ok(PlaceOrder {
            order_id: asked.order_id.clone(),
            customer_id,
            lines,
            total,
            fingerprint: asked.fingerprint,
            phone_given: request.phone_given(),
            placed_at: asked.placed_at,
            deadline: self.deadline,
            sealed: sealed.map_err(|error| Problem::internal(&error.to_string()))?,
        })
    }

    /// The order that the very same request placed before.
    async fn placed_before(&self, asked: &Identity) -> Result<Option<OrderId>, Problem> {
        let request = self.handle.state::<Request>(request_of(&asked.order_id)).await?;
        let Some(order_id) = request.and_then(|found| found.state.order_id) else { return Ok(None) };
        let order = self.handle.state::<Order>(&order_id).await?;
        let placed = order.as_ref().and_then(|found| found.state.placed());
        Ok(placed.is_some_and(|placed| placed.fingerprint == asked.fingerprint).then_some(order_id))
    }
}

fn accepted(order_id: OrderId) -> Result<impl IntoResponse + use<>, Problem> {
    let location = HeaderValue::try_from(format!("/orders/{order_id}"));
    let location = location.map_err(|error| Problem::internal(&error.to_string()))?;
    let accepted = Accepted { trace_id: order_id.clone(), order_id, state: "pending" };
    Ok((StatusCode::ACCEPTED, [(LOCATION, location)], Json(accepted)))
}

fn no_key(error: KeyError) -> Problem {
    match error {
        KeyError::Forgotten => {
            let detail = "This customer was forgotten and cannot order any more; use another customer id.";
            let refused = Refused::new("customer_forgotten", detail);
            Problem::refused(StatusCode::UNPROCESSABLE_ENTITY, &refused).about("customer_id")
        }
        KeyError::Unknown | KeyError::Away(_) => {
            tracing::warn!(%error, "an order could not be sealed");
            Problem::later("The keyring is away. Nothing was kept of this request; try again.", Duration::from_secs(1))
        }
    }
}

/// One order is one trace, so the client's own is only written down, for whoever wants to join the two.
fn note_traceparent(headers: &HeaderMap, asked: &Identity) {
    let sent = headers.get("traceparent").and_then(|value| value.to_str().ok());
    if let Some(client) = sent.and_then(|text| text.parse::<Traceparent>().ok()) {
        tracing::info!(order_id = asked.order_id, client_traceparent = %client, "the client has a trace of its own");
    }
}
