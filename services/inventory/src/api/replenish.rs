//! `POST /stock/{sku}/replenishments`.

use super::{InventoryApi, stock::StockView};
use crate::domain::{Replenish, Stock};
use axum::{extract::State, http::StatusCode};
use choreography::Refused;
use runtime::{
    Rejected, Settled, TraceId,
    http::{IdempotencyKey, Json, Path, Problem, RequestSpan},
};
use serde::Deserialize;
use utoipa::ToSchema;

const MOST: i64 = 1_000_000;

/// A delivery to book in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Delivered {
    /// How many units came.
    #[schema(minimum = 1, maximum = 1_000_000, example = 10)]
    quantity: i64,
}

/// Book in a delivery.
///
/// Answers once it is stored durably, with the stock as it is then. The Idempotency-Key names the delivery in the whole
/// shop: sending the same again is harmless and books nothing twice.
#[utoipa::path(
    post, path = "/stock/{sku}/replenishments", tag = "stock",
    params(
        ("sku" = String, Path, description = "What was delivered: one of `GET /products`.", example = "TEA-001"),
        ("Idempotency-Key" = String, Header, description = "Your name for this delivery: 1 to 255 visible ASCII characters.", example = "delivery-2026-01-31"),
    ),
    request_body(content = Delivered, example = json!({ "quantity": 10 })),
    responses(
        (status = 202, description = "Booked in, durably.", body = StockView),
        (status = 400, description = "The request does not have this shape, or has no Idempotency-Key.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "The SKU is not sold here.", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The Idempotency-Key was used for another delivery, or there would be more than can be counted.", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "The service is at fault; its log says why.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now; see Retry-After.", body = Problem, content_type = "application/problem+json",
            headers(("Retry-After" = u64, description = "Seconds."))),
    )
)]
pub(super) async fn replenish_stock(
    State(api): State<InventoryApi>,
    Path(sku): Path<String>,
    IdempotencyKey(delivery): IdempotencyKey,
    span: RequestSpan,
    Json(Delivered { quantity }): Json<Delivered>,
) -> Result<(StatusCode, Json<StockView>), Problem> {
    if !api.sold.contains(&sku) {
        return Err(unknown_sku(&sku));
    }
    if !(1..=MOST).contains(&quantity) {
        return Err(Problem::invalid("quantity", format!("must be at least 1 and at most {MOST}")));
    }
    // The delivery's own trace, the same when it is sent again.
    let trace_id = TraceId::of_text(&format!("replenishment/{delivery}"));
    let command = Replenish { sku: sku.clone(), delivery, quantity };
    let trace = span.begins(&api.handle, trace_id);
    if api.handle.command(command, trace).await.map_err(refusal)? == Settled::Unchanged {
        span.repeats(trace_id);
    }
    let found = api.handle.state::<Stock>(&sku).await?;
    let stock = found.ok_or_else(|| Problem::internal("a delivery was booked in, but there is no stock of its SKU"))?;
    Ok((StatusCode::ACCEPTED, Json(StockView::of(sku, &stock.state))))
}

fn unknown_sku(sku: &str) -> Problem {
    let detail = format!("{sku:?} is not sold here; GET /products lists what is.");
    Problem::refused(StatusCode::NOT_FOUND, &Refused::new("unknown_sku", detail))
}

fn refusal(rejected: Rejected) -> Problem {
    match rejected {
        Rejected::Refused(refused) => Problem::refused(StatusCode::UNPROCESSABLE_ENTITY, &refused),
        other => other.into(),
    }
}
