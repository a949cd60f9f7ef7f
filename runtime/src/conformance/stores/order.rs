//! In which order rows come, page by page, and which keys a range holds.

use super::{Check, Open, Writer, event, parked, state, work};
use crate::{
    record::{ParkedRow, Position, WorkRow},
    store::{Batch, StoreError, WorkPlace},
};
use std::sync::Arc;

pub(super) const CHECKS: &[(&str, Check)] = &[
    ("work comes by due, seq, name and key, page by page", work_comes_in_order),
    ("stuck work is not performed", stuck_work_is_left_out),
    ("work about a key is the key's own and what lies below it", work_about_a_key),
    ("states are listed by prefix, page by page", states_are_listed),
    ("parked records keep the order of parking", parked_records_keep_their_order),
    ("unparked records are gone, and ids are not used again", unparked_records_are_gone),
    ("the log is read across generations", the_log_across_generations),
];

fn place(row: &WorkRow) -> WorkPlace {
    (row.due, row.seq, row.name.clone(), row.key.clone())
}

fn put(rows: &[WorkRow]) -> Batch {
    Batch { work_put: rows.iter().cloned().map(Arc::new).collect(), ..Batch::default() }
}

fn work_comes_in_order(open: &Open) -> Result<(), StoreError> {
    let mut writer = Writer::begin(open)?;
    let in_order = [
        work("Bake", "z", i64::MIN, 8),
        work("Wake", "z", -5, 9),
        work("Wake", "b", 0, 1),
        work("Bake", "c", 0, 2),
        work("Bake", "d", 0, 2),
        work("Wake", "a", 0, 2),
        work("Bake", "a", 7, 0),
        work("Bake", "Ä", i64::MAX, i64::MAX as u64),
    ];
    let mut shuffled = in_order.clone();
    shuffled.reverse();
    shuffled.swap(1, 5);
    writer.commit(put(&shuffled))?;
    assert_eq!(writer.store.work_after(None, 100)?, in_order);
    for size in 1..=in_order.len() {
        let mut paged = vec![];
        loop {
            let page = writer.store.work_after(paged.last().map(place).as_ref(), size)?;
            assert!(page.len() <= size);
            if page.is_empty() {
                break;
            }
            paged.extend(page);
        }
        assert_eq!(paged, in_order, "in pages of {size}");
    }
    Ok(())
}

fn stuck_work_is_left_out(open: &Open) -> Result<(), StoreError> {
    let mut writer = Writer::begin(open)?;
    let stuck = WorkRow { stuck: Some(String::new()), ..work("Bake", "a", 1, 1) };
    writer.commit(put(&[stuck.clone(), work("Bake", "b", 2, 2)]))?;
    assert_eq!(writer.store.work_after(None, 100)?, [work("Bake", "b", 2, 2)]);
    assert_eq!(writer.read.work_of("a")?, [stuck], "a person still finds it");
    Ok(())
}

fn work_about_a_key(open: &Open) -> Result<(), StoreError> {
    let mut writer = Writer::begin(open)?;
    let about = [
        work("Bake", "key", 3, 1),
        work("Wake", "key", 4, 1),
        work("Bake", "key/", 5, 1),
        work("Bake", "key/1", 6, 1),
        work("Bake", "key/🫖/2", 7, 1),
    ];
    let others = ["keyx", "ke", "key.", "key0", "Key", "key0/1", "k"].map(|key| work("Bake", key, 1, 1));
    writer.commit(put(&about))?;
    writer.commit(put(&others))?;
    assert_eq!(writer.read.work_of("key")?, about);
    assert!(writer.read.work_of("ke/y")?.is_empty());
    Ok(())
}

fn states_are_listed(open: &Open) -> Result<(), StoreError> {
    let mut writer = Writer::begin(open)?;
    let keys = ["", "a", "a/1", "a/2", "a/🫖", "a/\u{10ffff}x", "ab", "b", "Ä"];
    let mut states: Vec<_> = keys.iter().map(|key| state(key, 1)).collect();
    let other = crate::record::StateRow { kind: "page.2".into(), ..state("a/1", 1) };
    states.push(other);
    writer.commit(Batch { states, ..Batch::default() })?;
    let scan = |prefix: &str, after: Option<&str>, limit| -> Result<Vec<String>, StoreError> {
        Ok(writer.read.scan("page.1", prefix, after, limit)?.into_iter().map(|row| row.key).collect())
    };
    assert_eq!(scan("", None, 100)?, keys);
    assert_eq!(scan("a", None, 100)?, keys[1..7]);
    assert_eq!(scan("a/", None, 100)?, keys[2..6]);
    assert_eq!(scan("a/", None, 2)?, keys[2..4]);
    assert_eq!(scan("a/", Some("a/1"), 2)?, keys[3..5]);
    assert_eq!(scan("a/", Some("a/15"), 1)?, ["a/2"], "the key to go on after need not be there");
    assert_eq!(scan("a/", Some("0"), 1)?, ["a/1"], "a key before the range is before it");
    assert!(scan("a/", Some("b"), 100)?.is_empty());
    assert!(scan("c", None, 100)?.is_empty());
    assert!(scan("a", None, 0)?.is_empty());
    Ok(())
}

