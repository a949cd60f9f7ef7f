//! Every keyring passes the same suite; the one on PostgreSQL does so beside the store's tests there.

use runtime::{
    FileKeyring, Keyring,
    conformance::{self, Keys},
};
use std::{pin::Pin, sync::Arc, time::Duration};

fn file() -> Keys {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyring.db");
    // The folder is gone with the place.
    let open = Box::new(move || -> Arc<dyn Keyring> { FileKeyring::open(&folder.path().join("keyring.db")).unwrap() });
    let forget = move |customer: String| -> Pin<Box<dyn Future<Output = ()>>> {
        let db = rusqlite::Connection::open(&path).unwrap();
        db.busy_timeout(Duration::from_secs(60)).unwrap();
        let forgotten = db.execute("UPDATE customer_key SET key = NULL WHERE customer = ?1", [customer]).unwrap();
        assert_eq!(forgotten, 1);
        Box::pin(std::future::ready(()))
    };
    Keys { open, forget: Box::new(forget) }
}

#[test]
fn the_keyring_in_a_file_conforms() {
    let tokio = tokio::runtime::Runtime::new().unwrap();
    conformance::keyring(tokio.handle(), file).unwrap();
}
