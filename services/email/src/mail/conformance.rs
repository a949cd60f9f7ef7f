//! What every post is held to: one suite for the port, run on every implementation of it.
//!
//! A check that fails panics, as in any test; its name stands in the output before it.

use super::{Message, Post, PostError};
use crate::templates::Channel;
use shared_events::Template;

/// What lies in the addressee's mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// `mail` or `sms`.
    pub channel: String,
    /// To whom.
    pub to: String,
    /// Subject line; empty in a text message.
    pub subject: String,
    /// Text, without trailing line ends: a mail has one more than was written.
    pub body: String,
    /// Which template it was made from.
    pub template: String,
    /// The sender's id.
    pub message_id: String,
    /// How often it came.
    pub copies: i64,
}

/// Holds a post to its contract. It must refuse mail to `dead`, and `mailbox` reads what was received about an order.
/// Orders are made unique with `run`, so that one post can be held to it repeatedly.
///
/// # Panics
/// When the post does something else than it must.
pub async fn post(post: &impl Post, run: &str, dead: &str, mailbox: impl AsyncFn(String) -> Vec<Received>) {
    let case = |name: &'static str| {
        println!("post: {name}");
        Case { post, mailbox: &mailbox, order_id: format!("{run}-{}", name.replace(' ', "-")) }
    };
    case("what is taken arrives as it was written").what_is_taken_arrives_as_it_was_written().await;
    case("no text breaks the mail around it").no_text_breaks_the_mail_around_it().await;
    case("a mail sent twice is one mail to its reader").a_mail_sent_twice_is_one_mail_to_its_reader().await;
    case("an address that never works is refused").an_address_that_never_works_is_refused(dead).await;
    case("nothing begins a header of its own").nothing_begins_a_header_of_its_own().await;
}

/// One check, with an order of its own.
struct Case<'p, P, M> {
    post: &'p P,
    mailbox: &'p M,
    order_id: String,
}

impl<P: Post, M: AsyncFn(String) -> Vec<Received>> Case<'_, P, M> {
    fn mail(&self) -> Message {
        Message {
            order_id: self.order_id.clone(),
            channel: Channel::Mail,
            template: Template::Confirmed,
            to: "ada@example.com".into(),
            subject: format!("Your order {} is confirmed, Zoë", self.order_id),
            body: "Hello Zoë,\n\nyour order is confirmed.\n".into(),
            message_id: format!("confirmed.{}@tutti.example", self.order_id),
        }
    }

    fn sms(&self) -> Message {
        Message {
            channel: Channel::Sms,
            template: Template::Dispatched,
            to: "+49301234567".into(),
            subject: String::new(),
            body: "Your order is on its way.".into(),
            message_id: format!("sms.dispatched.{}@tutti.example", self.order_id),
            ..self.mail()
        }
    }

    async fn received(&self) -> Vec<Received> {
        (self.mailbox)(self.order_id.clone()).await
    }

    async fn arrives(&self, message: &Message) {
        assert_eq!(self.post.send(message).await, Ok(()));
        assert_eq!(self.received().await, [received(message, 1)]);
    }

    async fn what_is_taken_arrives_as_it_was_written(&self) {
        let (mail, sms) = (self.mail(), self.sms());
        assert_eq!(self.post.send(&mail).await, Ok(()));
        assert_eq!(self.post.send(&sms).await, Ok(()));
        assert_eq!(self.received().await, [received(&mail, 1), received(&sms, 1)]);
    }

    async fn no_text_breaks_the_mail_around_it(&self) {
        let long = "a line that is longer than a line of a mail may be, and goes on ".repeat(40);
        let body = format!(".\n..\nFrom here on\n.\nQUIT\n{long}\n= equals =\n\n.");
        self.arrives(&Message { body, subject: "ß ".repeat(100).trim_end().into(), ..self.mail() }).await;
    }

    async fn a_mail_sent_twice_is_one_mail_to_its_reader(&self) {
        assert_eq!(self.post.send(&self.mail()).await, Ok(()));
        assert_eq!(self.post.send(&self.mail()).await, Ok(()));
        assert_eq!(self.received().await, [received(&self.mail(), 2)]);
    }

    async fn an_address_that_never_works_is_refused(&self, dead: &str) {
        for to in ["nobody", "@example.com", "ada@", dead] {
            let answer = self.post.send(&Message { to: to.into(), ..self.mail() }).await;
            assert!(matches!(&answer, Err(PostError::Refused(why)) if !why.contains("ada")), "{to}: {answer:?}");
        }
        for to in ["", "+", "030 1234", "+0301234"] {
            let answer = self.post.send(&Message { to: to.into(), ..self.sms() }).await;
            assert!(matches!(&answer, Err(PostError::Refused(_))), "{to}: {answer:?}");
        }
        assert_eq!(self.received().await, []);
    }

    async fn nothing_begins_a_header_of_its_own(&self) {
        let injected = "ada@example.com\r\nBcc: all@example.com".to_owned();
        for message in [
            Message { to: injected.clone(), ..self.mail() },
            Message { to: "ada@exam\rple.com".into(), ..self.mail() },
            Message { to: "ada@example.com\n".into(), ..self.mail() },
            Message { subject: injected, ..self.mail() },
        ] {
            let answer = self.post.send(&message).await;
            assert!(matches!(&answer, Err(PostError::Refused(_))), "{answer:?}");
        }
        assert_eq!(self.received().await, []);
    }
}

fn received(message: &Message, copies: i64) -> Received {
    Received {
        channel: message.channel.as_str().into(),
        to: message.to.clone(),
        subject: message.subject.clone(),
        body: message.body.trim_end().into(),
        template: message.template.to_string(),
        message_id: message.message_id.clone(),
        copies,
    }
}
