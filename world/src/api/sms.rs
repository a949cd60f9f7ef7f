//! The SMS centre over HTTP: `POST /sms/messages`.

use super::told::told;
use crate::{
    NoAnswer, World,
    post::{Answer, Channel, Letter},
};
use axum::{extract::State, http::StatusCode};
use runtime::http::{IdempotencyKey, Json, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes, with their OpenAPI description.
pub(super) fn routes() -> OpenApiRouter<World> {
    OpenApiRouter::new().routes(routes!(send))
}

/// A text message.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TextMessage {
    /// The sender's id; a second message with the same id is a copy of the first.
    #[schema(example = "sms.dispatched.4bf92f3577b34da6a3ce929d0e0e4736@tutti.example")]
    message_id: String,
    /// The order it is about.
    #[schema(example = "4bf92f3577b34da6a3ce929d0e0e4736")]
    order_id: String,
    /// Which template it was made from.
    #[schema(example = "dispatched")]
    template: String,
    /// A telephone number, with the country's code.
    #[schema(example = "+49301234567")]
    to: String,
    /// Text.
    #[schema(example = "Your order is on its way.")]
    body: String,
}

/// What became of a text message.
#[derive(Serialize, ToSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
enum SmsOutcome {
    /// It will be delivered.
    Taken,
    /// It surely was not taken; try again.
    NotTaken,
    /// It never will be delivered.
    Refused {
        /// Why.
        #[schema(example = "not a telephone number")]
        reason: String,
    },
}

/// Send a text message. A phone rings for each copy: the centre does not look for earlier ones.
#[utoipa::path(post, path = "/sms/messages", tag = "sms",
    params(("Idempotency-Key" = String, Header, description = "Names the message: 1 to 255 visible ASCII characters.")),
    request_body = TextMessage,
    responses((status = 200, description = "Taken.", body = SmsOutcome),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "It can never be delivered.", body = SmsOutcome),
        (status = 503, description = "Surely not taken.", body = SmsOutcome)))]
async fn send(
    State(world): State<World>,
    IdempotencyKey(_): IdempotencyKey,
    Json(message): Json<TextMessage>,
) -> Result<(StatusCode, Json<SmsOutcome>), Problem> {
    let TextMessage { message_id, order_id, template, to, body } = message;
    let subject = String::new();
    let letter = Letter { order_id, channel: Channel::Sms, template, to, subject, body, message_id };
    match world.post.take(letter).await {
        Err(NoAnswer::Refused) => Ok((StatusCode::SERVICE_UNAVAILABLE, Json(SmsOutcome::NotTaken))),
        answer => told(std::future::ready(answer)).await.map(outcome),
    }
}

fn outcome(answer: Option<Answer>) -> (StatusCode, Json<SmsOutcome>) {
    match answer {
        Some(Answer::Taken) => (StatusCode::OK, Json(SmsOutcome::Taken)),
        Some(Answer::Refused(reason)) => (StatusCode::UNPROCESSABLE_ENTITY, Json(SmsOutcome::Refused { reason })),
        None => (StatusCode::SERVICE_UNAVAILABLE, Json(SmsOutcome::NotTaken)),
    }
}
