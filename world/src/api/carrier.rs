//! The carrier over HTTP: `POST /carrier/labels`, `/carrier/hand-overs`, `/carrier/cancellations`, and
//! `GET /carrier/operations/{key}`.

use super::told::told;
use crate::{
    NoAnswer, World,
    carrier::{Answer, Booking, NAME},
};
use axum::{extract::State, http::StatusCode};
use runtime::http::{IdempotencyKey, Json, Path, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes, with their OpenAPI description.
pub(super) fn routes() -> OpenApiRouter<World> {
    OpenApiRouter::new()
        .routes(routes!(book))
        .routes(routes!(hand_over))
        .routes(routes!(cancel))
        .routes(routes!(operation))
}

/// A parcel to make a label for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LabelOrder {
    /// The order in it.
    #[schema(example = "4bf92f3577b34da6a3ce929d0e0e4736")]
    order_id: String,
    /// To whom.
    #[schema(example = "Ada Lovelace")]
    name: String,
    /// Street and number.
    #[schema(example = "Unter den Linden 1")]
    street: String,
    /// Town.
    #[schema(example = "Berlin")]
    city: String,
    /// Its code.
    #[schema(example = "10117")]
    postal_code: String,
    /// ISO 3166-1 alpha-2 code.
    #[schema(example = "DE")]
    country: String,
}

/// A parcel that has a label.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LabelledParcel {
    /// The order in it.
    #[schema(example = "4bf92f3577b34da6a3ce929d0e0e4736")]
    order_id: String,
    /// Its label.
    #[schema(example = "WP0A1B2C3D4E5F60718293")]
    label: String,
}

/// How a call ended.
#[derive(Serialize, ToSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
enum CarrierOperation {
    /// There is a label.
    Booked {
        /// Its number.
        #[schema(example = "WP0A1B2C3D4E5F60718293")]
        label: String,
        /// Who carries the parcel.
        #[schema(example = "Wayfarer Parcels")]
        carrier: &'static str,
    },
    /// There is no label, and never will be under this key.
    NotServed {
        /// Why.
        #[schema(example = "country_not_served")]
        code: String,
    },
    /// The parcel may be collected, or the label is void, as was asked.
    Accepted,
    /// Too late to void the label.
    AlreadyCollected,
    /// A void label cannot be handed over.
    LabelVoid,
    /// Nobody can tell yet: ask again.
    Pending,
    /// Nothing was ever asked under this key.
    Unknown,
}

type Told = Result<(StatusCode, Json<CarrierOperation>), Problem>;

/// Make a label. The first call under a key decides; every later one gets the same answer.
#[utoipa::path(post, path = "/carrier/labels", tag = "carrier",
    params(("Idempotency-Key" = String, Header, description = "Names the booking: 1 to 255 visible ASCII characters.")),
    request_body = LabelOrder,
    responses((status = 200, description = "There is a label.", body = CarrierOperation),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "There is none, and never will be.", body = CarrierOperation),
        (status = 503, description = "Nothing was done; see Retry-After.", body = Problem, content_type = "application/problem+json")))]
async fn book(State(world): State<World>, IdempotencyKey(key): IdempotencyKey, Json(it): Json<LabelOrder>) -> Told {
    let LabelOrder { order_id, name, street, city, postal_code, country } = it;
    let booking = Booking { order_id, name, street, city, postal_code, country };
    called(world.carrier.book(&key, booking)).await
}

/// Let the carrier collect a parcel.
#[utoipa::path(post, path = "/carrier/hand-overs", tag = "carrier",
    params(("Idempotency-Key" = String, Header, description = "Names the hand-over: 1 to 255 visible ASCII characters.")),
    request_body = LabelledParcel,
    responses((status = 200, description = "It will be collected.", body = CarrierOperation),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The label is void.", body = CarrierOperation),
        (status = 503, description = "Nothing was done; see Retry-After.", body = Problem, content_type = "application/problem+json")))]
async fn hand_over(
    State(world): State<World>,
    IdempotencyKey(key): IdempotencyKey,
    Json(LabelledParcel { order_id, label }): Json<LabelledParcel>,
) -> Told {
    called(world.carrier.hand_over(&key, &order_id, &label)).await
}

/// Void a label.
#[utoipa::path(post, path = "/carrier/cancellations", tag = "carrier",
    params(("Idempotency-Key" = String, Header, description = "Names the cancellation: 1 to 255 visible ASCII characters.")),
    request_body = LabelledParcel,
    responses((status = 200, description = "The label is void.", body = CarrierOperation),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The parcel was collected already.", body = CarrierOperation),
        (status = 503, description = "Nothing was done; see Retry-After.", body = Problem, content_type = "application/problem+json")))]
async fn cancel(
    State(world): State<World>,
    IdempotencyKey(key): IdempotencyKey,
    Json(LabelledParcel { order_id, label }): Json<LabelledParcel>,
) -> Told {
    called(world.carrier.cancel(&key, &order_id, &label)).await
}

/// What became of the call under a key.
#[utoipa::path(get, path = "/carrier/operations/{key}", tag = "carrier",
    params(("key" = String, Path, description = "The Idempotency-Key, escaped.")),
    responses((status = 200, description = "It is decided.", body = CarrierOperation),
        (status = 404, description = "The key is unknown.", body = CarrierOperation),
        (status = 503, description = "See Retry-After.", body = Problem, content_type = "application/problem+json")))]
async fn operation(State(world): State<World>, Path(key): Path<String>) -> Told {
    let found = told(world.carrier.find(&key)).await?;
    Ok(match found {
        Some(Some(answer)) => (StatusCode::OK, Json(answer.into())),
        Some(None) => (StatusCode::NOT_FOUND, Json(CarrierOperation::Unknown)),
        None => pending(),
    })
}

async fn called(call: impl Future<Output = Result<Answer, NoAnswer>>) -> Told {
    let Some(answer) = told(call).await? else { return Ok(pending()) };
    let status = match &answer {
        Answer::Booked { .. } | Answer::Accepted => StatusCode::OK,
        Answer::NotServed { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        Answer::AlreadyCollected | Answer::LabelVoid => StatusCode::CONFLICT,
    };
    Ok((status, Json(answer.into())))
}

fn pending() -> (StatusCode, Json<CarrierOperation>) {
    (StatusCode::CONFLICT, Json(CarrierOperation::Pending))
}

impl From<Answer> for CarrierOperation {
    fn from(answer: Answer) -> CarrierOperation {
        match answer {
            Answer::Booked { label } => CarrierOperation::Booked { label, carrier: NAME },
            Answer::NotServed { code } => CarrierOperation::NotServed { code },
            Answer::Accepted => CarrierOperation::Accepted,
            Answer::AlreadyCollected => CarrierOperation::AlreadyCollected,
            Answer::LabelVoid => CarrierOperation::LabelVoid,
        }
    }
}
