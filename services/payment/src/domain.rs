//! One order's money: its states, the two effects on the gateway, and the decisions.

use choreography::{Do, Done, Effect, Key, State, Undo, cannot_happen, one_of};
use serde::{Deserialize, Serialize};
use shared_events::{
    CustomerId, DeclineReason, Line, Money, OrderId, Personal, Sealed,
    inventory::StockReserved,
    order::OrderCancelled,
    payment::{
        Event, PaymentCompleted, PaymentFailed, PaymentRefundRequested, PaymentRefunded, PaymentRequested,
        PaymentVoided,
    },
};
use std::{convert::Infallible, time::Duration};

/// Where the money of one order is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Payment {
    /// Never asked for.
    #[default]
    Unknown,
    /// The gateway is being asked.
    Charging,
    /// Taken: so much.
    Paid(Money),
    /// The order is cancelled; whatever was or will yet be taken goes back.
    Undoing,
    /// Nothing is held and nothing ever will be. Also the tombstone of an order cancelled before it was reserved.
    Closed,
}

shared_events::stored!(Payment, Charge, Refund);

impl State for Payment {
    type Topic = Event;
    const KIND: &'static str = "payment";

    fn evolve(&mut self, _order_id: &str, event: &Event) {
        *self = match event {
            Event::PaymentRequested(_) => Payment::Charging,
            Event::PaymentCompleted(completed) => Payment::Paid(completed.total.clone()),
            Event::PaymentRefundRequested(_) => Payment::Undoing,
            Event::PaymentFailed(_) | Event::PaymentVoided(_) | Event::PaymentRefunded(_) => Payment::Closed,
        }
    }
}

/// Take the money. It carries on what the services after payment need, so that nobody has to join topics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Charge {
    /// The order.
    pub order_id: OrderId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// What is paid for.
    pub lines: Vec<Line>,
    /// How much.
    pub amount: Money,
    /// Holds the payment token.
    pub sealed: Sealed<Personal>,
}

impl Effect for Charge {
    const NAME: &'static str = "charge";
    const FAMILY: &'static str = "payment";
    /// Longer than any order waits for its confirmation.
    const USEFUL_FOR: Option<Duration> = Some(Duration::from_secs(60 * 60));
    const UNDO: Undo = Undo::By(Refund::NAME);
    /// The gateway's receipt.
    type Done = String;
    /// A promise that nothing was taken and never will be.
    type Refused = DeclineReason;

    fn key(&self) -> Key {
        self.order_id.clone()
    }
    fn stale() -> Option<DeclineReason> {
        Some(DeclineReason::Stale)
    }
}

/// Give the money back. It needs no sealed data: a forgotten customer gets it back as well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refund {
    /// The order.
    pub order_id: OrderId,
    /// How much was taken.
    pub amount: Money,
}

impl Effect for Refund {
    const NAME: &'static str = "refund";
    const FAMILY: &'static str = "payment";
    const UNDO: Undo = Undo::IsUndo;
    type Done = ();
    /// A refund cannot be refused: where the gateway will not, it is stuck, and a person looks.
    type Refused = Infallible;

    fn key(&self) -> Key {
        self.order_id.clone()
    }
}

/// Charges a reserved order, unless it is cancelled already.
#[must_use]
pub fn charge(reserved: &StockReserved, payment: &Payment) -> Option<(PaymentRequested, Do<Charge>)> {
    match payment {
        Payment::Unknown => {
            let requested = PaymentRequested { order_id: reserved.order_id.clone(), amount: reserved.total.clone() };
            let charge = Charge {
                order_id: reserved.order_id.clone(),
                customer_id: reserved.customer_id.clone(),
                lines: reserved.lines.clone(),
                amount: reserved.total.clone(),
                sealed: reserved.sealed.clone(),
            };
            Some((requested, Do(charge)))
        }
        Payment::Closed => None, // cancelled before the stock was reserved
        other => cannot_happen(other, "StockReserved"),
    }
}

