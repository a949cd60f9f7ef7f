//! One order: its states, how its own events change them, and the commands and the deadline that act on it.

use crate::requests::{Request, request_of};
use choreography::{After, Due, Input, Key, Origin, Refused, State, States, Timer, cannot_happen, one_of};
use serde::{Deserialize, Serialize};
use shared_events::{
    CancelReason, CustomerId, Fingerprint, Line, Money, OrderId, Participant, Personal, Sealed,
    order::{Event, OrderCancellationRequested, OrderCancelled, OrderPlaced},
};
use std::{sync::Arc, time::Duration};

/// Everyone who must close before a cancelled order is undone.
pub const PARTICIPANTS: [Participant; 3] = [Participant::Inventory, Participant::Payment, Participant::Shipping];

/// What an order remembers for good from the moment it was placed: for its later events, for the same answer to the
/// same request, and for whoever asks about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Placed {
    /// The order.
    pub order_id: OrderId,
    /// Who placed it.
    pub customer_id: CustomerId,
    /// What was ordered.
    pub lines: Vec<Line>,
    /// What it costs.
    pub total: Money,
    /// A keyed hash of the request: equal means the same request again.
    pub fingerprint: Fingerprint,
    /// Whether the customer gave a phone number; the number itself is sealed.
    pub phone_given: bool,
    /// When it was placed, in milliseconds since 1970.
    pub placed_at: i64,
    /// How long after that it is given up unless it is confirmed, in milliseconds.
    pub deadline_ms: i64,
    /// Who and where the customer is, opaque to this service.
    pub sealed: Sealed<Personal>,
}

/// A cancelled order on its way to being undone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cancellation {
    /// What was placed.
    pub placed: Arc<Placed>,
    /// Why it was cancelled.
    pub reason: CancelReason,
    /// Who has said their closing event.
    pub closed: Vec<Participant>,
}

/// Where an order stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Order {
    /// Never placed.
    #[default]
    Unknown,
    /// Placed; this service may still give it up.
    Pending(Arc<Placed>),
    /// Reserved, paid and labelled: from here on shipping decides.
    Confirmed(Arc<Placed>),
    /// The customer wants it back; shipping tries.
    CancelAsked(Arc<Placed>),
    /// The parcel is out: too late to cancel.
    Dispatched(Arc<Placed>),
    /// Delivered. Nothing more happens.
    Completed(Arc<Placed>),
    /// Cancelled; not everybody has closed yet.
    Cancelled(Cancellation),
    /// Cancelled and undone completely. Nothing more happens.
    Undone(Cancellation),
}

/// An order's state as its customer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PublicState {
    /// Accepted, and not yet certain.
    Pending,
    /// Certain, up to the moment of delivery.
    Confirmed,
    /// Delivered.
    Completed,
    /// Cancelled, perhaps not yet undone.
    Cancelled,
}

impl PublicState {
    /// The word that the API uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            PublicState::Pending => "pending",
            PublicState::Confirmed => "confirmed",
            PublicState::Completed => "completed",
            PublicState::Cancelled => "cancelled",
        }
    }
}

impl Order {
    /// What was placed; nothing for an order that never was.
    #[must_use]
    pub fn placed(&self) -> Option<&Arc<Placed>> {
        match self {
            Order::Unknown => None,
            Order::Pending(placed)
            | Order::Confirmed(placed)
            | Order::CancelAsked(placed)
            | Order::Dispatched(placed)
            | Order::Completed(placed) => Some(placed),
            Order::Cancelled(cancellation) | Order::Undone(cancellation) => Some(&cancellation.placed),
        }
    }

    /// The state as the customer sees it; nothing for an order that never was placed.
    #[must_use]
    pub fn public_state(&self) -> Option<PublicState> {
        match self {
            Order::Unknown => None,
            Order::Pending(_) => Some(PublicState::Pending),
            Order::Confirmed(_) | Order::CancelAsked(_) | Order::Dispatched(_) => Some(PublicState::Confirmed),
            Order::Completed(_) => Some(PublicState::Completed),
            Order::Cancelled(_) | Order::Undone(_) => Some(PublicState::Cancelled),
        }
    }

    /// Whether nothing more will happen to it: completed, or cancelled and undone by everybody.
    #[must_use]
    pub fn settled(&self) -> bool {
        matches!(self, Order::Completed(_) | Order::Undone(_))
    }

    /// Why it was cancelled, and who has closed; nothing unless it was.
    #[must_use]
    pub fn cancellation(&self) -> Option<&Cancellation> {
        match self {
            Order::Cancelled(cancellation) | Order::Undone(cancellation) => Some(cancellation),
            _ => None,
        }
    }

