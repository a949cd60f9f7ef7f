//! The keyring in one SQLite file, for a shop in one process.

use super::{
    KeyAnswer, KeyError, Keyring,
    asks::{Ask, Asks, BATCH},
};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use shared_events::CustomerKey;
use std::{path::Path, sync::Arc};
use tokio::sync::mpsc;

/// Keys in one SQLite file. One thread writes, and all keys asked for while the last commit was under way share the
/// next one.
pub struct FileKeyring {
    asks: Asks,
}

impl FileKeyring {
    /// Opens the file, creating it when it is not there.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn open(path: &Path) -> Result<Arc<FileKeyring>, String> {
        let unusable = |e: rusqlite::Error| format!("{} cannot be used as a keyring: {e}", path.display());
        let db = Connection::open(path).map_err(unusable)?;
        db.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
             -- A row without a key is the tombstone of a forgotten customer.
             CREATE TABLE IF NOT EXISTS customer_key (customer TEXT PRIMARY KEY, key BLOB) STRICT, WITHOUT ROWID;",
        )
        .map_err(unusable)?;
        let (asks, queue) = Asks::queue();
        let serve = move || serve(db, queue);
        std::thread::Builder::new()
            .name("keyring".into())
            .spawn(serve)
            .map_err(|e| format!("the keyring's thread does not start: {e}"))?;
        Ok(Arc::new(FileKeyring { asks }))
    }
}

impl Keyring for FileKeyring {
    fn make_or_get<'a>(&'a self, customer: &'a str) -> KeyAnswer<'a> {
        Box::pin(self.asks.key(customer, true))
    }
    fn get<'a>(&'a self, customer: &'a str) -> KeyAnswer<'a> {
        Box::pin(self.asks.key(customer, false))
    }
}

fn serve(mut db: Connection, mut queue: mpsc::Receiver<Ask>) {
    let mut asks = vec![];
    while queue.blocking_recv_many(&mut asks, BATCH) > 0 {
        let answers = answer_all(&mut db, &asks);
        for (index, ask) in asks.drain(..).enumerate() {
            ask.answer(match &answers {
                Ok(answers) => answers[index].clone(),
                Err(error) => Err(KeyError::Away(error.to_string())),
            });
        }
    }
}

type Answers = Vec<Result<CustomerKey, KeyError>>;

/// Answers only after the commit, so that nothing is ever sealed with a key that could be lost.
fn answer_all(db: &mut Connection, asks: &[Ask]) -> rusqlite::Result<Answers> {
    // Two keyrings on one file take turns from the first read on.
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let answers = asks.iter().map(|ask| answer_one(&transaction, ask)).collect::<rusqlite::Result<Answers>>()?;
    transaction.commit()?;
    Ok(answers)
}

fn answer_one(db: &Connection, ask: &Ask) -> rusqlite::Result<Result<CustomerKey, KeyError>> {
    let mut select = db.prepare_cached("SELECT key FROM customer_key WHERE customer = ?1")?;
    let found: Option<Option<[u8; 32]>> = select.query_row([&ask.customer], |row| row.get(0)).optional()?;
    match found {
        Some(Some(key)) => Ok(Ok(CustomerKey::from_bytes(key))),
        Some(None) => Ok(Err(KeyError::Forgotten)),
        None if !ask.make => Ok(Err(KeyError::Unknown)),
        None => match CustomerKey::generate() {
            Ok(key) => {
                let mut insert = db.prepare_cached("INSERT INTO customer_key (customer, key) VALUES (?1, ?2)")?;
                insert.execute((&ask.customer, key.as_bytes()))?;
                Ok(Ok(key))
            }
            Err(error) => Ok(Err(KeyError::Away(error.to_string()))),
        },
    }
}
