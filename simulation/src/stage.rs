//! Plays one history: who steps when, what happens in between, and whether everything is as it must be.

mod lost;
mod mishaps;
mod verdict;

use crate::{
    bus::{Reads, Relay, Sight, Topics, index_of},
    counters::{Counters, Situation},
    customer::{Act, Customers},
    history::{EPOCH, History},
    life::Life,
    plan::{Plan, SECOND, SERVICES},
    process::{On, Process, Site},
    sim::{Broken, Event, Sim, named},
    store::SimRead,
    watch::Watch,
    world::{Deed, World},
};
use runtime::{Handle, Health, LogRow, Micros, Position, Read, Step, bus::LogHub, store::MemoryStore};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tutti::invariants::SERVICES as NAMES;

/// Commits between two looks at all invariants, unless each is looked at.
const LOOK_EVERY: u64 = 60;

/// How one history went.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// A hash over everything that happened.
    pub hash: u64,
    /// Every line, if they were kept.
    pub lines: Vec<String>,
    /// What was not as it must be.
    pub broken: Option<Broken>,
    /// The rare situations that came true.
    pub counters: Counters,
    /// Orders placed.
    pub orders: u64,
    /// Events said.
    pub events: u64,
    /// How long it took, in microseconds of its own time.
    pub took: Micros,
}

/// How closely a history is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Care {
    /// Keep every line.
    pub keep_lines: bool,
    /// Hold all invariants at every commit.
    pub every_commit: bool,
}

/// Plays the history of a plan from beginning to end.
///
/// # Errors
/// When it cannot be played at all.
pub fn play(plan: Plan, care: Care) -> Result<Outcome, String> {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let tokio = tokio.map_err(|e| format!("no async runtime: {e}"))?;
    tokio.block_on(async { Stage::set(plan, care)?.play().await })
}

/// Plays the history of a plan and returns the logs of all services.
///
/// # Errors
/// When it cannot be played at all.
pub fn play_and_keep(plan: Plan, care: Care) -> Result<Vec<Vec<Arc<LogRow>>>, String> {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let tokio = tokio.map_err(|e| format!("no async runtime: {e}"))?;
    tokio.block_on(async {
        let stage = Stage::set(plan, care)?;
        let stores = stage.site.stores.clone();
        stage.play().await?;
        let all =
            |store: &MemoryStore| store.log_after(0, Position::default(), usize::MAX >> 1).map_err(|e| e.to_string());
        stores.iter().map(all).collect()
    })
}

/// One history under way.
pub struct Stage {
    sim: Arc<Sim>,
    site: Site,
    customers: Arc<Customers>,
    processes: Vec<Process>,
    started: u32,
    care: Care,
    looked_at: u64,
    /// Copies of stores as they were.
    backups: [Option<MemoryStore>; SERVICES],
    /// Copies of stores that will be lost.
    copies: [Option<MemoryStore>; SERVICES],
    /// Services whose stores were lost and are not rebuilt yet.
    lost: BTreeSet<usize>,
    before_replay: Option<verdict::Standing>,
}

impl Stage {
    fn set(plan: Plan, care: Care) -> Result<Stage, String> {
        let history = if care.keep_lines { History::kept() } else { History::default() };
        let sim = Sim::begin(plan, history);
        let watch = Arc::new(Watch::new(sim.clone(), sources()));
        let stores: [MemoryStore; SERVICES] =
            std::array::from_fn(|n| MemoryStore::new(EPOCH / 1000 + i64::try_from(n).unwrap_or(0)));
        let site = Site {
            world: World::new(sim.clone()),
            watch: watch.clone(),
            topics: Arc::new(Topics::new(watch.clone())),
            hub: None,
            reads: Reads::default(),
            stores,
            locks: Default::default(),
            builds: [1; SERVICES],
            sim: sim.clone(),
        };
        let customers = Customers::new(sim.clone(), watch);
        let mut stage = Stage {
            sim,
            site,
            customers,
            processes: vec![],
            started: 0,
            care,
            looked_at: 0,
            backups: Default::default(),
            copies: Default::default(),
            lost: BTreeSet::new(),
            before_replay: None,
        };
        stage.connect();
        for service in 0..SERVICES {
            stage.start(service)?;
        }
        stage.customers.plan();
        stage.plan_mishaps();
        Ok(stage)
    }

