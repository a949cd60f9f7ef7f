//! Whether everything is as it must be: all invariants, and that everything has come to its end.

use super::Stage;
use crate::{bus::Reads, counters::Situation, plan::SERVICES, world::Shown};
use runtime::{Micros, Position, Read};
use tutti::invariants::{Evidence, SERVICES as NAMES, verify};

/// How far the logs go, what waits in the stores, and how much is in the books.
pub(super) type Standing = (Vec<Position>, Vec<(u64, u64)>, [Micros; 4]);

impl Stage {
    /// Holds all invariants against the stores and the books as they stand.
    pub(super) fn look(&mut self) {
        if !self.lost.is_empty() {
            return; // others have read what a lost store said, and it does not know of it again yet
        }
        let books = self.site.world.books();
        let promised = self.customers.promised();
        let [a, b, c, d, e] = &self.site.stores;
        let evidence = Evidence { stores: [a, b, c, d, e], books: &Shown(&books), promised: &promised };
        match verify(&evidence, &()) {
            Ok(report) => {
                if let Some(violation) = report.violations.into_iter().next() {
                    let sentence = format!("{}: {}", violation.key, violation.sentence);
                    self.sim.broken(&violation.invariant, sentence, violation.evidence);
                }
            }
            Err(why) => self.sim.broken("verified", why, vec![]),
        }
    }

    /// What has not come to its end, if anything has not.
    pub(super) fn unfinished(&self) -> Option<String> {
        if let Some(lost) = self.lost.first() {
            return Some(format!("the store of {} is lost", NAMES[*lost]));
        }
        if self.customers.open() > 0 {
            return Some(format!("{} customers wait for an answer", self.customers.open()));
        }
        if let Some(open) = self.site.watch.open_orders().first() {
            return Some(format!("order {open} has not ended"));
        }
        let parcels = &self.site.world.books().parcels;
        if let Some(parcel) = parcels.iter().find(|it| it.parcel.under_way) {
            return Some(format!("the parcel of {} is under way", parcel.parcel.order_id));
        }
        (0..SERVICES).find_map(|service| self.unfinished_of(service))
    }

    fn unfinished_of(&self, service: usize) -> Option<String> {
        let (name, store) = (NAMES[service], &self.site.stores[service]);
        let counts = Read::counts(store).unwrap_or_default();
        if counts.work + counts.parked > 0 {
            return Some(format!(
                "{name} has {} requests open, {} stuck, {} parked",
                counts.work, counts.stuck, counts.parked
            ));
        }
        if !self.sim.plan.embedded && self.site.topics.last(service) != self.end(service) {
            return Some(format!("events of {name} are not published"));
        }
        let read = Read::cursors(store).unwrap_or_default();
        self.site.watch.sources_of(service).iter().find_map(|source| {
            let of_source = read.iter().filter(|row| row.source == NAMES[*source]);
            let at = of_source.map(|row| row.at).max().unwrap_or_default();
            let end = self.end(*source);
            (at < end).then(|| format!("{name} has read {} up to {at:?}, which ends at {end:?}", NAMES[*source]))
        })
    }

    /// The last event of a log, of whichever generation; nothing of an empty one.
    fn end(&self, service: usize) -> Position {
        let (store, lead) = (&self.site.stores[service], self.site.stores[service].lead().unwrap_or_default());
        if lead.head > 0 {
            return Position { generation: lead.generation, seq: lead.head };
        }
        let log = store.log_after(0, Position::default(), usize::MAX >> 1).unwrap_or_default();
        log.last().map_or(Position::default(), |row| row.position())
    }

    /// Nothing goes wrong any more, and still something has not ended.
    pub(super) fn give_up(&mut self) {
        let what = self.unfinished().unwrap_or_else(|| "something".into());
        self.look();
        self.sim.broken("everything_ends", format!("long after the last fault {what}"), self.site.watch.open_orders());
    }

    /// Every reader reads every topic again from its beginning: nothing may come of it.
    pub(super) fn replay_everything(&mut self) -> Result<(), String> {
        self.look();
        let before = self.standing();
        for process in std::mem::take(&mut self.processes) {
            process.life.end();
        }
        self.connect();
        self.site.reads = Reads::FromZero;
        for service in 0..SERVICES {
            self.start(service)?;
        }
        self.before_replay = Some(before);
        self.sim.saw(Situation::ReplayChangesNothing);
        Ok(())
    }

    /// Holds what there is now against what there was before everything was read again.
    pub(super) fn compare_with_before(&mut self) {
        let now = self.standing();
        if let Some(before) = self.before_replay.take()
            && before != now
        {
            let sentence = format!("reading every topic again changed something: {before:?}, then {now:?}");
            self.sim.broken("replay_changes_nothing", sentence, vec![]);
        }
    }

    fn standing(&self) -> Standing {
        let books = self.site.world.books();
        let count = |count: usize| Micros::try_from(count).unwrap_or(Micros::MAX);
        let copies = books.mailbox.iter().map(|mail| mail.copies).sum();
        let counts = self.site.stores.iter().map(|store| Read::counts(store).unwrap_or_default());
        (
            (0..SERVICES).map(|service| self.end(service)).collect(),
            counts.map(|counts| (counts.work, counts.parked)).collect(),
            [count(books.ledger.len()), count(books.calls.len()), count(books.mailbox.len()), copies],
        )
    }
}
