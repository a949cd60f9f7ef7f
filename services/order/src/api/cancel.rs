//! `POST /orders/{id}/cancellation`.

use super::{OrderApi, refusal, trace_of, view::OrderView};
use crate::domain::CancelOrder;
use axum::{extract::State, http::StatusCode};
use runtime::http::{Json, Path, Problem, RequestSpan};
use serde::Deserialize;
use utoipa::ToSchema;

/// The wish to cancel; the body may also be left out.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CancelRequest {
    /// Why, in the customer's words. It is checked for its length and then dropped: free text may hold personal data,
    /// which is never stored in the clear.
    #[schema(max_length = 500, example = "ordered by mistake")]
    reason: Option<String>,
}

/// Ask to cancel an order.
///
/// Accepted means that the wish is stored durably; whether it came in time shows in the order. Until the order is
/// confirmed it always does. Afterwards shipping decides: then the order ends cancelled, or completed because the parcel
/// was on its way already. Asking again is harmless. The answer shows the order as it is right after the wish was stored.
#[utoipa::path(
    post, path = "/orders/{id}/cancellation", tag = "orders",
    params(("id" = String, Path, description = "The order's id.", example = "5f0c6e1b9a4d4c0f8e2b7a6d3c1e9f80")),
    request_body(content = Option<CancelRequest>, example = json!({ "reason": "ordered by mistake" })),
    responses(
        (status = 202, description = "The wish is stored.", body = OrderView),
        (status = 400, description = "The request does not have this shape.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such order.", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The parcel is known to be on its way, or delivered.", body = Problem, content_type = "application/problem+json",
            example = json!({ "type": "/problems/already-dispatched", "title": "The request was refused", "status": 409,
                "detail": "The parcel is already on its way; it can no longer be cancelled.", "reason": "already_dispatched" })),
        (status = 413, description = "The body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON.", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "The service is at fault; its log says why.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now; see Retry-After.", body = Problem, content_type = "application/problem+json",
            headers(("Retry-After" = u64, description = "Seconds."))),
    )
)]
pub(super) async fn cancel_order(
    State(api): State<OrderApi>,
    Path(id): Path<String>,
    span: RequestSpan,
    request: Option<Json<CancelRequest>>,
) -> Result<(StatusCode, Json<OrderView>), Problem> {
    let trace_id = trace_of(&id)?;
    let CancelRequest { reason } = request.map(|Json(request)| request).unwrap_or_default();
    if reason.is_some_and(|reason| reason.chars().count() > 500) {
        return Err(Problem::invalid("reason", "must be at most 500 characters"));
    }
    let trace = span.joins(&api.handle, trace_id);
    api.handle.command(CancelOrder { order_id: id.clone() }, trace).await.map_err(refusal)?;
    let order = api.order(&id).await?;
    let view = OrderView::of(&order).ok_or_else(|| Problem::internal("an order without what was placed"))?;
    Ok((StatusCode::ACCEPTED, Json(view)))
}
