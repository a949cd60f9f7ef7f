//! What a service is told that cannot use its database, and what it waits for.

use crate::server::{Fresh, Server, handle, unique};
use runtime::store::{Database, PostgresRead, PostgresStore, Read, Store, StoreError, postgres::SCHEMA_VERSION};

fn refusal(result: Result<impl Sized, StoreError>) -> String {
    match result.map(|_| ()) {
        Err(StoreError::Fatal(why)) => why,
        other => panic!("not fatal: {other:?}"),
    }
}

fn begun(url: &str) -> Result<runtime::store::Lead, StoreError> {
    PostgresStore::new(Database::new(url, handle())?).begin_reign("here", 1)
}

/// Names the setting, and never shows the password.
#[track_caller]
fn assert_told(why: &str, parts: &[&str]) {
    for part in parts.iter().chain(&["DATABASE_URL"]) {
        assert!(why.contains(part), "does not name `{part}`: {why}");
    }
    assert!(!why.contains("s3cret"), "shows the password: {why}");
}

#[test]
fn a_setting_that_is_no_url_of_a_database_is_refused_without_showing_the_password() {
    for (url, said) in [
        ("postgres://user:s3cret@host:notaport/shop", "port"),
        ("postgres://user:s3cret@host:5432", "names no database"),
        ("dbname=shop user=user password=s3cret", "names no host"),
        ("sqlite:s3cret", "invalid connection string"),
        ("", "names no database"),
        ("postgres://user:s3cret@host/shop?unheard=of", "unheard"),
    ] {
        assert_told(&refusal(Database::new(url, handle())), &[said, "postgres://USER:PASSWORD@HOST:PORT/DATABASE"]);
    }
}

#[test]
fn a_wrong_password_a_wrong_user_and_an_unknown_database_are_refused_at_the_start() {
    let Some(server) = Server::of_the_environment() else { return };
    let fresh = server.fresh();
    let nobody = unique("nobody");
    assert_told(&refusal(begun(&server.url_for(&nobody, "s3cret", &fresh.name))), &[&nobody]);
    let missing = unique("missing");
    assert_told(&refusal(begun(&server.url(&missing))), &[&missing, "does not exist"]);
    let role = Role::new(&server);
    server.sql("postgres", &format!("ALTER ROLE {} PASSWORD 'right'", role.name));
    assert_told(&refusal(begun(&server.url_for(&role.name, "s3cret", &fresh.name))), &["password", &fresh.name]);
}

#[test]
fn a_server_that_is_not_there_is_waited_for() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let url = format!("postgres://user:s3cret@127.0.0.1:{port}/shop");
    let Err(StoreError::Outage(why)) = begun(&url) else { panic!("not waited for") };
    assert!(why.contains(&format!("the database `shop` at 127.0.0.1:{port}")) && !why.contains("s3cret"), "{why}");
    let read = PostgresRead::new(Database::new(&url, handle()).unwrap());
    assert!(matches!(read.lead(), Err(StoreError::Outage(_))));
}

/// As a server does that is paused, or behind a network that swallows its answers.
#[test]
fn a_server_that_never_answers_is_given_up_and_waited_for() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://user:s3cret@{}/shop", silent.local_addr().unwrap());
    let begun = begun(&url);
    assert!(matches!(&begun, Err(StoreError::Outage(why)) if why.contains("does not answer within")), "{begun:?}");
}

#[test]
fn a_database_that_can_no_longer_be_connected_to_is_waited_for() {
    let Some(server) = Server::of_the_environment() else { return };
    let fresh = server.fresh();
    let mut store = fresh.store();
    let read = fresh.read();
    let lead = store.begin_reign("here", 1).unwrap();
    assert_eq!(read.lead().unwrap(), lead);
    let renamed = format!("{}_away", fresh.name);
    server.sql("postgres", &format!("{} ALTER DATABASE {} RENAME TO {renamed}", end_sessions(&fresh), fresh.name));
    for _ in 0..3 {
        let (begun, led) = (store.begin_reign("here", 1), read.lead());
        assert!(
            matches!((&begun, &led), (Err(StoreError::Outage(_)), Err(StoreError::Outage(_)))),
            "{begun:?} {led:?}"
        );
    }
    server.sql("postgres", &format!("ALTER DATABASE {renamed} RENAME TO {}", fresh.name));
    assert_eq!(store.begin_reign("here", 1).unwrap().epoch, lead.epoch + 1);
    assert_eq!(read.lead().unwrap().epoch, lead.epoch + 1);
}

