//! One mailbox of two: mails that went over SMTP, and what the post's own book holds.

use super::{Message, Post, mailpit::Mailpit};
use crate::NoAnswer;

/// How many of each were read, as one number: a page goes on where both ended, whenever the next message comes.
const BITS: u32 = 31;

/// A page of both, oldest first, and where the next one begins.
pub(crate) async fn page(
    mail: &Mailpit,
    post: &Post,
    order_id: Option<&str>,
    after: i64,
    limit: usize,
) -> Result<(Vec<Message>, Option<i64>), NoAnswer> {
    let after = after.max(0);
    let (mut mails_read, mut last_of_book) = (after >> BITS, after & ((1 << BITS) - 1));
    let mut mails = mail.mails(order_id, mails_read, limit).await?.into_iter().peekable();
    let mut texts = post.messages(order_id, last_of_book, limit).await?.into_iter().peekable();
    let (mut messages, mut read) = (vec![], 0);
    while read < limit {
        let mail = mails.next_if(|mail| texts.peek().is_none_or(|text| mail.at <= text.at));
        match mail {
            Some(mail) => {
                mails_read += 1;
                messages.extend(mail.shown);
            }
            None => match texts.next() {
                Some(text) => {
                    last_of_book = text.id;
                    messages.push(text);
                }
                None => return Ok((messages, None)),
            },
        }
        read += 1;
    }
    Ok((messages, Some(mails_read << BITS | last_of_book)))
}
