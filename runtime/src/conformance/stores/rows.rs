//! What is written comes back exactly, whatever it holds.

use super::{Check, Open, Writer, cursor, event, parked, state, work};
use crate::{
    record::{LogRow, ParkedRow, Position, StateRow, WorkRow},
    store::{Batch, Counts, StoreError},
};
use std::sync::Arc;

pub(super) const CHECKS: &[(&str, Check)] = &[
    ("log rows come back as written", log_rows_come_back),
    ("states come back as written", states_come_back),
    ("a state is replaced by its next version", a_state_is_replaced),
    ("work comes back as written", work_comes_back),
    ("work is replaced, answered and asked for again", work_changes),
    ("parked records come back as written", parked_records_come_back),
    ("cursors are kept per source and generation", cursors_are_kept),
    ("every session sees what was committed", every_session_sees_it),
    ("the largest batch goes through", the_largest_batch),
];

/// Texts that have broken stores before.
const KEYS: [&str; 7] = ["plain", "Äpfel/Ωmega/茶", "'; DROP TABLE log; --", "%_*?[a]", "a\u{0}b", "🫖", " spaced "];

fn bodies() -> [Vec<u8>; 4] {
    [vec![], vec![0], (0..=255).collect(), vec![0xA5; 255 * 1024]]
}

fn log_rows_come_back(open: &Open) -> Result<(), StoreError> {
    let mut writer = Writer::begin(open)?;
    let mut written = vec![];
    for (seq, (key, body)) in (1..).zip(KEYS.iter().flat_map(|key| bodies().map(|body| (*key, body)))) {
        let extreme = if seq % 2 == 0 { i64::MAX } else { i64::MIN };
        written.push(Arc::new(LogRow {
            body: body.into(),
            at: extreme,
            schema: u16::MAX,
            epoch: i64::MAX as u64,
            cause: key.into(),
            trace: key.into(),
            name: key.into(),
            ..(*event(writer.lead.generation, seq, key)).clone()
        }));
    }
    writer.commit(Batch { log: written.clone(), ..Batch::default() })?;
    let before = Position { generation: writer.lead.generation, seq: 0 };
    assert_eq!(writer.read.log_after(0, before, 1000)?, written);
    for key in KEYS {
        let of_key: Vec<_> = written.iter().filter(|row| row.key == key).cloned().collect();
        assert_eq!(writer.read.log_of(key)?, of_key, "{key}");
    }
    Ok(())
}

fn states_come_back(open: &Open) -> Result<(), StoreError> {
    let mut writer = Writer::begin(open)?;
    let rows: Vec<StateRow> = KEYS
        .iter()
        .flat_map(|key| ["page.1", "page.2"].map(|kind| (*key, kind)))
        .zip(bodies().into_iter().cycle())
        .map(|((key, kind), body)| StateRow {
            kind: kind.into(),
            body,
            seq: i64::MAX as u64,
            ..state(key, i64::MAX as u64)
        })
        .collect();
    writer.commit(Batch { states: rows.clone(), ..Batch::default() })?;
    for row in &rows {
        assert_eq!(writer.read.state(&row.kind, &row.key)?.as_ref(), Some(row));
    }
    let wanted: Vec<String> = KEYS.iter().map(|key| (*key).to_owned()).chain(["never written".into()]).collect();
    let mut found = writer.store.states("page.2", &wanted)?;
    let mut expected: Vec<_> = rows.iter().filter(|row| row.kind == "page.2").collect();
    found.sort();
    expected.sort_by(|a, b| a.key.cmp(&b.key));
    assert_eq!(found, expected.iter().map(|r| (r.key.clone(), r.version, r.body.clone())).collect::<Vec<_>>());
    assert_eq!(writer.read.state("page.3", "plain")?, None);
    assert!(writer.store.states("page.3", &wanted)?.is_empty());
    assert!(writer.store.states("page.1", &[])?.is_empty());
    Ok(())
}

fn a_state_is_replaced(open: &Open) -> Result<(), StoreError> {
    let mut writer = Writer::begin(open)?;
    writer.commit(Batch { states: vec![state("a", 1), state("b", 1)], ..Batch::default() })?;
    let next = StateRow { body: vec![], ..state("a", 2) };
    writer.commit(Batch { states: vec![next.clone()], ..Batch::default() })?;
    assert_eq!(writer.read.scan("page.1", "", None, 10)?, [next, state("b", 1)]);
    Ok(())
}

fn work_comes_back(open: &Open) -> Result<(), StoreError> {
    let mut writer = Writer::begin(open)?;
    let mut rows: Vec<WorkRow> = vec![];
    for (n, (key, body)) in KEYS.iter().zip(bodies().into_iter().cycle()).enumerate() {
        let due = [i64::MIN + 1, 0, i64::MAX][n % 3];
        let row = WorkRow { body: body.into(), shape: u16::MAX, cause: (*key).into(), ..work("Bake", key, due, 9) };
        rows.push(WorkRow { trace: (*key).into(), stuck: (n % 2 == 0).then(|| (*key).into()), ..row });
    }
    writer.commit(Batch { work_put: rows.iter().cloned().map(Arc::new).collect(), ..Batch::default() })?;
    for row in &rows {
        assert_eq!(writer.store.work(&row.id())?.as_ref(), Some(row));
        assert_eq!(writer.read.work_of(&row.key)?, std::slice::from_ref(row));
    }
    assert_eq!(writer.store.work(&("Bake".into(), "never".into()))?, None);
    assert_eq!(writer.read.counts()?, Counts { work: 7, stuck: 4, parked: 0 });
    Ok(())
}

