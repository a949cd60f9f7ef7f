//! Two designs that are near at hand, and what the checks of this folder find in them.

use crate::{
    check::{Seen, Violations, violations},
    server::{Fresh, Server, run},
};
use std::collections::BTreeMap;
use tokio_postgres::{Client, Row};

/// An outbox numbered by a sequence, filled by as many writers as like to, and the topic that it is relayed to.
const TABLES: &str = "CREATE TABLE outbox (id bigserial PRIMARY KEY, key text, n bigint, sent boolean DEFAULT false);
                      CREATE TABLE topic (place bigserial PRIMARY KEY, key text, n bigint)";
const COUNT: &str = "INSERT INTO outbox (key, n) VALUES ($1, $2)";

fn seen((row, seq): (&Row, u64)) -> Seen {
    Seen { seq, key: row.get("key"), n: row.get::<_, i64>("n").unsigned_abs(), epoch: 1, at: 1 }
}

fn acknowledged(counted: &[(&str, u64)]) -> BTreeMap<String, u64> {
    counted.iter().map(|(key, n)| ((*key).to_owned(), *n)).collect()
}

fn clients<const N: usize>(fresh: &Fresh) -> [Client; N] {
    std::array::from_fn(|_| fresh.connect())
}

/// Sequences number rows when they are inserted, not when they are committed. A cursor that follows them passes over
/// whatever is committed late.
#[test]
fn a_cursor_over_a_sequence_misses_what_is_committed_late() {
    let Some(server) = Server::of_the_environment() else { return };
    let fresh = server.fresh();
    fresh.sql(TABLES);
    let [early, late, reader] = clients(&fresh);
    let (mut cursor, mut followed) = (0_i64, vec![]);
    let follow = async |cursor: &mut i64, followed: &mut Vec<Row>| {
        for row in reader.query("SELECT id, key, n FROM outbox WHERE id > $1 ORDER BY id", &[cursor]).await.unwrap() {
            *cursor = row.get("id");
            followed.push(row);
        }
    };
    run(async {
        late.batch_execute("BEGIN").await.unwrap();
        late.execute(COUNT, &[&"late", &1_i64]).await.unwrap();
        early.execute(COUNT, &[&"early", &1_i64]).await.unwrap();
        follow(&mut cursor, &mut followed).await;
        late.batch_execute("COMMIT").await.unwrap();
        follow(&mut cursor, &mut followed).await;
        early.execute(COUNT, &[&"early", &2_i64]).await.unwrap();
        follow(&mut cursor, &mut followed).await;
    });
    let seen: Vec<_> = followed.iter().zip(1..).map(seen).collect();
    let found = violations(&acknowledged(&[("late", 1), ("early", 2)]), &seen);
    assert_eq!(found, Violations { lost: vec!["late 1".into()], ..Violations::none() });
}

/// Each relay sends what the other one has not locked, and so they overtake each other.
#[test]
fn two_relays_that_skip_locked_rows_overtake_each_other() {
    const TAKE: &str = "WITH next AS (SELECT id FROM outbox WHERE NOT sent ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
                        UPDATE outbox SET sent = true FROM next WHERE outbox.id = next.id RETURNING key, n";
    let Some(server) = Server::of_the_environment() else { return };
    let fresh = server.fresh();
    fresh.sql(TABLES);
    let [writer, one, other, topic] = clients(&fresh);
    let take = async |relay: &Client| {
        relay.batch_execute("BEGIN").await.unwrap();
        relay.query_one(TAKE, &[]).await.unwrap()
    };
    let send = async |relay: &Client, row: Row| {
        let (key, n): (String, i64) = (row.get("key"), row.get("n"));
        topic.execute("INSERT INTO topic (key, n) VALUES ($1, $2)", &[&key, &n]).await.unwrap();
        relay.batch_execute("COMMIT").await.unwrap();
    };
    let arrived = run(async {
        for n in 1..=3_i64 {
            writer.execute(COUNT, &[&"caller", &n]).await.unwrap();
        }
        let (first, second) = (take(&one).await, take(&other).await);
        send(&other, second).await;
        send(&one, first).await;
        let third = take(&one).await;
        send(&one, third).await;
        topic.query("SELECT key, n FROM topic ORDER BY place", &[]).await.unwrap()
    });
    let seen: Vec<_> = arrived.iter().zip(1..).map(seen).collect();
    let found = violations(&acknowledged(&[("caller", 3)]), &seen);
    assert_eq!(found, Violations { inverted: vec!["caller 1 after [2]".into()], ..Violations::none() });
}

/// A relay that dies between sending and noting it has sent twice; nothing in the record tells readers so.
#[test]
fn a_relay_that_dies_before_it_notes_what_it_sent_sends_it_twice() {
    let Some(server) = Server::of_the_environment() else { return };
    let fresh = server.fresh();
    fresh.sql(TABLES);
    let [writer] = clients(&fresh);
    let arrived = run(async {
        writer.execute(COUNT, &[&"caller", &1_i64]).await.unwrap();
        let relay = "INSERT INTO topic (key, n) SELECT key, n FROM outbox WHERE NOT sent ORDER BY id";
        writer.batch_execute(relay).await.unwrap(); // and dies
        writer.batch_execute(&format!("{relay}; UPDATE outbox SET sent = true")).await.unwrap();
        writer.query("SELECT key, n FROM topic ORDER BY place", &[]).await.unwrap()
    });
    let seen: Vec<_> = arrived.iter().zip(1..).map(seen).collect();
    assert_eq!(violations(&acknowledged(&[("caller", 1)]), &seen).doubled, ["caller 1"]);
}
