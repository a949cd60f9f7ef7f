//! The lock, the one session that has it, and what becomes of whoever loses it.

use crate::server::{Fresh, Server, run};
use runtime::{
    Clock,
    clock::SystemClock,
    record::{CursorRow, Position, StateRow},
    store::{Batch, Lead, PostgresStore, Read, Store, StoreError},
};
use std::time::{Duration, Instant};

/// What takes the lock as the store does, for tests that play the holder.
const LOCK: &str = "SELECT pg_advisory_lock(x'74757474'::int4, 0)";
/// Nothing is measured against it but that the test ends.
const DEADLINE: Duration = Duration::from_secs(60);

/// Asks for the lead until it is given.
fn await_lead(store: &mut PostgresStore) -> (Lead, Duration) {
    let asked = Instant::now();
    loop {
        match store.begin_reign("next", 1) {
            Ok(lead) => return (lead, asked.elapsed()),
            Err(StoreError::Led(_)) => assert!(asked.elapsed() < DEADLINE, "the lead is never given up"),
            Err(other) => panic!("{other}"),
        }
    }
}

fn batch(lead: Lead) -> Batch {
    Batch { lead, published: lead.published, ..Batch::default() }
}

/// Ends the session that holds the lock, as an administrator or a failing network would.
fn end_leader(fresh: &Fresh) {
    fresh.sql(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                WHERE datname = current_database() AND application_name = 'tutti writer'",
    );
}

/// Waits until no session has the lock.
fn await_free_lock(fresh: &Fresh) {
    let (client, until) = (fresh.connect(), Instant::now() + DEADLINE);
    let held = "SELECT count(*) FROM pg_locks JOIN pg_database ON database = pg_database.oid
                 WHERE locktype = 'advisory' AND datname = current_database()";
    while run(client.query_one(held, &[])).unwrap().get::<_, i64>(0) > 0 {
        assert!(Instant::now() < until, "the lock is never given up");
    }
}

#[test]
fn a_session_that_was_ended_is_an_outage_and_the_next_reign_writes_on() {
    let Some(server) = Server::of_the_environment() else { return };
    let fresh = server.fresh();
    let mut store = fresh.store();
    let lead = store.begin_reign("here", 1).unwrap();
    store.commit(&batch(lead)).unwrap();
    end_leader(&fresh);
    for _ in 0..3 {
        // It is never tried in another session: only a reign finds one.
        let committed = store.commit(&batch(Lead { commits: 1, ..lead }));
        assert!(matches!(committed, Err(StoreError::Outage(_))), "{committed:?}");
    }
    let next = store.begin_reign("here", 1).unwrap();
    assert_eq!((next.epoch, next.commits), (lead.epoch + 1, 1));
    store.commit(&batch(next)).unwrap();
}

#[test]
fn a_holder_without_a_sign_of_life_is_ended_and_one_with_signs_is_not() {
    let Some(server) = Server::of_the_environment() else { return };
    // Given one database whose leader is silent, one whose leader is silent in a transaction, and one whose leader has
    // nothing to write,
    let (silent, in_transaction, alive) = (server.fresh(), server.fresh(), server.fresh());
    for fresh in [&silent, &in_transaction] {
        await_lead(&mut fresh.store()); // makes the tables
    }
    let holders = [silent.connect(), in_transaction.connect()];
    run(async {
        holders[0].batch_execute(LOCK).await.unwrap();
        holders[1].batch_execute(&format!("BEGIN; {LOCK}")).await.unwrap();
    });
    let mut leader = alive.store();
    let lead = leader.begin_reign("alive", 1).unwrap();
    // when others ask for the lead of each,
    let mut others = [silent.store(), in_transaction.store()];
    let mut hopeful = alive.store();
    let taken = std::thread::scope(|scope| {
        let waits = others.each_mut().map(|store| scope.spawn(|| await_lead(store).1));
        let taken = waits.map(|wait| wait.join().unwrap());
        // For as long as the others took, and the same time again,
        let until = Instant::now() + taken[0].max(taken[1]);
        while Instant::now() < until {
            assert_eq!(hopeful.begin_reign("hopeful", 1), Err(StoreError::Led("alive".into())));
        }
        taken
    });
    // then the silent ones are ended, not before 5 s, and the one that is alive still leads.
    println!("taken from silent holders after {taken:?}");
    assert!(taken.iter().all(|after| *after >= Duration::from_millis(4500)), "{taken:?}");
    for holder in holders {
        assert!(run(holder.batch_execute("SELECT 1")).is_err());
    }
    leader.commit(&batch(lead)).unwrap();
}

#[test]
fn a_thread_that_panics_gives_up_the_lead() {
    let Some(server) = Server::of_the_environment() else { return };
    let fresh = server.fresh();
    let mut store = fresh.store();
    std::thread::spawn(move || {
        store.begin_reign("here", 1).unwrap();
        panic!("told to");
    })
    .join()
    .unwrap_err();
    // Nobody else asks for the lead, so nobody ends a silent holder.
    await_free_lock(&fresh);
}

#[test]
fn services_on_one_server_lead_side_by_side() {
    let Some(server) = Server::of_the_environment() else { return };
    let databases = [server.fresh(), server.fresh(), server.fresh()];
    let mut stores: Vec<_> = databases.iter().map(Fresh::store).collect();
    let leads: Vec<_> = stores.iter_mut().map(|store| store.begin_reign("here", 1).unwrap()).collect();
    for (store, lead) in stores.iter_mut().zip(leads) {
        store.commit(&batch(lead)).unwrap();
    }
}

