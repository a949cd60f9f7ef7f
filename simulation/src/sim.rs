//! What all parts of one simulated history share: its time, its chance, its agenda, and what was seen of it.

use crate::{
    bus::Relay,
    counters::{Counters, Situation},
    dice::Dice,
    fault::Fault,
    history::{EPOCH, History},
    life::Life,
    plan::{Plan, SERVICES},
};
use runtime::{Clock, Micros};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};
use tokio::{sync::Notify, time::Instant};
use tutti::invariants::SERVICES as NAMES;

/// How likely a process crashes at one call of a port, while crashes happen.
const CRASH: f64 = 0.004;

/// Something that is to happen at its time.
pub enum Event {
    /// A customer does something.
    Customer(crate::customer::Doing),
    /// A fault begins, about one service or one part of the world, and lasts so long.
    Fault(Fault, usize, Micros),
    /// A process of a service starts.
    Start(usize),
    /// There may be news for a reader.
    Ring(usize),
    /// A relay delivers.
    Relay(Arc<Mutex<Relay>>),
    /// A service's topic gets again what it lost.
    Republish(usize),
    /// The carrier does something.
    Carrier(crate::world::Deed),
    /// Somebody looks after what was set aside.
    Operator,
    /// Somebody has a service rebuilt whose store was lost.
    Recover(usize),
    /// The process that leads a service ends, if another one stands by.
    Depose(usize),
}

/// What is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The invariant's name.
    pub invariant: String,
    /// What is wrong, in one sentence.
    pub sentence: String,
    /// The rows that show it.
    pub evidence: Vec<String>,
}

struct Inner {
    dice: BTreeMap<Fault, Dice>,
    pace: Dice,
    agenda: BTreeMap<(Micros, u64), Event>,
    numbered: u64,
    lasting: BTreeMap<(Fault, usize), Micros>,
    healed: bool,
    history: History,
    counters: Counters,
    broken: Option<Broken>,
    forgotten: BTreeSet<String>,
    /// Whose order in the plan has which id.
    numbers: BTreeMap<String, usize>,
}

/// One history under way.
pub struct Sim {
    /// What was decided beforehand.
    pub plan: Plan,
    /// Wakes the one who drives it: something outside the agenda has happened.
    pub news: Notify,
    begun: Instant,
    skews: [AtomicI64; SERVICES],
    inner: Mutex<Inner>,
}

/// The clock of one service.
struct ServiceClock(Arc<Sim>, usize);

impl Clock for ServiceClock {
    fn now(&self) -> Micros {
        EPOCH + self.0.now() + self.0.skew(self.1)
    }
}

