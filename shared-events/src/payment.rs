//! What `payment` says: one charge per order, and its way back.

use crate::{CustomerId, DeclineReason, Line, Money, OrderId, Personal, Sealed};
use serde::{Deserialize, Serialize};

/// The gateway is being asked for the money.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaymentRequested {
    /// The order.
    pub order_id: OrderId,
    /// How much.
    pub amount: Money,
}

/// The money is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaymentCompleted {
    /// The order.
    pub order_id: OrderId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// What the parcel will hold.
    pub lines: Vec<Line>,
    /// What was charged.
    pub total: Money,
    /// The gateway's name for the charge.
    pub receipt: String,
    /// For the label.
    pub sealed: Sealed<Personal>,
}

/// The charge was refused. Also payment's closing event, should the order be cancelled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaymentFailed {
    /// The order.
    pub order_id: OrderId,
    /// Why.
    pub reason: DeclineReason,
}

/// Closing event: the order was cancelled before anything was charged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaymentVoided {
    /// The order.
    pub order_id: OrderId,
}

/// The order was cancelled after its charge was asked for: the money goes back as soon as that is known to be there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaymentRefundRequested {
    /// The order.
    pub order_id: OrderId,
}

/// Closing event: the customer has the money back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaymentRefunded {
    /// The order.
    pub order_id: OrderId,
    /// How much went back.
    pub amount: Money,
}

choreography::topic!("payment" via crate::codec::Avro {
    PaymentRequested v 1 [order_id],
    PaymentCompleted v 1 [order_id],
    PaymentFailed v 1 [order_id],
    PaymentVoided v 1 [order_id],
    PaymentRefundRequested v 1 [order_id],
    PaymentRefunded v 1 [order_id],
});
