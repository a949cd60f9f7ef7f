//! An order as the API shows it, and what an open one waits for.

use crate::domain::{Deadline, Order, Placed};
use choreography::Timer;
use runtime::{
    LogRow, Versioned, WorkRow,
    http::{Problem, Timestamp},
};
use serde::Serialize;
use shared_events::{CancelReason, Participant};
use std::sync::Arc;
use utoipa::{
    ToSchema,
    openapi::{
        ObjectBuilder, RefOr,
        schema::{Schema, SchemaType, Type},
    },
};

/// The states of an order as its customer sees it.
pub(super) const STATES: [&str; 4] = ["pending", "confirmed", "completed", "cancelled"];

/// An order.
#[derive(Serialize, ToSchema)]
pub(super) struct OrderView {
    /// Names it: 32 lowercase hexadecimal digits.
    #[schema(example = "5f0c6e1b9a4d4c0f8e2b7a6d3c1e9f80")]
    order_id: String,
    /// Who placed it.
    #[schema(example = "c-42")]
    customer_id: String,
    /// `pending`: accepted, not yet certain. `confirmed`: it will be delivered, or is on its way. `completed`:
    /// delivered. `cancelled`: it is off, perhaps not yet undone.
    #[schema(schema_with = state_words)]
    state: &'static str,
    /// Nothing more will happen: it is completed, or cancelled and everything is undone.
    settled: bool,
    /// Why it is cancelled; null unless it is.
    #[schema(schema_with = reason_words)]
    reason: Option<&'static str>,
    /// What it costs.
    total: MoneyView,
    /// What was ordered, at the prices of that moment.
    lines: Vec<LineView>,
    /// How many events of the order service have changed it.
    #[schema(example = 7)]
    version: u64,
    /// The trace of everything that happened because of it: its id.
    #[schema(example = "5f0c6e1b9a4d4c0f8e2b7a6d3c1e9f80")]
    trace_id: String,
    /// When it was accepted.
    placed_at: Timestamp,
}

/// An order, and what it waits for.
#[derive(Serialize, ToSchema)]
pub(super) struct OrderDetail {
    #[serde(flatten)]
    order: OrderView,
    /// What has to happen next, by what the order service knows; null once the order is settled.
    waiting_for: Option<WaitingFor>,
}

/// An amount of money.
#[derive(Serialize, ToSchema)]
pub(super) struct MoneyView {
    /// In the currency's smallest unit.
    #[schema(example = 2590)]
    amount_minor: i64,
    /// ISO 4217.
    #[schema(example = "EUR")]
    currency: String,
}

/// One line of an order.
#[derive(Serialize, ToSchema)]
pub(super) struct LineView {
    /// What.
    #[schema(example = "TEA-001")]
    sku: String,
    /// How many.
    #[schema(example = 2)]
    quantity: i64,
    /// What one costs, in the smallest unit of the total's currency.
    #[schema(example = 1295)]
    unit_price_minor: i64,
}

/// What has to happen next.
#[derive(Serialize, ToSchema)]
pub(super) struct WaitingFor {
    /// Whose turn it is.
    #[schema(example = "shipping")]
    service: &'static str,
    /// The event that would end the waiting.
    #[schema(example = "ShipmentScheduled")]
    event: &'static str,
    /// Since when: the last thing the order service said about the order.
    since: Timestamp,
    /// When the order is given up unless it happens before; null where the order service does not give up.
    until: Option<Timestamp>,
}

pub(super) fn state_words() -> impl Into<RefOr<Schema>> {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(STATES)).examples(["confirmed"]).build()
}

fn reason_words() -> impl Into<RefOr<Schema>> {
    let words = CancelReason::ALL.iter().map(|reason| Some(reason.as_str())).chain([None]);
    let nullable = SchemaType::from_iter([Type::String, Type::Null]);
    ObjectBuilder::new().schema_type(nullable).enum_values(Some(words)).examples(["out_of_stock"]).build()
}

impl OrderView {
    /// Nothing for an order that was never placed.
    pub(super) fn of(found: &Versioned<Order>) -> Option<OrderView> {
        let (order, placed) = (&found.state, found.state.placed()?);
        let Placed { order_id, customer_id, lines, total, placed_at, .. } = &**placed;
        let line = |line: &shared_events::Line| LineView {
            sku: line.sku.clone(),
            quantity: line.quantity,
            unit_price_minor: line.unit_price_minor,
        };
        Some(OrderView {
            order_id: order_id.clone(),
            customer_id: customer_id.clone(),
            state: order.public_state()?.as_str(),
            settled: order.settled(),
            reason: order.reason().map(CancelReason::as_str),
            total: MoneyView { amount_minor: total.amount_minor, currency: total.currency.clone() },
            lines: lines.iter().map(line).collect(),
            version: found.version,
            trace_id: order_id.clone(),
            placed_at: Timestamp::from_millis(*placed_at),
        })
    }
}

impl OrderDetail {
    /// `log` and `work` are the order service's own, about this order.
    pub(super) fn of(found: &Versioned<Order>, log: &[Arc<LogRow>], work: &[WorkRow]) -> Result<OrderDetail, Problem> {
        let order = OrderView::of(found).ok_or_else(|| Problem::internal("an order without what was placed"))?;
        let waiting_for = awaited(&found.state).map(|(service, event)| WaitingFor {
            service,
            event,
            since: log.last().map_or(order.placed_at, |row| Timestamp(row.at)),
            until: deadline(&found.state, work),
        });
        Ok(OrderDetail { order, waiting_for })
    }
}

/// Whose event the order waits for; nothing for one that is settled.
fn awaited(order: &Order) -> Option<(&'static str, &'static str)> {
    match order {
        Order::Pending(_) => Some(("shipping", "ShipmentScheduled")),
        Order::Confirmed(_) => Some(("shipping", "ShipmentDispatched")),
        Order::CancelAsked(_) => Some(("shipping", "ShipmentCancelled")),
        Order::Dispatched(_) => Some(("shipping", "ShipmentDelivered")),
        Order::Cancelled(cancellation) => first_open(&cancellation.closed),
        Order::Unknown | Order::Completed(_) | Order::Undone(_) => None,
    }
}

/// The first who has not closed. Payment may close in three ways; the money going back is what a customer waits for.
fn first_open(closed: &[Participant]) -> Option<(&'static str, &'static str)> {
    let open = Participant::ALL.iter().find(|participant| !closed.contains(participant))?;
    let event = match open {
        Participant::Inventory => "StockReleased",
        Participant::Payment => "PaymentRefunded",
        Participant::Shipping => "ShipmentCancelled",
    };
    Some((open.as_str(), event))
}

/// The timer outlives the waiting it is for, so only a pending order has a deadline.
fn deadline(order: &Order, work: &[WorkRow]) -> Option<Timestamp> {
    let timer = work.iter().find(|row| row.name == Deadline::NAME)?;
    matches!(order, Order::Pending(_)).then_some(Timestamp(timer.due))
}