    /// Where the log is the topic, processes that begin together share one view of the logs.
    fn connect(&mut self) {
        if self.sim.plan.embedded {
            let mut hub = LogHub::default();
            for (service, store) in self.site.stores.iter().enumerate() {
                hub.add(NAMES[service], Arc::new(SimRead::new(store.clone(), self.sim.clone(), service)));
            }
            self.site.hub = Some((Arc::new(hub), Sight::default()));
        }
    }

    /// Starts a process of a service.
    fn start(&mut self, service: usize) -> Result<(), String> {
        let Site { stores, locks, builds, .. } = &self.site;
        let on = On { store: stores[service].clone(), lock: locks[service].clone(), build: builds[service] };
        self.start_on(service, on)
    }

    fn start_on(&mut self, service: usize, on: On) -> Result<(), String> {
        let life = self.new_life(service);
        self.sim.note(|| format!("{} starts", named(&life)));
        self.processes.push(Process::start(&self.site, life, on)?);
        Ok(())
    }

    fn new_life(&mut self, service: usize) -> Arc<Life> {
        self.started += 1;
        Arc::new(Life::new(service, self.started))
    }

    /// A service as its callers reach it: through any of its processes, which passes them on if another one leads.
    fn handle(&self, service: usize) -> Option<Handle> {
        let all: Vec<&Process> = self.processes.iter().filter(|process| process.service() == service).collect();
        let any = if all.len() > 1 { self.sim.pace(|dice| dice.pick(&all).copied()) } else { all.first().copied() }?;
        let Health::Standby(leader) = any.handle.health() else { return Some(any.handle.clone()) };
        let leader = all.iter().find(|process| named(&process.life) == leader)?;
        self.sim.saw(Situation::Forwarded);
        Some(leader.handle.clone())
    }

    async fn play(mut self) -> Result<Outcome, String> {
        let mut replayed = false;
        while self.sim.what_broke().is_none() {
            if self.sim.now() >= self.sim.plan.faults_until && !self.sim.is_healed() {
                self.heal()?;
            }
            if let Some(event) = self.sim.next_due() {
                self.happen(event)?;
            } else if !self.step_one()? {
                tokio::task::yield_now().await;
                if self.take_news() {
                    continue;
                }
                if self.sim.is_healed() && self.unfinished().is_none() {
                    if replayed {
                        self.compare_with_before();
                        self.look();
                        break;
                    }
                    replayed = true;
                    self.replay_everything()?;
                    continue;
                }
                if self.sim.now() > self.sim.plan.settled_by() {
                    self.give_up();
                    break;
                }
                self.wait().await;
            }
            tokio::task::yield_now().await;
            self.look_now_and_then();
        }
        Ok(self.outcome())
    }

    /// Lets one process that has something to do take a step.
    fn step_one(&mut self) -> Result<bool, String> {
        let now = self.sim.now();
        let ready: Vec<usize> =
            self.processes.iter().enumerate().filter(|(_, p)| p.ready_at <= now).map(|(index, _)| index).collect();
        let Some(index) = self.sim.pace(|dice| dice.pick(&ready).copied()) else { return Ok(false) };
        let process = &mut self.processes[index];
        let step = process.step();
        if !process.life.is_alive() {
            self.bury(index);
            return Ok(true);
        }
        match step {
            Step::Worked => process.ready_at = now + self.sim.pace(|dice| dice.magnitude(300, 5000)),
            Step::Idle(until) => {
                if let Health::HeldUp(why) = process.handle.health()
                    && why.contains("is paused")
                {
                    self.sim.saw(Situation::Paused);
                }
                let skew = self.sim.skew(process.service());
                let until = until.map_or(Micros::MAX, |until| until.saturating_sub(EPOCH + skew));
                process.ready_at = until.max(now + 1000);
            }
            Step::Stopped => return Err(format!("{} stopped by itself", named(&process.life))),
            Step::Ended(why) => self.ended(index, &why)?,
        }
        Ok(true)
    }

    /// A process crashed; after a while there is another one.
    fn bury(&mut self, index: usize) {
        let process = self.processes.remove(index);
        process.life.end();
        let later = self.sim.pace(|dice| dice.magnitude(SECOND / 100, 30 * SECOND));
        self.sim.at(self.sim.now() + later, Event::Start(process.service()));
    }

    /// A process ended because it must not write. Where another one leads, that is that.
    fn ended(&mut self, index: usize, why: &str) -> Result<(), String> {
        let service = self.processes[index].service();
        self.sim.note(|| format!("{} ends: {why}", named(&self.processes[index].life)));
        if why.contains("the topic of") {
            self.sim.saw(Situation::BehindTopic);
        } else if why.contains("a newer build than this one") {
            self.sim.saw(Situation::OlderBuild);
        } else if !why.contains("has taken the lead") {
            return Err(format!("{} ends: {why}", NAMES[service]));
        }
        self.bury(index);
        Ok(())
    }

