//! What `order` says: an order's fate until it is confirmed, and what became of it afterwards.

use crate::{CancelReason, CustomerId, Fingerprint, Line, Money, OrderId, Participant, Personal, Sealed};
use serde::{Deserialize, Serialize};

/// A customer's order was accepted; from here on it ends well or is undone completely.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderPlaced {
    /// The order.
    pub order_id: OrderId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// What was ordered, at the shop's prices.
    pub lines: Vec<Line>,
    /// What it costs, in the smallest unit of `currency`.
    pub total_minor: i64,
    /// ISO 4217. Since version 2; what was placed before is in EUR.
    pub currency: String,
    /// Of the request, so that its repetition is answered alike and another one under the same key is refused.
    pub fingerprint: Fingerprint,
    /// Whether the sealed data holds a phone number, so that nobody opens it in vain.
    pub phone_given: bool,
    /// When it was accepted, in milliseconds since 1970 UTC.
    pub placed_at: i64,
    /// How long it may take until it is confirmed, in milliseconds.
    pub deadline_ms: i64,
    /// Address, mail address, phone and payment token.
    pub sealed: Sealed<Personal>,
}

impl OrderPlaced {
    /// What it costs.
    #[must_use]
    pub fn total(&self) -> Money {
        Money { amount_minor: self.total_minor, currency: self.currency.clone() }
    }
}

/// Stock, money and label are there: the order will be served, and its fate is now shipping's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderConfirmed {
    /// The order.
    pub order_id: OrderId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// What it costs.
    pub total: Money,
    /// For the mail.
    pub sealed: Sealed<Personal>,
}

/// The customer wants a confirmed order cancelled; shipping decides whether that is still possible.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderCancellationRequested {
    /// The order.
    pub order_id: OrderId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// For the mail.
    pub sealed: Sealed<Personal>,
}

/// The order knows that its parcel is out: it can no longer be cancelled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderDispatched {
    /// The order.
    pub order_id: OrderId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// Whether the customer had asked to cancel, and must hear that it was too late.
    pub cancel_was_asked: bool,
    /// Whether a text message can be sent as well.
    pub phone_given: bool,
    /// For mail and text message.
    pub sealed: Sealed<Personal>,
}

/// The parcel has arrived: the order ended well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderCompleted {
    /// The order.
    pub order_id: OrderId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// What it cost.
    pub total: Money,
    /// For the mail.
    pub sealed: Sealed<Personal>,
}

/// The order is off: the one trigger of every compensation. Each participant answers with one closing event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderCancelled {
    /// The order.
    pub order_id: OrderId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// What was ordered.
    pub lines: Vec<Line>,
    /// What it would have cost.
    pub total: Money,
    /// Why.
    pub reason: CancelReason,
    /// Who has said its closing event already.
    pub closed: Vec<Participant>,
    /// For the mail.
    pub sealed: Sealed<Personal>,
}

/// One more participant of a cancelled order has undone its part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderUndoProgressed {
    /// The order.
    pub order_id: OrderId,
    /// Whose closing event came.
    pub participant: Participant,
}

/// Everything a cancelled order had set in motion is undone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderUndone {
    /// The order.
    pub order_id: OrderId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// For the mail.
    pub sealed: Sealed<Personal>,
}

choreography::topic!("order" via crate::codec::Avro {
    OrderPlaced v 2 [order_id],
    OrderConfirmed v 1 [order_id],
    OrderCancellationRequested v 1 [order_id],
    OrderDispatched v 1 [order_id],
    OrderCompleted v 1 [order_id],
    OrderCancelled v 1 [order_id],
    OrderUndoProgressed v 1 [order_id],
    OrderUndone v 1 [order_id],
});
