//! The carrier's yard: which parcel is collected when, which report is sent when. In memory, bounded, and read again
//! from the book whenever in doubt.

use super::{
    book::{self, Indexes, Parcel, Step},
    reports::{Report, Sender, Stage},
};
use crate::{conditions::Conditions, faults::CarrierFaults, writer::Desk};
use runtime::clock::Micros;
use rusqlite::Connection;
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

/// At most so many parcels are in memory; more wait in the book.
const PARCELS: usize = 100_000;
/// At most so many reports are on their way at once.
const ON_THEIR_WAY: usize = 1_024;
/// At most so much is done in one transaction.
const STEPS: usize = 1_024;
/// The pause after the first time a report is not accepted. It doubles up to [`LONGEST_PAUSE`].
const PAUSE: Micros = 50_000;
/// The longest pause before a report comes again.
const LONGEST_PAUSE: Micros = 5_000_000;

/// One report of one parcel, and how often it was sent before. The order of the fields makes the earliest the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Due {
    at: Micros,
    parcel: i64,
    stage: Stage,
    pub(super) attempt: u32,
    /// Sent again although it was accepted: nobody minds how that ends.
    repeat: bool,
}

/// A parcel under way.
struct UnderWay {
    order_id: String,
    label: String,
    /// The stages whose report was not accepted yet, one bit each.
    unreported: u8,
}

/// What the carrier's writer keeps in memory.
pub(super) struct Yard {
    conditions: Conditions,
    sender: Sender,
    pub(super) indexes: Indexes,
    parcels: HashMap<i64, UnderWay>,
    collections: BinaryHeap<Reverse<(Micros, i64)>>,
    reports: BinaryHeap<Reverse<Due>>,
    /// Sent after the commit: the book must say `out` before anybody hears of it.
    outgoing: Vec<(Due, Report)>,
    /// There may be more parcels in the book than in memory.
    more: bool,
    /// Parcels wait in the book for a carrier who does not come.
    waiting: bool,
}

impl Yard {
    pub(super) fn new(conditions: Conditions, sender: Sender) -> Yard {
        Yard {
            conditions,
            sender,
            indexes: Indexes::new(),
            parcels: HashMap::new(),
            collections: BinaryHeap::new(),
            reports: BinaryHeap::new(),
            outgoing: Vec::new(),
            more: false,
            waiting: false,
        }
    }

    /// A parcel was handed over: the carrier will come for it.
    pub(super) fn expect(&mut self, parcel: &Parcel, now: Micros) {
        let faults = self.conditions.faults.get().carrier;
        if !faults.collects {
            self.waiting = true;
        } else if self.parcels.len() >= PARCELS {
            self.more = true;
        } else {
            self.admit(parcel.clone(), faults, now);
        }
    }

    /// The label was voided: there is nothing to collect.
    pub(super) fn forget(&mut self, id: i64) {
        self.parcels.remove(&id);
    }

    /// A report came back from its receiver.
    pub(super) fn sent(&mut self, book: &Connection, due: Due, report: Report, accepted: bool) -> rusqlite::Result<()> {
        if due.repeat {
            return Ok(());
        }
        if !accepted {
            self.send_again(due);
            return Ok(());
        }
        if self.conditions.dice.falls(self.conditions.faults.get().carrier.repeat_reports) {
            self.outgoing.push((Due { repeat: true, ..due }, report));
        }
        self.accepted(book, due)
    }

    fn send_again(&mut self, due: Due) {
        let pause = PAUSE.saturating_mul(1 << due.attempt.min(20)).min(LONGEST_PAUSE);
        let at = self.conditions.clock.now().saturating_add(pause);
        self.reports.push(Reverse(Due { at, attempt: due.attempt.saturating_add(1), ..due }));
    }

    fn accepted(&mut self, book: &Connection, due: Due) -> rusqlite::Result<()> {
        let Some(parcel) = self.parcels.get_mut(&due.parcel) else { return Ok(()) };
        parcel.unreported &= !due.stage.bit();
        if parcel.unreported == 0 {
            self.parcels.remove(&due.parcel);
            book::finished(book, due.parcel)?;
        }
        Ok(())
    }

    /// Takes a parcel under way into memory, with everything that will happen to it.
    fn admit(&mut self, parcel: Parcel, faults: CarrierFaults, now: Micros) {
        let Parcel { id, order_id, label, step, ready_at, out_at, .. } = parcel;
        let unreported = Stage::ALL.iter().map(|stage| stage.bit()).sum();
        self.parcels.insert(id, UnderWay { order_id, label, unreported });
        match step {
            Step::Ready => {
                let at = ready_at.unwrap_or(now).saturating_add(micros(faults.pick_up_ms));
                self.collections.push(Reverse((at, id)));
            }
            _ => self.plan(id, out_at.unwrap_or(now), faults),
        }
    }

