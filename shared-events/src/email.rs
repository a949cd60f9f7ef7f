//! What `email` says: what the customer was told, by mail and by text message.

use crate::{NotSentReason, OrderId, Template};
use serde::{Deserialize, Serialize};

/// A mail went out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmailSent {
    /// The order.
    pub order_id: OrderId,
    /// What it says.
    pub template: Template,
    /// Its Message-ID, the same at every attempt.
    pub message_id: String,
}

/// A mail will not go out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmailFailed {
    /// The order.
    pub order_id: OrderId,
    /// What it would have said.
    pub template: Template,
    /// Its Message-ID, the same at every attempt.
    pub message_id: String,
    /// Why.
    pub reason: NotSentReason,
}

/// A text message went out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SmsSent {
    /// The order.
    pub order_id: OrderId,
    /// What it says.
    pub template: Template,
    /// Its id, the same at every attempt.
    pub message_id: String,
}

/// A text message will not go out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SmsFailed {
    /// The order.
    pub order_id: OrderId,
    /// What it would have said.
    pub template: Template,
    /// Its id, the same at every attempt.
    pub message_id: String,
    /// Why.
    pub reason: NotSentReason,
}

choreography::topic!("email" via crate::codec::Avro {
    EmailSent v 1 [order_id],
    EmailFailed v 1 [order_id],
    SmsSent v 1 [order_id],
    SmsFailed v 1 [order_id],
});
