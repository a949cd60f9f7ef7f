//! The carrier as this service needs it, and the adapter through which the effects reach it.

pub mod conformance;
pub mod http;

use crate::domain::{AlreadyCollected, BookLabel, CancelLabel, HandOver, Label, NotCollectable};
use runtime::{
    Adapter, Outcome,
    keyring::{KeyError, Keyring},
};
use shared_events::{NoLabelReason, OrderId, Personal};
use std::{fmt, future::Future, sync::Arc, time::Duration};

/// How long to wait for the carrier before the end of an attempt counts as unknown.
pub const TIMEOUT: Duration = Duration::from_secs(2);

/// A label for a parcel to this address. Nobody is named in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct BookRequest {
    /// The order.
    pub order_id: OrderId,
    /// The addressee.
    pub name: String,
    /// Street and number.
    pub street: String,
    /// City.
    pub city: String,
    /// Postal code.
    pub postal_code: String,
    /// ISO 3166-1 alpha-2, as `DE`.
    pub country: String,
}

impl fmt::Debug for BookRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BookRequest").field("order_id", &self.order_id).finish_non_exhaustive()
    }
}

/// A definite answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CarrierAnswer {
    /// There is a label.
    Booked {
        /// The carrier's name for the parcel.
        label: String,
        /// Who carries it.
        carrier: String,
    },
    /// There is none, and under this key there never will be.
    NotServed {
        /// The carrier's word for why, as `country_not_served`, `address_refused`.
        code: String,
    },
    /// The hand-over is noted, or the label is void.
    Accepted,
    /// The parcel was collected before the label could be voided.
    AlreadyCollected,
    /// The label was voided before; the parcel will not be collected.
    LabelVoid,
}

/// No definite answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CarrierError {
    /// A timeout, a 5xx, still in progress: nobody knows yet.
    #[error("the carrier gives no answer: {0}")]
    Unavailable(String),
}

type Answer = Result<CarrierAnswer, CarrierError>;

/// A carrier. The first call under a key decides; every later one gets the same answer.
pub trait Carrier: Send + Sync + 'static {
    /// Books a label.
    fn book(&self, key: &str, request: &BookRequest) -> impl Future<Output = Answer> + Send;
    /// Lets the parcel be collected.
    fn hand_over(&self, key: &str, order_id: &str, label: &str) -> impl Future<Output = Answer> + Send;
    /// Voids a label.
    fn cancel(&self, key: &str, order_id: &str, label: &str) -> impl Future<Output = Answer> + Send;
    /// What became of an earlier call; `None` when the carrier knows nothing of the key.
    fn find(&self, key: &str) -> impl Future<Output = Result<Option<CarrierAnswer>, CarrierError>> + Send;
}

/// Performs [`BookLabel`], [`HandOver`] and [`CancelLabel`] at a carrier.
pub struct ParcelCarrier<C> {
    carrier: Arc<C>,
    keyring: Arc<dyn Keyring>,
    timeout: Duration,
}

impl<C: Carrier> ParcelCarrier<C> {
    /// The adapter for a carrier. The keyring opens the address; each call waits at most `timeout`.
    pub fn new(carrier: Arc<C>, keyring: Arc<dyn Keyring>, timeout: Duration) -> ParcelCarrier<C> {
        ParcelCarrier { carrier, keyring, timeout }
    }

    /// Who gets the parcel, or how the attempt ends without knowing.
    async fn addressee(&self, book: &BookLabel) -> Result<Personal, Outcome<BookLabel>> {
        let key = self.keyring.get(&book.customer_id).await.map_err(|no_key| match no_key {
            KeyError::Forgotten => Outcome::Refused(NoLabelReason::Forgotten),
            KeyError::Unknown | KeyError::Away(_) => Outcome::Unclear(no_key.to_string()),
        })?;
        book.sealed.open(&key, &book.customer_id).map_err(|e| Outcome::Stuck(format!("the address: {e}")))
    }

    async fn within<A>(&self, call: impl Future<Output = Result<A, CarrierError>>) -> Result<A, String> {
        match tokio::time::timeout(self.timeout, call).await {
            Ok(answer) => answer.map_err(|e| e.to_string()),
            Err(_) => Err(format!("the carrier gave no answer within {:?}", self.timeout)),
        }
    }
}

