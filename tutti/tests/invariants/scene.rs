//! A shop of the real services on stores in memory, stepped by hand, on a clock that is set by hand.

use crate::{frozen::Frozen, world::World};
use choreography::{Input, Service, Topic};
use inventory::domain::Replenish;
use order::domain::{CancelOrder, PlaceOrder};
use runtime::{
    Clock, Engine, Parts, Performer, Shared, Step, TraceId,
    bus::LogHub,
    incoming::{Incoming, Reply},
    store::MemoryStore,
};
use shared_events::{CustomerKey, Fingerprint, Line, Money, Personal, Sealed};
use shipping::reports::{Report, ReportKind};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::sync::oneshot;

pub const SERVICES: [&str; 5] = ["order", "inventory", "payment", "shipping", "email"];
/// When everything begins, in microseconds.
const BEGIN: i64 = 1_763_000_000_000_000;
const DEADLINE: Duration = Duration::from_secs(60);

struct HandSet(AtomicI64);

impl Clock for HandSet {
    fn now(&self) -> i64 {
        // Each look is a little later, as with any clock.
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

trait Steps: Send {
    fn step(&mut self) -> Step;
}

impl<T: Topic> Steps for Engine<T> {
    fn step(&mut self) -> Step {
        Engine::step(self)
    }
}

/// The shop.
pub struct Shop {
    pub world: World,
    pub stores: [MemoryStore; 5],
    clock: Arc<HandSet>,
    engines: Vec<Box<dyn Steps>>,
    shared: BTreeMap<&'static str, Arc<Shared>>,
}

impl Shop {
    pub fn open() -> Shop {
        let stores = [1, 2, 3, 4, 5].map(|n| MemoryStore::new(BEGIN / 1000 + n));
        let mut hub = LogHub::default();
        for (name, store) in SERVICES.into_iter().zip(&stores) {
            hub.add(name, Arc::new(store.clone()));
        }
        let clock = Arc::new(HandSet(AtomicI64::new(BEGIN)));
        let mut shop = Shop { world: World::default(), stores, clock, engines: vec![], shared: BTreeMap::new() };
        let (hub, world) = (Arc::new(hub), shop.world.clone());
        shop.start(order::service(), &hub, vec![]);
        shop.start(inventory::service(), &hub, vec![]);
        shop.start(payment::service(), &hub, world.gateway());
        shop.start(shipping::service(Duration::from_secs(600)), &hub, world.carrier());
        shop.start(email::service(), &hub, world.post());
        shop.play();
        shop
    }

    fn start<T: Topic>(&mut self, service: Service<T>, hub: &Arc<LogHub>, performers: Vec<Box<dyn Performer>>) {
        let store = self.stores[self.engines.len()].clone();
        let shared = Shared::new(T::NAME, Arc::new(store.clone()));
        let bus = Box::new(hub.connect(T::NAME, &service.sources(), shared.intake.bell()));
        let (clock, store) = (self.clock.clone(), Box::new(store));
        let parts =
            Parts { service, store, bus, performers, clock, shared: shared.clone(), owner: "test".into(), build: 1 };
        self.engines.push(Box::new(Engine::new(parts).expect("the choreography holds together")));
        self.shared.insert(T::NAME, shared);
    }

    /// Lets everybody play until nobody has anything to do at this moment.
    pub fn play(&mut self) {
        let mut rests = 0;
        while rests < 3 {
            let steps: Vec<Step> = self.engines.iter_mut().map(|engine| engine.step()).collect();
            assert!(steps.iter().all(|step| matches!(step, Step::Worked | Step::Idle(_))), "{steps:?}");
            rests = if steps.contains(&Step::Worked) { 0 } else { rests + 1 };
        }
    }

    /// Time passes.
    pub fn wait(&mut self, time: Duration) {
        self.clock.0.fetch_add(time.as_micros() as i64, Ordering::SeqCst);
        self.play();
    }

    /// Lets one service do one step.
    pub fn step(&mut self, service: usize) {
        self.engines[service].step();
    }

    pub fn offer<I: Input>(&mut self, service: &str, command: I, trace: &str) -> oneshot::Receiver<Reply> {
        let trace = trace.parse().unwrap_or_else(|_| TraceId::of_text(trace));
        let (caller, answered) = oneshot::channel();
        self.shared[service].intake.offer(Incoming::command(command, trace, caller)).expect("there is room");
        answered
    }

    pub fn command<I: Input>(&mut self, service: &str, command: I, trace: &str) -> Reply {
        let mut answered = self.offer(service, command, trace);
        self.play();
        answered.try_recv().expect("an answer")
    }

    pub fn replenish(&mut self, sku: &str, quantity: i64) {
        let delivery = format!("delivery-{sku}-{quantity}");
        let bring = Replenish { sku: sku.into(), delivery: delivery.clone(), quantity };
        assert_eq!(self.command("inventory", bring, &delivery), Reply::Accepted);
    }

    pub fn place(&mut self, order_id: &str, sku: &str, quantity: i64) {
        assert_eq!(self.command("order", order(order_id, sku, quantity), order_id), Reply::Accepted);
    }

    pub fn cancel(&mut self, order_id: &str) {
        assert_eq!(self.command("order", CancelOrder { order_id: order_id.into() }, order_id), Reply::Accepted);
    }

    pub fn report(&mut self, order_id: &str, report_id: &str, kind: ReportKind) {
        let report = Report { order_id: order_id.into(), report_id: report_id.into(), kind };
        assert_eq!(self.command("shipping", report, order_id), Reply::Accepted);
    }

    /// The carrier collects a parcel and delivers it.
    pub fn deliver(&mut self, order_id: &str) {
        self.world.collect(order_id);
        self.report(order_id, "r1", ReportKind::Dispatched);
        self.report(order_id, "r2", ReportKind::Tracking { place: "Fulda".into() });
        self.arrive(order_id);
    }

    pub fn arrive(&mut self, order_id: &str) {
        self.world.arrive(order_id);
        self.report(order_id, "r3", ReportKind::Delivered);
    }

    /// Everything as it stands now.
    pub fn freeze(&self) -> Frozen {
        Frozen::of(&self.stores, &self.world)
    }

    /// The books alone.
    pub fn freeze_books(&self) -> Frozen {
        Frozen::books(&self.world)
    }
}

pub fn order(order_id: &str, sku: &str, quantity: i64) -> PlaceOrder {
    PlaceOrder {
        order_id: order_id.into(),
        customer_id: "c-42".into(),
        lines: vec![Line { sku: sku.into(), quantity, unit_price_minor: 500 }],
        total: Money { amount_minor: 500 * quantity, currency: "EUR".into() },
        fingerprint: Fingerprint([7; 32]),
        phone_given: true,
        placed_at: BEGIN / 1000,
        deadline: DEADLINE,
        sealed: Sealed::seal(&CustomerKey::from_bytes([1; 32]), "c-42", &personal()).expect("sealed"),
    }
}

fn personal() -> Personal {
    Personal {
        email: "a@example.com".into(),
        phone: Some("+49301234567".into()),
        name: "A".into(),
        street: "B 1".into(),
        city: "C".into(),
        postal_code: "12345".into(),
        country: "DE".into(),
        payment_token: "tok_ok".into(),
    }
}

/// One order of each story, by name.
pub const COMPLETED: &str = "00000000000000000000000000000001";
pub const TOO_LATE: &str = "00000000000000000000000000000002";
pub const CALLED_BACK: &str = "00000000000000000000000000000003";
pub const DECLINED: &str = "00000000000000000000000000000004";
pub const OUT_OF_STOCK: &str = "00000000000000000000000000000005";
pub const NO_CARRIER: &str = "00000000000000000000000000000006";
pub const EXPIRED: &str = "00000000000000000000000000000007";
/// Waits for its payment.
pub const OPEN: &str = "00000000000000000000000000000008";
/// No order's id; for orders that were never placed.
pub const NEVER: &str = "000000000000000000000000000000ff";

/// A shop in which every story was played to its end, but for one order that is still open.
pub fn every_story() -> Shop {
    let mut shop = Shop::open();
    shop.replenish("TEA", 100);
    shop.replenish("MUG", 12);
    {
        let mut world = shop.world.state();
        world.declined.insert(DECLINED.into());
        world.not_served.insert(NO_CARRIER.into());
        world.silent.extend([EXPIRED.to_owned(), OPEN.to_owned()]);
    }
    shop.place(EXPIRED, "TEA", 2);
    shop.wait(DEADLINE + Duration::from_secs(1));
    shop.world.state().silent.remove(EXPIRED);
    shop.wait(Duration::from_secs(60));
    shop.place(COMPLETED, "MUG", 5);
    shop.deliver(COMPLETED);
    shop.place(TOO_LATE, "TEA", 1);
    shop.world.collect(TOO_LATE);
    shop.cancel(TOO_LATE);
    shop.arrive(TOO_LATE);
    shop.place(CALLED_BACK, "TEA", 3);
    shop.cancel(CALLED_BACK);
    shop.place(DECLINED, "TEA", 1);
    shop.place(OUT_OF_STOCK, "TEA", 1000);
    shop.place(NO_CARRIER, "TEA", 1);
    shop.place(OPEN, "TEA", 4);
    shop
}
