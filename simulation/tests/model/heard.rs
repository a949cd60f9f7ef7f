//! The inputs of the model, each built as the shipped code would meet it.

use crate::desk::{AnyInput, Asked, Said, short};
use crate::fixed::Fixed;
use choreography::{Done, Input, Origin, Service, Stored, Topic};
use order::domain::{CancelOrder, PlaceOrder};
use payment::domain::{Charge, Refund};
use shared_events::{DeclineReason, Fingerprint, Line, Money, NoLabelReason, Sealed};
use shipping::{
    domain::{AlreadyCollected, BookLabel, CancelLabel, HandOver, Label, NotCollectable},
    reports::{Report, ReportKind},
};
use std::{fmt, time::Duration};

/// What the customers want.
pub const ARTICLE: &str = "A";

/// What a service hears.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Heard {
    Record(&'static str, Fixed<Said>),
    /// An effect has ended: done, or refused.
    Answer(Fixed<Asked>, bool),
    Due(Fixed<Asked>),
    Deliver(i64),
    /// A customer orders; perhaps something else under the same key.
    Place {
        order_id: String,
        changed: bool,
    },
    Cancel(String),
    Report(String, Sight),
}

/// What the carrier may report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sight {
    Dispatched,
    Tracking,
    Delivered,
}

impl Heard {
    /// The order it is about; the article, for a delivery.
    pub fn key(&self) -> &str {
        match self {
            Heard::Record(_, said) => &said.key,
            Heard::Answer(asked, _) | Heard::Due(asked) => &asked.key,
            Heard::Deliver(_) => ARTICLE,
            Heard::Place { order_id, .. } | Heard::Cancel(order_id) | Heard::Report(order_id, _) => order_id,
        }
    }

    /// The input as the service's decision takes it.
    pub fn to<T: Topic>(&self, service: &Service<T>) -> AnyInput {
        match self {
            Heard::Record(source, said) => {
                let reaction = service.reaction_to_event(source, said.name).expect("only what is read is delivered");
                (reaction.origin, (reaction.decode)(said.version, &said.body).expect("a datum"))
            }
            Heard::Due(asked) => {
                let reaction = service.reaction_to(Origin::Timer(asked.name)).expect("a timer");
                (reaction.origin, (reaction.decode)(asked.shape, &asked.body).expect("a timer"))
            }
            Heard::Answer(asked, done) => answer(asked, *done),
            Heard::Deliver(quantity) => {
                input(inventory::domain::Replenish { sku: ARTICLE.into(), delivery: "d".into(), quantity: *quantity })
            }
            Heard::Place { order_id, changed } => input(place(order_id, *changed)),
            Heard::Cancel(order_id) => input(CancelOrder { order_id: order_id.clone() }),
            Heard::Report(order_id, sight) => input(report(order_id, *sight)),
        }
    }
}

fn input<I: Input>(input: I) -> AnyInput {
    (I::ORIGIN, Box::new(input))
}

fn answer(asked: &Asked, done: bool) -> AnyInput {
    fn of<X: choreography::Effect>(asked: &Asked, outcome: Result<X::Done, X::Refused>) -> AnyInput {
        input(Done { asked: <X as Stored>::decode(asked.shape, &asked.body).expect("an effect"), outcome })
    }
    let label = Label { label: "WP1".into(), carrier: "C".into() };
    match asked.name {
        "charge" => of::<Charge>(asked, if done { Ok("R-1".into()) } else { Err(DeclineReason::Declined) }),
        "refund" => of::<Refund>(asked, Ok(())),
        "book_label" => of::<BookLabel>(asked, if done { Ok(label) } else { Err(NoLabelReason::CountryNotServed) }),
        "hand_over" => {
            of::<HandOver>(asked, if done { Ok(()) } else { Err(NotCollectable { code: "no_driver".into() }) })
        }
        "cancel_label" => of::<CancelLabel>(asked, if done { Ok(()) } else { Err(AlreadyCollected) }),
        unknown => panic!("the model does not know the effect {unknown}"),
    }
}

fn place(order_id: &str, changed: bool) -> PlaceOrder {
    PlaceOrder {
        order_id: order_id.into(),
        customer_id: "c".into(),
        lines: vec![Line { sku: ARTICLE.into(), quantity: 1, unit_price_minor: 5 }],
        total: Money { amount_minor: 5, currency: "EUR".into() },
        fingerprint: Fingerprint([u8::from(changed); 32]),
        phone_given: false,
        placed_at: 0,
        deadline: Duration::from_secs(60),
        sealed: Sealed::from_bytes(vec![]),
    }
}

fn report(order_id: &str, sight: Sight) -> Report {
    let kind = match sight {
        Sight::Dispatched => ReportKind::Dispatched,
        Sight::Tracking => ReportKind::Tracking { place: "here".into() },
        Sight::Delivered => ReportKind::Delivered,
    };
    Report { order_id: order_id.into(), report_id: format!("{sight:?}"), kind }
}

/// As the tables name it.
impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Heard::Record(_, said) => f.write_str(said.name),
            Heard::Answer(asked, true) => write!(f, "Done<{}>", type_name(asked.name)),
            Heard::Answer(asked, false) => write!(f, "Refused<{}>", type_name(asked.name)),
            Heard::Due(asked) => write!(f, "Due<{}>", type_name(asked.name)),
            Heard::Deliver(_) => f.write_str("Replenish"),
            Heard::Place { changed: false, .. } => f.write_str("PlaceOrder"),
            Heard::Place { changed: true, .. } => f.write_str("PlaceOrder(changed)"),
            Heard::Cancel(_) => f.write_str("CancelOrder"),
            Heard::Report(_, sight) => write!(f, "Report({})", format!("{sight:?}").to_lowercase()),
        }
    }
}

/// As a step of a path that led to a violation.
impl fmt::Debug for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} of {}", short(self.key()))
    }
}

/// `book_label` is the effect `BookLabel`.
pub fn type_name(name: &str) -> String {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    name.split('_').map(capital).collect()
}
