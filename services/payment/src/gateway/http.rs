//! The payment gateway over HTTP.
//!
//! A status alone decides nothing: a proxy, a wrong address or a wrong credential answers with one too. Only a document
//! of the gateway's own, under the status that belongs to it, ends a charge or a refund; the rest is no answer.

use super::{CaptureRequest, Gateway, GatewayAnswer, GatewayError, RefundRequest};
use runtime::remote::{NoReply, Remote, Reply, ServerUrl, StatusCode, UrlSetting, fits_an_event};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Where the payment gateway is.
pub const PAYMENT_GATEWAY_URL: UrlSetting =
    UrlSetting { name: "PAYMENT_GATEWAY_URL", scheme: "http", example: "http://127.0.0.1:8090/gateway" };

/// A payment gateway over HTTP.
pub struct HttpGateway {
    remote: Remote,
}

/// What to capture, as the gateway reads it.
#[derive(Serialize)]
struct Capture<'a> {
    order_id: &'a str,
    amount_minor: i64,
    currency: &'a str,
    token: &'a str,
}

/// What to refund, as the gateway reads it.
#[derive(Serialize)]
struct Refund<'a> {
    order_id: &'a str,
    amount_minor: i64,
    currency: &'a str,
    capture_key: &'a str,
}

/// How a call stands, as the gateway writes it.
#[derive(Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
enum Operation {
    Succeeded { receipt: String },
    Declined { code: String },
    Pending,
    Unknown,
}

impl HttpGateway {
    /// The gateway at `base`; each call may take `timeout`.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(base: ServerUrl, timeout: Duration) -> Result<HttpGateway, String> {
        Ok(HttpGateway { remote: Remote::new("payment gateway", base, timeout)? })
    }

    async fn call(&self, path: &str, key: &str, body: &impl Serialize) -> Result<GatewayAnswer, GatewayError> {
        let reply = self.remote.post(&[path], key, body).await.map_err(unavailable)?;
        let answer = match (reply.status, reply.json()) {
            (StatusCode::OK, Some(Operation::Succeeded { receipt })) => succeeded(receipt),
            (StatusCode::PAYMENT_REQUIRED | StatusCode::UNPROCESSABLE_ENTITY, Some(Operation::Declined { code })) => {
                declined(code)
            }
            (_, Some(Operation::Pending)) => return Err(in_progress()),
            _ => None,
        };
        answer.ok_or_else(|| self.no_answer(&reply))
    }

    fn no_answer(&self, reply: &Reply) -> GatewayError {
        GatewayError::Unavailable(self.remote.says_nothing(reply))
    }
}

impl Gateway for HttpGateway {
    async fn capture(&self, key: &str, request: &CaptureRequest) -> Result<GatewayAnswer, GatewayError> {
        let CaptureRequest { order_id, amount, token } = request;
        let (amount_minor, currency) = (amount.amount_minor, &*amount.currency);
        self.call("captures", key, &Capture { order_id, amount_minor, currency, token }).await
    }

    async fn refund(&self, key: &str, request: &RefundRequest) -> Result<GatewayAnswer, GatewayError> {
        let RefundRequest { order_id, amount, capture_key } = request;
        let (amount_minor, currency) = (amount.amount_minor, &*amount.currency);
        self.call("refunds", key, &Refund { order_id, amount_minor, currency, capture_key }).await
    }

    async fn find(&self, key: &str) -> Result<Option<GatewayAnswer>, GatewayError> {
        let reply = self.remote.get(&["operations", key]).await.map_err(unavailable)?;
        let answer = match (reply.status, reply.json()) {
            (StatusCode::OK, Some(Operation::Succeeded { receipt })) => succeeded(receipt),
            (StatusCode::OK, Some(Operation::Declined { code })) => declined(code),
            (StatusCode::NOT_FOUND, Some(Operation::Unknown)) => return Ok(None),
            (_, Some(Operation::Pending)) => return Err(in_progress()),
            _ => None,
        };
        answer.map(Some).ok_or_else(|| self.no_answer(&reply))
    }
}

fn succeeded(receipt: String) -> Option<GatewayAnswer> {
    fits_an_event(&receipt).then_some(GatewayAnswer::Succeeded { receipt })
}

fn declined(code: String) -> Option<GatewayAnswer> {
    fits_an_event(&code).then_some(GatewayAnswer::Declined { code })
}

fn in_progress() -> GatewayError {
    GatewayError::Unavailable("still in progress".into())
}

fn unavailable(no_reply: NoReply) -> GatewayError {
    GatewayError::Unavailable(no_reply.to_string())
}
