//! The servers that take mail and text messages as this service needs them, and the adapter that writes and sends.

pub mod conformance;
pub mod sms;
pub mod smtp;

use crate::{
    domain::{SendMail, SendSms},
    templates::{Channel, Templates, resend},
};
use choreography::Effect;
use runtime::{
    Adapter, Outcome,
    keyring::{KeyError, Keyring},
};
use shared_events::{NotSentReason, OrderId, Personal, Sealed, Template};
use std::{
    collections::HashSet,
    fmt,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sms::HttpSms;

/// How long to wait for a server before the end of an attempt counts as unknown.
pub const TIMEOUT: Duration = Duration::from_secs(2);

/// One message, ready to send. Neither address nor text shows in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The order it is about.
    pub order_id: OrderId,
    /// How it travels.
    pub channel: Channel,
    /// What it says.
    pub template: Template,
    /// A mail address, or a phone number.
    pub to: String,
    /// Empty in a text message.
    pub subject: String,
    /// Plain text.
    pub body: String,
    /// The same at every attempt.
    pub message_id: String,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut message = f.debug_struct("Message");
        message.field("channel", &self.channel).field("message_id", &self.message_id).finish_non_exhaustive()
    }
}

/// Why a message was not taken. The reasons must not quote the address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// It surely was not taken: try again.
    #[error("the message was not taken: {0}")]
    NotSent(String),
    /// It may have been taken.
    #[error("the message may have been taken: {0}")]
    Unclear(String),
    /// The address will never work.
    #[error("the address is refused: {0}")]
    Refused(String),
}

/// What takes messages of both channels. Nobody can be asked what became of one.
pub trait Post: Send + Sync + 'static {
    /// Hands a message over.
    fn send(&self, message: &Message) -> impl Future<Output = Result<(), PostError>> + Send;
}

/// Performs [`SendMail`] and [`SendSms`].
pub struct Mailer<P> {
    post: Arc<P>,
    keyring: Arc<dyn Keyring>,
    templates: Templates,
    timeout: Duration,
    /// Keys whose last attempt surely sent nothing, so that they may be tried again where resending is not wanted.
    /// Forgotten at a restart; then the doubt is real.
    unsent: Mutex<HashSet<String>>,
}

/// Why a message cannot be sent, in the words of an effect's outcome.
enum Unsendable {
    /// For good.
    Refused(NotSentReason),
    /// Not now; nothing was sent.
    NotNow(String),
    /// Perhaps it was sent.
    Unclear(String),
    /// A mistake in the shop: a person looks.
    Broken(String),
}

impl<P: Post> Mailer<P> {
    /// The adapter for a server. The keyring opens the address; each attempt waits at most `timeout`.
    ///
    /// # Errors
    /// When a template does not parse.
    pub fn new(post: Arc<P>, keyring: Arc<dyn Keyring>, timeout: Duration) -> Result<Mailer<P>, minijinja::Error> {
        Ok(Mailer { post, keyring, templates: Templates::parse()?, timeout, unsent: Mutex::default() })
    }

    async fn open(&self, customer_id: &str, sealed: &Sealed<Personal>) -> Result<Personal, Unsendable> {
        let key = self.keyring.get(customer_id).await.map_err(|no_key| match no_key {
            KeyError::Forgotten => Unsendable::Refused(NotSentReason::Forgotten),
            KeyError::Unknown | KeyError::Away(_) => Unsendable::NotNow(no_key.to_string()),
        })?;
        sealed.open(&key, customer_id).map_err(|e| Unsendable::Broken(format!("the address: {e}")))
    }

    async fn write_mail(&self, mail: &SendMail) -> Result<Message, Unsendable> {
        let personal = self.open(&mail.customer_id, &mail.sealed).await?;
        let (subject, body) = self.templates.mail(mail, &personal.name).map_err(broken)?;
        Ok(Message {
            order_id: mail.order_id.clone(),
            channel: Channel::Mail,
            template: mail.template,
            to: personal.email,
            subject,
            body,
            message_id: mail.message_id(),
        })
    }

