//! What `inventory` says: stock, and the reservations orders hold on it.

use crate::{CustomerId, Line, Money, OrderId, Personal, Sealed, Shortage, Sku};
use serde::{Deserialize, Serialize};

/// Every line of an order is set aside for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StockReserved {
    /// The order.
    pub order_id: OrderId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// What is reserved.
    pub lines: Vec<Line>,
    /// What is to be charged.
    pub total: Money,
    /// For the charge and the label.
    pub sealed: Sealed<Personal>,
}

/// Not every line could be reserved, so none is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StockReservationFailed {
    /// The order.
    pub order_id: OrderId,
    /// Every line that was short.
    pub short: Vec<Shortage>,
}

/// Closing event: a cancelled order holds no stock any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StockReleased {
    /// The order.
    pub order_id: OrderId,
    /// What it held; perhaps nothing.
    pub lines: Vec<Line>,
}

/// The parcel is out: what was reserved has left the warehouse.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StockDeducted {
    /// The order.
    pub order_id: OrderId,
    /// What left.
    pub lines: Vec<Line>,
}

/// Goods came in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StockReplenished {
    /// What came.
    pub sku: Sku,
    /// Names the delivery, so that booking it twice changes nothing.
    pub delivery: String,
    /// How many.
    pub quantity: i64,
}

/// What is available of an article fell below its threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LowStockWarning {
    /// The article.
    pub sku: Sku,
    /// How many are left to reserve.
    pub available: i64,
    /// Below how many it is said.
    pub threshold: i64,
}

choreography::topic!("inventory" via crate::codec::Avro {
    StockReserved v 1 [order_id],
    StockReservationFailed v 1 [order_id],
    StockReleased v 1 [order_id],
    StockDeducted v 1 [order_id],
    StockReplenished v 1 [sku],
    LowStockWarning v 1 [sku],
});
