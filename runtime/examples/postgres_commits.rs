//! Prints how many inputs a second the store on PostgreSQL commits, in batches of several sizes:
//! `DATABASE_URL=postgres://USER:PASSWORD@HOST:PORT/AN_EMPTY_DATABASE cargo run --release -p runtime --example postgres_commits`

use runtime::{
    LogRow, WorkRow,
    record::{CursorRow, Position, StateRow},
    store::{Batch, Database, Lead, PostgresStore, Store, StoreError},
};
use std::{
    env,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::runtime::Builder;

/// How long each size is measured.
const MEASURED_FOR: Duration = Duration::from_secs(5);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let threads = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let url = env::var("DATABASE_URL").map_err(|_| "set DATABASE_URL to the URL of an empty database")?;
    let mut store = PostgresStore::new(Database::new(&url, threads.handle().clone())?);
    let mut lead = store.begin_reign("here", 1)?;
    for size in [1, 16, 64, 256, 1024] {
        let (inputs, took) = measure(&mut store, &mut lead, size)?;
        println!("batches of {size:4}: {:6.0} inputs/s", inputs as f64 / took.as_secs_f64());
    }
    Ok(())
}

fn measure(store: &mut dyn Store, lead: &mut Lead, size: u64) -> Result<(u64, Duration), StoreError> {
    let (since, mut inputs) = (Instant::now(), 0);
    while since.elapsed() < MEASURED_FOR {
        store.commit(&batch(*lead, size))?;
        lead.head += size;
        lead.commits += 1;
        inputs += size;
    }
    Ok((inputs, since.elapsed()))
}

/// What a batch of so many records leads to: each is about another order, says one event, folds it into one state,
/// answers one effect and asks for the next.
fn batch(lead: Lead, size: u64) -> Batch {
    let numbers = lead.head + 1..=lead.head + size;
    let at = Position { generation: 1, seq: lead.head + size };
    Batch {
        lead,
        published: lead.head,
        log: numbers.clone().map(|seq| Arc::new(event(lead, seq))).collect(),
        states: numbers.clone().map(state).collect(),
        cursors: vec![CursorRow { source: "left".into(), lane: 0, at, offset_hint: None }],
        work_done: numbers.clone().map(|seq| ("Charge".into(), key(seq.saturating_sub(1024)))).collect(),
        work_put: numbers.map(|seq| Arc::new(work(seq))).collect(),
        ..Batch::default()
    }
}

/// As scattered as orders' ids.
fn key(seq: u64) -> String {
    format!("{:016x}{seq:016x}", seq.wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

fn event(lead: Lead, seq: u64) -> LogRow {
    LogRow {
        lane: 0,
        generation: lead.generation,
        seq,
        key: key(seq),
        name: "PaymentRequested".into(),
        schema: 1,
        body: [7; 200].into(),
        cause: format!("inventory/{}.0.{seq}", lead.generation),
        trace: format!("00-{}-00f067aa0ba902b7-01", key(seq)),
        epoch: lead.epoch,
        at: 1,
    }
}

fn state(seq: u64) -> StateRow {
    StateRow { kind: "payment.1".into(), key: key(seq), lane: 0, seq, version: 1, body: vec![7; 120] }
}

fn work(seq: u64) -> WorkRow {
    WorkRow {
        name: "Charge".into(),
        key: key(seq),
        lane: 0,
        seq,
        due: 1,
        shape: 1,
        body: [7; 120].into(),
        cause: format!("payment/1.0.{seq}"),
        trace: format!("00-{}-00f067aa0ba902b7-01", key(seq)),
        stuck: None,
    }
}