fn parked_records_keep_their_order(open: &Open) -> Result<(), StoreError> {
    let mut writer = Writer::begin(open)?;
    let rows = [("left", "b", 1), ("left", "a", 2), ("right", "b", 1), ("left", "b", 3), ("left", "b", 4)];
    for rows in rows.chunks(2) {
        let parked = rows.iter().map(|(source, key, seq)| parked(source, key, *seq)).collect();
        writer.commit(Batch { parked, ..Batch::default() })?;
    }
    let seqs = |rows: Vec<ParkedRow>| rows.iter().map(|row| row.row.seq).collect::<Vec<_>>();
    assert_eq!(seqs(writer.store.parked_of("left", "b", 100)?), [1, 3, 4]);
    assert_eq!(seqs(writer.store.parked_of("left", "b", 2)?), [1, 3]);
    assert!(writer.store.parked_of("right", "a", 100)?.is_empty());
    let keys: Vec<_> = rows.iter().map(|(source, key, _)| ((*source).to_owned(), (*key).to_owned())).collect();
    let mut found = writer.store.parked_keys()?;
    found.sort();
    let mut expected = keys.clone();
    expected.sort();
    assert_eq!(found, expected, "each as often as it is parked");
    let all = writer.read.parked_after(0, 100)?;
    assert_eq!(all.iter().map(|row| (row.source.clone(), row.row.key.clone())).collect::<Vec<_>>(), keys);
    assert_eq!(writer.read.parked_after(all[1].id, 2)?, all[2..4]);
    Ok(())
}

fn unparked_records_are_gone(open: &Open) -> Result<(), StoreError> {
    let mut writer = Writer::begin(open)?;
    let batch =
        |seqs: &[u64]| Batch { parked: seqs.iter().map(|s| parked("left", "a", *s)).collect(), ..Batch::default() };
    writer.commit(batch(&[1, 2, 3]))?;
    let ids: Vec<u64> = writer.read.parked_after(0, 10)?.iter().map(|row| row.id).collect();
    writer.commit(Batch { unparked: vec![ids[0], ids[2]], ..Batch::default() })?;
    assert_eq!(writer.read.parked_after(0, 10)?.iter().map(|row| row.id).collect::<Vec<_>>(), [ids[1]]);
    writer.commit(batch(&[4]))?;
    let last = writer.read.parked_after(0, 10)?.last().map(|row| row.id);
    assert!(last > Some(ids[2]), "{last:?} was used before: {ids:?}");
    Ok(())
}

fn the_log_across_generations(open: &Open) -> Result<(), StoreError> {
    let mut writer = Writer::begin(open)?;
    let (old, new) = (writer.lead.generation, writer.lead.generation + 10);
    let rows = [event(old, 1, "a"), event(old, 2, "b"), event(old, 3, "a"), event(new, 1, "a"), event(new, 2, "b")];
    writer.commit(Batch { log: rows.to_vec(), ..Batch::default() })?;
    let after = |generation, seq, limit| writer.read.log_after(0, Position { generation, seq }, limit);
    assert_eq!(after(old, 0, 100)?, rows);
    assert_eq!(after(old, 2, 2)?, rows[2..4]);
    assert_eq!(after(old, 3, 100)?, rows[3..]);
    assert_eq!(after(new, 0, 100)?, rows[3..]);
    assert_eq!(after(new, 1, 100)?, rows[4..]);
    assert!(after(new, 2, 100)?.is_empty());
    assert_eq!(after(old, i64::MAX as u64, 100)?, rows[3..]);
    assert_eq!(after(i64::MIN, 0, 1)?, rows[..1]);
    assert!(writer.read.log_after(1, Position::default(), 100)?.is_empty(), "another lane");
    let of_key: Vec<_> = [0, 2, 3].map(|n: usize| rows[n].clone()).into();
    assert_eq!(writer.read.log_of("a")?, of_key);
    Ok(())
}