    async fn write_sms(&self, sms: &SendSms) -> Result<Message, Unsendable> {
        let personal = self.open(&sms.customer_id, &sms.sealed).await?;
        Ok(Message {
            order_id: sms.order_id.clone(),
            channel: Channel::Sms,
            template: sms.template,
            to: personal.phone.ok_or(Unsendable::Refused(NotSentReason::AddressRefused))?,
            subject: String::new(),
            body: self.templates.sms(sms).map_err(broken)?,
            message_id: sms.message_id(),
        })
    }

    async fn send(&self, written: impl Future<Output = Result<Message, Unsendable>>) -> Result<(), Unsendable> {
        let message = written.await?;
        if !fits_in_a_header(&message.to) || message.to.is_empty() || !fits_in_a_header(&message.subject) {
            return Err(Unsendable::Refused(NotSentReason::AddressRefused));
        }
        match tokio::time::timeout(self.timeout, self.post.send(&message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(PostError::Refused(_))) => Err(Unsendable::Refused(NotSentReason::AddressRefused)),
            Ok(Err(not_sent @ PostError::NotSent(_))) => Err(Unsendable::NotNow(not_sent.to_string())),
            Ok(Err(unclear @ PostError::Unclear(_))) => Err(Unsendable::Unclear(unclear.to_string())),
            Err(_) => Err(Unsendable::Unclear(format!("no answer within {:?}", self.timeout))),
        }
    }

    /// How the attempt ended. Where nothing was sent for sure, that is noted for [`Mailer::sent_before`].
    async fn attempt<X>(&self, key: &str, written: impl Future<Output = Result<Message, Unsendable>>) -> Outcome<X>
    where
        X: Effect<Done = (), Refused = NotSentReason>,
    {
        self.unsent().remove(key);
        match self.send(written).await {
            Ok(()) => Outcome::Done(()),
            Err(Unsendable::Refused(reason)) => Outcome::Refused(reason),
            Err(Unsendable::Unclear(why)) => Outcome::Unclear(why),
            Err(Unsendable::Broken(why)) => Outcome::Stuck(why),
            Err(Unsendable::NotNow(why)) => {
                self.unsent().insert(key.to_owned());
                Outcome::Unclear(why)
            }
        }
    }

    /// Nobody can be asked, so the template's own rule answers: `None` means send it again.
    fn sent_before<X>(&self, key: &str, channel: Channel, template: Template) -> Option<Outcome<X>>
    where
        X: Effect<Refused = NotSentReason>,
    {
        let again = resend(channel, template) || self.unsent().contains(key);
        (!again).then_some(Outcome::Refused(NotSentReason::NotResent))
    }

    fn unsent(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.unsent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: Post> Adapter<SendMail> for Mailer<P> {
    async fn call(&self, key: &str, mail: &SendMail) -> Outcome<SendMail> {
        self.attempt(key, self.write_mail(mail)).await
    }
    async fn ask(&self, key: &str, mail: &SendMail) -> Option<Outcome<SendMail>> {
        self.sent_before(key, Channel::Mail, mail.template)
    }
}

impl<P: Post> Adapter<SendSms> for Mailer<P> {
    async fn call(&self, key: &str, sms: &SendSms) -> Outcome<SendSms> {
        self.attempt(key, self.write_sms(sms)).await
    }
    async fn ask(&self, key: &str, sms: &SendSms) -> Option<Outcome<SendSms>> {
        self.sent_before(key, Channel::Sms, sms.template)
    }
}

fn broken(error: minijinja::Error) -> Unsendable {
    Unsendable::Broken(format!("the template: {error}"))
}

/// A line break in an address or a subject would begin a header of its own.
fn fits_in_a_header(text: &str) -> bool {
    !text.chars().any(char::is_control)
}
