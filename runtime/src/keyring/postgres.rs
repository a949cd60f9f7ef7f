//! The keyring in a PostgreSQL database of its own, for services that are processes of their own. `order` makes keys;
//! the others only read them, and a role that may do no more than that suffices for them.

use super::{
    KeyAnswer, KeyError, Keyring,
    asks::{Ask, Asks, BATCH},
};
use crate::store::{
    Database, StoreError,
    postgres::{
        Connected,
        error::{describe, outage},
        text::{escaped, unescaped},
    },
};
use shared_events::CustomerKey;
use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};
use tokio::{runtime::Handle, sync::mpsc};
use tokio_postgres::{
    error::SqlState,
    types::{ToSql, Type},
};

/// The setting that names the database.
const SETTING: &str = "KEYRING_DATABASE_URL";
/// When one batch is given up; whoever waits is told that the keyring is away.
const ANSWERS_WITHIN: Duration = Duration::from_secs(8);
/// Statements for one batch: more than one only where another process makes the same key at the same moment.
const ROUNDS: usize = 3;

/// What every session goes by. A key that was told is durable.
const SESSION: &str = "SET synchronous_commit = on; SET statement_timeout = '5 s'";
/// Two processes that make the table at once would disturb each other, so they take turns.
const MAKE_TABLE: &str = "SELECT pg_advisory_xact_lock(1802921324);
CREATE TABLE IF NOT EXISTS customer_key (
  customer text COLLATE \"C\" PRIMARY KEY, -- who
  key      bytea                           -- 32 random bytes; null is the tombstone of a customer who was forgotten
)";
const READ: &str = "SELECT customer, key FROM customer_key WHERE customer = ANY($1)";
/// One statement makes what is missing and reads the rest. Of two processes that make the same key the first wins; the
/// other's statement may see neither, and is repeated. Inserting in order keeps the two from waiting for each other.
const MAKE: &str = "WITH made AS (
  INSERT INTO customer_key (customer, key)
  SELECT customer, fresh FROM unnest($1, $2) AS asked (customer, fresh) WHERE fresh IS NOT NULL ORDER BY customer
  ON CONFLICT DO NOTHING RETURNING customer, key
) SELECT customer, key FROM made UNION ALL SELECT customer, key FROM customer_key WHERE customer = ANY($1)";

/// Keys in a database. One session asks it, and all keys that are wanted while a statement is under way share the next
/// one.
pub struct PostgresKeyring {
    asks: Asks,
    database: Database,
}

impl PostgresKeyring {
    /// The keyring that the setting `KEYRING_DATABASE_URL` names. Nothing is connected to yet.
    ///
    /// # Errors
    /// When it is no URL of a PostgreSQL database.
    pub fn new(url: &str, runtime: &Handle) -> Result<Arc<PostgresKeyring>, StoreError> {
        let database = Database::named(SETTING, url, runtime.clone())?;
        let (asks, queue) = Asks::queue();
        // Ends with the last clone of the keyring.
        drop(runtime.spawn(serve(Session { database: database.clone(), connected: None }, queue)));
        Ok(Arc::new(PostgresKeyring { asks, database }))
    }

    /// Whether it can be used: it is there, and has its table.
    ///
    /// # Errors
    /// [`StoreError::Fatal`] when the setting cannot be right, [`StoreError::Outage`] when the database is away.
    pub async fn reach(&self) -> Result<(), StoreError> {
        within(open(&self.database)).await.map(drop)
    }
}

impl Keyring for PostgresKeyring {
    fn make_or_get<'a>(&'a self, customer: &'a str) -> KeyAnswer<'a> {
        Box::pin(self.asks.key(customer, true))
    }
    fn get<'a>(&'a self, customer: &'a str) -> KeyAnswer<'a> {
        Box::pin(self.asks.key(customer, false))
    }
}

async fn serve(mut session: Session, mut queue: mpsc::Receiver<Ask>) {
    let mut asks = vec![];
    while queue.recv_many(&mut asks, BATCH).await > 0 {
        let found = session.answer(&asks).await;
        for ask in asks.drain(..) {
            let key = match &found {
                Ok(found) => found.get(&ask.customer).cloned().unwrap_or(Err(KeyError::Unknown)),
                Err(away) => Err(KeyError::Away(away.to_string())),
            };
            ask.answer(key);
        }
    }
}

/// What is known of those who were asked for.
type Found = HashMap<String, Result<CustomerKey, KeyError>>;

struct Session {
    database: Database,
    connected: Option<Connected>,
}

