//! Who may write: every reign is another epoch, and whoever is not the last of them writes nothing any more.

use super::{Check, Open, Writer, begin_reign, cursor, event, full_batch, parked, state};
use crate::{
    record::{LogRow, Position, StateRow},
    store::{Batch, Lead, Renewal, Store, StoreError},
};
use std::{collections::BTreeSet, sync::Arc};

pub(super) const CHECKS: &[(&str, Check)] = &[
    ("a reign raises the epoch and keeps everything else", a_reign_raises_the_epoch),
    ("reigns begun at the same time are different ones", reigns_at_once_differ),
    ("a batch that does not fit the lead is fenced and leaves nothing", a_misfit_is_fenced),
    ("a batch without events fences too", a_batch_without_events_fences),
    ("the second reign fences the first, or stands by until that is over", the_second_reign_fences_or_stands_by),
    ("a batch is whole or nothing", a_batch_is_whole_or_nothing),
    ("an older build never takes the lead back", an_older_build_is_refused),
    ("the lead tells head, commits, published and last time", the_lead_tells_everything),
    ("a generation begins with a batch, or nothing of both happens", a_generation_begins),
];

fn a_reign_raises_the_epoch(open: &Open) -> Result<(), StoreError> {
    let mut writer = Writer::begin(open)?;
    let batch = full_batch(&writer);
    writer.commit(batch)?;
    let first = writer.read.lead()?;
    let second = writer.store.begin_reign("there", 1)?;
    assert_eq!(second, Lead { epoch: first.epoch + 1, ..first });
    assert_eq!(writer.read.lead()?, second);
    Ok(())
}

fn reigns_at_once_differ(open: &Open) -> Result<(), StoreError> {
    const REIGNS: usize = 50;
    let reign_often = || {
        let (mut store, _) = open()?;
        (0..REIGNS).map(|_| Ok(begin_reign(&mut *store, 1)?.epoch)).collect::<Result<Vec<u64>, StoreError>>()
    };
    let both = std::thread::scope(|scope| {
        let others = scope.spawn(reign_often);
        (reign_often(), others.join())
    });
    let (mine, Ok(others)) = both else { panic!("a thread that began reigns panicked") };
    let epochs: BTreeSet<u64> = mine?.into_iter().chain(others?).collect();
    assert_eq!(epochs.len(), 2 * REIGNS, "two reigns were given the same epoch");
    Ok(())
}

/// Everything a reader can see.
fn seen(writer: &mut Writer) -> Result<String, StoreError> {
    let read = &writer.read;
    let logged = read.log_after(0, Position { generation: i64::MIN, seq: 0 }, 100)?;
    let rest = (read.counts()?, read.cursors()?, read.scan("page.1", "", None, 100)?, read.parked_after(0, 100)?);
    let work = writer.store.work_after(None, 100)?;
    Ok(format!("{:?} {logged:?} {rest:?} {work:?}", read.lead()?))
}

fn a_misfit_is_fenced(open: &Open) -> Result<(), StoreError> {
    let mut writer = Writer::begin(open)?;
    let batch = full_batch(&writer);
    writer.commit(batch)?;
    let (before, lead) = (seen(&mut writer)?, writer.lead);
    let misfits = [
        Lead { epoch: lead.epoch + 1, ..lead },
        Lead { epoch: lead.epoch - 1, ..lead },
        Lead { commits: lead.commits + 1, ..lead },
        Lead { commits: lead.commits - 1, ..lead },
        Lead { head: lead.head + 1, ..lead },
        Lead { head: lead.head - 1, ..lead },
    ];
    for misfit in misfits {
        for batch in [full_batch(&writer), Batch::default()] {
            let committed = writer.store.commit(&Batch { lead: misfit, ..batch });
            assert!(matches!(committed, Err(StoreError::Fenced(_))), "{misfit:?} against {lead:?}: {committed:?}");
        }
    }
    assert_eq!(seen(&mut writer)?, before);
    // The true lead still fits.
    let log = vec![writer.event(1, "a")];
    writer.commit(Batch { log, ..Batch::default() })
}

fn a_batch_without_events_fences(open: &Open) -> Result<(), StoreError> {
    let mut writer = Writer::begin(open)?;
    let moved = |seq| Batch { cursors: vec![cursor("left", 1, seq)], ..Batch::default() };
    let before = writer.lead;
    writer.commit(moved(1))?;
    assert_eq!(writer.read.lead()?, Lead { commits: before.commits + 1, ..before });
    let committed = writer.store.commit(&Batch { lead: before, ..moved(2) });
    assert!(matches!(committed, Err(StoreError::Fenced(_))), "{committed:?}");
    assert_eq!(writer.read.cursors()?, [cursor("left", 1, 1)]);
    Ok(())
}

fn the_second_reign_fences_or_stands_by(open: &Open) -> Result<(), StoreError> {
    let mut first = Writer::begin(open)?;
    let batch = full_batch(&first);
    first.commit(batch)?;
    let (mut store, read) = open()?;
    let mut second = match store.begin_reign("there", 1) {
        Ok(lead) => fenced(first, Writer { store, read, lead })?,
        Err(StoreError::Led(owner)) if owner == "here" => {
            let lead = stood_by(first, &mut *store)?;
            Writer { store, read, lead }
        }
        Err(other) => return Err(other),
    };
    let log = vec![second.event(1, "mine")];
    second.commit(Batch { log, ..Batch::default() })?;
    assert_eq!(second.read.log_of("mine")?.len(), 1);
    Ok(())
}

