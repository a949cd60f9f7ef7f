//! The keyring on PostgreSQL: the suite that every keyring passes, what it says where it cannot be used, and how it
//! outlives its server's restarts.

use crate::server::{Fresh, Server, handle, run, unique};
use runtime::{
    KeyError, Keyring, PostgresKeyring, StoreError,
    conformance::{self, Keys},
};
use std::sync::Arc;

fn open(database: &Fresh) -> Arc<PostgresKeyring> {
    PostgresKeyring::new(&database.url(), &handle()).unwrap()
}

fn sessions(database: &Fresh) -> String {
    format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'", database.name)
}

#[test]
fn the_keyring_on_postgres_conforms() {
    let Some(server) = Server::of_the_environment() else { return };
    let fresh = || {
        let database = Arc::new(server.fresh());
        let opened = database.clone();
        Keys {
            open: Box::new(move || open(&opened)),
            forget: Box::new(move |customer| {
                let database = database.clone();
                Box::pin(async move {
                    let client = database.server.connect(&database.name).await;
                    let sql = "UPDATE customer_key SET key = NULL WHERE customer = $1";
                    assert_eq!(client.execute(sql, &[&customer]).await.unwrap(), 1);
                })
            }),
        }
    };
    conformance::keyring(&handle(), fresh).unwrap();
}

#[test]
fn a_role_that_may_only_read_finds_keys_and_makes_none() {
    let Some(server) = Server::of_the_environment() else { return };
    let (database, reader) = (server.fresh(), unique("reader"));
    database.sql(&format!("CREATE ROLE {reader} LOGIN PASSWORD 'p'; REVOKE CREATE ON SCHEMA public FROM PUBLIC"));
    let url = server.url_for(&reader, "p", &database.name);
    let keyring = PostgresKeyring::new(&url, &handle()).unwrap();
    let away = run(keyring.get("c-1")).err();
    assert!(matches!(&away, Some(KeyError::Away(why)) if why.contains("order makes it")), "{away:?}");
    let key = run(open(&database).make_or_get("c-1")).unwrap();
    database.sql(&format!("GRANT SELECT ON customer_key TO {reader}"));
    assert_eq!(run(keyring.get("c-1")).unwrap().as_bytes(), key.as_bytes());
    assert!(matches!(run(keyring.make_or_get("c-2")).err(), Some(KeyError::Away(_))));
    database.sql(&format!("DROP OWNED BY {reader}; DROP ROLE {reader}"));
}

#[test]
fn it_goes_on_after_its_sessions_were_ended() {
    let Some(server) = Server::of_the_environment() else { return };
    let database = server.fresh();
    let keyring = open(&database);
    run(keyring.make_or_get("c-1")).unwrap();
    server.sql("postgres", &sessions(&database));
    run(keyring.make_or_get("c-2")).unwrap();
}

#[test]
fn what_cannot_become_right_is_told_apart_from_what_is_away() {
    let Some(server) = Server::of_the_environment() else { return };
    let database = server.fresh();
    let no_url = PostgresKeyring::new("hunter2", &handle()).err().map(|e| e.to_string()).unwrap_or_default();
    assert!(no_url.starts_with("KEYRING_DATABASE_URL cannot be used") && !no_url.contains("hunter2"), "{no_url}");
    let wrong = server.url_for("nobody", "hunter2", &database.name);
    let wrong = run(PostgresKeyring::new(&wrong, &handle()).unwrap().reach());
    let Err(StoreError::Fatal(why)) = wrong else { panic!("{wrong:?}") };
    assert!(why.contains("See that KEYRING_DATABASE_URL names") && !why.contains("hunter2"), "{why}");
    let nowhere = PostgresKeyring::new("postgres://a:hunter2@127.0.0.1:1/keyring", &handle()).unwrap();
    assert!(matches!(run(nowhere.reach()), Err(StoreError::Outage(_))));
    assert!(matches!(run(nowhere.get("c-1")).err(), Some(KeyError::Away(_))));
    assert_eq!(run(open(&database).reach()), Ok(()));
}