    /// Why it was cancelled.
    #[must_use]
    pub fn reason(&self) -> Option<CancelReason> {
        self.cancellation().map(|cancellation| cancellation.reason)
    }

    fn known(&self, event: &Event) -> Arc<Placed> {
        match self.placed() {
            Some(placed) => Arc::clone(placed),
            None => cannot_happen(self, choreography::Topic::name(event)),
        }
    }

    fn closed_by(&self, event: &Event, by: &[Participant]) -> Cancellation {
        let Some(before) = self.cancellation() else { cannot_happen(self, choreography::Topic::name(event)) };
        let mut after = before.clone();
        after.closed.extend(by.iter().copied().filter(|p| !before.closed.contains(p)));
        after
    }
}

shared_events::stored!(Order);

impl State for Order {
    type Topic = Event;
    const KIND: &'static str = "order";

    fn evolve(&mut self, _order_id: &str, event: &Event) {
        *self = match event {
            Event::OrderPlaced(placed) => Order::Pending(Arc::new(Placed::from(placed))),
            Event::OrderConfirmed(_) => Order::Confirmed(self.known(event)),
            Event::OrderCancellationRequested(_) => Order::CancelAsked(self.known(event)),
            Event::OrderDispatched(_) => Order::Dispatched(self.known(event)),
            Event::OrderCompleted(_) => Order::Completed(self.known(event)),
            Event::OrderCancelled(cancelled) => Order::Cancelled(Cancellation {
                placed: self.known(event),
                reason: cancelled.reason,
                closed: cancelled.closed.clone(),
            }),
            Event::OrderUndoProgressed(progressed) => {
                Order::Cancelled(self.closed_by(event, &[progressed.participant]))
            }
            Event::OrderUndone(_) => Order::Undone(self.closed_by(event, &PARTICIPANTS)),
        }
    }
}

/// The one event that changes a list, or what a request has placed.
pub(crate) fn placed(event: &Event) -> Option<&OrderPlaced> {
    match event {
        Event::OrderPlaced(placed) => Some(placed),
        Event::OrderConfirmed(_)
        | Event::OrderCancellationRequested(_)
        | Event::OrderDispatched(_)
        | Event::OrderCompleted(_)
        | Event::OrderCancelled(_)
        | Event::OrderUndoProgressed(_)
        | Event::OrderUndone(_) => None,
    }
}

impl From<&OrderPlaced> for Placed {
    fn from(placed: &OrderPlaced) -> Placed {
        Placed {
            order_id: placed.order_id.clone(),
            customer_id: placed.customer_id.clone(),
            lines: placed.lines.clone(),
            total: placed.total(),
            fingerprint: placed.fingerprint,
            phone_given: placed.phone_given,
            placed_at: placed.placed_at,
            deadline_ms: placed.deadline_ms,
            sealed: placed.sealed.clone(),
        }
    }
}

/// Places an order. Its id is derived from the customer and the Idempotency-Key, so the order itself remembers that it
/// was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct PlaceOrder {
    /// The order's id, which is also its trace id.
    pub order_id: OrderId,
    /// Who places it.
    pub customer_id: CustomerId,
    /// What is ordered, at the shop's prices.
    pub lines: Vec<Line>,
    /// What it costs.
    pub total: Money,
    /// A keyed hash of the canonical request.
    pub fingerprint: Fingerprint,
    /// Whether a phone number is among the sealed data.
    pub phone_given: bool,
    /// When it is placed, in milliseconds since 1970.
    pub placed_at: i64,
    /// How long to wait for the confirmation before giving up.
    pub deadline: Duration,
    /// Who and where the customer is.
    pub sealed: Sealed<Personal>,
}

impl Input for PlaceOrder {
    const ORIGIN: Origin = Origin::Command("PlaceOrder");
    fn key(&self) -> Key {
        self.order_id.clone()
    }
}

/// The customer wants the order cancelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CancelOrder {
    /// The order.
    pub order_id: OrderId,
}

impl Input for CancelOrder {
    const ORIGIN: Origin = Origin::Command("CancelOrder");
    fn key(&self) -> Key {
        self.order_id.clone()
    }
}

/// By when an order must be confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline {
    /// The order.
    pub order_id: OrderId,
}

shared_events::stored!(Deadline);

impl Timer for Deadline {
    const NAME: &'static str = "deadline";
    fn key(&self) -> Key {
        self.order_id.clone()
    }
}