impl<C: Carrier> Adapter<BookLabel> for ParcelCarrier<C> {
    async fn call(&self, key: &str, book: &BookLabel) -> Outcome<BookLabel> {
        let Personal { name, street, city, postal_code, country, .. } = match self.addressee(book).await {
            Ok(addressee) => addressee,
            Err(ended) => return ended,
        };
        let request = BookRequest { order_id: book.order_id.clone(), name, street, city, postal_code, country };
        match self.within(self.carrier.book(key, &request)).await {
            Ok(answer) => booking_ended(answer),
            Err(why) => Outcome::Unclear(why),
        }
    }

    async fn ask(&self, key: &str, _: &BookLabel) -> Option<Outcome<BookLabel>> {
        match self.within(self.carrier.find(key)).await {
            Ok(found) => found.map(booking_ended),
            Err(why) => Some(Outcome::Unclear(why)),
        }
    }
}

fn booking_ended(answer: CarrierAnswer) -> Outcome<BookLabel> {
    match answer {
        CarrierAnswer::Booked { label, carrier } => Outcome::Done(Label { label, carrier }),
        CarrierAnswer::NotServed { code } if code == "address_refused" => {
            Outcome::Refused(NoLabelReason::AddressRefused)
        }
        CarrierAnswer::NotServed { .. } => Outcome::Refused(NoLabelReason::CountryNotServed),
        CarrierAnswer::Accepted | CarrierAnswer::AlreadyCollected | CarrierAnswer::LabelVoid => {
            Outcome::Stuck(format!("the carrier answers a booking with {answer:?}"))
        }
    }
}

impl<C: Carrier> Adapter<HandOver> for ParcelCarrier<C> {
    async fn call(&self, key: &str, parcel: &HandOver) -> Outcome<HandOver> {
        match self.within(self.carrier.hand_over(key, &parcel.order_id, &parcel.label)).await {
            Ok(answer) => hand_over_ended(answer),
            Err(why) => Outcome::Unclear(why),
        }
    }

    async fn ask(&self, key: &str, _: &HandOver) -> Option<Outcome<HandOver>> {
        match self.within(self.carrier.find(key)).await {
            Ok(found) => found.map(hand_over_ended),
            Err(why) => Some(Outcome::Unclear(why)),
        }
    }
}

fn hand_over_ended(answer: CarrierAnswer) -> Outcome<HandOver> {
    match answer {
        // Collected already: then it surely was handed over.
        CarrierAnswer::Accepted | CarrierAnswer::AlreadyCollected => Outcome::Done(()),
        CarrierAnswer::LabelVoid => Outcome::Refused(NotCollectable { code: "label_void".into() }),
        CarrierAnswer::NotServed { code } => Outcome::Refused(NotCollectable { code }),
        CarrierAnswer::Booked { .. } => Outcome::Stuck(format!("the carrier answers a hand-over with {answer:?}")),
    }
}

impl<C: Carrier> Adapter<CancelLabel> for ParcelCarrier<C> {
    async fn call(&self, key: &str, parcel: &CancelLabel) -> Outcome<CancelLabel> {
        match self.within(self.carrier.cancel(key, &parcel.order_id, &parcel.label)).await {
            Ok(answer) => cancel_ended(answer),
            Err(why) => Outcome::Unclear(why),
        }
    }

    async fn ask(&self, key: &str, _: &CancelLabel) -> Option<Outcome<CancelLabel>> {
        match self.within(self.carrier.find(key)).await {
            Ok(found) => found.map(cancel_ended),
            Err(why) => Some(Outcome::Unclear(why)),
        }
    }
}

/// *Already collected* is evidence that the parcel is out. No other refusal says where the parcel is: a person looks.
fn cancel_ended(answer: CarrierAnswer) -> Outcome<CancelLabel> {
    match answer {
        CarrierAnswer::Accepted | CarrierAnswer::LabelVoid => Outcome::Done(()),
        CarrierAnswer::AlreadyCollected => Outcome::Refused(AlreadyCollected),
        CarrierAnswer::NotServed { code } => Outcome::Stuck(format!("the carrier does not void the label: {code}")),
        CarrierAnswer::Booked { .. } => Outcome::Stuck(format!("the carrier answers a cancel with {answer:?}")),
    }
}