/// What the end of a charge leads to.
#[derive(Clone, Debug, PartialEq)]
pub enum Charged {
    /// Taken, and wanted.
    Completed(PaymentCompleted),
    /// Refused; that closes payment.
    Failed(PaymentFailed),
    /// Refused, and the order is cancelled meanwhile.
    Voided(PaymentVoided),
    /// Taken, but the order is cancelled meanwhile.
    GiveBack(Do<Refund>),
}
one_of!(Charged: Event {
    Completed(PaymentCompleted), Failed(PaymentFailed), Voided(PaymentVoided), GiveBack(Do<Refund>)
});

/// The definite end of a charge, before or after a cancel.
#[must_use]
pub fn charged(done: &Done<Charge>, payment: &Payment) -> Charged {
    let order_id = done.asked.order_id.clone();
    match (payment, &done.outcome) {
        (Payment::Charging, Ok(receipt)) => Charged::Completed(done.asked.completed(receipt)),
        (Payment::Charging, Err(reason)) => Charged::Failed(PaymentFailed { order_id, reason: *reason }),
        (Payment::Undoing, Ok(_)) => Charged::GiveBack(Do(Refund { order_id, amount: done.asked.amount.clone() })),
        (Payment::Undoing, Err(_)) => Charged::Voided(PaymentVoided { order_id }),
        (other, Ok(_)) => cannot_happen(other, "Done<Charge>"),
        (other, Err(_)) => cannot_happen(other, "Refused<Charge>"),
    }
}

impl Charge {
    fn completed(&self, receipt: &str) -> PaymentCompleted {
        PaymentCompleted {
            order_id: self.order_id.clone(),
            customer_id: self.customer_id.clone(),
            lines: self.lines.clone(),
            total: self.amount.clone(),
            receipt: receipt.to_owned(),
            sealed: self.sealed.clone(),
        }
    }
}

/// What a cancelled order leads to.
#[derive(Clone, Debug, PartialEq)]
pub enum Undone {
    /// Nothing was taken and nothing will be; also the tombstone.
    Voided(PaymentVoided),
    /// Whatever the charge under way takes goes back as soon as its end is known.
    WhenCharged(PaymentRefundRequested),
    /// What was taken goes back now.
    Now((PaymentRefundRequested, Do<Refund>)),
    /// `PaymentFailed` was the answer.
    Answered(()),
}
one_of!(Undone: Event {
    Voided(PaymentVoided), WhenCharged(PaymentRefundRequested), Now((PaymentRefundRequested, Do<Refund>)), Answered(())
});

/// The one undo path. Every cancel is answered in the end by `PaymentVoided`, `PaymentRefunded` or an earlier
/// `PaymentFailed`.
#[must_use]
pub fn undo(cancelled: &OrderCancelled, payment: &Payment) -> Undone {
    let order_id = cancelled.order_id.clone();
    match payment {
        Payment::Unknown => Undone::Voided(PaymentVoided { order_id }),
        Payment::Charging => Undone::WhenCharged(PaymentRefundRequested { order_id }),
        Payment::Paid(amount) => {
            let refund = Refund { order_id: order_id.clone(), amount: amount.clone() };
            Undone::Now((PaymentRefundRequested { order_id }, Do(refund)))
        }
        Payment::Closed => Undone::Answered(()),
        Payment::Undoing => cannot_happen(payment, "OrderCancelled"),
    }
}

/// The money is back: payment's closing event.
#[must_use]
pub fn refunded(done: &Done<Refund>, payment: &Payment) -> PaymentRefunded {
    match (payment, &done.outcome) {
        (Payment::Undoing, Ok(())) => {
            PaymentRefunded { order_id: done.asked.order_id.clone(), amount: done.asked.amount.clone() }
        }
        (_, Err(never)) => match *never {},
        (other, Ok(())) => cannot_happen(other, "Done<Refund>"),
    }
}
