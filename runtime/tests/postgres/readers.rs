//! Readers outlive what happens to their sessions, and are never many.

use crate::server::{Fresh, Server, run};
use runtime::store::{Read, Store};

const READERS: &str =
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'tutti reader'";

fn readers(fresh: &Fresh) -> i64 {
    run(async { fresh.server.connect(&fresh.name).await.query_one(READERS, &[]).await.unwrap().get(0) })
}

#[test]
fn the_first_read_after_the_database_was_restarted_succeeds() {
    let Some(server) = Server::of_the_environment() else { return };
    let fresh = server.fresh();
    let lead = fresh.store().begin_reign("here", 1).unwrap();
    let read = fresh.read();
    for _ in 0..3 {
        // Given sessions that were kept,
        std::thread::scope(|scope| {
            (0..4).for_each(|_| _ = scope.spawn(|| assert_eq!(read.lead().unwrap(), lead)));
        });
        assert!(readers(&fresh) > 0);
        // when all of them are broken at once,
        fresh.sql(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'tutti reader'
                      AND datname = current_database()",
        );
        // then no read fails.
        (0..6).for_each(|_| assert_eq!(read.lead().unwrap(), lead));
    }
}

#[test]
fn many_readers_at_once_share_few_sessions() {
    let Some(server) = Server::of_the_environment() else { return };
    let fresh = server.fresh();
    fresh.store().begin_reign("here", 1).unwrap();
    let read = fresh.read();
    std::thread::scope(|scope| {
        let many: Vec<_> = (0..40).map(|_| scope.spawn(|| (0..20).for_each(|_| _ = read.counts().unwrap()))).collect();
        while many.iter().any(|reader| !reader.is_finished()) {
            // One that was just closed may still be listed.
            assert!(readers(&fresh) <= 12, "{} sessions", readers(&fresh));
        }
    });
}

#[test]
fn a_reader_writes_nothing() {
    let Some(server) = Server::of_the_environment() else { return };
    let fresh = server.fresh();
    fresh.store().begin_reign("here", 1).unwrap();
    let read = fresh.read();
    read.lead().unwrap();
    // A function that writes, in place of a table that is read.
    fresh.sql(
        "CREATE FUNCTION writes() RETURNS integer LANGUAGE sql AS $$
                 INSERT INTO cursor VALUES ('x', 1, 0, 1); SELECT 0 $$;
               ALTER TABLE work RENAME TO work_table;
               CREATE VIEW work AS SELECT work_table.* FROM work_table, (SELECT writes() AS n) AS w WHERE w.n = 1",
    );
    let read = read.counts();
    assert!(matches!(&read, Err(why) if why.to_string().contains("25006")), "{read:?}");
}
