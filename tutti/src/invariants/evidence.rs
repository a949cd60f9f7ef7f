//! What the invariants look at, behind small ports: five logs with what belongs to them, three books of the outside
//! world, and what callers were promised. A data directory, a simulation and the real stack fill the same ports.

use runtime::{Read, StoreError};
use shared_events::OrderId;

/// The services whose logs are looked at, in the order in which everything is indexed here.
pub const SERVICES: [&str; 5] = ["order", "inventory", "payment", "shipping", "email"];

/// Everything there is to look at.
pub struct Evidence<'e> {
    /// The stores, in the order of [`SERVICES`].
    pub stores: [&'e dyn Read; 5],
    /// The outside world's own books.
    pub books: &'e dyn Books,
    /// What callers were told, where somebody kept count; empty otherwise.
    pub promised: &'e [Promise],
}

/// One answer that a caller got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// The order that was accepted with a 2xx.
    pub order_id: OrderId,
    /// What it was said to cost, in the currency's smallest unit, if that was noted.
    pub total_minor: Option<i64>,
    /// Whether a cancel of it was answered 202.
    pub cancelled: bool,
}

/// The outside world's books, a page at a time: each call returns what stands after number `after`, ascending, at most
/// `limit`; an empty page is the end.
pub trait Books {
    /// The payment gateway's ledger.
    ///
    /// # Errors
    /// Says why it cannot be read.
    fn entries(&self, after: i64, limit: usize) -> Result<Vec<Entry>, String>;
    /// The carrier's parcels.
    ///
    /// # Errors
    /// Says why it cannot be read.
    fn parcels(&self, after: i64, limit: usize) -> Result<Vec<Parcel>, String>;
    /// The customers' mailbox.
    ///
    /// # Errors
    /// Says why it cannot be read.
    fn messages(&self, after: i64, limit: usize) -> Result<Vec<Message>, String>;
}

/// A line of the ledger. One that is under way and will succeed counts as succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number in the ledger, or whatever else the next page is asked for after.
    pub id: i64,
    /// The order it belongs to.
    pub order_id: OrderId,
    /// Whether it gives money back; otherwise it takes some.
    pub refund: bool,
    /// Whether it moves money; what was declined does not.
    pub succeeded: bool,
    /// How much, in the currency's smallest unit.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: String,
}

/// A parcel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// Its number in the carrier's book.
    pub id: i64,
    /// The order in it.
    pub order_id: OrderId,
    /// The carrier has collected it.
    pub out: bool,
    /// The customer has it.
    pub delivered: bool,
    /// Its label is void.
    pub void: bool,
    /// The carrier will still collect it, or report on it.
    pub under_way: bool,
}

/// A message that the customer has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its number in the mailbox, ascending in the order of arrival.
    pub id: i64,
    /// The order it is about.
    pub order_id: OrderId,
    /// A text message; otherwise a mail.
    pub sms: bool,
    /// The template's name, as `confirmed`.
    pub template: String,
    /// Its id. A copy under the same id is the same message and is not listed again.
    pub message_id: String,
}

/// Told how the work goes on: it may take minutes on a large shop.
pub trait Progress {
    /// A part of the work begins, of so many rows as far as is known.
    fn begin(&self, _part: &str, _rows: u64) {}
    /// So many more rows of it are done.
    fn done(&self, _rows: u64) {}
}

/// Nobody watches.
impl Progress for () {}

/// Why nothing can be verified. Each names the file or service and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// There is no such directory.
    #[error("{path}: there is no such directory; give the one that `tutti up --data` was given")]
    NoDirectory {
        /// The directory.
        path: String,
    },
    /// It is not a shop's.
    #[error(
        "{path} is not a shop's data directory: {missing} is not there; give the one that `tutti up --data` was given"
    )]
    NotAShop {
        /// The directory.
        path: String,
        /// The file that is missed.
        missing: String,
    },
    /// A file that is there is not what it should be.
    #[error("{file} {why}")]
    Unusable {
        /// The file.
        file: String,
        /// Why, and what to do.
        why: String,
    },
    /// A store cannot be read.
    #[error("{service} cannot be read: {error}; if its file is damaged, restore it")]
    Store {
        /// Whose store.
        service: &'static str,
        /// What the store says.
        error: StoreError,
    },
    /// A service's database cannot be used.
    #[error("the database of {service} cannot be used: {error}")]
    Database {
        /// Whose.
        service: &'static str,
        /// What the store says.
        error: StoreError,
    },
    /// A book cannot be read.
    #[error("{book} cannot be read: {why}; if its file is damaged, restore it")]
    Book {
        /// Which one.
        book: &'static str,
        /// What the book says.
        why: String,
    },
}

/// Adds whose store it is.
pub(super) fn of(service: usize) -> impl Fn(StoreError) -> VerifyError {
    move |error| VerifyError::Store { service: SERVICES[service], error }
}
