//! What the demo plays is data: acts, their scenarios, the steps of each, and how an order should end.

use crate::client::{Milestone, Order};
use serde_json::{Value, json};

/// Scenarios that are played at the same time, under the same circumstances.
pub struct Act {
    /// What it is about.
    pub title: &'static str,
    /// What is broken while it is played, as in `tutti world set`.
    pub broken: &'static [&'static str],
    /// What mends it afterwards.
    pub mended: &'static [&'static str],
    /// What is played.
    pub scenarios: &'static [Scenario],
}

/// One story with one customer.
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// What it shows, as one sentence.
    pub shows: &'static str,
    /// What is done and what is expected, in this order. Expectations are about the order placed last.
    pub steps: &'static [Step],
}

/// One thing that is done, or one that is expected.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// The customer places an order.
    Place(Request),
    /// The customer sends the same request once more: the same order.
    Repeat,
    /// The customer sends another request under the same key: refused, 422.
    RepeatChanged,
    /// The order gets there.
    Awaits(Milestone),
    /// Somebody says this about the order.
    Hears(&'static str),
    /// The customer cancels, and the shop agrees to try.
    Cancel,
    /// The customer cancels, and hears that it is too late: 409.
    CancelTooLate,
    /// The customer cancels; too late or not is a matter of luck.
    CancelAtRisk,
    /// New goods come in.
    Replenish(&'static str, i64),
    /// Something is broken or mended, as in `tutti world set`.
    World(&'static [&'static str]),
    /// Nothing more will happen, and this is how it ended.
    Ends(Ending),
    /// All of this was said about the order.
    Said(&'static [&'static str]),
    /// None of this was said about the order.
    NeverSaid(&'static [&'static str]),
    /// The warehouse warned of this SKU running low, this often.
    Warned(&'static str, usize),
}

/// What is ordered, to where, paid with what.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// Which goods, and how many.
    pub lines: &'static [(&'static str, Quantity)],
    /// Where to.
    pub country: &'static str,
    /// The card.
    pub token: &'static str,
}

/// How many of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// So many.
    Units(i64),
    /// All that are available at that moment, but so many.
    AllBut(i64),
    /// More than are available.
    TooMany,
}

impl Quantity {
    /// In units, where so many are available.
    #[must_use]
    pub fn of(self, available: i64) -> i64 {
        match self {
            Quantity::Units(units) => units,
            Quantity::AllBut(units) => (available - units).max(1),
            Quantity::TooMany => available + 1,
        }
    }
}

impl Request {
    /// An order of `lines` to a country that is served, with a card that works.
    #[must_use]
    pub const fn of(lines: &'static [(&'static str, Quantity)]) -> Request {
        Request { lines, country: "DE", token: "tok_ok" }
    }

    /// Paid with this card.
    #[must_use]
    pub const fn paid_with(self, token: &'static str) -> Request {
        Request { token, ..self }
    }

    /// Sent to this country.
    #[must_use]
    pub const fn to(self, country: &'static str) -> Request {
        Request { country, ..self }
    }

    /// The body of `POST /orders`, where `available` tells the stock of a SKU.
    #[must_use]
    pub fn body(&self, customer: &str, available: impl Fn(&str) -> i64) -> Value {
        let line = |(sku, quantity): &(&str, Quantity)| json!({ "sku": sku, "quantity": quantity.of(available(sku)) });
        json!({
            "customer_id": customer,
            "email": format!("{customer}@example.com"),
            "phone": "+49301234567",
            "lines": self.lines.iter().map(line).collect::<Vec<_>>(),
            "shipping_address": { "name": "Clara Schumann", "street": "Inselstrasse 18", "city": "Leipzig",
                "postal_code": "04103", "country": self.country },
            "payment_token": self.token,
        })
    }
}

/// How an order should end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Delivered.
    Completed,
    /// Cancelled for this reason, and everything undone.
    Undone(&'static str),
    /// Cancelled by the customer and undone; or completed, where the cancellation came too late.
    UndoneOrTooLate,
}

impl Ending {
    /// Whether `order` ended so.
    #[must_use]
    pub fn fits(self, order: &Order) -> bool {
        let reason = order.reason.as_deref();
        match (self, order.settled, order.state.as_str()) {
            (Ending::Completed | Ending::UndoneOrTooLate, true, "completed") => true,
            (Ending::Undone(expected), true, "cancelled") => reason == Some(expected),
            (Ending::UndoneOrTooLate, true, "cancelled") => reason == Some("customer"),
            _ => false,
        }
    }
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Ending::Completed => write!(f, "completed"),
            Ending::Undone(reason) => write!(f, "cancelled ({reason}), undone"),
            Ending::UndoneOrTooLate => write!(f, "cancelled (customer), undone; or too late: completed"),
        }
    }
}
