//! The mailbox: every message that was taken, once per Message-ID.

use super::{Channel, Letter};
use runtime::clock::Micros;
use rusqlite::{Connection, Row, params};

/// One index both finds a copy and lists an order's messages.
pub(super) const TABLES: &str = "
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
    );
    CREATE UNIQUE INDEX message_by_order ON message (order_id, message_id, sms);";

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
pub(super) fn put(book: &Connection, letter: &Letter, now: Micros) -> rusqlite::Result<()> {
    let Letter { order_id, channel, template, to, subject, body, message_id } = letter;
    let sms = *channel == Channel::Sms;
    let insert = "INSERT INTO message (order_id, sms, template, recipient, subject, body, message_id, copies, at)
                  VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?)
                  ON CONFLICT (order_id, message_id, sms) DO UPDATE SET copies = copies + 1";
    let values = params![order_id, sms, template, to, subject, body, message_id, now];
    book.prepare_cached(insert)?.execute(values).map(drop)
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
        Some(order_id) => book
            .prepare_cached("SELECT * FROM message WHERE order_id = ? AND id > ? ORDER BY id LIMIT ?")?
            .query_map(params![order_id, after, limit], message)?
            .collect(),
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
