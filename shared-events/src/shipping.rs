//! What `shipping` says: the parcel, and an order's fate once it is confirmed.

use crate::{CancelledBy, NoLabelReason, OrderId};
use serde::{Deserialize, Serialize};

/// The carrier is being asked for a label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShipmentRequested {
    /// The order.
    pub order_id: OrderId,
}

/// There is a label. It moves nothing yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShipmentScheduled {
    /// The order.
    pub order_id: OrderId,
    /// The carrier's name for the parcel.
    pub label: String,
    /// Who carries it.
    pub carrier: String,
}

/// No carrier takes the parcel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShipmentSchedulingFailed {
    /// The order.
    pub order_id: OrderId,
    /// Why.
    pub reason: NoLabelReason,
}

/// The order is confirmed: the carrier may collect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShipmentReleased {
    /// The order.
    pub order_id: OrderId,
}

/// The carrier has the parcel. From here on nobody can cancel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShipmentDispatched {
    /// The order.
    pub order_id: OrderId,
}

/// The parcel was seen somewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrackingUpdated {
    /// The order.
    pub order_id: OrderId,
    /// The carrier's own id of the report, since reports come in any order and repeated.
    pub report_id: String,
    /// Where.
    pub place: String,
}

/// The parcel has arrived.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShipmentDelivered {
    /// The order.
    pub order_id: OrderId,
    /// The carrier's own id of the report.
    pub report_id: String,
}

/// The carrier is being asked to void the label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShipmentCancellationRequested {
    /// The order.
    pub order_id: OrderId,
    /// What made shipping ask.
    pub by: CancelledBy,
}

/// Closing event: no parcel will leave for this order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShipmentCancelled {
    /// The order.
    pub order_id: OrderId,
}

/// The customer asked to cancel, but the parcel had been collected already.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShipmentCancellationRejected {
    /// The order.
    pub order_id: OrderId,
}

choreography::topic!("shipping" via crate::codec::Avro {
    ShipmentRequested v 1 [order_id],
    ShipmentScheduled v 1 [order_id],
    ShipmentSchedulingFailed v 1 [order_id],
    ShipmentReleased v 1 [order_id],
    ShipmentDispatched v 1 [order_id],
    TrackingUpdated v 1 [order_id],
    ShipmentDelivered v 1 [order_id],
    ShipmentCancellationRequested v 1 [order_id],
    ShipmentCancelled v 1 [order_id],
    ShipmentCancellationRejected v 1 [order_id],
});