impl Session {
    /// Asks in the session that is there, or in a fresh one. One that was kept may have been broken since; everything
    /// here may be repeated.
    async fn answer(&mut self, asks: &[Ask]) -> Result<Found, StoreError> {
        let kept = self.connected.is_some();
        match self.try_answer(asks).await {
            Err(_) if kept => self.try_answer(asks).await,
            result => result,
        }
    }

    /// A session in which anything went wrong, or that does not answer, is dropped.
    async fn try_answer(&mut self, asks: &[Ask]) -> Result<Found, StoreError> {
        let connected = self.connected.take();
        let asking = async {
            let connected = match connected {
                Some(connected) => connected,
                None => open(&self.database).await?,
            };
            let found = ask(&connected, asks).await?;
            Ok((connected, found))
        };
        let (connected, found) = within(asking).await?;
        self.connected = Some(connected);
        Ok(found)
    }
}

async fn within<R>(asking: impl Future<Output = Result<R, StoreError>>) -> Result<R, StoreError> {
    let late = |_| StoreError::Outage(format!("no answer within {} s", ANSWERS_WITHIN.as_secs()));
    tokio::time::timeout(ANSWERS_WITHIN, asking).await.map_err(late)?
}

/// Opens a session, and makes the table if it is not there and the role may.
async fn open(database: &Database) -> Result<Connected, StoreError> {
    let connected = database.connect("tutti keyring", SESSION).await?;
    let sql = "SELECT to_regclass('customer_key') IS NOT NULL";
    let row = connected.client.query_typed_one(sql, &[]).await;
    if !row.and_then(|row| row.try_get::<_, bool>(0)).map_err(|e| outage(&e))? {
        connected.client.batch_execute(MAKE_TABLE).await.map_err(|e| match e.code() {
            Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                let why = format!("{database} has no table of keys yet, and this role may not make it: order makes it");
                StoreError::Outage(format!("{why} when it first runs ({})", describe(&e)))
            }
            _ => outage(&e),
        })?;
    }
    Ok(connected)
}

/// Asks for all of them in one statement. A key that another process makes at the same moment is seen by the next one.
async fn ask(connected: &Connected, asks: &[Ask]) -> Result<Found, StoreError> {
    let mut found = Found::new();
    for _ in 0..ROUNDS {
        let open: Vec<&Ask> = asks.iter().filter(|ask| !found.contains_key(&ask.customer)).collect();
        match open.iter().any(|ask| ask.make) {
            true => found.extend(make(connected, &open).await?),
            false if open.is_empty() => break,
            false => {
                found.extend(read(connected, &open).await?);
                break;
            }
        }
    }
    Ok(found)
}

async fn read(connected: &Connected, asks: &[&Ask]) -> Result<Found, StoreError> {
    let customers: Vec<_> = asks.iter().map(|ask| escaped(&ask.customer)).collect();
    let rows = connected.client.query_typed(READ, &[(&customers, Type::TEXT_ARRAY)]).await.map_err(|e| outage(&e))?;
    rows.iter().map(known).collect()
}

async fn make(connected: &Connected, asks: &[&Ask]) -> Result<Found, StoreError> {
    let mut wanted: BTreeMap<Cow<'_, str>, Option<Vec<u8>>> = BTreeMap::new();
    for ask in asks {
        let key = wanted.entry(escaped(&ask.customer)).or_default();
        if ask.make && key.is_none() {
            *key = Some(fresh_key()?);
        }
    }
    let (customers, keys): (Vec<_>, Vec<_>) = wanted.into_iter().unzip();
    let values: [(&(dyn ToSql + Sync), Type); 2] = [(&customers, Type::TEXT_ARRAY), (&keys, Type::BYTEA_ARRAY)];
    let rows = connected.client.query_typed(MAKE, &values).await.map_err(|e| outage(&e))?;
    rows.iter().map(known).collect()
}

fn fresh_key() -> Result<Vec<u8>, StoreError> {
    let key = CustomerKey::generate().map_err(|error| StoreError::Outage(error.to_string()))?;
    Ok(key.as_bytes().to_vec())
}

fn known(row: &tokio_postgres::Row) -> Result<(String, Result<CustomerKey, KeyError>), StoreError> {
    let customer: String = row.try_get(0).map_err(|e| outage(&e))?;
    let key: Option<&[u8]> = row.try_get(1).map_err(|e| outage(&e))?;
    let key = match key.map(<[u8; 32]>::try_from) {
        Some(Ok(key)) => Ok(CustomerKey::from_bytes(key)),
        None => Err(KeyError::Forgotten),
        Some(Err(_)) => Err(KeyError::Away("a key of the wrong length: restore the keyring from its backup".into())),
    };
    Ok((unescaped(customer), key))
}
