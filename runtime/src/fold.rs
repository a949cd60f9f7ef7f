//! Folding the log into kinds of state that a build keeps for the first time: a new kind, or a new shape of one.
//!
//! A kind's name carries its shape, so rows of an older build stay beside the new ones. How far a kind is folded is a
//! cursor of its own, named `state:<kind>`; within a reign the door keeps every kept kind up to date, so these cursors
//! move when a reign begins.

use crate::{
    record::{CursorRow, LogRow, Position, StateRow},
    reign::Reign,
    store::{Batch, Read, STATE, Store, StoreError},
};
use choreography::{AnyState, Key, Kind, Service, Topic};
use std::{collections::BTreeMap, sync::Arc};

/// Events folded in one transaction.
const PAGE: usize = 4096;

/// A state with how many events, and which last one, it has folded.
struct Folded {
    state: AnyState,
    version: u64,
    seq: u64,
}

/// Folds every kind that is behind the log, and notes for all how far they are folded.
///
/// # Errors
/// When the store cannot be used, or an event of the log cannot be read.
pub(crate) fn catch_up<T: Topic>(
    service: &Service<T>,
    store: &mut dyn Store,
    read: &dyn Read,
    reign: &mut Reign,
) -> Result<(), StoreError> {
    let head = Position { generation: reign.lead.generation, seq: reign.lead.head };
    let cursors = store.cursors()?;
    for kind in service.kinds() {
        let source = source_of(kind);
        let mut at = cursors.iter().filter(|row| row.source == source).map(|row| row.at).max().unwrap_or_default();
        let behind = reign.lead.head > 0 && was_not_kept(&cursors, at);
        if behind && at < head {
            tracing::info!(
                service = T::NAME,
                kind = kind.stored_as,
                from = at.seq,
                to = head.seq,
                "folding the log into a kind of state this build keeps"
            );
        }
        while behind && at < head {
            let page = read.log_after(0, at, PAGE)?;
            let Some(last) = page.last() else { break };
            at = last.position();
            let states = fold_page(kind, read, &page, head.generation)?;
            commit(store, reign, states, vec![CursorRow { source: source.clone(), lane: 0, at, offset_hint: None }])?;
        }
    }
    let noted: Vec<_> = noted(service, head).filter(|row| !cursors.contains(row)).collect();
    if noted.is_empty() { Ok(()) } else { commit(store, reign, vec![], noted) }
}

/// That every kind is folded up to here.
pub(crate) fn noted<T: Topic>(service: &Service<T>, at: Position) -> impl Iterator<Item = CursorRow> {
    service.kinds().iter().map(move |kind| CursorRow { source: source_of(kind), lane: 0, at, offset_hint: None })
}

fn source_of<T: Topic>(kind: &Kind<T>) -> String {
    format!("{STATE}{}", kind.stored_as)
}

/// The kinds that the last reign kept were all noted at its head; one noted earlier, or never, was not among them.
fn was_not_kept(cursors: &[CursorRow], at: Position) -> bool {
    let newest = cursors.iter().filter(|row| row.source.starts_with(STATE)).map(|row| row.at).max();
    newest.is_none_or(|newest| at < newest)
}

fn commit(
    store: &mut dyn Store,
    reign: &mut Reign,
    states: Vec<StateRow>,
    cursors: Vec<CursorRow>,
) -> Result<(), StoreError> {
    store.commit(&Batch { lead: reign.lead, published: reign.published, states, cursors, ..Batch::default() })?;
    reign.lead.commits += 1;
    Ok(())
}

fn fold_page<T: Topic>(
    kind: &Kind<T>,
    read: &dyn Read,
    page: &[Arc<LogRow>],
    generation: i64,
) -> Result<Vec<StateRow>, StoreError> {
    let mut states: BTreeMap<Key, Folded> = BTreeMap::new();
    for row in page {
        // States count what they have folded of the log's present generation; before it that is nothing.
        let is_old = row.generation < generation;
        let seq = if is_old { 0 } else { row.seq };
        let event = T::decode(&row.name, row.schema, &row.body)
            .map_err(|why| unreadable(&format!("{} {}", row.name, row.id()), &why))?;
        for key in (kind.keys)(&event) {
            if !states.contains_key(&key) {
                states.insert(key.clone(), stored(kind, read, &key)?);
            }
            // A row of an earlier build that kept this kind may be further on than its cursor tells.
            if let Some(folded) = states.get_mut(&key).filter(|folded| is_old || folded.seq < seq) {
                kind.evolve(&mut folded.state, &key, &event);
                (folded.version, folded.seq) = (folded.version + 1, seq);
            }
        }
    }
    let row = |(key, folded): (Key, Folded)| {
        let body = (kind.encode)(&*folded.state)
            .map_err(|why| unreadable(&format!("state {} {key}", kind.stored_as), &why))?;
        Ok(StateRow { kind: kind.stored_as.clone(), key, lane: 0, seq: folded.seq, version: folded.version, body })
    };
    states.into_iter().map(row).collect()
}

fn stored<T: Topic>(kind: &Kind<T>, read: &dyn Read, key: &str) -> Result<Folded, StoreError> {
    let Some(row) = read.state(&kind.stored_as, key)? else {
        return Ok(Folded { state: (kind.blank)(), version: 0, seq: 0 });
    };
    let state = (kind.decode)(&row.body).map_err(|why| unreadable(&format!("state {} {key}", kind.stored_as), &why))?;
    Ok(Folded { state, version: row.version, seq: row.seq })
}

fn unreadable(what: &str, why: &str) -> StoreError {
    StoreError::Fatal(format!("{what} of the log cannot be folded: {why}; run a build that knows it"))
}
