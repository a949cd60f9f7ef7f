//! Problem details (RFC 9457): how an API says no.

use crate::{Rejected, StoreError};
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use choreography::Refused;
use serde::{Serialize, Serializer};
use std::time::Duration;
use utoipa::ToSchema;

/// How soon to come back where the store or the service is away and nobody can tell for how long.
const COME_BACK: Duration = Duration::from_secs(1);
/// A detail may quote the request; more of it than this helps nobody.
const DETAIL_LIMIT: usize = 500;

/// Why a request was not done, as `application/problem+json`. Nothing of such a request has happened, unless the detail
/// says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// What kind of problem it is, for machines: a relative reference that never changes.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "/problems/invalid-request")]
    kind: Box<str>,
    /// What kind of problem it is, for people.
    #[schema(example = "The request is not valid")]
    title: &'static str,
    /// The HTTP status, again.
    #[serde(serialize_with = "as_number")]
    #[schema(value_type = u16, minimum = 400, maximum = 599, example = 400)]
    status: StatusCode,
    /// What is wrong this time, and what to do about it.
    #[schema(value_type = String, example = "must be at least 1 and at most 1000")]
    detail: Box<str>,
    /// The member of the request body, the parameter or the header that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "lines[0].quantity")]
    field: Option<Box<str>>,
    /// Why a well-formed request was refused, as a stable word.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "already_dispatched")]
    reason: Option<&'static str>,
    /// After how many seconds to try again; also in the header Retry-After.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 1)]
    retry_after: Option<u32>,
}

fn as_number<S: Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    /// A problem of the kind `/problems/{kind}`.
    #[must_use]
    pub fn new(status: StatusCode, kind: &str, title: &'static str, detail: impl Into<String>) -> Problem {
        let kind = format!("/problems/{kind}").into();
        let detail = shortened(detail.into());
        Problem { kind, title, status, detail, field: None, reason: None, retry_after: None }
    }

    /// The request does not have the documented shape; `field` names the part, `detail` says what it must be.
    #[must_use]
    pub fn invalid(field: impl Into<String>, detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "invalid-request", "The request is not valid", detail).about(field)
    }

    /// A command was understood and refused; the kind of the problem is the refusal's word.
    #[must_use]
    pub fn refused(status: StatusCode, refused: &Refused) -> Problem {
        let kind = refused.reason.replace('_', "-");
        let problem = Problem::new(status, &kind, "The request was refused", refused.detail.clone());
        Problem { reason: Some(refused.reason), ..problem }
    }

    /// It cannot be done now; try again after this time.
    #[must_use]
    pub fn later(detail: impl Into<String>, retry_after: Duration) -> Problem {
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "try-again-later", "Try again later", detail);
        // Whole seconds, rounded up: a client that waits 0 s hammers.
        let seconds = retry_after.as_millis().div_ceil(1000).max(1);
        Problem { retry_after: Some(u32::try_from(seconds).unwrap_or(u32::MAX)), ..problem }
    }

    /// The service itself is at fault. The cause goes to its log, not to the caller.
    #[must_use]
    pub fn internal(cause: &str) -> Problem {
        tracing::error!(cause, "a request could not be answered");
        let detail = "The service could not answer this request; its log says why.";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal-error", "Internal error", detail)
    }

    /// The same problem, naming the part of the request that it is about.
    #[must_use]
    pub fn about(self, field: impl Into<String>) -> Problem {
        Problem { field: Some(shortened(field.into())), ..self }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The part of the request that it is about.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// What is wrong.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

fn shortened(mut text: String) -> Box<str> {
    if let Some((end, _)) = text.char_indices().nth(DETAIL_LIMIT) {
        text.truncate(end);
        text.push('…');
    }
    text.into()
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = axum::Json(&self).into_response();
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        match error {
            StoreError::Fenced(_) | StoreError::Led(_) | StoreError::Outage(_) => {
                tracing::warn!(%error, "a request met a store that is away");
                Problem::later("The service's store is away. Nothing is lost; try again.", COME_BACK)
            }
            StoreError::Data(_) | StoreError::Fatal(_) => Problem::internal(&error.to_string()),
        }
    }
}

impl From<Rejected> for Problem {
    /// A refusal becomes a 409; where another status fits better, take it out first and use [`Problem::refused`].
    fn from(rejected: Rejected) -> Problem {
        match rejected {
            Rejected::Refused(refused) => Problem::refused(StatusCode::CONFLICT, &refused),
            Rejected::Busy { retry_after } => Problem::later(
                "The service has too much to do. Nothing was kept of this request; try again.",
                retry_after,
            ),
            Rejected::Failed(why) => Problem::internal(&why),
            Rejected::Led(owner) => {
                tracing::debug!(owner, "a command met a process that stands by");
                let detail = "Another process takes the requests that change something. Repeating this one with the \
                              same Idempotency-Key is harmless.";
                Problem::later(detail, COME_BACK)
            }
            Rejected::Away(why) => {
                tracing::warn!(why, "a command met a service that is away");
                let detail = "The service cannot answer now, and may or may not carry this request out; repeating it \
                              with the same Idempotency-Key is harmless.";
                Problem::later(detail, COME_BACK)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_bound_is_answered_with_the_time_to_come_back() {
        let response = Problem::from(Rejected::Busy { retry_after: Duration::from_millis(1500) }).into_response();
        assert_eq!((response.status().as_u16(), &response.headers()["retry-after"]), (503, &HeaderValue::from(2)));
        assert_eq!(Problem::later("", Duration::ZERO).into_response().headers()["retry-after"], "1");
    }

    #[test]
    fn a_standby_says_when_to_come_back_and_not_where_the_leader_is() {
        let problem = Problem::from(Rejected::Led("10.0.0.7:8080".into()));
        assert!(!serde_json::to_string(&problem).unwrap().contains("10.0.0.7"));
        let response = problem.into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(response.headers().contains_key("retry-after"));
    }

    #[test]
    fn a_fault_of_the_service_is_not_told_to_the_caller() {
        for problem in [Problem::from(Rejected::Failed("secret".into())), StoreError::Fatal("secret".into()).into()] {
            let told = serde_json::to_string(&problem).unwrap();
            assert!(problem.status() == StatusCode::INTERNAL_SERVER_ERROR && !told.contains("secret"), "{told}");
        }
    }

    #[test]
    fn a_refusal_has_its_word_as_its_kind() {
        let refused = Refused::new("already_dispatched", "Too late.");
        let told = serde_json::to_value(Problem::from(Rejected::Refused(refused))).unwrap();
        let expected = serde_json::json!({ "type": "/problems/already-dispatched", "title": "The request was refused",
            "status": 409, "detail": "Too late.", "reason": "already_dispatched" });
        assert_eq!(told, expected);
    }

    #[test]
    fn a_detail_is_bounded() {
        let problem = Problem::invalid("ä".repeat(2000), "ä".repeat(2000));
        assert_eq!((problem.detail.chars().count(), problem.field().unwrap().chars().count()), (501, 501));
    }
}