    /// Wakes those for whom something came.
    fn take_news(&mut self) -> bool {
        let now = self.sim.now();
        let mut any = false;
        for process in &mut self.processes {
            if process.has_news() && process.ready_at > now {
                process.ready_at = now;
                any = true;
            }
        }
        any
    }

    /// Until something is due, or a call to the outside world ends.
    async fn wait(&self) {
        let next = self.processes.iter().map(|process| process.ready_at).chain(self.sim.next_at());
        let until_healed = if self.sim.is_healed() { Micros::MAX } else { self.sim.plan.faults_until };
        let next = next.min().unwrap_or(Micros::MAX).min(until_healed).min(self.sim.now() + 3600 * SECOND);
        // Either way it is time to look around.
        _ = tokio::time::timeout_at(self.sim.instant(next), self.sim.news.notified()).await;
    }

    fn happen(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Customer(doing) => {
                let service = if doing.act == Act::Deliver { "inventory" } else { "order" };
                self.customers.act(doing, self.handle(index_of(service)));
            }
            Event::Start(service) => {
                let runs = self.processes.iter().any(|process| process.service() == service);
                if !runs && !self.is_down(service) {
                    self.start(service)?;
                }
            }
            Event::Ring(service) => {
                self.processes.iter().filter(|process| process.service() == service).for_each(Process::ring);
            }
            Event::Relay(relay) => Relay::deliver(&relay, &self.sim),
            Event::Republish(source) => self.site.topics.republish(&self.sim, source, &self.site.stores[source]),
            Event::Carrier(deed) => self.carrier(deed),
            Event::Operator => self.operate(),
            Event::Recover(service) => self.recover(service)?,
            Event::Depose(service) => self.depose(service),
            Event::Fault(fault, target, lasts) => self.mishap(fault, target, lasts)?,
        }
        Ok(())
    }

    fn carrier(&mut self, deed: Deed) {
        let (parcel, stage, attempt, report) = match deed {
            Deed::Collect(parcel) => {
                if let Some(order_id) = self.site.world.collect(parcel) {
                    self.site.watch.may_leave(&order_id);
                }
                return;
            }
            Deed::Stray(number) => (usize::MAX, 0, 0, self.stray(number)),
            Deed::Report { parcel, stage, attempt } => (parcel, stage, attempt, self.site.world.report(parcel, stage)),
        };
        let again = Event::Carrier(Deed::Report { parcel, stage, attempt: attempt + 1 });
        let Some(report) = report else { return };
        let (sim, world) = (self.sim.clone(), self.site.world.clone());
        let Some(handle) = self.handle(index_of("shipping")) else {
            if parcel != usize::MAX {
                sim.at(sim.now() + 2 * SECOND, again);
            }
            return;
        };
        tokio::spawn(async move {
            let trace = runtime::TraceId::of_text(&report.order_id);
            let trace = report.order_id.parse().unwrap_or(trace);
            let answer = handle.command(report, trace).await;
            match answer {
                Err(runtime::Rejected::Failed(_)) if parcel == usize::MAX => sim.saw(Situation::PoisonCommand),
                _ if parcel == usize::MAX => {}
                Ok(_) => world.reported(parcel, stage, attempt),
                Err(_) => sim.at(sim.now() + 2 * SECOND, again),
            }
        });
    }

    fn look_now_and_then(&mut self) {
        let (commits, _) = self.site.watch.counts();
        let every = if self.care.every_commit { 1 } else { LOOK_EVERY };
        if commits >= self.looked_at + every {
            self.looked_at = commits;
            self.look();
        }
    }

    fn outcome(self) -> Outcome {
        let (hash, _, lines, counters) = self.sim.finish();
        let (_, events) = self.site.watch.counts();
        Outcome {
            seed: self.sim.plan.seed,
            hash,
            lines,
            broken: self.sim.what_broke(),
            counters,
            orders: self.site.watch.orders_placed(),
            events,
            took: self.sim.now(),
        }
    }
}

/// Which services each one reads.
fn sources() -> [Vec<usize>; SERVICES] {
    let indexes = |sources: Vec<&str>| sources.into_iter().map(index_of).collect();
    [
        indexes(order::service().sources()),
        indexes(inventory::service().sources()),
        indexes(payment::service().sources()),
        indexes(shipping::service(Duration::ZERO).sources()),
        indexes(email::service().sources()),
    ]
}
