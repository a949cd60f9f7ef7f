//! `POST /carrier/reports`: the carrier's webhook.

use super::ShippingApi;
use crate::{
    reports::{Report, ReportKind},
    signature::{BadSignature, HEADER},
};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use runtime::{
    TraceId,
    http::{JsonBytes, Problem, RequestSpan},
};
use serde::Deserialize;
use shared_events::OrderId;
use utoipa::ToSchema;

/// The longest id of a report. The shipment remembers each.
const LONGEST_ID: usize = 128;
/// The longest name of a place.
const LONGEST_PLACE: usize = 200;

/// What the carrier reports about a parcel.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CarrierReport {
    /// The carrier's own id of this report: 1 to 128 visible ASCII characters.
    #[schema(example = "WP0A1B2C3D4E5F60718293-tracking-1")]
    report_id: String,
    /// The order in the parcel.
    #[schema(example = "5f0c6e1b9a4d4c0f8e2b7a6d3c1e9f80")]
    order_id: OrderId,
    /// What happened to it.
    kind: CarrierReportKind,
    /// Where it was seen; with `tracking`, and only there.
    #[schema(example = "Leipzig")]
    place: Option<String>,
}

/// What happened to a parcel.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum CarrierReportKind {
    /// The carrier has collected it.
    Dispatched,
    /// It was seen.
    Tracking,
    /// It has arrived.
    Delivered,
}

/// Take a report of the carrier.
///
/// Answers once it is stored durably. A report may come repeatedly and in any order; the carrier sends it until it gets
/// a 2xx.
#[utoipa::path(
    post, path = "/carrier/reports", tag = "shipping",
    params(("Tutti-Signature" = String, Header,
        description = "`t=<seconds since 1970>,v1=<HMAC-SHA256 over t, a dot and the body, in hexadecimal>`, not older than 5 minutes.",
        example = "t=1700000000,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd")),
    request_body(content = CarrierReport, example = json!({ "report_id": "WP0A-dispatched", "order_id": "5f0c6e1b9a4d4c0f8e2b7a6d3c1e9f80", "kind": "dispatched" })),
    responses(
        (status = 204, description = "Taken, durably."),
        (status = 400, description = "The report does not have this shape.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "The signature is missing, stale or wrong.", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON.", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "The report cannot be, as one about an order that has no parcel; the service's log says why.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now; see Retry-After.", body = Problem, content_type = "application/problem+json",
            headers(("Retry-After" = u64, description = "Seconds."))),
    )
)]
pub(super) async fn take_report(
    State(api): State<ShippingApi>,
    headers: HeaderMap,
    span: RequestSpan,
    body: JsonBytes,
) -> Result<StatusCode, Problem> {
    // Before anything of the body is believed.
    let signed = api.secrets.verify(signature(&headers), body.as_bytes(), api.clock.now());
    signed.map_err(turned_away)?;
    let (report, trace) = body.read::<CarrierReport>()?.validate()?;
    let trace = span.joins(&api.handle, trace);
    api.handle.command(report, trace).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The header's value; one that is there twice is as good as none.
fn signature(headers: &HeaderMap) -> &str {
    let mut sent = headers.get_all(HEADER).iter();
    match (sent.next(), sent.next()) {
        (Some(value), None) => value.to_str().unwrap_or_default(),
        _ => "",
    }
}

fn turned_away(why: BadSignature) -> Problem {
    tracing::warn!(%why, "a report that is not the carrier's was turned away");
    let title = "The report is not signed by the carrier";
    Problem::new(StatusCode::UNAUTHORIZED, "bad-signature", title, why.to_string()).about(HEADER)
}

impl CarrierReport {
    fn validate(self) -> Result<(Report, TraceId), Problem> {
        let CarrierReport { report_id, order_id, kind, place } = self;
        // An order's id is its trace id.
        let trace: TraceId = order_id
            .parse()
            .map_err(|_| Problem::invalid("order_id", "must be an order's id: 32 lowercase hexadecimal digits"))?;
        if !(1..=LONGEST_ID).contains(&report_id.len()) || !report_id.bytes().all(|byte| byte.is_ascii_graphic()) {
            let detail = format!("must be 1 to {LONGEST_ID} visible ASCII characters");
            return Err(Problem::invalid("report_id", detail));
        }
        let kind = match (kind, place) {
            (CarrierReportKind::Dispatched, None) => ReportKind::Dispatched,
            (CarrierReportKind::Delivered, None) => ReportKind::Delivered,
            (CarrierReportKind::Tracking, Some(place)) => ReportKind::Tracking { place: valid(place)? },
            (CarrierReportKind::Tracking, None) => {
                return Err(Problem::invalid("place", "must be there with `tracking`"));
            }
            (_, Some(_)) => return Err(Problem::invalid("place", "must be there with `tracking` only")),
        };
        Ok((Report { order_id, report_id, kind }, trace))
    }
}

fn valid(place: String) -> Result<String, Problem> {
    if (1..=LONGEST_PLACE).contains(&place.chars().count()) && !place.chars().any(char::is_control) {
        return Ok(place);
    }
    Err(Problem::invalid("place", format!("must be 1 to {LONGEST_PLACE} characters, without control characters")))
}
