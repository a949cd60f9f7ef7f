//! What goes wrong when: drawn before the history begins, so that a fault which is switched off moves no other.

use super::Stage;
use crate::{
    counters::Situation,
    dice::Dice,
    fault::Fault,
    plan::{DAY, SECOND, SERVICES},
    process::{On, Process, Site},
    sim::{Event, named},
    store::Lock,
    world::Deed,
};
use runtime::{Micros, Read, intake::Wish};
use shipping::reports::{Report, ReportKind};

/// How often each fault that has a time of its own happens, among how many targets, and how long it lasts at most.
fn timed(fault: Fault) -> Option<(i64, usize, Micros)> {
    Some(match fault {
        Fault::StoreAway => (3, SERVICES, 300 * SECOND),
        Fault::StoreRefuses => (2, SERVICES, 60 * SECOND),
        Fault::BusAway => (3, SERVICES, 600 * SECOND),
        Fault::Undecodable => (2, SERVICES, 1800 * SECOND),
        Fault::WorldAway => (3, 3, 3600 * SECOND),
        Fault::RefundRefused => (2, 1, 3600 * SECOND),
        Fault::KeyringAway => (2, 1, 600 * SECOND),
        Fault::ClockJump => (2, SERVICES, 3600 * SECOND),
        Fault::Zombie | Fault::Foreign => (3, SERVICES, SECOND),
        Fault::PowerCut => (1, 1, SECOND),
        Fault::OldBackup => (2, SERVICES, SECOND),
        Fault::StoreLost => (2, SERVICES, 600 * SECOND),
        Fault::Standby => (3, SERVICES, 60 * SECOND),
        Fault::Upgrade => (1, SERVICES, 60 * SECOND),
        Fault::Down => (1, SERVICES, 3 * DAY),
        Fault::StrayReports => (3, 10, SECOND),
        _ => return None,
    })
}

impl Stage {
    pub(super) fn plan_mishaps(&mut self) {
        let plan = &self.sim.plan;
        for fault in &plan.faults {
            let Some((most, targets, longest)) = timed(*fault) else { continue };
            let mut dice = Dice::new(plan.seed, &format!("when {fault}"));
            for _ in 0..dice.between(1, most) {
                let at = SECOND + dice.magnitude(SECOND, plan.faults_until.max(2 * SECOND));
                let target = usize::try_from(dice.below(targets as u64)).unwrap_or(0);
                let (at, lasts) = match fault {
                    Fault::WorldAway if plan.outage > 0 => (at, dice.between(3600 * SECOND, plan.outage)),
                    // So long, and from so early on, that a source may say nothing else.
                    Fault::Undecodable if plan.all_undecodable() => (SECOND, dice.between(longest / 4, longest)),
                    _ => (at, dice.magnitude(SECOND / 10, longest)),
                };
                self.sim.at(at, Event::Fault(*fault, target, lasts));
            }
        }
        self.sim.at(20 * SECOND, Event::Operator);
    }

    pub(super) fn mishap(&mut self, fault: Fault, target: usize, lasts: Micros) -> Result<(), String> {
        if self.sim.is_healed() {
            return Ok(());
        }
        let now = self.sim.now();
        let lasts = lasts.min(self.sim.plan.faults_until - now);
        self.sim.note(|| format!("fault: {fault}, target {target}, for {} s", lasts / SECOND));
        match fault {
            Fault::Zombie => {
                self.site.locks[target].break_open();
                self.start(target)?;
            }
            Fault::StoreLost => self.lose_store(target, lasts)?,
            Fault::Standby => self.stand_by(target, lasts)?,
            Fault::Upgrade => self.upgrade(target, lasts)?,
            Fault::Foreign if !self.sim.plan.embedded => self.site.topics.intrude(&self.sim, target),
            Fault::PowerCut => self.power_cut(),
            Fault::OldBackup => self.old_backup(target)?,
            Fault::Down => self.down(target, lasts),
            Fault::ClockJump => {
                let back = self.sim.draw(fault, |dice| dice.falls(0.5));
                self.sim.saw(Situation::ClockJump);
                self.sim.jump(target, if back { -lasts } else { lasts });
            }
            Fault::StrayReports => self.sim.at(now, Event::Carrier(Deed::Stray(target))),
            _ => {
                self.sim.begin_fault(fault, target, now + lasts);
                // Whoever waits for it looks again.
                (0..SERVICES).for_each(|service| self.sim.at(now + lasts, Event::Ring(service)));
            }
        }
        Ok(())
    }

    fn power_cut(&mut self) {
        self.sim.saw(Situation::PowerCut);
        for process in std::mem::take(&mut self.processes) {
            process.life.end();
        }
        self.connect();
        for service in 0..SERVICES {
            let later = self.sim.pace(|dice| dice.magnitude(SECOND / 10, 20 * SECOND));
            self.sim.at(self.sim.now() + later, Event::Start(service));
        }
    }

    pub(super) fn kill(&mut self, service: usize) {
        for process in self.processes.extract_if(.., |process| process.service() == service) {
            self.sim.note(|| format!("{} is killed", named(&process.life)));
            process.life.end();
        }
    }