/// Accepts an order. The same request again has the same answer, whatever became of the order meanwhile.
///
/// # Errors
/// `idempotency_key_reused`: the key stands for another request.
pub fn place(ask: &PlaceOrder, now: &States) -> Result<Option<(OrderPlaced, After<Deadline>)>, Refused> {
    let placed_before = now.of::<Request>(request_of(&ask.order_id)).order_id.as_deref();
    accept(ask, now.of::<Order>(placed_before.unwrap_or(&ask.order_id)))
}

/// Accepts an order, given what the same request placed before, if anything.
///
/// # Errors
/// As [`place`].
pub fn accept(ask: &PlaceOrder, order: &Order) -> Result<Option<(OrderPlaced, After<Deadline>)>, Refused> {
    match order.placed() {
        None => Ok(Some((ask.accepted(), After(ask.deadline, Deadline { order_id: ask.order_id.clone() })))),
        Some(placed) if placed.fingerprint == ask.fingerprint => Ok(None),
        Some(_) => Err(Refused::new(
            "idempotency_key_reused",
            "This Idempotency-Key was used for another order request; send a new key with a changed request.",
        )),
    }
}

impl PlaceOrder {
    fn accepted(&self) -> OrderPlaced {
        OrderPlaced {
            order_id: self.order_id.clone(),
            customer_id: self.customer_id.clone(),
            lines: self.lines.clone(),
            total_minor: self.total.amount_minor,
            currency: self.total.currency.clone(),
            fingerprint: self.fingerprint,
            phone_given: self.phone_given,
            placed_at: self.placed_at,
            deadline_ms: i64::try_from(self.deadline.as_millis()).unwrap_or(i64::MAX),
            sealed: self.sealed.clone(),
        }
    }
}

/// The deadline that was set when an order was placed.
#[must_use]
pub fn deadline_of(placed: &OrderPlaced, _: &Order) -> After<Deadline> {
    let deadline = Duration::from_millis(u64::try_from(placed.deadline_ms).unwrap_or_default());
    After(deadline, Deadline { order_id: placed.order_id.clone() })
}

/// What a cancel leads to: the end, or a question to shipping.
#[derive(Clone, Debug, PartialEq)]
pub enum Cancel {
    /// This service may still decide alone.
    Now(OrderCancelled),
    /// Shipping decides.
    Ask(OrderCancellationRequested),
}
one_of!(Cancel: Event { Now(OrderCancelled), Ask(OrderCancellationRequested) });

/// Cancels for the customer, or asks shipping to. Repeating it is harmless.
///
/// # Errors
/// `unknown_order`, or `already_dispatched` once the parcel is known to be out.
pub fn cancel(ask: &CancelOrder, order: &Order) -> Result<Option<Cancel>, Refused> {
    match order {
        Order::Unknown => Err(Refused::new("unknown_order", format!("There is no order {}.", ask.order_id))),
        Order::Pending(placed) => Ok(Some(Cancel::Now(cancelled(placed, CancelReason::Customer, vec![])))),
        Order::Confirmed(placed) => Ok(Some(Cancel::Ask(OrderCancellationRequested {
            order_id: placed.order_id.clone(),
            customer_id: placed.customer_id.clone(),
            sealed: placed.sealed.clone(),
        }))),
        Order::CancelAsked(_) | Order::Cancelled(_) | Order::Undone(_) => Ok(None), // cancelled or asked for already
        Order::Dispatched(_) | Order::Completed(_) => {
            Err(Refused::new("already_dispatched", "The parcel is already on its way; it can no longer be cancelled."))
        }
    }
}

/// Gives up an order that was not confirmed in time.
#[must_use]
pub fn expire(_: &Due<Deadline>, order: &Order) -> Option<OrderCancelled> {
    match order {
        Order::Pending(placed) => Some(cancelled(placed, CancelReason::Deadline, vec![])),
        Order::Unknown
        | Order::Confirmed(_)
        | Order::CancelAsked(_)
        | Order::Dispatched(_)
        | Order::Completed(_)
        | Order::Cancelled(_)
        | Order::Undone(_) => None, // decided before it was due
    }
}

/// The one trigger of every compensation.
pub(crate) fn cancelled(placed: &Placed, reason: CancelReason, closed: Vec<Participant>) -> OrderCancelled {
    OrderCancelled {
        order_id: placed.order_id.clone(),
        customer_id: placed.customer_id.clone(),
        lines: placed.lines.clone(),
        total: placed.total.clone(),
        reason,
        closed,
        sealed: placed.sealed.clone(),
    }
}
