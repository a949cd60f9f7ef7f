//! The carrier: labels, collections, and reports that come by themselves like a webhook.
//!
//! A booked label moves nothing. Only a parcel that was handed over is collected, and a label can be voided until then.

mod book;
mod desk;
mod port;
mod reports;
#[cfg(test)]
mod tests;
pub mod webhook;

use crate::{
    book::{OpenError, Reader},
    conditions::Conditions,
    line::{Line, NoAnswer},
    writer::Writer,
};
use runtime::clock::Micros;
use rusqlite::Connection;
use std::{path::Path, sync::Arc};

pub use book::{Parcel, Step};
pub use reports::{Report, ReportKind};

use book::{Asked, Changed, Indexes};
use desk::Yard;
pub(crate) use reports::Receiving;
use reports::{Receiver, Sender};

/// The country that the carrier does not go to.
const NOT_SERVED: &str = "XX";

/// What the label's bearer is called.
pub const NAME: &str = "Wayfarer Parcels";

/// A booking as the shop asks for it. Of the address the carrier keeps nothing.
#[derive(Clone)]
pub struct Booking {
    /// The order in the parcel.
    pub order_id: String,
    /// To whom.
    pub name: String,
    /// Street and number.
    pub street: String,
    /// Town.
    pub city: String,
    /// Its code.
    pub postal_code: String,
    /// ISO 3166 code.
    pub country: String,
}

/// A definite answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// There is a label.
    Booked {
        /// Its number.
        label: String,
    },
    /// There is none and will be none under this key: `country_not_served`, `address_refused`,
    /// `idempotency_key_reused`.
    NotServed {
        /// Why.
        code: String,
    },
    /// The parcel may be collected, or the label is void, as was asked.
    Accepted,
    /// Too late to void the label.
    AlreadyCollected,
    /// A void label cannot be handed over.
    LabelVoid,
}

/// The simulated carrier. Clones share one book.
#[derive(Clone)]
pub struct Carrier {
    writer: Arc<Writer<Yard>>,
    reader: Reader,
    conditions: Conditions,
}

impl Carrier {
    pub(crate) fn open(folder: &Path, conditions: Conditions, receiver: Receiver) -> Result<Carrier, OpenError> {
        let path = folder.join("carrier.db");
        let file = crate::book::open(&path, &book::tables())?;
        let reader = Reader::open(&path)?;
        let runtime = tokio::runtime::Handle::try_current()?;
        let yard = |writer| {
            let sender = Sender::new(runtime, receiver, writer);
            Yard::new(conditions.clone(), sender)
        };
        let writer = Writer::start("carrier", file, Arc::clone(&conditions.clock), yard)
            .map_err(|cause| OpenError::Thread { book: "carrier.db", cause })?;
        Ok(Carrier { writer, reader, conditions })
    }

    /// Makes a label.
    ///
    /// # Errors
    /// [`NoAnswer`] when the caller is not told: ask again under the same key.
    pub async fn book(&self, key: &str, booking: Booking) -> Result<Answer, NoAnswer> {
        let asked = Asked { key: key.to_owned(), order_id: booking.order_id.clone() };
        let refused = refusal(&booking);
        self.call(move |file, yard, now| book::book(file, &mut yard.indexes, &asked, refused, now)).await
    }

    /// Lets the carrier collect the parcel with this label.
    ///
    /// # Errors
    /// [`NoAnswer`] when the caller is not told: ask again under the same key.
    pub async fn hand_over(&self, key: &str, order_id: &str, label: &str) -> Result<Answer, NoAnswer> {
        self.change(key, order_id, label, book::hand_over, |yard, parcel, now| yard.expect(parcel, now)).await
    }

    /// Voids a label whose parcel was not collected.
    ///
    /// # Errors
    /// [`NoAnswer`] when the caller is not told: ask again under the same key.
    pub async fn cancel(&self, key: &str, order_id: &str, label: &str) -> Result<Answer, NoAnswer> {
        self.change(key, order_id, label, book::cancel, |yard, parcel, _| yard.forget(parcel.id)).await
    }

    /// What became of the call under this key; `None` when there was none.
    ///
    /// # Errors
    /// [`NoAnswer`] when the caller is not told.
    pub async fn find(&self, key: &str) -> Result<Option<Answer>, NoAnswer> {
        let key = key.to_owned();
        self.call(move |file, yard, _| book::answer_under(file, &yard.indexes, &key)).await
    }

    /// A page of all parcels, oldest first: all or one order's, after the parcel with number `after`.
    ///
    /// # Errors
    /// [`NoAnswer::Broken`] when the book cannot be read.
    pub async fn parcels(&self, order_id: Option<&str>, after: i64, limit: usize) -> Result<Vec<Parcel>, NoAnswer> {
        let order_id = order_id.map(str::to_owned);
        self.reader.read(move |file| book::page(file, order_id.as_deref(), after, limit)).await
    }

    /// Lets the carrier look at changed settings now and not when something is due next.
    pub(crate) fn wake(&self) {
        self.writer.post(|_, _| Ok(Box::new(|| {})));
    }

    async fn change(
        &self,
        key: &str,
        order_id: &str,
        label: &str,
        change: fn(&Connection, &mut Indexes, &Asked, &str, Micros) -> rusqlite::Result<Option<Changed>>,
        then: fn(&mut Yard, &Parcel, Micros),
    ) -> Result<Answer, NoAnswer> {
        let (asked, label) = (Asked { key: key.to_owned(), order_id: order_id.to_owned() }, label.to_owned());
        let changed = self.call(move |file, yard, now| {
            let changed = change(file, &mut yard.indexes, &asked, &label, now)?;
            if let Some(parcel) = changed.as_ref().and_then(|it| it.parcel.as_ref()) {
                then(yard, parcel, now);
            }
            Ok(changed.map(|it| it.answer))
        });
        changed.await?.ok_or_else(|| NoAnswer::Broken("the carrier knows no such label of this order".to_owned()))
    }

    async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection, &mut Yard, Micros) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, NoAnswer> {
        let now = self.conditions.clock.now();
        let line = Line::from(self.conditions.faults.get().carrier);
        line.carry(&self.conditions.dice, self.writer.write(move |file, yard| work(file, yard, now))).await
    }
}

/// Why the carrier does not take a booking, if it does not.
fn refusal(booking: &Booking) -> Option<&'static str> {
    let lines = [&booking.name, &booking.street, &booking.city, &booking.postal_code];
    if booking.country.eq_ignore_ascii_case(NOT_SERVED) {
        Some("country_not_served")
    } else if lines.iter().any(|line| line.trim().is_empty()) {
        Some("address_refused")
    } else {
        None
    }
}
