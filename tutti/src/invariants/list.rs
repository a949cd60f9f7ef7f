//! The list of all invariants: each with its number in the design, its sentence, and the function that holds the
//! evidence against it.

use super::{causes, closing, facts::Order, fold, inputs, logs, mail, money, orders, parcels, shelves};
use serde::{Deserialize, Serialize};

/// One thing that must be true.
pub struct Invariant {
    /// Its number in the design.
    pub number: u8,
    /// Its name, for tests and reports.
    pub name: &'static str,
    /// What must be true, as one sentence.
    pub statement: &'static str,
    /// Whether it holds at any moment.
    pub when: When,
    pub(super) how: How,
}

/// When an invariant holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// At any moment.
    Always,
    /// For an order for which nothing more is under way.
    AtRest,
}

/// How an invariant is held against the evidence.
pub(super) enum How {
    /// While rows go by, by the module that names it.
    Rows,
    /// By what is remembered of an order, whatever is still under way for it.
    Order(fn(&Order) -> Verdict),
    /// In the same way, but a violation counts only if a second look finds that nothing is under way.
    OrderAtRest(fn(&Order) -> Verdict),
}

/// What an invariant says about an order: nothing if it does not apply, or that it holds, or how it is broken.
pub(super) type Verdict = Option<Result<(), String>>;

/// Holds, or is broken as the sentence says.
pub(super) fn must(holds: bool, sentence: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(sentence()) }
}

/// Every invariant that one look at the evidence can tell about. The design's eleventh, that the same seed gives
/// the same history, concerns the simulation alone and is not among them.
pub const INVARIANTS: &[Invariant] = &[
    shelves::NO_OVERSELL,
    shelves::STOCK_CONSERVED,
    shelves::DELIVERIES_ONCE,
    orders::ACCEPTED_EXISTS,
    orders::ONE_ENDING,
    orders::EVERY_ORDER_ENDS,
    orders::CANCEL_ANSWERED,
    money::ONE_CAPTURE,
    money::REFUND_AFTER_CAPTURE,
    money::MOVED_AS_ASKED,
    money::MONEY_AS_TOLD,
    money::MONEY_SETTLED,
    parcels::PARCEL_EARNED,
    parcels::PARCEL_NOT_CANCELLED,
    parcels::ONE_PARCEL,
    parcels::PARCEL_AS_TOLD,
    parcels::NO_LIVE_LABEL,
    closing::ONE_CLOSING_EVENT,
    closing::UNDONE_AFTER_ALL,
    closing::SHIPPING_DECIDES,
    closing::STEPS_UNDONE,
    closing::COMPLETED_WHOLE,
    mail::MAIL_HAS_CAUSE,
    mail::MAIL_ONCE,
    mail::MAIL_IN_ORDER,
    mail::MAIL_AS_TOLD,
    mail::CUSTOMER_TOLD,
    logs::DENSE,
    logs::HEAD,
    logs::READABLE,
    logs::TIME_FORWARD,
    inputs::CURSORS,
    inputs::TAKEN_ONCE,
    inputs::SAID_IN_ORDER,
    inputs::NOT_PAST_PARKED,
    fold::STATE_IS_FOLD,
    causes::CAUSED,
    causes::ONE_TRACE,
    logs::EPOCHS,
];
