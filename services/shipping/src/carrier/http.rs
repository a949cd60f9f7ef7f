//! The carrier over HTTP.
//!
//! A status alone decides nothing: a proxy, a wrong address or a wrong credential answers with one too. Only a document
//! of the carrier's own, under the status that belongs to it, ends a call; the rest is no answer.

use super::{Answer, BookRequest, Carrier, CarrierAnswer, CarrierError};
use runtime::remote::{NoReply, Remote, Reply, ServerUrl, StatusCode, UrlSetting, fits_an_event};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Where the carrier is.
pub const CARRIER_URL: UrlSetting =
    UrlSetting { name: "CARRIER_URL", scheme: "http", example: "http://127.0.0.1:8090/carrier" };

/// A carrier over HTTP.
pub struct HttpCarrier {
    remote: Remote,
}

/// A booking, as the carrier reads it.
#[derive(Serialize)]
struct Booking<'a> {
    order_id: &'a str,
    name: &'a str,
    street: &'a str,
    city: &'a str,
    postal_code: &'a str,
    country: &'a str,
}

/// A hand-over or a cancellation, as the carrier reads it.
#[derive(Serialize)]
struct Parcel<'a> {
    order_id: &'a str,
    label: &'a str,
}

/// How a call ended, as the carrier writes it.
#[derive(Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
enum Operation {
    Booked { label: String, carrier: String },
    NotServed { code: String },
    Accepted,
    AlreadyCollected,
    LabelVoid,
    Pending,
    Unknown,
}

impl HttpCarrier {
    /// The carrier at `base`; each call may take `timeout`.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(base: ServerUrl, timeout: Duration) -> Result<HttpCarrier, String> {
        Ok(HttpCarrier { remote: Remote::new("carrier", base, timeout)? })
    }

    async fn call(&self, path: &str, key: &str, body: &impl Serialize) -> Answer {
        let reply = self.remote.post(&[path], key, body).await.map_err(unavailable)?;
        let operation = reply.json();
        let belongs = match &operation {
            Some(Operation::Booked { .. } | Operation::Accepted) => reply.status == StatusCode::OK,
            Some(Operation::NotServed { .. }) => reply.status == StatusCode::UNPROCESSABLE_ENTITY,
            Some(Operation::AlreadyCollected | Operation::LabelVoid) => reply.status == StatusCode::CONFLICT,
            Some(Operation::Pending) => true,
            Some(Operation::Unknown) | None => false,
        };
        self.definite(&reply, operation.filter(|_| belongs))
    }

    fn definite(&self, reply: &Reply, operation: Option<Operation>) -> Answer {
        match operation {
            Some(Operation::Booked { label, carrier }) if fits_an_event(&label) && fits_an_event(&carrier) => {
                Ok(CarrierAnswer::Booked { label, carrier })
            }
            Some(Operation::NotServed { code }) if fits_an_event(&code) => Ok(CarrierAnswer::NotServed { code }),
            Some(Operation::Accepted) => Ok(CarrierAnswer::Accepted),
            Some(Operation::AlreadyCollected) => Ok(CarrierAnswer::AlreadyCollected),
            Some(Operation::LabelVoid) => Ok(CarrierAnswer::LabelVoid),
            Some(Operation::Pending) => Err(CarrierError::Unavailable("still in progress".into())),
            _ => Err(CarrierError::Unavailable(self.remote.says_nothing(reply))),
        }
    }
}

impl Carrier for HttpCarrier {
    async fn book(&self, key: &str, request: &BookRequest) -> Answer {
        let BookRequest { order_id, name, street, city, postal_code, country } = request;
        self.call("labels", key, &Booking { order_id, name, street, city, postal_code, country }).await
    }

    async fn hand_over(&self, key: &str, order_id: &str, label: &str) -> Answer {
        self.call("hand-overs", key, &Parcel { order_id, label }).await
    }

    async fn cancel(&self, key: &str, order_id: &str, label: &str) -> Answer {
        self.call("cancellations", key, &Parcel { order_id, label }).await
    }

    async fn find(&self, key: &str) -> Result<Option<CarrierAnswer>, CarrierError> {
        let reply = self.remote.get(&["operations", key]).await.map_err(unavailable)?;
        match (reply.status, reply.json()) {
            (StatusCode::NOT_FOUND, Some(Operation::Unknown)) => Ok(None),
            (StatusCode::OK, operation) => self.definite(&reply, operation).map(Some),
            (_, pending @ Some(Operation::Pending)) => self.definite(&reply, pending).map(Some),
            _ => self.definite(&reply, None).map(Some),
        }
    }
}

fn unavailable(no_reply: NoReply) -> CarrierError {
    CarrierError::Unavailable(no_reply.to_string())
}
