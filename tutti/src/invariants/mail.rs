//! Invariant 6, mail: every message has its cause, comes once, and in an order that makes sense to its reader.

use super::{
    facts::Order,
    list::{How, Invariant, Verdict, When, must},
};
use shared_events::Template;

pub(super) const MAIL_HAS_CAUSE: Invariant = Invariant {
    number: 6,
    name: "mail_has_cause",
    statement: "Every message to a customer tells something that the order has said",
    when: When::Always,
    how: How::Order(has_cause),
};
pub(super) const MAIL_ONCE: Invariant = Invariant {
    number: 6,
    name: "mail_once",
    statement: "No message was sent a second time under another Message-ID",
    when: When::Always,
    how: How::Order(once),
};
pub(super) const MAIL_IN_ORDER: Invariant = Invariant {
    number: 6,
    name: "mail_in_order",
    statement: "The mails of an order came in the order of its events: never confirmed after cancelled",
    when: When::Always,
    how: How::Order(in_order),
};
pub(super) const MAIL_AS_TOLD: Invariant = Invariant {
    number: 6,
    name: "mail_as_told",
    statement: "Every message that email says it sent lies in the mailbox",
    when: When::Always,
    how: How::Order(as_told),
};
pub(super) const CUSTOMER_TOLD: Invariant = Invariant {
    number: 6,
    name: "customer_told",
    statement: "Everything that a customer is to be told was sent, or email says why it cannot be",
    when: When::AtRest,
    how: How::OrderAtRest(told),
};

/// What a customer may see, from the protocol. Mails that could not be sent are left out.
const STORIES: [&[Template]; 4] = [
    &[Template::Confirmed, Template::CancellationRequested, Template::Cancelled, Template::Undone],
    &[Template::Confirmed, Template::Dispatched, Template::Delivered],
    &[Template::Confirmed, Template::CancellationRequested, Template::TooLateToCancel, Template::Delivered],
    &[Template::Cancelled, Template::Undone],
];
/// Templates that there are text messages of.
const TEXTED: [Template; 2] = [Template::Dispatched, Template::TooLateToCancel];

fn words(bits: u8) -> String {
    let set = Template::ALL.iter().zip(0..8).filter(|(_, place)| bits & (1 << place) != 0);
    set.map(|(template, _)| template.as_str()).collect::<Vec<_>>().join(", ")
}

/// The mails of an order in the order of their arrival.
fn sequence(mut digits: u32) -> Vec<Template> {
    let mut mails = vec![];
    while digits > 0 {
        mails.extend((digits as usize % 8).checked_sub(1).and_then(|place| Template::ALL.get(place)));
        digits /= 8;
    }
    mails.reverse();
    mails
}

fn has_cause(order: &Order) -> Verdict {
    let mail = &order.mail;
    let texted = TEXTED.iter().fold(0, |bits, template| bits | 1 << super::facts::place_of(*template));
    let seen = mail.boxed[0] | mail.boxed[1] | mail.sent_marked[0] | mail.sent_marked[1];
    (seen != 0 || mail.foreign).then(|| {
        must(!mail.foreign, || "its customer got a message of no known template".into())?;
        must(seen & !mail.caused == 0, || {
            format!("its customer was told \"{}\", which no event of the order says", words(seen & !mail.caused))
        })?;
        let odd = (mail.boxed[1] | mail.sent_marked[1]) & !texted;
        must(odd == 0, || format!("\"{}\" was sent as a text message, which it never is", words(odd)))
    })
}

fn once(order: &Order) -> Verdict {
    let mail = &order.mail;
    (mail.boxed != [0, 0])
        .then(|| must(mail.twice == 0, || format!("\"{}\" came twice, under different Message-IDs", words(mail.twice))))
}

fn in_order(order: &Order) -> Verdict {
    let mut mails = sequence(order.mail.sequence);
    mails.dedup();
    (!mails.is_empty()).then(|| {
        let fits = |story: &&[Template]| {
            let mut rest = story.iter();
            mails.iter().all(|mail| rest.any(|told| told == mail))
        };
        must(STORIES.iter().any(fits), || {
            let came: Vec<_> = mails.iter().map(|template| template.as_str()).collect();
            format!("its mails came as {}, which is no story of an order", came.join(", "))
        })
    })
}

fn as_told(order: &Order) -> Verdict {
    let mail = &order.mail;
    (mail.sent_marked != [0, 0]).then(|| {
        let missing = (mail.sent_marked[0] & !mail.boxed[0]) | (mail.sent_marked[1] & !mail.boxed[1]);
        must(missing == 0, || format!("email says it sent \"{}\", but nobody got it", words(missing)))
    })
}

fn told(order: &Order) -> Verdict {
    let mail = &order.mail;
    (mail.due != 0 && order.at_rest()).then(|| {
        let missing = mail.due & !(mail.sent[0] | mail.failed);
        must(missing == 0, || format!("its customer was never told \"{}\"", words(missing)))
    })
}