#[test]
fn an_older_build_that_stands_by_is_told_so() {
    let Some(server) = Server::of_the_environment() else { return };
    let fresh = server.fresh();
    let (mut older, mut newer) = (fresh.store(), fresh.store());
    newer.begin_reign("newer", 2).unwrap();
    assert!(matches!(older.begin_reign("older", 1), Err(StoreError::Fatal(why)) if why.contains("newer build")));
    drop(newer);
    await_free_lock(&fresh);
    // Also when nobody leads: what led counts.
    assert!(matches!(older.begin_reign("older", 1), Err(StoreError::Fatal(why)) if why.contains("newer build")));
}

/// The server refuses one row in the last table: nothing of the others is there, and the session goes on.
#[test]
fn content_that_the_server_refuses_leaves_nothing_and_does_not_end_the_reign() {
    let Some(server) = Server::of_the_environment() else { return };
    let fresh = server.fresh();
    let mut store = fresh.store();
    let lead = store.begin_reign("here", 1).unwrap();
    fresh.sql("ALTER TABLE cursor ADD CHECK (source <> 'guilty')");
    let at = Position { generation: 1, seq: 1 };
    let state = StateRow { kind: "page.1".into(), key: "a".into(), lane: 0, seq: 1, version: 1, body: vec![] };
    let refused = store.commit(&Batch {
        states: vec![state.clone()],
        cursors: vec![CursorRow { source: "guilty".into(), lane: 0, at, offset_hint: None }],
        ..batch(lead)
    });
    assert!(matches!(&refused, Err(StoreError::Data(why)) if why.contains("23514")), "{refused:?}");
    let read = fresh.read();
    assert_eq!((read.lead().unwrap(), read.state("page.1", "a").unwrap()), (lead, None));
    store.commit(&Batch { states: vec![state.clone()], ..batch(lead) }).unwrap();
    assert_eq!(read.state("page.1", "a").unwrap(), Some(state));
}

/// The statement is under way on the server when its session is lost; it may not happen after the next reign has begun.
#[test]
fn a_commit_whose_reply_is_lost_is_over_before_the_next_reign_loads() {
    let Some(server) = Server::of_the_environment() else { return };
    let fresh = server.fresh();
    let mut store = fresh.store();
    let lead = store.begin_reign("here", 1).unwrap();
    let blocker = fresh.connect();
    run(blocker.batch_execute("BEGIN; LOCK TABLE state")).unwrap();
    let state = StateRow { kind: "page.1".into(), key: "a".into(), lane: 0, seq: 1, version: 1, body: vec![] };
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let (lost, next) = std::thread::scope(|scope| {
        let committed = scope.spawn(|| {
            let lost = store.commit(&Batch { states: vec![state.clone()], ..batch(lead) });
            (lost, store.begin_reign("here", 1))
        });
        let until = Instant::now() + DEADLINE;
        while run(blocker.query_one(waits, &[])).unwrap().get::<_, i64>(0) == 0 {
            assert!(Instant::now() < until, "the commit never waits");
        }
        end_leader(&fresh);
        run(blocker.batch_execute("COMMIT")).unwrap();
        committed.join().unwrap()
    });
    assert!(matches!(lost, Err(StoreError::Outage(_))), "{lost:?}");
    let next = next.unwrap();
    assert_eq!((next.epoch, next.commits), (lead.epoch + 1, 0));
    store.commit(&Batch { states: vec![state.clone()], ..batch(next) }).unwrap();
    assert_eq!(fresh.read().state("page.1", "a").unwrap(), Some(state));
}

#[test]
fn a_statement_that_takes_too_long_is_ended_by_the_server_and_is_an_outage() {
    let Some(server) = Server::of_the_environment() else { return };
    let fresh = server.fresh();
    let mut store = fresh.store();
    let lead = store.begin_reign("here", 1).unwrap();
    let blocker = fresh.connect();
    run(blocker.batch_execute("BEGIN; LOCK TABLE state")).unwrap();
    let committed = store.commit(&batch(lead));
    assert!(matches!(&committed, Err(StoreError::Outage(why)) if why.contains("57014")), "{committed:?}");
    run(blocker.batch_execute("COMMIT")).unwrap();
    assert_eq!(await_lead(&mut store).0.epoch, lead.epoch + 1);
}

#[test]
fn every_batch_samples_the_servers_clock() {
    let Some(server) = Server::of_the_environment() else { return };
    let fresh = server.fresh();
    let mut store = fresh.store();
    let clock = store.clock();
    let is_of_today = || (clock.now() - SystemClock.now()).abs() < 3_600_000_000;
    clock.sampled(7);
    let lead = store.begin_reign("here", 1).unwrap();
    assert!(is_of_today(), "{}", clock.now());
    clock.sampled(7);
    store.commit(&batch(lead)).unwrap();
    assert!(is_of_today(), "{}", clock.now());
    // The signs of life of a leader that has nothing to write bring it along too.
    clock.sampled(7);
    let until = Instant::now() + DEADLINE;
    while !is_of_today() {
        assert!(Instant::now() < until, "the signs of life tell no time");
        std::thread::yield_now();
    }
}
