//! The books of the outside world as JSON.

use crate::{carrier, gateway, post};
use runtime::http::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// A page of the payment gateway's ledger, oldest first.
#[derive(Serialize, ToSchema)]
pub struct Ledger {
    /// The entries.
    pub entries: Vec<LedgerEntry>,
    /// What to give as `after` for the next page; null when there is none.
    pub next: Option<i64>,
}

/// One capture or refund. There is one entry per idempotency key.
#[derive(Serialize, ToSchema)]
pub struct LedgerEntry {
    /// The idempotency key.
    #[schema(example = "payment/charge/4bf92f3577b34da6a3ce929d0e0e4736")]
    pub key: String,
    /// The order.
    #[schema(example = "4bf92f3577b34da6a3ce929d0e0e4736")]
    pub order_id: String,
    /// `capture` or `refund`.
    #[schema(example = "capture")]
    pub kind: &'static str,
    /// `succeeded`, `declined` or, while it is in progress, `pending`.
    #[schema(example = "succeeded")]
    pub outcome: &'static str,
    /// Why it was declined.
    #[schema(example = "card_declined")]
    pub code: Option<String>,
    /// How much, in the currency's smallest unit.
    #[schema(example = 2590)]
    pub amount_minor: i64,
    /// ISO 4217 code.
    #[schema(example = "EUR")]
    pub currency: String,
    /// Of a refund, the key of the capture it gives back.
    pub capture_key: Option<String>,
    /// When it became, or will become, final.
    pub at: Timestamp,
}

impl From<gateway::Entry> for LedgerEntry {
    fn from(entry: gateway::Entry) -> LedgerEntry {
        let gateway::Entry { key, order_id, kind, amount_minor, currency, capture_key, outcome, at, .. } = entry;
        let (outcome, code) = match outcome {
            gateway::Outcome::Pending => ("pending", None),
            gateway::Outcome::Succeeded => ("succeeded", None),
            gateway::Outcome::Declined(code) => ("declined", Some(code)),
        };
        let kind = match kind {
            gateway::Kind::Capture => "capture",
            gateway::Kind::Refund => "refund",
        };
        LedgerEntry { key, order_id, kind, outcome, code, amount_minor, currency, capture_key, at: Timestamp(at) }
    }
}

/// A page of the carrier's book, oldest first.
#[derive(Serialize, ToSchema)]
pub struct Parcels {
    /// The parcels.
    pub parcels: Vec<Parcel>,
    /// What to give as `after` for the next page; null when there is none.
    pub next: Option<i64>,
}

/// One parcel.
#[derive(Serialize, ToSchema)]
pub struct Parcel {
    /// The order in it.
    #[schema(example = "4bf92f3577b34da6a3ce929d0e0e4736")]
    pub order_id: String,
    /// Its label.
    #[schema(example = "WP0A1B2C3D4E5F60718293")]
    pub label: String,
    /// `booked`, `ready`, `out`, `delivered` or `void`.
    #[schema(example = "out")]
    pub state: &'static str,
    /// When the label was made.
    pub booked_at: Timestamp,
    /// When it was handed over.
    pub ready_at: Option<Timestamp>,
    /// When the carrier collected it.
    pub out_at: Option<Timestamp>,
    /// When it was delivered.
    pub delivered_at: Option<Timestamp>,
    /// When the label was voided.
    pub void_at: Option<Timestamp>,
    /// Whether the carrier will still collect it, or report on it.
    pub under_way: bool,
}

impl From<carrier::Parcel> for Parcel {
    fn from(parcel: carrier::Parcel) -> Parcel {
        Parcel {
            order_id: parcel.order_id,
            label: parcel.label,
            state: parcel.step.as_str(),
            booked_at: Timestamp(parcel.booked_at),
            ready_at: parcel.ready_at.map(Timestamp),
            out_at: parcel.out_at.map(Timestamp),
            delivered_at: parcel.delivered_at.map(Timestamp),
            void_at: parcel.void_at.map(Timestamp),
            under_way: parcel.under_way,
        }
    }
}

/// A page of the mailbox, oldest first.
#[derive(Serialize, ToSchema)]
pub struct Mailbox {
    /// The messages.
    pub messages: Vec<MailboxMessage>,
    /// What to give as `after` for the next page; null when there is none.
    pub next: Option<i64>,
}

/// One mail or short message.
#[derive(Serialize, ToSchema)]
pub struct MailboxMessage {
    /// The order it is about.
    #[schema(example = "4bf92f3577b34da6a3ce929d0e0e4736")]
    pub order_id: String,
    /// `mail` or `sms`.
    #[schema(example = "mail")]
    pub channel: &'static str,
    /// Which template it was made from.
    #[schema(example = "confirmed")]
    pub template: String,
    /// To whom.
    #[schema(example = "a@example.com")]
    pub to: String,
    /// Subject line.
    pub subject: String,
    /// Text.
    pub body: String,
    /// The sender's id.
    pub message_id: String,
    /// How often it came: more than once when the shop was not told that it had been taken.
    #[schema(example = 1)]
    pub copies: i64,
    /// When it came first.
    pub at: Timestamp,
}

impl From<post::Message> for MailboxMessage {
    fn from(message: post::Message) -> MailboxMessage {
        let post::Message { order_id, channel, template, to, subject, body, message_id, copies, at, .. } = message;
        MailboxMessage {
            order_id,
            channel: channel.as_str(),
            template,
            to,
            subject,
            body,
            message_id,
            copies,
            at: Timestamp(at),
        }
    }
}
