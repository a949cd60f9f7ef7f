//! Every bus passes the same suite; and what the embedded one makes of rows that it was never told of.

use runtime::{
    LogRow, Position,
    bus::{Bell, Bus, LogBus, LogHub},
    conformance::{self, Wire},
    store::{Batch, Lead, MemoryStore, Read, SqliteRead, SqliteStore, Store},
};
use std::sync::Arc;

const GENERATION: i64 = 1_700_000_000_000;

fn wire(store: Box<dyn Store>, read: Arc<dyn Read>, keep: impl Send + 'static) -> Wire {
    let mut hub = LogHub::default();
    hub.add("left", read);
    let hub = Arc::new(hub);
    let speaker = Box::new(hub.connect("left", &[], &Arc::default()));
    let listener = move || {
        let _ = &keep;
        let bell = Arc::new(Bell::default());
        let bus: Box<dyn Bus> = Box::new(hub.connect("desk", &["left"], &bell));
        (bus, bell)
    };
    Wire { source: "left", store, speaker, listener: Box::new(listener) }
}

#[test]
fn the_embedded_bus_conforms_over_memory() {
    let fresh = || {
        let store = MemoryStore::new(GENERATION);
        wire(Box::new(store.clone()), Arc::new(store), ())
    };
    conformance::bus(fresh).unwrap();
}

#[test]
fn the_embedded_bus_conforms_over_sqlite() {
    let fresh = || {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("left.db");
        let store = SqliteStore::open(&path, GENERATION).unwrap();
        wire(Box::new(store), Arc::new(SqliteRead::open(&path).unwrap()), folder)
    };
    conformance::bus(fresh).unwrap();
}

/// A log in memory of which the bus is told only in part.
struct HalfTold {
    store: MemoryStore,
    lead: Lead,
    speaker: LogBus,
    listener: LogBus,
}

impl HalfTold {
    fn new() -> HalfTold {
        let mut store = MemoryStore::new(GENERATION);
        let lead = store.begin_reign("here", 1).unwrap();
        let mut hub = LogHub::default();
        hub.add("left", Arc::new(store.clone()));
        let hub = Arc::new(hub);
        let speaker = hub.connect("left", &[], &Arc::default());
        HalfTold { store, lead, speaker, listener: hub.connect("desk", &["left"], &Arc::default()) }
    }

    fn commit(&mut self, count: u64) -> Vec<Arc<LogRow>> {
        let rows: Vec<_> = (1..=count).map(|n| row(self.lead.head + n)).collect();
        self.store.commit(&Batch { lead: self.lead, log: rows.clone(), ..Batch::default() }).unwrap();
        self.lead.commits += 1;
        self.lead.head += count;
        rows
    }

    fn say(&mut self, count: u64) {
        let rows = self.commit(count);
        self.speaker.publish(&rows);
    }

    /// What comes after a place, fetched as an engine does: page by page, each time behind the last record.
    fn read_from(&mut self, seq: u64, page: usize) -> Vec<u64> {
        let mut after = Position { generation: GENERATION, seq };
        let mut seqs = vec![];
        loop {
            let fetched = self.listener.fetch(("left", 0), after, page).unwrap();
            seqs.extend(fetched.records.iter().map(|record| record.row.seq));
            after.seq = seqs.last().copied().unwrap_or(seq);
            if fetched.end.is_some_and(|end| end.at <= after) {
                return seqs;
            }
        }
    }
}

fn row(seq: u64) -> Arc<LogRow> {
    Arc::new(LogRow {
        lane: 0,
        generation: GENERATION,
        seq,
        key: "a".into(),
        name: "Said".into(),
        schema: 1,
        body: Arc::default(),
        cause: String::new(),
        trace: String::new(),
        epoch: 1,
        at: 1,
    })
}

#[test]
fn a_hole_in_the_tail_is_filled_from_the_log() {
    // Given rows of which the bus never heard, because nobody knew whether they were committed,
    let mut left = HalfTold::new();
    left.say(3);
    left.commit(2);
    // when more is published behind them,
    left.say(3);
    // then readers get everything, from wherever they stand.
    for page in [1, 2, 100] {
        for seq in 0..8 {
            assert_eq!(left.read_from(seq, page), (seq + 1..=8).collect::<Vec<_>>(), "after {seq} in pages of {page}");
        }
    }
}

#[test]
fn a_tail_that_does_not_reach_back_is_completed_from_the_log() {
    let mut left = HalfTold::new();
    left.commit(5); // before this process was started
    left.say(2);
    assert_eq!(left.read_from(0, 3), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(left.read_from(4, 3), [5, 6, 7]);
    assert_eq!(left.read_from(5, 3), [6, 7]);
    assert_eq!(left.read_from(7, 3), [0; 0]);
}

#[test]
fn rows_published_again_do_not_shorten_what_readers_get() {
    let mut left = HalfTold::new();
    left.say(6);
    left.speaker.publish(&[row(5), row(6)]);
    left.speaker.publish(&[row(2), row(3)]);
    assert_eq!(left.read_from(0, 100), [1, 2, 3, 4, 5, 6]);
    assert_eq!(left.read_from(3, 100), [4, 5, 6]);
}

#[test]
fn a_source_that_does_not_run_here_is_away_by_name() {
    let mut left = HalfTold::new();
    let error = left.listener.fetch(("right", 0), Position::default(), 1).unwrap_err();
    assert!(error.to_string().contains("`right`"), "{error}");
}
