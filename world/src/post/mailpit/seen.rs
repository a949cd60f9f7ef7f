//! The mails that a mail catcher has listed, in the order in which they came. Each is listed once, however often the
//! mailbox is read: to ask for the copies of every mail would make the catcher search all of them each time.

use serde::Deserialize;
use std::collections::HashMap;

/// What the catcher lists of a mail.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Summary {
    #[serde(rename = "ID")]
    pub(super) id: String,
    #[serde(rename = "MessageID")]
    pub(super) message_id: String,
    pub(super) created: String,
}

/// Mails, oldest first.
#[derive(Default)]
pub(super) struct Seen {
    mails: Vec<Summary>,
    /// By Message-ID: where its first copy is, and how many there are.
    copies: HashMap<String, (usize, i64)>,
}

impl Seen {
    pub(super) fn len(&self) -> usize {
        self.mails.len()
    }

    /// These came behind the others.
    pub(super) fn extend(&mut self, mails: Vec<Summary>) {
        for mail in mails {
            let (_, copies) = self.copies.entry(mail.message_id.clone()).or_insert((self.mails.len(), 0));
            *copies += 1;
            self.mails.push(mail);
        }
    }

    /// The mails behind the first `skip`, at most `limit`: each first copy with how many there are, the others with
    /// nothing.
    pub(super) fn page(&self, skip: usize, limit: usize) -> Vec<(Summary, Option<i64>)> {
        let with_copies = |(at, mail): (usize, &Summary)| {
            let first = self.copies.get(&mail.message_id).filter(|(first, _)| *first == at);
            (mail.clone(), first.map(|(_, copies)| *copies))
        };
        self.mails.iter().enumerate().skip(skip).take(limit).map(with_copies).collect()
    }
}
