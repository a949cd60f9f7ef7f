//! What the outside world has noted about these orders, as the invariants want it.

use crate::client::{Client, items};
use serde_json::Value;
use tutti::invariants::{Books, Entry, Message, Parcel};

/// The books, read.
#[derive(Default)]
pub struct Read {
    entries: Vec<Entry>,
    parcels: Vec<Parcel>,
    messages: Vec<Message>,
}

impl Read {
    /// Reads them, order by order: the mail server is also used by others.
    pub async fn about(world: &Client, orders: &[String]) -> Read {
        let mut books = Read::default();
        for id in orders {
            let rows = async |path: &str, member| items(world.read(&format!("{path}?order_id={id}")).await, member);
            books.entries.extend(rows("/gateway/ledger", "entries").await.iter().map(entry));
            books.parcels.extend(rows("/carrier/parcels", "parcels").await.iter().map(parcel));
            books.messages.extend(rows("/mailbox", "messages").await.iter().map(message));
        }
        (1..).zip(&mut books.entries).for_each(|(id, entry)| entry.id = id);
        (1..).zip(&mut books.parcels).for_each(|(id, parcel)| parcel.id = id);
        (1..).zip(&mut books.messages).for_each(|(id, message)| message.id = id);
        books
    }
}

impl Books for Read {
    fn entries(&self, after: i64, limit: usize) -> Result<Vec<Entry>, String> {
        Ok(self.entries.iter().filter(|entry| entry.id > after).take(limit).cloned().collect())
    }
    fn parcels(&self, after: i64, limit: usize) -> Result<Vec<Parcel>, String> {
        Ok(self.parcels.iter().filter(|parcel| parcel.id > after).take(limit).cloned().collect())
    }
    fn messages(&self, after: i64, limit: usize) -> Result<Vec<Message>, String> {
        Ok(self.messages.iter().filter(|message| message.id > after).take(limit).cloned().collect())
    }
}

fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_else(|| panic!("no {member} in {value}")).to_owned()
}

fn entry(row: &Value) -> Entry {
    Entry {
        id: 0,
        order_id: text(row, "order_id"),
        refund: row["kind"] == "refund",
        succeeded: row["outcome"] != "declined",
        amount_minor: row["amount_minor"].as_i64().unwrap(),
        currency: text(row, "currency"),
    }
}

fn parcel(row: &Value) -> Parcel {
    let state = text(row, "state");
    Parcel {
        id: 0,
        order_id: text(row, "order_id"),
        out: matches!(&*state, "out" | "delivered"),
        delivered: state == "delivered",
        void: state == "void",
        under_way: matches!(&*state, "ready" | "out"),
    }
}

fn message(row: &Value) -> Message {
    Message {
        id: 0,
        order_id: text(row, "order_id"),
        sms: row["channel"] == "sms",
        template: text(row, "template"),
        message_id: text(row, "message_id"),
    }
}
