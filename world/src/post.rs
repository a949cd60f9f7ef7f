//! The post: a mail server and an SMS centre with one mailbox that everybody can read.

mod mailbox;
pub mod mailpit;
pub(crate) mod merged;
mod port;
#[cfg(test)]
mod tests;

use crate::{
    book::{self, OpenError, Reader},
    conditions::Conditions,
    index::Index,
    line::{Line, NoAnswer},
    writer::Writer,
};
use std::{path::Path, sync::Arc};

pub use mailbox::Message;

/// How a message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// As a mail.
    Mail,
    /// As a short message.
    Sms,
}

impl Channel {
    /// The word for it in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Channel::Mail => "mail",
            Channel::Sms => "sms",
        }
    }
}

/// A message as the shop sends it.
#[derive(Clone)]
pub struct Letter {
    /// The order it is about.
    pub order_id: String,
    /// How it travels.
    pub channel: Channel,
    /// Which template it was made from.
    pub template: String,
    /// To whom: a mail address or a telephone number.
    pub to: String,
    /// Subject line; empty in a short message.
    pub subject: String,
    /// Text.
    pub body: String,
    /// The sender's id; a second message with the same id is a copy of the first.
    pub message_id: String,
}

/// A definite answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It lies in the mailbox.
    Taken,
    /// It never will, for this reason.
    Refused(String),
}

/// The simulated post. Clones share one mailbox.
#[derive(Clone)]
pub struct Post {
    writer: Arc<Writer<Index>>,
    reader: Reader,
    conditions: Conditions,
}

impl Post {
    pub(crate) fn open(folder: &Path, conditions: Conditions) -> Result<Post, OpenError> {
        let path = folder.join("mailbox.db");
        let book = book::open(&path, &mailbox::tables())?;
        let reader = Reader::open(&path)?;
        let writer = Writer::start("mailbox", book, Arc::clone(&conditions.clock), |_| mailbox::index())
            .map_err(|cause| OpenError::Thread { book: "mailbox.db", cause })?;
        Ok(Post { writer, reader, conditions })
    }

    /// Takes a message.
    ///
    /// # Errors
    /// [`NoAnswer`] when the caller is not told; after [`NoAnswer::Refused`] it surely was not taken.
    pub async fn take(&self, letter: Letter) -> Result<Answer, NoAnswer> {
        let line = Line::from(self.conditions.faults.get().post);
        line.carry(&self.conditions.dice, self.put(letter)).await
    }

    /// A page of the mailbox, oldest first: all of it or one order's, after the message with number `after`.
    ///
    /// # Errors
    /// [`NoAnswer::Broken`] when the book cannot be read.
    pub async fn messages(&self, order_id: Option<&str>, after: i64, limit: usize) -> Result<Vec<Message>, NoAnswer> {
        let order_id = order_id.map(str::to_owned);
        self.reader.read(move |book| mailbox::page(book, order_id.as_deref(), after, limit)).await
    }

    async fn put(&self, letter: Letter) -> Result<Answer, NoAnswer> {
        if let Some(reason) = refusal(&letter) {
            return Ok(Answer::Refused(reason.to_owned()));
        }
        let now = self.conditions.clock.now();
        self.writer.write(move |book, index| mailbox::put(book, index, &letter, now)).await?;
        Ok(Answer::Taken)
    }
}

/// Why a message can never be delivered, if it cannot. Mail to a domain under `.invalid` bounces, as RFC 6761 has it;
/// no country's telephone code begins with 0. The reasons do not name the address.
fn refusal(letter: &Letter) -> Option<&'static str> {
    if letter.to.chars().chain(letter.subject.chars()).any(char::is_control) {
        return Some("control characters in a header");
    }
    match letter.channel {
        Channel::Mail => match letter.to.rsplit_once('@') {
            Some((name, domain)) if !name.is_empty() && !domain.is_empty() => {
                let domain = domain.to_ascii_lowercase();
                (domain == "invalid" || domain.ends_with(".invalid")).then_some("no such domain")
            }
            _ => Some("not a mail address"),
        },
        Channel::Sms => {
            let digits = letter.to.strip_prefix('+').unwrap_or_default();
            let number = digits.chars().all(|c| c.is_ascii_digit()) && !digits.is_empty() && !digits.starts_with('0');
            (!number).then_some("not a telephone number")
        }
    }
}