fn work_changes(open: &Open) -> Result<(), StoreError> {
    let mut writer = Writer::begin(open)?;
    let put = |row: WorkRow| Batch { work_put: vec![Arc::new(row)], ..Batch::default() };
    let id = ("Bake".to_owned(), "a".to_owned());
    writer.commit(put(work("Bake", "a", 1, 1)))?;
    writer.commit(put(work("Wake", "a", 1, 1)))?;
    let stuck = WorkRow { stuck: Some("no flour".into()), ..work("Bake", "a", 5, 2) };
    writer.commit(put(stuck.clone()))?;
    assert_eq!(writer.store.work(&id)?, Some(stuck));
    writer.commit(Batch { work_done: vec![id.clone()], ..Batch::default() })?;
    assert_eq!(writer.store.work(&id)?, None);
    assert_eq!(writer.read.counts()?.work, 1, "only the row of this name is answered");
    writer.commit(put(work("Bake", "a", 7, 3)))?;
    assert_eq!(writer.store.work(&id)?, Some(work("Bake", "a", 7, 3)));
    Ok(())
}

fn parked_records_come_back(open: &Open) -> Result<(), StoreError> {
    let mut writer = Writer::begin(open)?;
    let mut rows = vec![];
    for (seq, (key, body)) in (1..).zip(KEYS.iter().zip(bodies().into_iter().cycle())) {
        let plain = parked("left", key, seq);
        let row = LogRow {
            body: body.into(),
            generation: i64::MIN,
            at: i64::MAX,
            cause: (*key).into(),
            trace: (*key).into(),
            ..(*plain.row).clone()
        };
        rows.push(ParkedRow { row: Arc::new(row), reason: (*key).into(), since: i64::MIN, ..plain });
    }
    writer.commit(Batch { parked: rows.clone(), ..Batch::default() })?;
    let found = writer.read.parked_after(0, 100)?;
    let without_ids: Vec<_> = found.iter().map(|row| ParkedRow { id: 0, ..row.clone() }).collect();
    assert_eq!(without_ids, rows);
    for row in &found {
        assert_eq!(writer.store.parked_of("left", &row.row.key, 10)?, std::slice::from_ref(row));
    }
    Ok(())
}

fn cursors_are_kept(open: &Open) -> Result<(), StoreError> {
    let mut writer = Writer::begin(open)?;
    let written = [cursor("left", 1, 9), cursor("left", 2, 0), cursor("right", i64::MAX, i64::MAX as u64)];
    writer.commit(Batch { cursors: written.to_vec(), ..Batch::default() })?;
    assert_eq!(writer.read.cursors()?, written);
    writer.commit(Batch { cursors: vec![cursor("left", 2, 5)], ..Batch::default() })?;
    let moved = [written[0].clone(), cursor("left", 2, 5), written[2].clone()];
    assert_eq!(writer.read.cursors()?, moved);
    assert_eq!(writer.store.cursors()?, moved);
    Ok(())
}

fn every_session_sees_it(open: &Open) -> Result<(), StoreError> {
    let (_, early) = open()?;
    let mut writer = Writer::begin(open)?;
    let log = vec![writer.event(1, "a")];
    writer.commit(Batch { log, states: vec![state("a", 1)], ..Batch::default() })?;
    let (mut store, late) = open()?;
    for read in [early, late] {
        assert_eq!(read.lead()?.head, 1);
        assert_eq!(read.state("page.1", "a")?, Some(state("a", 1)));
    }
    assert_eq!(store.states("page.1", &["a".into()])?.len(), 1);
    Ok(())
}

fn the_largest_batch(open: &Open) -> Result<(), StoreError> {
    const ROWS: u64 = 1024;
    let mut writer = Writer::begin(open)?;
    let keys: Vec<String> = (1..=ROWS).map(|n| format!("key-{n:04}")).collect();
    let log = (1..).zip(&keys).map(|(n, key)| writer.event(n, key)).collect();
    let states = keys.iter().map(|key| state(key, 1)).collect();
    let work_put = keys.iter().map(|key| Arc::new(work("Bake", key, 1, 1))).collect();
    let parked = keys.iter().map(|key| parked("left", key, 1)).collect();
    writer.commit(Batch { log, states, work_put, parked, ..Batch::default() })?;
    assert_eq!(writer.store.states("page.1", &keys)?.len() as u64, ROWS);
    assert_eq!(writer.read.counts()?, Counts { work: ROWS, stuck: 0, parked: ROWS });
    let work_done = keys.iter().map(|key| ("Bake".to_owned(), key.clone())).collect();
    let unparked = writer.read.parked_after(0, 5000)?.iter().map(|row| row.id).collect();
    writer.commit(Batch { work_done, unparked, ..Batch::default() })?;
    assert_eq!(writer.read.counts()?, Counts::default());
    Ok(())
}
