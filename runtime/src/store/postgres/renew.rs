//! Beginning a generation of the log, at the end of a recovery.

use super::{
    batch::Parameters,
    error::store_error,
    rows::{Value, number},
    text::escaped,
};
use crate::store::{Renewal, STATE, StoreError};
use tokio_postgres::{Client, Statement, types::Type};

/// Writes a batch and begins a generation, in one transaction.
pub(super) async fn renew(
    client: &Client,
    write: &Statement,
    batch: &Parameters<'_>,
    renewal: &Renewal,
) -> Result<(), StoreError> {
    // It may take longer than any statement of a service at work.
    client.batch_execute("BEGIN; SET LOCAL statement_timeout = 0").await.map_err(store_error)?;
    let written = begin_generation(client, write, batch, renewal).await;
    let end = if written.is_ok() { "COMMIT" } else { "ROLLBACK" };
    client.batch_execute(end).await.map_err(store_error)?;
    written
}

async fn begin_generation(
    client: &Client,
    write: &Statement,
    batch: &Parameters<'_>,
    renewal: &Renewal,
) -> Result<(), StoreError> {
    let row = client.query_one(write, &batch.as_slice()).await.map_err(store_error)?;
    if row.try_get::<_, i64>(0).map_err(store_error)? != 1 {
        return Err(StoreError::Fenced("this reign is over".into()));
    }
    let kinds: Vec<_> = renewal.kinds.iter().map(|kind| escaped(kind)).collect();
    let cursors: Vec<_> = renewal.kinds.iter().map(|kind| format!("{STATE}{}", escaped(kind))).collect();
    let (epoch, pattern) = (number(renewal.epoch)?, format!("{STATE}%"));
    let statements: [(&str, &[Value]); 4] = [
        (
            "UPDATE lead SET gen = $1, head = 0, published = 0, epoch = greatest(epoch, $2) WHERE lane = 0",
            &[(&renewal.generation, Type::INT8), (&epoch, Type::INT8)],
        ),
        ("DELETE FROM state WHERE kind <> ALL ($1)", &[(&kinds, Type::TEXT_ARRAY)]),
        ("UPDATE state SET seq = 0 WHERE seq <> 0", &[]),
        (
            "DELETE FROM cursor WHERE source LIKE $1 AND source <> ALL ($2)",
            &[(&pattern, Type::TEXT), (&cursors, Type::TEXT_ARRAY)],
        ),
    ];
    for (sql, values) in statements {
        client.query_typed(sql, values).await.map_err(store_error)?;
    }
    Ok(())
}
