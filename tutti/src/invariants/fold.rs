//! Invariant 9, states: what a service keeps is what its log folds to.
//!
//! The log is folded again with the service's own states. So that memory stays bounded, that is done for one part of
//! the keys at a time, once along the log for each.

use super::{
    Progress,
    cut::{Cut, PAGE, each_row, shown},
    evidence::{Evidence, SERVICES, VerifyError, of},
    facts::hash,
    findings::Findings,
    list::{How, Invariant, When},
};
use choreography::{
    AnyState, Decision, Declared, Emits, Input, Key, Kind, Origin, Out, Reaction, Service, Slot, States, Topic,
};
use runtime::{
    LogRow,
    record::{CursorRow, StateRow},
};
use std::collections::HashMap;

pub(super) const STATE_IS_FOLD: Invariant = Invariant {
    number: 9,
    name: "state_is_fold",
    statement: "Every state is what its service's log folds to, and counts how many events that are",
    when: When::Always,
    how: How::Rows,
};

/// Rows of a log whose states are held in memory at once.
const ROWS_AT_ONCE: u64 = 500_000;

/// An event that was said, as an input whose decision is to say it again: so it is folded exactly as the service folds
/// it, and where that panics, an error comes back.
struct Again<T>(T);
struct AsSaid<T>(T);

impl<T: Topic> Input for Again<T> {
    const ORIGIN: Origin = Origin::Command("SayAgain");
    fn key(&self) -> Key {
        self.0.key().to_owned()
    }
}

impl<T: Topic> Emits<T> for AsSaid<T> {
    fn declare(_: &mut Declared) {}
    fn emit(self, out: &mut Out<T>) {
        out.events.push(self.0);
    }
}

fn say_again<T: Topic>(again: &Again<T>) -> AsSaid<T> {
    AsSaid(again.0.clone())
}

/// Folds a service's log and compares.
pub(super) fn hold<T: Topic>(
    evidence: &Evidence,
    service: &Service<T>,
    index: usize,
    cut: &Cut,
    findings: &mut Findings,
    progress: &dyn Progress,
) -> Result<(), VerifyError> {
    let kept: Vec<&Kind<T>> = service.kinds().iter().filter(|kind| is_kept(kind, &cut.cursors[index])).collect();
    if kept.is_empty() {
        return Ok(());
    }
    let end = cut.end_of(index);
    let parts = end.seq / ROWS_AT_ONCE + 1;
    for part in 0..parts {
        progress.begin(&format!("the states of {} ({} of {parts})", SERVICES[index], part + 1), end.seq);
        let mut folding = Folding::of(service, index, part, parts);
        each_row(evidence, index, end, progress, |row| folding.take(row, findings))?;
        folding.compare(&kept, evidence, cut, findings)?;
    }
    Ok(())
}

/// Whether the service has folded its log into this kind of state: one that a newer build keeps is caught up with when
/// that build first runs, and noted in a cursor of its own.
fn is_kept<T: Topic>(kind: &Kind<T>, cursors: &[CursorRow]) -> bool {
    let noted = |row: &&CursorRow| row.source.starts_with("state:");
    let own = format!("state:{}", kind.stored_as);
    let newest = cursors.iter().filter(noted).map(|row| row.at).max();
    newest == cursors.iter().filter(|row| row.source == own).map(|row| row.at).max()
}

/// States with how many events are folded into each.
type Folded = HashMap<Slot, (AnyState, u64)>;

/// A fold of some of the keys.
struct Folding<'s, T: Topic> {
    service: &'s Service<T>,
    index: usize,
    part: u64,
    parts: u64,
    say_again: Reaction<T>,
    states: States,
}

fn is_in(key: &str, part: u64, parts: u64) -> bool {
    parts == 1 || hash(&key) % parts == part
}

