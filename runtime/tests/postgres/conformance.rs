//! The suite that every store passes.

use crate::server::Server;
use runtime::{
    conformance::{self, Open},
    store::StoreError,
};
use std::sync::Arc;

#[test]
fn the_store_on_postgres_conforms() {
    let Some(server) = Server::of_the_environment() else { return };
    let fresh = || -> Open {
        let database = Arc::new(server.fresh());
        Box::new(move || -> Result<_, StoreError> { Ok((Box::new(database.store()), database.read())) })
    };
    conformance::store(fresh).unwrap();
}
