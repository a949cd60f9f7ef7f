//! Taking a database back to what it was before its service first ran: for beginning the whole shop anew.

use super::{
    Database,
    error::store_error,
    lead,
    migrate::{Found, examine},
};
use crate::store::StoreError;

/// The tables of a store, and what marks them as ours.
const TABLES: &str = "lead, log, state, cursor, work, parked, tutti_migration";
/// The table of a keyring.
const KEYS: &str = "customer_key";

impl Database {
    /// Whether it has no tables yet.
    ///
    /// # Errors
    /// When it cannot be reached, or is not ours.
    pub fn is_blank(&self) -> Result<bool, StoreError> {
        self.block_on(async {
            let session = self.connect("tutti", "").await?;
            Ok(examine(&session.client).await? == Found::Empty)
        })
    }

    /// Fails while a service leads here.
    ///
    /// # Errors
    /// [`StoreError::Led`], or why that cannot be told.
    pub fn is_free(&self) -> Result<(), StoreError> {
        self.alone(async |_| Ok(()))
    }

    /// Deletes a store's tables, with everything in them.
    ///
    /// # Errors
    /// [`StoreError::Led`] while a service leads here; nothing is deleted then.
    pub fn wipe(&self) -> Result<(), StoreError> {
        self.alone(async |client| client.batch_execute(&format!("DROP TABLE {TABLES}")).await.map_err(store_error))
    }

    /// Deletes a keyring's keys. Nothing that was sealed with them can ever be read again.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub fn wipe_keys(&self) -> Result<(), StoreError> {
        self.block_on(async {
            let session = self.connect("tutti", "").await?;
            let sql = format!("DROP TABLE IF EXISTS {KEYS}");
            session.client.batch_execute(&sql).await.map_err(store_error)
        })
    }

    /// Does something in a store that nobody leads; nothing in a database that has no tables.
    fn alone(
        &self,
        work: impl AsyncFnOnce(&tokio_postgres::Client) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.block_on(async {
            let session = self.connect("tutti", "").await?;
            if examine(&session.client).await? == Found::Empty {
                return Ok(());
            }
            if !lead::try_lock(&session.client).await? {
                return Err(lead::led(&session.client, u64::MAX).await);
            }
            work(&session.client).await
        })
    }
}