/// The first one writes nothing any more.
fn fenced(mut first: Writer, mut second: Writer) -> Result<Writer, StoreError> {
    let before = seen(&mut second)?;
    for batch in [full_batch(&first), Batch::default()] {
        let committed = first.commit(batch);
        assert!(matches!(committed, Err(StoreError::Fenced(_))), "{committed:?}");
    }
    assert_eq!(seen(&mut second)?, before);
    Ok(second)
}

/// The first one writes on until it gives up the lead; then the second one has it, as the first one left it.
fn stood_by(mut first: Writer, second: &mut dyn Store) -> Result<Lead, StoreError> {
    for _ in 0..3 {
        let batch = full_batch(&first);
        first.commit(batch)?;
        let asked = second.begin_reign("there", 1);
        assert_eq!(asked, Err(StoreError::Led("here".into())));
    }
    let before = first.read.lead()?;
    drop(first);
    let lead = begin_reign(second, 1)?;
    assert_eq!(lead, Lead { epoch: before.epoch + 1, ..before });
    Ok(lead)
}

/// The last table gets a number that not every store can hold: then nothing of the others may be there.
fn a_batch_is_whole_or_nothing(open: &Open) -> Result<(), StoreError> {
    let mut writer = Writer::begin(open)?;
    let batch = full_batch(&writer);
    writer.commit(batch)?;
    let before = seen(&mut writer)?;
    let batch = Batch { parked: vec![parked("left", "d", u64::MAX)], ..full_batch(&writer) };
    match writer.commit(batch) {
        Ok(()) => assert_eq!(writer.read.counts()?.parked, 2),
        Err(_) => assert_eq!(seen(&mut writer)?, before),
    }
    drop(writer);
    let mut again = Writer::begin(open)?;
    let batch = full_batch(&again);
    again.commit(batch)
}

fn an_older_build_is_refused(open: &Open) -> Result<(), StoreError> {
    let (mut store, read) = open()?;
    let lead = store.begin_reign("here", 7)?;
    let (mut older, _) = open()?;
    let refused = older.begin_reign("there", 6);
    assert!(matches!(&refused, Err(StoreError::Fatal(why)) if why.contains("newer build")), "{refused:?}");
    assert_eq!(read.lead()?, lead, "a refused build must not disturb the one that leads");
    store.commit(&Batch { lead, ..Batch::default() })?;
    drop(store);
    assert_eq!(begin_reign(&mut *older, 7)?.epoch, lead.epoch + 1);
    Ok(())
}

fn the_lead_tells_everything(open: &Open) -> Result<(), StoreError> {
    let mut writer = Writer::begin(open)?;
    assert_eq!((writer.lead.head, writer.lead.commits, writer.lead.published, writer.lead.last_at), (0, 0, 0, 0));
    let at = |at, row: Arc<LogRow>| Arc::new(LogRow { at, ..(*row).clone() });
    let generation = writer.lead.generation;
    let log = vec![at(11, event(generation, 1, "a")), at(12, event(generation, 2, "a"))];
    writer.commit(Batch { published: 1, log, ..Batch::default() })?;
    writer.commit(Batch { published: 2, states: vec![state("a", 2)], ..Batch::default() })?;
    let expected = Lead { generation, epoch: writer.lead.epoch, head: 2, published: 2, commits: 2, last_at: 12 };
    assert_eq!(writer.read.lead()?, expected);
    assert_eq!(writer.store.begin_reign("here", 1)?, Lead { epoch: expected.epoch + 1, ..expected });
    Ok(())
}

fn a_generation_begins(open: &Open) -> Result<(), StoreError> {
    let mut writer = Writer::begin(open)?;
    let batch = full_batch(&writer);
    writer.commit(Batch {
        states: vec![state("a", 1), StateRow { kind: "old.1".into(), ..state("a", 1) }],
        cursors: vec![cursor("state:page.1", 7, 3), cursor("state:old.1", 7, 3), cursor("left", 7, 3)],
        ..batch
    })?;
    let generation = writer.lead.generation + 1000;
    let renewal = Renewal { generation, epoch: writer.lead.epoch + 7, kinds: vec!["page.1".into()] };
    let last = |writer: &Writer, lead| Batch { lead, log: vec![writer.event(1, "c")], ..Batch::default() };
    // Given a lead that is over, nothing happens;
    let (before, over) = (seen(&mut writer)?, Lead { commits: writer.lead.commits - 1, ..writer.lead });
    let batch = last(&writer, over);
    assert!(matches!(writer.store.renew(&batch, &renewal), Err(StoreError::Fenced(_))));
    assert_eq!(seen(&mut writer)?, before);
    // with the true one the batch is written and the generation begun;
    let batch = last(&writer, writer.lead);
    writer.store.renew(&batch, &renewal)?;
    let lead = writer.read.lead()?;
    assert_eq!((lead.generation, lead.head, lead.published), (generation, 0, 0));
    assert_eq!((lead.epoch, lead.commits), (writer.lead.epoch + 7, writer.lead.commits + 1));
    // what was kept is kept, and has folded nothing of the generation.
    assert_eq!(writer.read.log_after(0, Position { generation: i64::MIN, seq: 0 }, 100)?.len(), 3);
    assert_eq!(writer.read.state("page.1", "a")?, Some(StateRow { seq: 0, ..state("a", 1) }));
    assert_eq!(writer.read.state("old.1", "a")?, None);
    let sources: Vec<_> = writer.read.cursors()?.into_iter().map(|row| row.source).collect();
    assert_eq!(sources, ["left", "state:page.1"]);
    // And the reign goes on in it.
    writer.lead = lead;
    let log = vec![writer.event(1, "a")];
    writer.commit(Batch { log, ..Batch::default() })
}
