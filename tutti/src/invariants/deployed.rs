//! The evidence of a deployed shop: one database per service, and the outside world's books as it serves them itself.

use super::{
    Report,
    evidence::{Books, Entry, Evidence, Message, Parcel, Progress, SERVICES, VerifyError},
    verify,
};
use crate::client::Client;
use runtime::{
    Read, StoreError,
    store::{Database, PostgresRead},
};
use serde::Deserialize;
use shared_events::OrderId;
use tokio::runtime::Handle;

/// The most that the outside world lists at once.
const PAGE: usize = 1_000;
/// Comes after everything there is.
const END: i64 = i64::MAX;

/// Where a deployed shop keeps what it knows.
#[derive(Clone, Debug)]
pub struct Deployed {
    /// The services' databases, in the order of [`SERVICES`].
    pub databases: [String; 5],
    /// Who serves the outside world's books: the world itself, or whatever passes its routes on.
    pub world: String,
}

/// Holds a deployed shop against every invariant. It is only read, and may be at work. Blocks its thread, which must not
/// be one that runs `runtime`'s tasks.
///
/// # Errors
/// When an address is none, or a database or the outside world cannot be read. What is read and wrong is a violation in
/// the report.
pub fn verify_deployed(shop: &Deployed, runtime: &Handle, progress: &dyn Progress) -> Result<Report, VerifyError> {
    let open = |service: usize| {
        let error = |error: StoreError| VerifyError::Database { service: SERVICES[service], error };
        Database::new(&shop.databases[service], runtime.clone()).map(PostgresRead::new).map_err(error)
    };
    let stores = [open(0)?, open(1)?, open(2)?, open(3)?, open(4)?];
    let world = Client::new(&shop.world).map_err(|why| VerifyError::Book { book: "the outside world", why })?;
    let books = Served { world, runtime: runtime.clone() };
    verify(
        &Evidence { stores: stores.each_ref().map(|store| store as &dyn Read), books: &books, promised: &[] },
        progress,
    )
}

/// The three books, read over HTTP.
struct Served {
    world: Client,
    runtime: Handle,
}

impl Served {
    fn page<P: for<'de> Deserialize<'de>>(&self, book: &[&str], after: i64, limit: usize) -> Result<P, String> {
        let query = [("after", after.to_string()), ("limit", limit.min(PAGE).to_string())];
        self.runtime.block_on(self.world.get(book, &query)).map_err(|error| error.to_string())
    }
}

/// The rows of a page, numbered so that the last one's number leads to the next page.
fn numbered<R, T>(rows: Vec<R>, next: Option<i64>, number: impl Fn(R, i64) -> T) -> Vec<T> {
    let next = next.unwrap_or(END);
    rows.into_iter().map(|row| number(row, next)).collect()
}

#[derive(Deserialize)]
struct Ledger {
    entries: Vec<LedgerEntry>,
    next: Option<i64>,
}

#[derive(Deserialize)]
struct LedgerEntry {
    order_id: OrderId,
    kind: String,
    outcome: String,
    amount_minor: i64,
    currency: String,
}

#[derive(Deserialize)]
struct Parcels {
    parcels: Vec<ListedParcel>,
    next: Option<i64>,
}

#[derive(Deserialize)]
struct ListedParcel {
    order_id: OrderId,
    out_at: Option<String>,
    delivered_at: Option<String>,
    void_at: Option<String>,
    under_way: bool,
}

#[derive(Deserialize)]
struct Mailbox {
    messages: Vec<ListedMessage>,
    next: Option<i64>,
}

#[derive(Deserialize)]
struct ListedMessage {
    order_id: OrderId,
    channel: String,
    template: String,
    message_id: String,
}

impl Books for Served {
    fn entries(&self, after: i64, limit: usize) -> Result<Vec<Entry>, String> {
        if after == END {
            return Ok(vec![]);
        }
        let ledger: Ledger = self.page(&["gateway", "ledger"], after, limit)?;
        Ok(numbered(ledger.entries, ledger.next, |entry, id| Entry {
            id,
            order_id: entry.order_id,
            refund: entry.kind == "refund",
            // What is pending is told of by nobody yet, and may still be declined.
            succeeded: entry.outcome == "succeeded",
            amount_minor: entry.amount_minor,
            currency: entry.currency,
        }))
    }

    fn parcels(&self, after: i64, limit: usize) -> Result<Vec<Parcel>, String> {
        if after == END {
            return Ok(vec![]);
        }
        let book: Parcels = self.page(&["carrier", "parcels"], after, limit)?;
        Ok(numbered(book.parcels, book.next, |parcel, id| Parcel {
            id,
            order_id: parcel.order_id,
            out: parcel.out_at.is_some(),
            delivered: parcel.delivered_at.is_some(),
            void: parcel.void_at.is_some(),
            under_way: parcel.under_way,
        }))
    }

    fn messages(&self, after: i64, limit: usize) -> Result<Vec<Message>, String> {
        if after == END {
            return Ok(vec![]);
        }
        let mailbox: Mailbox = self.page(&["mailbox"], after, limit)?;
        Ok(numbered(mailbox.messages, mailbox.next, |message, id| Message {
            id,
            order_id: message.order_id,
            sms: message.channel == "sms",
            template: message.template,
            message_id: message.message_id,
        }))
    }
}