impl Sim {
    /// A history begins now, on the virtual clock of the async runtime this is called in.
    #[must_use]
    pub fn begin(plan: Plan, history: History) -> Arc<Sim> {
        let dice = plan.faults.iter().map(|fault| (*fault, Dice::new(plan.seed, fault.as_str()))).collect();
        let inner = Inner {
            dice,
            pace: Dice::new(plan.seed, "pace"),
            agenda: BTreeMap::new(),
            numbered: 0,
            lasting: BTreeMap::new(),
            healed: false,
            history,
            counters: Counters::default(),
            broken: None,
            forgotten: BTreeSet::new(),
            numbers: BTreeMap::new(),
        };
        let (news, begun, skews) = (Notify::new(), Instant::now(), Default::default());
        Arc::new(Sim { plan, news, begun, skews, inner: Mutex::new(inner) })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Microseconds since the history began.
    #[must_use]
    pub fn now(&self) -> Micros {
        runtime::clock::micros(self.begun.elapsed())
    }

    /// The moment of the async runtime's clock that this time is.
    #[must_use]
    pub fn instant(&self, at: Micros) -> Instant {
        self.begun + std::time::Duration::from_micros(at.max(0).unsigned_abs())
    }

    /// The clock that a service goes by.
    #[must_use]
    pub fn clock_of(self: &Arc<Self>, service: usize) -> Arc<dyn Clock> {
        Arc::new(ServiceClock(self.clone(), service))
    }

    /// By how much a service's clock is ahead.
    #[must_use]
    pub fn skew(&self, service: usize) -> Micros {
        self.skews[service].load(Ordering::Relaxed)
    }

    /// A service's clock jumps.
    pub fn jump(&self, service: usize, by: Micros) {
        self.skews[service].fetch_add(by, Ordering::Relaxed);
    }

    /// Puts something on the agenda.
    pub fn at(&self, at: Micros, event: Event) {
        let mut inner = self.inner();
        inner.numbered += 1;
        let place = (at, inner.numbered);
        inner.agenda.insert(place, event);
        drop(inner);
        self.news.notify_one();
    }

    /// What is due, if anything is.
    #[must_use]
    pub fn next_due(&self) -> Option<Event> {
        let now = self.now();
        let mut inner = self.inner();
        let first = inner.agenda.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(first.remove())
    }

    /// When something is due next.
    #[must_use]
    pub fn next_at(&self) -> Option<Micros> {
        self.inner().agenda.first_key_value().map(|(place, _)| place.0)
    }

    /// Whether this goes wrong now: drawn, with this probability, while things go wrong at all.
    #[must_use]
    pub fn strikes(&self, fault: Fault, probability: f64) -> bool {
        let mut inner = self.inner();
        !inner.healed && inner.dice.get_mut(&fault).is_some_and(|dice| dice.falls(probability))
    }

    /// Draws with a fault's own dice, so that other faults are not changed by it.
    pub fn draw<R>(&self, fault: Fault, draw: impl FnOnce(&mut Dice) -> R) -> R {
        let mut inner = self.inner();
        let inner = &mut *inner;
        draw(inner.dice.get_mut(&fault).unwrap_or(&mut inner.pace))
    }

    /// Draws how long something takes, or what comes first.
    pub fn pace<R>(&self, draw: impl FnOnce(&mut Dice) -> R) -> R {
        draw(&mut self.inner().pace)
    }

    /// A fault about a service or a part of the world lasts until then.
    pub fn begin_fault(&self, fault: Fault, target: usize, until: Micros) {
        self.inner().lasting.insert((fault, target), until);
    }

    /// Whether a fault that lasts is under way.
    #[must_use]
    pub fn lasts(&self, fault: Fault, target: usize) -> bool {
        let now = self.now();
        self.inner().lasting.get(&(fault, target)).is_some_and(|until| now < *until)
    }

    /// From now on nothing goes wrong any more.
    pub fn heal(&self) {
        let mut inner = self.inner();
        inner.healed = true;
        inner.lasting.clear();
        drop(inner);
        self.note(|| "nothing goes wrong from here on".into());
        self.skews.iter().for_each(|skew| skew.store(0, Ordering::Relaxed));
    }

    /// Whether things have stopped going wrong.
    #[must_use]
    pub fn is_healed(&self) -> bool {
        self.inner().healed
    }

    /// Whether the process ends at this point: already dead, or drawn now.
    #[must_use]
    pub fn is_cut_off(&self, life: &Life, seen: Situation) -> bool {
        if !life.is_alive() {
            return true;
        }
        if !self.strikes(Fault::Crash, CRASH) {
            return false;
        }
        life.end();
        self.saw(seen);
        self.note(|| format!("{} crashes: {}", named(life), seen.says()));
        true
    }

    /// A situation came true.
    pub fn saw(&self, situation: Situation) {
        self.inner().counters.saw(situation);
    }

    /// Something happened.
    pub fn note(&self, line: impl FnOnce() -> String) {
        let now = self.now();
        self.inner().history.note(now, &line());
    }

    /// Something is not as it must be. The first such thing counts.
    pub fn broken(&self, invariant: &str, sentence: impl Display, evidence: Vec<String>) {
        let now = self.now();
        let mut inner = self.inner();
        if inner.broken.is_none() {
            inner.history.note(now, &format!("BROKEN {invariant}: {sentence}"));
            inner.broken = Some(Broken { invariant: invariant.to_owned(), sentence: sentence.to_string(), evidence });
        }
    }

    /// What is not as it must be, if anything.
    #[must_use]
    pub fn what_broke(&self) -> Option<Broken> {
        self.inner().broken.clone()
    }

    /// An order of the plan is placed under this id.
    pub fn numbered(&self, order_id: &str, number: usize) {
        self.inner().numbers.insert(order_id.to_owned(), number);
    }

    /// Whether the carrier never comes for this order's parcel.
    #[must_use]
    pub fn never_collected(&self, order_id: &str) -> bool {
        let number = self.inner().numbers.get(order_id).copied();
        self.plan.orders.iter().any(|wanted| Some(wanted.number) == number && wanted.never_collected)
    }

    /// Nobody can open a customer's data any more.
    pub fn forget(&self, customer: &str) {
        self.inner().forgotten.insert(customer.to_owned());
    }

    /// Whether a customer was forgotten.
    #[must_use]
    pub fn is_forgotten(&self, customer: &str) -> bool {
        self.inner().forgotten.contains(customer)
    }

    /// The history's hash and length, its lines if they were kept, and what was counted.
    #[must_use]
    pub fn finish(&self) -> (u64, u64, Vec<String>, Counters) {
        let mut inner = self.inner();
        (inner.history.hash(), inner.history.length, inner.history.take_lines(), inner.counters.clone())
    }
}

/// A process by name, as it stands in histories.
#[must_use]
pub fn named(life: &Life) -> String {
    format!("{}#{}", NAMES[life.service], life.number)
}
