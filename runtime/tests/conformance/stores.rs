//! Every store passes the same suite.

use runtime::{
    conformance::{self, Open},
    store::{MemoryStore, Read, SqliteRead, SqliteStore, Store},
};
use std::sync::Arc;

fn memory() -> Open {
    let store = MemoryStore::new(1_700_000_000_000);
    Box::new(move || Ok((Box::new(store.clone()), Arc::new(store.clone()))))
}

fn sqlite() -> Open {
    let folder = tempfile::tempdir().unwrap();
    Box::new(move || {
        let path = folder.path().join("desk.db");
        let store: Box<dyn Store> = Box::new(SqliteStore::open(&path, 1_700_000_000_000)?);
        let read: Arc<dyn Read> = Arc::new(SqliteRead::open(&path)?);
        Ok((store, read))
    })
}

#[test]
fn the_store_in_memory_conforms() {
    conformance::store(memory).unwrap();
}

#[test]
fn the_store_on_sqlite_conforms() {
    conformance::store(sqlite).unwrap();
}
