//! The payment gateway over HTTP: `POST /gateway/captures`, `POST /gateway/refunds`, `GET /gateway/operations/{key}`.

use super::told::told;
use crate::{
    World,
    gateway::{Answer, Capture, Refund},
};
use axum::{extract::State, http::StatusCode};
use runtime::http::{IdempotencyKey, Json, Path, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The word for a key that belongs to another call.
const REUSED: &str = "idempotency_key_reused";

/// The routes, with their OpenAPI description.
pub(super) fn routes() -> OpenApiRouter<World> {
    OpenApiRouter::new().routes(routes!(capture)).routes(routes!(refund)).routes(routes!(operation))
}

/// Money to take.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CaptureOrder {
    /// The order it pays.
    #[schema(example = "4bf92f3577b34da6a3ce929d0e0e4736")]
    order_id: String,
    /// How much, in the currency's smallest unit.
    #[schema(example = 2590)]
    amount_minor: i64,
    /// ISO 4217 code.
    #[schema(example = "EUR")]
    currency: String,
    /// What stands for the card.
    #[schema(example = "tok_ok")]
    token: String,
}

/// Money to give back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RefundOrder {
    /// The order whose payment goes back.
    #[schema(example = "4bf92f3577b34da6a3ce929d0e0e4736")]
    order_id: String,
    /// How much, in the currency's smallest unit.
    #[schema(example = 2590)]
    amount_minor: i64,
    /// ISO 4217 code.
    #[schema(example = "EUR")]
    currency: String,
    /// The Idempotency-Key under which it was captured.
    #[schema(example = "payment/charge/4bf92f3577b34da6a3ce929d0e0e4736")]
    capture_key: String,
}

/// How a capture or a refund stands.
#[derive(Serialize, ToSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
enum GatewayOperation {
    /// The money has moved.
    Succeeded {
        /// The gateway's number for it.
        #[schema(example = "R-0000000001")]
        receipt: String,
    },
    /// The money has not moved, and never will under this key.
    Declined {
        /// Why.
        #[schema(example = "card_declined")]
        code: String,
    },
    /// Nobody can tell yet: ask again.
    Pending,
    /// Nothing was ever asked under this key.
    Unknown,
}

type Told = Result<(StatusCode, Json<GatewayOperation>), Problem>;

/// Take money. The first call under a key decides; every later one gets the same answer.
#[utoipa::path(post, path = "/gateway/captures", tag = "gateway",
    params(("Idempotency-Key" = String, Header, description = "Names the capture: 1 to 255 visible ASCII characters.")),
    request_body = CaptureOrder,
    responses((status = 200, description = "Taken.", body = GatewayOperation),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 402, description = "Declined.", body = GatewayOperation),
        (status = 409, description = "Still in progress.", body = GatewayOperation),
        (status = 422, description = "The key belongs to another call.", body = GatewayOperation),
        (status = 503, description = "Nothing was done; see Retry-After.", body = Problem, content_type = "application/problem+json")))]
async fn capture(
    State(world): State<World>,
    IdempotencyKey(key): IdempotencyKey,
    Json(it): Json<CaptureOrder>,
) -> Told {
    let CaptureOrder { order_id, amount_minor, currency, token } = it;
    let capture = Capture { order_id, amount_minor, currency, token };
    told(world.gateway.capture(&key, capture)).await.map(|answer| called(answer, StatusCode::PAYMENT_REQUIRED))
}

/// Give money of an earlier capture back. The first call under a key decides; every later one gets the same answer.
#[utoipa::path(post, path = "/gateway/refunds", tag = "gateway",
    params(("Idempotency-Key" = String, Header, description = "Names the refund: 1 to 255 visible ASCII characters.")),
    request_body = RefundOrder,
    responses((status = 200, description = "Given back.", body = GatewayOperation),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The capture is still in progress.", body = GatewayOperation),
        (status = 422, description = "Refused, or the key belongs to another call.", body = GatewayOperation),
        (status = 503, description = "Nothing was done; see Retry-After.", body = Problem, content_type = "application/problem+json")))]
async fn refund(State(world): State<World>, IdempotencyKey(key): IdempotencyKey, Json(it): Json<RefundOrder>) -> Told {
    let RefundOrder { order_id, amount_minor, currency, capture_key } = it;
    let refund = Refund { order_id, amount_minor, currency, capture_key };
    told(world.gateway.refund(&key, refund)).await.map(|answer| called(answer, StatusCode::UNPROCESSABLE_ENTITY))
}

/// What became of the call under a key.
#[utoipa::path(get, path = "/gateway/operations/{key}", tag = "gateway",
    params(("key" = String, Path, description = "The Idempotency-Key, escaped.")),
    responses((status = 200, description = "It is decided.", body = GatewayOperation),
        (status = 404, description = "The key is unknown.", body = GatewayOperation),
        (status = 409, description = "Still in progress.", body = GatewayOperation),
        (status = 503, description = "See Retry-After.", body = Problem, content_type = "application/problem+json")))]
async fn operation(State(world): State<World>, Path(key): Path<String>) -> Told {
    let found = told(world.gateway.find(&key)).await?;
    Ok(match found {
        Some(Some(answer)) => (StatusCode::OK, Json(answer.into())),
        Some(None) => (StatusCode::NOT_FOUND, Json(GatewayOperation::Unknown)),
        None => pending(),
    })
}

fn called(answer: Option<Answer>, declined: StatusCode) -> (StatusCode, Json<GatewayOperation>) {
    let Some(answer) = answer else { return pending() };
    let status = match &answer {
        Answer::Succeeded { .. } => StatusCode::OK,
        Answer::Declined { code } if code == REUSED => StatusCode::UNPROCESSABLE_ENTITY,
        Answer::Declined { .. } => declined,
    };
    (status, Json(answer.into()))
}

fn pending() -> (StatusCode, Json<GatewayOperation>) {
    (StatusCode::CONFLICT, Json(GatewayOperation::Pending))
}

impl From<Answer> for GatewayOperation {
    fn from(answer: Answer) -> GatewayOperation {
        match answer {
            Answer::Succeeded { receipt } => GatewayOperation::Succeeded { receipt },
            Answer::Declined { code } => GatewayOperation::Declined { code },
        }
    }
}