    /// Spreads a parcel's reports over its transit, in their order or shuffled.
    fn plan(&mut self, id: i64, out_at: Micros, faults: CarrierFaults) {
        let mut stages = Stage::ALL.to_vec();
        let half = micros(faults.transit_ms) / 2;
        for part in 0..3_i64 {
            let chosen = if faults.shuffle_reports { self.conditions.dice.below(stages.len()) } else { 0 };
            let at = out_at.saturating_add(half.saturating_mul(part));
            let due = Due { at, parcel: id, stage: stages.remove(chosen), attempt: 0, repeat: false };
            self.reports.push(Reverse(due));
        }
    }

    fn collect(&mut self, book: &Connection, now: Micros, faults: CarrierFaults) -> rusqlite::Result<()> {
        for _ in 0..STEPS {
            let Some((_, id)) = pop_if(&mut self.collections, |(at, _)| *at <= now) else { break };
            if !self.parcels.contains_key(&id) {
                continue;
            }
            if faults.collects {
                book::collected(book, id, now)?;
                self.plan(id, now, faults);
            } else {
                self.parcels.remove(&id);
                self.waiting = true;
            }
        }
        Ok(())
    }

    fn report(&mut self, book: &Connection, now: Micros) -> rusqlite::Result<()> {
        while self.has_room() {
            let Some(due) = pop_if(&mut self.reports, |due| due.at <= now) else { break };
            let Some(parcel) = self.parcels.get(&due.parcel) else { continue };
            if due.stage == Stage::Delivered && due.attempt == 0 {
                book::delivered(book, due.parcel, now)?;
            }
            self.outgoing.push((due, due.stage.report(due.parcel, &parcel.order_id, &parcel.label)));
        }
        Ok(())
    }

    fn has_room(&self) -> bool {
        self.sender.on_their_way() + self.outgoing.len() < ON_THEIR_WAY
    }

    /// Reads parcels from the book that are not in memory.
    fn fetch(&mut self, book: &Connection, faults: CarrierFaults, now: Micros) -> rusqlite::Result<()> {
        let parcels = book::under_way(book, faults.collects, PARCELS)?;
        self.more = parcels.len() == PARCELS;
        self.waiting = !faults.collects;
        for parcel in parcels {
            if !self.parcels.contains_key(&parcel.id) {
                self.admit(parcel, faults, now);
            }
        }
        Ok(())
    }
}

impl Desk for Yard {
    fn due(&self) -> Option<Micros> {
        let collection = self.collections.peek().map(|Reverse((at, _))| *at);
        let report = self.reports.peek().map(|Reverse(due)| due.at).filter(|_| self.has_room());
        collection.into_iter().chain(report).min()
    }

    fn tick(&mut self, book: &Connection, now: Micros) -> rusqlite::Result<()> {
        let faults = self.conditions.faults.get().carrier;
        let missing = (self.waiting && faults.collects) || self.more;
        if missing && self.parcels.len() < PARCELS / 2 {
            self.fetch(book, faults, now)?;
        }
        self.collect(book, now, faults)?;
        self.report(book, now)?;
        self.indexes.parcels.tick(book, now)?;
        self.indexes.calls.tick(book, now)
    }

    fn committed(&mut self) {
        for (due, report) in self.outgoing.drain(..) {
            self.sender.send(due, report);
        }
    }

    fn reload(&mut self, book: &Connection, now: Micros) -> rusqlite::Result<()> {
        self.parcels.clear();
        self.collections.clear();
        self.reports.clear();
        self.outgoing.clear();
        self.indexes.parcels.reload(book, now)?;
        self.indexes.calls.reload(book, now)?;
        self.fetch(book, self.conditions.faults.get().carrier, now)
    }
}

/// Takes the first of a heap if it fulfils a condition.
fn pop_if<T: Ord>(heap: &mut BinaryHeap<Reverse<T>>, condition: impl FnOnce(&T) -> bool) -> Option<T> {
    let fulfilled = heap.peek().is_some_and(|Reverse(first)| condition(first));
    if fulfilled { heap.pop().map(|Reverse(first)| first) } else { None }
}

fn micros(millis: u64) -> Micros {
    Micros::try_from(millis).unwrap_or(Micros::MAX).saturating_mul(1_000)
}