impl<T: Topic> Folding<'_, T> {
    fn of(service: &Service<T>, index: usize, part: u64, parts: u64) -> Folding<'_, T> {
        let say_again: Reaction<T> = Decision::<T, _>::reaction(say_again::<T>);
        Folding { service, index, part, parts, say_again, states: service.states() }
    }

    /// Whether it folds this key.
    fn is_mine(&self, key: &str) -> bool {
        is_in(key, self.part, self.parts)
    }

    fn take(&mut self, row: &LogRow, findings: &mut Findings) {
        // What cannot be read is found elsewhere.
        let Ok(event) = T::decode(&row.name, row.schema, &row.body) else { return };
        let mut mine = false;
        for kind in self.service.kinds() {
            for key in (kind.keys)(&event).into_iter().filter(|key| is_in(key, self.part, self.parts)) {
                mine = true;
                if !self.states.holds(kind.name, &key) {
                    self.states.load(kind.name, key, (kind.blank)(), 0);
                }
            }
        }
        if !mine {
            return;
        }
        match self.service.decide(&self.say_again, &Again(event), &self.states) {
            Ok(decided) => self.keep(decided.folded),
            Err(why) => findings.found(&STATE_IS_FOLD, &row.key, why, vec![shown(self.index, row)]),
        }
        // States of other parts were not at hand; nobody needs them now.
        _ = self.states.take_missing();
    }

    fn keep(&mut self, folded: Folded) {
        for (slot, (state, events)) in folded {
            self.states.draft(slot, state, events);
        }
    }

    fn compare(
        mut self,
        kept: &[&Kind<T>],
        evidence: &Evidence,
        cut: &Cut,
        findings: &mut Findings,
    ) -> Result<(), VerifyError> {
        let drafts = self.states.take_drafts().into_iter();
        let mut folded: Folded = drafts.map(|(slot, state, version)| (slot, (state, version))).collect();
        folded.retain(|(name, _), _| kept.iter().any(|kind| kind.name == *name));
        for kind in kept {
            self.compare_kind(kind, &mut folded, evidence, cut, findings)?;
        }
        for (kind, key) in folded.into_keys() {
            findings.checked(&STATE_IS_FOLD);
            let sentence = format!("{} does not keep the state `{kind}` that its log tells of", SERVICES[self.index]);
            findings.found(&STATE_IS_FOLD, &key, sentence, vec![]);
        }
        Ok(())
    }

    fn compare_kind(
        &self,
        kind: &Kind<T>,
        folded: &mut Folded,
        evidence: &Evidence,
        cut: &Cut,
        findings: &mut Findings,
    ) -> Result<(), VerifyError> {
        let (store, mut after) = (evidence.stores[self.index], None::<Key>);
        loop {
            let page = store.scan(&kind.stored_as, "", after.as_deref(), PAGE).map_err(of(self.index))?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.key.clone());
            let head = store.lead().map_err(of(self.index))?.head;
            for row in page.iter().filter(|row| self.is_mine(&row.key)) {
                let state = folded.remove(&(kind.name, row.key.clone()));
                // Changed since the log was read: for the next time.
                if row.seq > cut.ends[self.index].head && row.seq <= head {
                    continue;
                }
                let broken = self.differs(kind, row, state).err();
                let evidence = || format!("{} {} version {} of row {}", row.kind, row.key, row.version, row.seq);
                findings.judged(&STATE_IS_FOLD, &row.key, broken, evidence);
            }
        }
    }

    fn differs(&self, kind: &Kind<T>, row: &StateRow, state: Option<(AnyState, u64)>) -> Result<(), String> {
        let service = SERVICES[self.index];
        let Some((state, events)) = state else {
            return Err(format!("{service} keeps a state `{}` that its log does not tell of", kind.name));
        };
        if events != row.version {
            return Err(format!("{service}'s state `{}` counts {} events, its log {events}", kind.name, row.version));
        }
        let expected = (kind.encode)(&*state)?;
        // The same state may be written in several ways, so what differs is read and written once more.
        if expected == row.body || (kind.encode)(&*(kind.decode)(&row.body)?)? == expected {
            return Ok(());
        }
        Err(format!("{service}'s state `{}` is not what its log folds to", kind.name))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_key_is_folded_in_exactly_one_part() {
        for key in ["", "TEA-001", "00000000000000000000000000000001", "c-42/09223370273854775807/x"] {
            for parts in 1..9 {
                let mine = (0..parts).filter(|part| super::is_in(key, *part, parts)).count();
                assert_eq!(mine, 1, "{key} of {parts}");
            }
        }
    }
}
