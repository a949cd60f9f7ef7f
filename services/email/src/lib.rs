//! Tells the customer how the order goes, by mail and at dispatch by text message. It follows the order's own events
//! only, so that no other topic's news can overtake them.

pub mod domain;
pub mod mail;
pub mod templates;

use choreography::Service;
use domain::{cancellation_requested, cancelled, completed, confirmed, dispatched, mailed, texted, undone};
use shared_events::email::Event;

/// The email service: it remembers nothing, because each event of an order has its own message. It begins with what is
/// said from now on: nobody wants mail about the past.
#[must_use]
pub fn service() -> Service<Event> {
    Service::default()
        .starts_now()
        .on(confirmed) // OrderConfirmed -> Do<SendMail>
        .on(cancellation_requested) // OrderCancellationRequested -> Do<SendMail>
        .on(dispatched) // OrderDispatched -> Do<SendMail>, perhaps Do<SendSms>
        .on(completed) // OrderCompleted -> Do<SendMail>
        .on(cancelled) // OrderCancelled -> Do<SendMail>
        .on(undone) // OrderUndone -> Do<SendMail>
        .on(mailed) // Done<SendMail> -> EmailSent | EmailFailed
        .on(texted) // Done<SendSms> -> SmsSent | SmsFailed
}
