//! Which message an event of an order leads to, and what became of it.

use choreography::{Do, Done, Effect, Key, Undo};
use serde::{Deserialize, Serialize};
use shared_events::{
    CancelReason, CustomerId, Line, Money, NotSentReason, OrderId, Personal, Sealed, Template,
    email::{EmailFailed, EmailSent, SmsFailed, SmsSent},
    order::{OrderCancellationRequested, OrderCancelled, OrderCompleted, OrderConfirmed, OrderDispatched, OrderUndone},
};

/// Messages about one order go out one at a time, in the order of its events: never *confirmed* after *cancelled*.
const MAIL: &str = "mail";
const CANNOT_UNSEND: Undo = Undo::Never("a message cannot be unsent; a later one tells what has changed");

/// Send the customer a mail. Its key is the order and the template: each is sent once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SendMail {
    /// The order.
    pub order_id: OrderId,
    /// To whom.
    pub customer_id: CustomerId,
    /// What it says.
    pub template: Template,
    /// What the event tells about the order besides.
    pub about: About,
    /// Holds name and address.
    pub sealed: Sealed<Personal>,
}

/// What a message can tell about its order, as far as the event knows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// What it costs.
    pub total: Option<Money>,
    /// What was ordered.
    pub lines: Vec<Line>,
    /// Why it was cancelled.
    pub reason: Option<CancelReason>,
}

impl Effect for SendMail {
    const NAME: &'static str = "mail";
    const FAMILY: &'static str = MAIL;
    const UNDO: Undo = CANNOT_UNSEND;
    type Done = ();
    type Refused = NotSentReason;

    fn key(&self) -> Key {
        format!("{}/{}", self.order_id, self.template)
    }
    fn about(&self) -> Key {
        self.order_id.clone()
    }
}

/// Send the customer a text message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SendSms {
    /// The order.
    pub order_id: OrderId,
    /// To whom.
    pub customer_id: CustomerId,
    /// What it says.
    pub template: Template,
    /// Holds the phone number.
    pub sealed: Sealed<Personal>,
}

impl Effect for SendSms {
    const NAME: &'static str = "sms";
    const FAMILY: &'static str = MAIL;
    const UNDO: Undo = CANNOT_UNSEND;
    type Done = ();
    type Refused = NotSentReason;

    fn key(&self) -> Key {
        format!("{}/{}", self.order_id, self.template)
    }
    fn about(&self) -> Key {
        self.order_id.clone()
    }
}

shared_events::stored!(SendMail, SendSms);

impl SendMail {
    /// The mail's Message-ID, the same at every attempt, so that a mail sent twice is one mail to its reader.
    #[must_use]
    pub fn message_id(&self) -> String {
        format!("{}.{}@tutti.example", self.template, self.order_id)
    }
}

impl SendSms {
    /// The message's id, the same at every attempt.
    #[must_use]
    pub fn message_id(&self) -> String {
        format!("sms.{}.{}@tutti.example", self.template, self.order_id)
    }
}

/// The order will be served.
#[must_use]
pub fn confirmed(order: &OrderConfirmed) -> Do<SendMail> {
    Do(SendMail {
        order_id: order.order_id.clone(),
        customer_id: order.customer_id.clone(),
        template: Template::Confirmed,
        about: About { total: Some(order.total.clone()), ..About::default() },
        sealed: order.sealed.clone(),
    })
}

/// The wish to cancel was passed on.
#[must_use]
pub fn cancellation_requested(order: &OrderCancellationRequested) -> Do<SendMail> {
    Do(SendMail {
        order_id: order.order_id.clone(),
        customer_id: order.customer_id.clone(),
        template: Template::CancellationRequested,
        about: About::default(),
        sealed: order.sealed.clone(),
    })
}

/// The parcel is on its way, perhaps although the customer wanted it back; also by text message where there is a phone.
#[must_use]
pub fn dispatched(order: &OrderDispatched) -> (Do<SendMail>, Option<Do<SendSms>>) {
    let template = if order.cancel_was_asked { Template::TooLateToCancel } else { Template::Dispatched };
    let mail = SendMail {
        order_id: order.order_id.clone(),
        customer_id: order.customer_id.clone(),
        template,
        about: About::default(),
        sealed: order.sealed.clone(),
    };
    let sms = order.phone_given.then(|| SendSms {
        order_id: order.order_id.clone(),
        customer_id: order.customer_id.clone(),
        template,
        sealed: order.sealed.clone(),
    });
    (Do(mail), sms.map(Do))
}

/// The parcel has arrived.
#[must_use]
pub fn completed(order: &OrderCompleted) -> Do<SendMail> {
    Do(SendMail {
        order_id: order.order_id.clone(),
        customer_id: order.customer_id.clone(),
        template: Template::Delivered,
        about: About { total: Some(order.total.clone()), ..About::default() },
        sealed: order.sealed.clone(),
    })
}

/// The order is off.
#[must_use]
pub fn cancelled(order: &OrderCancelled) -> Do<SendMail> {
    Do(SendMail {
        order_id: order.order_id.clone(),
        customer_id: order.customer_id.clone(),
        template: Template::Cancelled,
        about: About { total: Some(order.total.clone()), lines: order.lines.clone(), reason: Some(order.reason) },
        sealed: order.sealed.clone(),
    })
}

/// Everything is undone. Only this, not payment's events, says that the money is back.
#[must_use]
pub fn undone(order: &OrderUndone) -> Do<SendMail> {
    Do(SendMail {
        order_id: order.order_id.clone(),
        customer_id: order.customer_id.clone(),
        template: Template::Undone,
        about: About::default(),
        sealed: order.sealed.clone(),
    })
}

/// What became of a mail.
///
/// # Errors
/// Never an error: the second arm is the event that says why the mail was not sent.
pub fn mailed(done: &Done<SendMail>) -> Result<EmailSent, EmailFailed> {
    let (order_id, template, message_id) = (done.asked.order_id.clone(), done.asked.template, done.asked.message_id());
    match done.outcome {
        Ok(()) => Ok(EmailSent { order_id, template, message_id }),
        Err(reason) => Err(EmailFailed { order_id, template, message_id, reason }),
    }
}

/// What became of a text message.
///
/// # Errors
/// Never an error: the second arm is the event that says why the message was not sent.
pub fn texted(done: &Done<SendSms>) -> Result<SmsSent, SmsFailed> {
    let (order_id, template, message_id) = (done.asked.order_id.clone(), done.asked.template, done.asked.message_id());
    match done.outcome {
        Ok(()) => Ok(SmsSent { order_id, template, message_id }),
        Err(reason) => Err(SmsFailed { order_id, template, message_id, reason }),
    }
}
