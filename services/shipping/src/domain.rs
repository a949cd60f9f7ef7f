//! One order's parcel: its states, how own events change them, and what is asked of the carrier.

use choreography::{Effect, Key, State, Timer, Topic, Undo, cannot_happen};
use serde::{Deserialize, Serialize};
use shared_events::{CancelledBy, CustomerId, NoLabelReason, OrderId, Personal, Sealed, shipping::Event};
use std::{collections::BTreeSet, time::Duration};

/// Where the parcel of one order is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Shipment {
    /// Never asked for.
    #[default]
    Unknown,
    /// The carrier is being asked for a label.
    Booking,
    /// There is a label. It moves nothing yet.
    Scheduled {
        /// The carrier's name for the parcel.
        label: String,
    },
    /// No carrier takes it.
    Failed,
    /// The order is confirmed and the carrier may collect: from here on the carrier decides.
    Released {
        /// The carrier's name for the parcel.
        label: String,
    },
    /// The order was cancelled before the release; the label, if there is or will be one, is voided.
    Undoing,
    /// Called back after the release; the carrier says whether in time.
    Cancelling {
        /// The customer asked, and must hear if it was too late.
        asked: bool,
    },
    /// Out.
    Dispatched {
        /// The carrier's ids of the tracking reports that were passed on: they repeat.
        seen: BTreeSet<String>,
    },
    /// Arrived.
    Delivered,
    /// No parcel will leave. Also the tombstone of an order cancelled before it was paid.
    Closed,
}

shared_events::stored!(Shipment, BookLabel, HandOver, CancelLabel, PickUp);

impl State for Shipment {
    type Topic = Event;
    const KIND: &'static str = "shipment";

    fn evolve(&mut self, _order_id: &str, event: &Event) {
        *self = match event {
            Event::ShipmentRequested(_) => Shipment::Booking,
            Event::ShipmentScheduled(scheduled) => Shipment::Scheduled { label: scheduled.label.clone() },
            Event::ShipmentSchedulingFailed(_) => Shipment::Failed,
            Event::ShipmentReleased(_) => self.released(event),
            Event::ShipmentCancellationRequested(requested) => self.called_back(requested.by),
            Event::ShipmentCancelled(_) => Shipment::Closed,
            Event::ShipmentDispatched(_) => Shipment::Dispatched { seen: BTreeSet::new() },
            Event::TrackingUpdated(update) => self.seen(event, &update.report_id),
            Event::ShipmentDelivered(_) => Shipment::Delivered,
            Event::ShipmentCancellationRejected(_) => return,
        }
    }
}

impl Shipment {
    fn released(&self, event: &Event) -> Shipment {
        match self {
            Shipment::Scheduled { label } => Shipment::Released { label: label.clone() },
            other => cannot_happen(other, event.name()),
        }
    }

    /// Only a cancelled order calls back a parcel that was never released.
    fn called_back(&self, by: CancelledBy) -> Shipment {
        match by {
            CancelledBy::OrderCancelled => Shipment::Undoing,
            CancelledBy::Customer => Shipment::Cancelling { asked: true },
            CancelledBy::PickUpDeadline | CancelledBy::Carrier => Shipment::Cancelling { asked: false },
        }
    }

    fn seen(&self, event: &Event, report_id: &str) -> Shipment {
        match self {
            Shipment::Dispatched { seen } => {
                let seen = seen.iter().cloned().chain([report_id.to_owned()]).collect();
                Shipment::Dispatched { seen }
            }
            other => cannot_happen(other, event.name()),
        }
    }
}

/// Effects on the label of one order run one at a time, in the order in which they were asked for.
const LABEL: &str = "label";

/// Ask for a label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BookLabel {
    /// The order.
    pub order_id: OrderId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// Holds the address.
    pub sealed: Sealed<Personal>,
}

/// What the carrier gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The carrier's name for the parcel.
    pub label: String,
    /// Who carries it.
    pub carrier: String,
}

impl Effect for BookLabel {
    const NAME: &'static str = "book_label";
    const FAMILY: &'static str = LABEL;
    /// Longer than any order waits for its confirmation.
    const USEFUL_FOR: Option<Duration> = Some(Duration::from_secs(60 * 60));
    const UNDO: Undo = Undo::By(CancelLabel::NAME);
    type Done = Label;
    type Refused = NoLabelReason;

    fn key(&self) -> Key {
        self.order_id.clone()
    }
    fn stale() -> Option<NoLabelReason> {
        Some(NoLabelReason::Stale)
    }
}

/// Let the carrier collect the parcel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandOver {
    /// The order.
    pub order_id: OrderId,
    /// The carrier's name for the parcel.
    pub label: String,
}

/// The carrier will not collect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotCollectable {
    /// The carrier's word for why.
    pub code: String,
}

impl Effect for HandOver {
    const NAME: &'static str = "hand_over";
    const FAMILY: &'static str = LABEL;
    const UNDO: Undo = Undo::By(CancelLabel::NAME);
    type Done = ();
    type Refused = NotCollectable;

    fn key(&self) -> Key {
        self.order_id.clone()
    }
}

/// Void the label, so that the parcel is not collected. It needs no sealed data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelLabel {
    /// The order.
    pub order_id: OrderId,
    /// The carrier's name for the parcel.
    pub label: String,
}

/// The one reason for which voiding a label is refused: the carrier has the parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlreadyCollected;

impl Effect for CancelLabel {
    const NAME: &'static str = "cancel_label";
    const FAMILY: &'static str = LABEL;
    const UNDO: Undo = Undo::IsUndo;
    type Done = ();
    type Refused = AlreadyCollected;

    fn key(&self) -> Key {
        self.order_id.clone()
    }
}

/// By when a released parcel must be collected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PickUp {
    /// The order.
    pub order_id: OrderId,
}

impl Timer for PickUp {
    const NAME: &'static str = "pick_up";
    fn key(&self) -> Key {
        self.order_id.clone()
    }
}
