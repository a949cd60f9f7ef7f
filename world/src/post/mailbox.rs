//! The mailbox: every message that was taken, once per Message-ID.

use super::{Channel, Letter};
use crate::index::{self, Index, hash};
use runtime::clock::Micros;
use rusqlite::{Connection, Row, named_params, params};

const MESSAGES: &str = "
    CREATE TABLE message (
        id INTEGER PRIMARY KEY,
        order_id TEXT NOT NULL,
        sms INTEGER NOT NULL,
        template TEXT NOT NULL,
        recipient TEXT NOT NULL,
        subject TEXT NOT NULL,
        body TEXT NOT NULL,
        message_id TEXT NOT NULL,
        copies INTEGER NOT NULL,
        at INTEGER NOT NULL
    );";

/// All tables of the book.
pub(super) fn tables() -> String {
    [index::TABLES, MESSAGES, &Index::tables("message")].concat()
}

/// Messages are found by Message-ID and by order.
pub(super) fn index() -> Index {
    Index::of("message", |row| {
        let (message_id, order_id): (String, String) = (row.get("message_id")?, row.get("order_id")?);
        Ok(hashes(&message_id, &order_id).into())
    })
}

fn hashes(message_id: &str, order_id: &str) -> [i64; 2] {
    [hash("message", message_id), hash("order", order_id)]
}

/// A message in the mailbox.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Its number, ascending in the order of arrival.
    pub id: i64,
    /// The order it is about.
    pub order_id: String,
    /// How it travelled.
    pub channel: Channel,
    /// Which template it was made from.
    pub template: String,
    /// To whom.
    pub to: String,
    /// Subject line.
    pub subject: String,
    /// Text.
    pub body: String,
    /// The sender's id.
    pub message_id: String,
    /// How often it came.
    pub copies: i64,
    /// When it came first.
    pub at: Micros,
}

/// Puts a message into the mailbox, or counts one more copy.
pub(super) fn put(book: &Connection, index: &mut Index, letter: &Letter, now: Micros) -> rusqlite::Result<()> {
    let Letter { order_id, channel, template, to, subject, body, message_id } = letter;
    let sms = *channel == Channel::Sms;
    let mut copy =
        book.prepare_cached("UPDATE message SET copies = copies + 1 WHERE id = ? AND message_id = ? AND sms = ?")?;
    for id in index.find(book, hash("message", message_id))? {
        if copy.execute(params![id, message_id, sms])? == 1 {
            return Ok(());
        }
    }
    let insert = "INSERT INTO message (order_id, sms, template, recipient, subject, body, message_id, copies, at)
                  VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?)";
    let values = params![order_id, sms, template, to, subject, body, message_id, now];
    let id = book.prepare_cached(insert)?.insert(values)?;
    index.add(id, &hashes(message_id, order_id));
    Ok(())
}

/// A page of the mailbox.
pub(super) fn page(
    book: &Connection,
    order_id: Option<&str>,
    after: i64,
    limit: usize,
) -> rusqlite::Result<Vec<Message>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    match order_id {
        Some(order_id) => {
            let hash = hash("order", order_id);
            let values = named_params! {":hash": hash, ":order": order_id, ":after": after, ":limit": limit};
            book.prepare_cached(&Index::query("message", "order_id = :order"))?.query_map(values, message)?.collect()
        }
        None => book
            .prepare_cached("SELECT * FROM message WHERE id > ? ORDER BY id LIMIT ?")?
            .query_map(params![after, limit], message)?
            .collect(),
    }
}

fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    Ok(Message {
        id: row.get("id")?,
        order_id: row.get("order_id")?,
        channel: if row.get("sms")? { Channel::Sms } else { Channel::Mail },
        template: row.get("template")?,
        to: row.get("recipient")?,
        subject: row.get("subject")?,
        body: row.get("body")?,
        message_id: row.get("message_id")?,
        copies: row.get("copies")?,
        at: row.get("at")?,
    })
}