/// A statement that ends all sessions with a database.
fn end_sessions(fresh: &Fresh) -> String {
    format!("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{}';", fresh.name)
}

#[test]
fn a_database_of_something_else_is_refused_and_left_alone() {
    let Some(server) = Server::of_the_environment() else { return };
    let fresh = server.fresh();
    fresh.sql("CREATE TABLE theirs (id integer)");
    assert_told(&refusal(begun(&fresh.url())), &["none of tutti", &fresh.name]);
    assert_told(&refusal(fresh.read().lead()), &["none of tutti"]);
    fresh.sql("DROP TABLE theirs"); // nothing was added to it
    assert!(begun(&fresh.url()).is_ok());
}

#[test]
fn tables_of_a_newer_build_are_refused() {
    let Some(server) = Server::of_the_environment() else { return };
    let fresh = server.fresh();
    begun(&fresh.url()).unwrap();
    fresh.sql("INSERT INTO tutti_migration (version, what) VALUES (999, 'of tomorrow')");
    for why in [refusal(begun(&fresh.url())), refusal(fresh.read().lead())] {
        assert!(why.contains("newer build") && why.contains("999") && why.contains(&fresh.name), "{why}");
    }
}

#[test]
fn a_database_that_cannot_hold_all_text_is_refused() {
    let Some(server) = Server::of_the_environment() else { return };
    let fresh = server.fresh();
    let other = format!("{}_latin", fresh.name);
    let create = format!("CREATE DATABASE {other} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'");
    server.sql("postgres", &create);
    let latin = Fresh { server: server.clone(), name: other };
    let why = refusal(begun(&latin.url()));
    assert!(why.contains("LATIN1") && why.contains("UTF8"), "{why}");
}

#[test]
fn tables_that_are_gone_are_fatal_and_not_made_anew() {
    let Some(server) = Server::of_the_environment() else { return };
    let fresh = server.fresh();
    let mut store = fresh.store();
    store.begin_reign("here", 1).unwrap();
    fresh.sql("DROP TABLE work");
    assert!(refusal(store.work_after(None, 1)).contains("restore the database"));
    assert!(refusal(fresh.read().counts()).contains("restore the database"));
    assert!(refusal(begun(&fresh.url()).and_then(|_| fresh.store().work_after(None, 1))).contains("restore"));
}

#[test]
fn processes_that_start_at_once_make_the_tables_once() {
    let Some(server) = Server::of_the_environment() else { return };
    let fresh = server.fresh();
    std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| fresh.store().begin_reign("here", 1))).collect();
        for start in starts {
            let begun = start.join().unwrap();
            assert!(matches!(begun, Ok(_) | Err(StoreError::Led(_))), "{begun:?}");
        }
    });
    let applied = crate::server::run(async {
        let client = server.connect(&fresh.name).await;
        client.query_one("SELECT count(*)::int4, max(version) FROM tutti_migration", &[]).await.unwrap()
    });
    assert_eq!((applied.get::<_, i32>(0), applied.get::<_, i32>(1)), (SCHEMA_VERSION, SCHEMA_VERSION));
}

#[test]
fn a_role_that_may_not_make_tables_is_told_that_it_must_own_its_database() {
    let Some(server) = Server::of_the_environment() else { return };
    let fresh = server.fresh();
    let role = Role::new(&server);
    fresh.sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    let why = refusal(begun(&server.url_for(&role.name, "s3cret", &fresh.name)));
    assert_told(&why, &["must own its database"]);
}

#[test]
fn a_reader_that_comes_before_the_tables_waits_for_them() {
    let Some(server) = Server::of_the_environment() else { return };
    let fresh = server.fresh();
    let read = fresh.read();
    assert!(matches!(read.lead(), Err(StoreError::Outage(why)) if why.contains("no tables yet")));
    let mut store = fresh.store();
    assert_eq!(store.begin_reign("here", 1).unwrap(), read.lead().unwrap());
}

/// A role with the password `s3cret`, dropped with the test.
struct Role<'s> {
    server: &'s Server,
    name: String,
}

impl Role<'_> {
    fn new(server: &Server) -> Role<'_> {
        let name = unique("role");
        server.sql("postgres", &format!("CREATE ROLE {name} LOGIN PASSWORD 's3cret'"));
        Role { server, name }
    }
}

impl Drop for Role<'_> {
    fn drop(&mut self) {
        self.server.sql("postgres", &format!("DROP ROLE {}", self.name));
    }
}
