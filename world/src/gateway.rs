//! The payment gateway: captures and refunds under idempotency keys, with a ledger of its own.
//!
//! What a capture does depends on its token, as with well-known test cards; see [`Card`]. The first call under a key
//! decides, every later one gets the same answer.

mod card;
mod ledger;
mod port;
#[cfg(test)]
mod tests;

use crate::{
    book::{self, OpenError, Reader},
    conditions::Conditions,
    faults::GatewayFaults,
    index::Index,
    line::{Line, NoAnswer},
    writer::Writer,
};
use runtime::clock::Micros;
use std::{path::Path, sync::Arc, time::Duration};

pub use card::Card;
pub use ledger::{Entry, Kind, Outcome};

use ledger::{Asked, Found};

/// A capture as the shop asks for it.
#[derive(Clone)]
pub struct Capture {
    /// The order it pays.
    pub order_id: String,
    /// How much, in the currency's smallest unit.
    pub amount_minor: i64,
    /// ISO 4217 code.
    pub currency: String,
    /// The card.
    pub token: String,
}

/// A refund as the shop asks for it.
#[derive(Clone)]
pub struct Refund {
    /// The order whose payment goes back.
    pub order_id: String,
    /// How much, in the currency's smallest unit.
    pub amount_minor: i64,
    /// ISO 4217 code.
    pub currency: String,
    /// The key under which it was captured.
    pub capture_key: String,
}

/// A definite answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The money moved.
    Succeeded {
        /// The gateway's own number for it.
        receipt: String,
    },
    /// The money did not move and never will under this key.
    Declined {
        /// Why: `card_declined`, `insufficient_funds`, `idempotency_key_reused`, …
        code: String,
    },
}

/// The simulated payment gateway. Clones share one book.
#[derive(Clone)]
pub struct Gateway {
    writer: Arc<Writer<Index>>,
    reader: Reader,
    conditions: Conditions,
}

impl Gateway {
    pub(crate) fn open(folder: &Path, conditions: Conditions) -> Result<Gateway, OpenError> {
        let path = folder.join("gateway.db");
        let book = book::open(&path, &ledger::tables())?;
        let reader = Reader::open(&path)?;
        let writer = Writer::start("gateway", book, Arc::clone(&conditions.clock), |_| ledger::index())
            .map_err(|cause| OpenError::Thread { book: "gateway.db", cause })?;
        Ok(Gateway { writer, reader, conditions })
    }

    /// Takes money.
    ///
    /// # Errors
    /// [`NoAnswer`] when the caller is not told: ask again under the same key.
    pub async fn capture(&self, key: &str, capture: Capture) -> Result<Answer, NoAnswer> {
        let faults = self.conditions.faults.get().gateway;
        Line::from(faults).carry(&self.conditions.dice, self.take(key.to_owned(), capture, faults)).await
    }

    /// Gives money of an earlier capture back.
    ///
    /// # Errors
    /// [`NoAnswer`] when the caller is not told: ask again under the same key.
    pub async fn refund(&self, key: &str, refund: Refund) -> Result<Answer, NoAnswer> {
        let faults = self.conditions.faults.get().gateway;
        Line::from(faults).carry(&self.conditions.dice, self.give_back(key.to_owned(), refund)).await
    }

    /// What became of the call under this key; `None` when there was none.
    ///
    /// # Errors
    /// [`NoAnswer`] when the caller is not told, also while the call is still in progress.
    pub async fn find(&self, key: &str) -> Result<Option<Answer>, NoAnswer> {
        let faults = self.conditions.faults.get().gateway;
        Line::from(faults).carry(&self.conditions.dice, self.look_up(key.to_owned())).await
    }

    /// A page of the ledger, oldest first: all of it or one order's, after the entry with number `after`.
    ///
    /// # Errors
    /// [`NoAnswer::Broken`] when the book cannot be read.
    pub async fn ledger(&self, order_id: Option<&str>, after: i64, limit: usize) -> Result<Vec<Entry>, NoAnswer> {
        let (order_id, now) = (order_id.map(str::to_owned), self.conditions.clock.now());
        self.reader.read(move |book| ledger::page(book, order_id.as_deref(), after, limit, now)).await
    }

    async fn take(&self, key: String, capture: Capture, faults: GatewayFaults) -> Result<Answer, NoAnswer> {
        let card = Card::of(&capture.token);
        let unlucky = self.conditions.dice.falls(faults.decline);
        let now = self.conditions.clock.now();
        let settled = now.saturating_add(card.takes(faults));
        let asked = Asked::capture(key, capture);
        let found = self
            .writer
            .write(move |book, index| ledger::capture(book, index, &asked, card, unlucky, now, settled))
            .await?;
        match found {
            Found::New(_) if card == Card::TimeoutThenSuccess => Err(NoAnswer::Lost),
            Found::New(entry) | Found::Known(entry) => self.answer_of_card(card, entry).await,
            Found::Another => Ok(Answer::Declined { code: "idempotency_key_reused".to_owned() }),
            Found::NotNow => Err(NoAnswer::Refused),
        }
    }

    /// A slow card keeps its callers waiting, an unknown one tells them nothing for a while.
    async fn answer_of_card(&self, card: Card, entry: Entry) -> Result<Answer, NoAnswer> {
        let left = entry.at.saturating_sub(self.conditions.clock.now());
        if card == Card::Slow && left > 0 {
            tokio::time::sleep(Duration::from_micros(u64::try_from(left).unwrap_or(0))).await;
            return Ok(entry.answer());
        }
        self.answer_by_now(entry)
    }

    async fn give_back(&self, key: String, refund: Refund) -> Result<Answer, NoAnswer> {
        let (asked, now) = (Asked::refund(key, refund), self.conditions.clock.now());
        match self.writer.write(move |book, index| ledger::refund(book, index, &asked, now)).await? {
            Found::New(entry) | Found::Known(entry) => Ok(entry.answer()),
            Found::Another => Ok(Answer::Declined { code: "idempotency_key_reused".to_owned() }),
            Found::NotNow => Err(NoAnswer::InProgress),
        }
    }

    async fn look_up(&self, key: String) -> Result<Option<Answer>, NoAnswer> {
        let now: Micros = self.conditions.clock.now();
        let entry = self.writer.write(move |book, index| ledger::find(book, index, &key, now)).await?;
        entry.map(|entry| self.answer_by_now(entry)).transpose()
    }

    fn answer_by_now(&self, entry: Entry) -> Result<Answer, NoAnswer> {
        if entry.at > self.conditions.clock.now() {
            return Err(NoAnswer::InProgress);
        }
        Ok(entry.answer())
    }
}