    /// A process begins with a copy of its store from a while ago; the right one is found again later.
    fn old_backup(&mut self, service: usize) -> Result<(), String> {
        let Some(backup) = self.backups[service].take() else {
            self.backups[service] = Some(self.site.stores[service].copy());
            self.sim.at(self.sim.now() + 60 * SECOND, Event::Fault(Fault::OldBackup, service, SECOND));
            return Ok(());
        };
        // A copy that lacks nothing which others know is as good as the store itself, and would go on from there.
        let said = self.site.topics.last(service);
        let lacks = said.seq > 0 && !backup.holds(said).map_err(|error| error.to_string())?;
        if self.sim.plan.embedded || self.lost.contains(&service) || !lacks {
            return Ok(());
        }
        self.kill(service);
        self.start_on(service, On { store: backup, lock: Lock::default(), build: self.site.builds[service] })
    }

    /// A second process of a service; the first one ends after a while.
    fn stand_by(&mut self, service: usize, lasts: Micros) -> Result<(), String> {
        if self.sim.plan.embedded || self.is_down(service) {
            return Ok(()); // the file of an embedded store is opened once
        }
        self.sim.at(self.sim.now() + lasts, Event::Depose(service));
        self.start(service)
    }

    /// The process that leads a service ends, if another one is there.
    pub(super) fn depose(&mut self, service: usize) {
        let Some(leader) = self.site.locks[service].holder() else { return };
        let of_service = |process: &&Process| process.service() == service;
        if self.processes.iter().filter(of_service).count() > 1 {
            self.sim.note(|| format!("{} is killed while it leads", named(&leader)));
            leader.end();
            self.processes.retain(|process| process.life.number != leader.number);
        }
    }

    /// A newer build of a service is rolled out: it stands by until the old one ends. Then an old one starts once more.
    fn upgrade(&mut self, service: usize, lasts: Micros) -> Result<(), String> {
        let Site { stores, locks, builds, .. } = &mut self.site;
        if std::mem::replace(&mut builds[service], 2) == 2 {
            let on = On { store: stores[service].clone(), lock: locks[service].clone(), build: 1 };
            return self.start_on(service, on);
        }
        self.sim.saw(Situation::NewerBuild);
        self.sim.at(self.sim.now() + 2 * lasts, Event::Fault(Fault::Upgrade, service, lasts));
        self.stand_by(service, lasts)
    }

    fn down(&mut self, service: usize, lasts: Micros) {
        self.sim.saw(Situation::DownLong);
        self.kill(service);
        self.sim.begin_fault(Fault::Down, service, self.sim.now() + lasts);
        self.sim.at(self.sim.now() + lasts, Event::Start(service));
    }

    pub(super) fn is_down(&self, service: usize) -> bool {
        self.sim.lasts(Fault::Down, service)
    }

    /// A report on an order that was placed and has no parcel that could be reported on.
    pub(super) fn stray(&self, number: usize) -> Option<Report> {
        let order_id = self.customers.promised().get(number)?.order_id.clone();
        let order = self.site.watch.order(&order_id);
        let possible = ["ShipmentReleased", "OrderConfirmed"].iter().any(|name| order.has(name));
        let kind = ReportKind::Tracking { place: "nowhere".into() };
        (!possible).then(|| Report { order_id, report_id: format!("stray-{number}"), kind })
    }

    /// From here on nothing goes wrong: what was lost is published again, who is down starts.
    pub(super) fn heal(&mut self) -> Result<(), String> {
        self.sim.heal();
        for service in 0..SERVICES {
            self.site.topics.republish(&self.sim, service, &self.site.stores[service]);
            if !self.processes.iter().any(|process| process.service() == service) {
                self.start(service)?;
            }
            self.sim.at(self.sim.now(), Event::Ring(service));
        }
        self.lost.clone().into_iter().try_for_each(|service| self.recover(service))
    }

    /// Somebody looks after what was set aside: what is parked or stuck is tried again, what is foreign dropped.
    pub(super) fn operate(&mut self) {
        let pause = if self.sim.is_healed() { 10 } else { 60 };
        self.sim.at(self.sim.now() + pause * SECOND, Event::Operator);
        for service in 0..SERVICES {
            let Some(handle) = self.handle(service) else { continue };
            let store = &self.site.stores[service];
            for wish in wishes(store, &self.site.watch.orders_known()) {
                let (sim, handle) = (self.sim.clone(), handle.clone());
                let served = match &wish {
                    Wish::Discard { .. } => Situation::Discarded,
                    Wish::RetryWork(_) => Situation::StuckRetried,
                    _ => Situation::ParkedRetried,
                };
                tokio::spawn(async move {
                    // What is not served now is asked for again at the next look.
                    if handle.wish(wish).await.is_ok() {
                        sim.saw(served);
                    }
                });
            }
        }
    }
}

fn wishes(store: &runtime::store::MemoryStore, orders: &[String]) -> Vec<Wish> {
    let counts = Read::counts(store).unwrap_or_default();
    let mut wishes = vec![];
    if counts.parked > 0 {
        let mut before = std::collections::BTreeSet::new();
        for parked in store.parked_after(0, 1000).unwrap_or_default() {
            let (source, key) = (parked.source.clone(), parked.row.key.clone());
            if before.insert((source.clone(), key.clone())) {
                let foreign = source.starts_with("foreign:");
                wishes.push(if foreign { Wish::Discard { source, key } } else { Wish::Retry { source, key } });
            }
        }
    }
    if counts.stuck > 0 {
        let work = orders.iter().flat_map(|order| store.work_of(order).unwrap_or_default());
        wishes.extend(work.filter(|row| row.stuck.is_some()).map(|row| Wish::RetryWork(row.id())));
    }
    wishes
}
