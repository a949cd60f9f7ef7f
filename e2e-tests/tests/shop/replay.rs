//! Every topic read again from its beginning, by every service, where the logs are the topics: nothing comes of it.

use crate::{
    endings,
    kept::{Kept, is_idle},
    shop::Shop,
    verified,
    wait::until,
};
use choreography::{Effect, Service, Topic};
use runtime::{
    Adapter, Engine, LogRow, Outcome, Parts, Performer, Position, Read, Shared, Step, SystemClock,
    bus::{Beginning, Bus, BusAway, Ends, Fetched, LogBus, LogHub, Published},
    performer,
    process::BUILD,
    store::{SqliteRead, SqliteStore},
};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tutti::shop::SERVICES;

/// A bus that has lost its reader's places: it hands over each topic from its beginning.
struct FromZero {
    bus: LogBus,
    places: BTreeMap<&'static str, Position>,
    handed_over: Arc<AtomicUsize>,
}

impl Bus for FromZero {
    fn begin(&mut self, beginning: &Beginning) -> Result<(), BusAway> {
        self.bus.begin(beginning)
    }
    fn fetch(&mut self, lane: (&'static str, u16), _: Position, max: usize) -> Result<Fetched, BusAway> {
        let place = self.places.entry(lane.0).or_default();
        let fetched = self.bus.fetch(lane, *place, max)?;
        if let Some(last) = fetched.records.last() {
            *place = last.row.position();
        }
        self.handed_over.fetch_add(fetched.records.len(), Ordering::Relaxed);
        Ok(fetched)
    }
    fn ends(&mut self, lane: (&'static str, u16)) -> Result<Ends, BusAway> {
        self.bus.ends(lane)
    }
    fn reread(&mut self, lane: (&'static str, u16), after: Position) -> Result<(), BusAway> {
        self.bus.reread(lane, after)
    }
    fn publish(&mut self, rows: &[Arc<LogRow>]) {
        self.bus.publish(rows);
    }
    fn publish_again(&mut self, after: Position) {
        self.bus.publish_again(after);
    }
    fn published(&mut self) -> Published {
        self.bus.published()
    }
}

/// An outside world that nobody must turn to.
#[derive(Clone, Default)]
struct Nobody(Arc<AtomicUsize>);

impl<X: Effect + Sync> Adapter<X> for Nobody {
    async fn call(&self, _: &str, _: &X) -> Outcome<X> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Outcome::Unclear("nobody is there".into())
    }
    async fn ask(&self, key: &str, effect: &X) -> Option<Outcome<X>> {
        Some(self.call(key, effect).await)
    }
}

/// A directory whose shop is closed.
struct Closed {
    stores: BTreeMap<&'static str, Arc<SqliteRead>>,
    hub: Arc<LogHub>,
    world: Nobody,
}

impl Closed {
    fn open(data: &Path) -> Closed {
        let (mut hub, mut stores) = (LogHub::default(), BTreeMap::new());
        for name in SERVICES {
            let read = Arc::new(SqliteRead::open(&data.join(format!("{name}.db"))).unwrap());
            hub.add(name, read.clone());
            stores.insert(name, read);
        }
        Closed { stores, hub: Arc::new(hub), world: Nobody::default() }
    }

    fn kept(&self) -> Vec<Kept> {
        SERVICES.iter().map(|name| Kept::of(name, &*self.stores[name])).collect()
    }

    fn performs<X: Effect + Sync>(&self) -> Box<dyn Performer> {
        performer::<X>(self.world.clone(), Arc::new(SystemClock))
    }

    /// Lets a service read everything again, until it has nothing to do; how many records that were.
    fn reads_everything<T: Topic>(
        &self,
        data: &Path,
        service: Service<T>,
        performers: Vec<Box<dyn Performer>>,
    ) -> usize {
        let shared = Shared::new(T::NAME, self.stores[T::NAME].clone());
        let handed_over = Arc::<AtomicUsize>::default();
        let bus = self.hub.connect(T::NAME, &service.sources(), shared.intake.bell());
        let sources = service.sources();
        let bus = Box::new(FromZero { bus, places: BTreeMap::new(), handed_over: handed_over.clone() });
        let store = Box::new(SqliteStore::open(&data.join(format!("{}.db", T::NAME)), 1).unwrap());
        let clock = Arc::new(SystemClock);
        let parts = Parts { service, store, bus, performers, clock, shared, owner: "again".into(), build: BUILD };
        let mut engine = Engine::new(parts).unwrap();
        while engine.step() == Step::Worked {}
        let said: u64 = sources.iter().map(|source| self.stores[source].lead().unwrap().head).sum();
        assert_eq!(handed_over.load(Ordering::Relaxed) as u64, said, "{} was not given everything", T::NAME);
        handed_over.load(Ordering::Relaxed)
    }
}

/// Until everything is over, also what only waits for a timer to ring in vain.
async fn idle(shop: &Shop) {
    until("every service is idle", || async {
        let of = |name: &&str| SqliteRead::open(&shop.data().join(format!("{name}.db"))).unwrap();
        SERVICES.iter().all(|name| is_idle(&of(name))).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_topic_read_again_from_its_beginning_changes_no_row_and_asks_nothing_of_the_world() {
    // Given orders of every ending,
    let (mut shop, ended) = endings::play(|request| request).await;
    idle(&shop).await;
    verified::verify(&mut shop).await;

    // when each service is given all that it has ever read once more,
    let data = shop.data();
    let closed = Closed::open(&data);
    let before = closed.kept();
    let (records, calls) = tokio::task::block_in_place(|| {
        use payment::domain::{Charge, Refund};
        use shipping::domain::{BookLabel, CancelLabel, HandOver};
        let charging = vec![closed.performs::<Charge>(), closed.performs::<Refund>()];
        let carrying =
            vec![closed.performs::<BookLabel>(), closed.performs::<HandOver>(), closed.performs::<CancelLabel>()];
        let telling = vec![closed.performs::<email::domain::SendMail>(), closed.performs::<email::domain::SendSms>()];
        let records = closed.reads_everything(&data, order::service(), vec![])
            + closed.reads_everything(&data, inventory::service(), vec![])
            + closed.reads_everything(&data, payment::service(), charging)
            + closed.reads_everything(&data, shipping::service(Duration::from_secs(5)), carrying)
            + closed.reads_everything(&data, email::service(), telling);
        (records, closed.world.0.load(Ordering::Relaxed))
    });

    // then every row of every log and state is what it was, and the world was asked for nothing.
    assert!(records > 10 * ended.len(), "{records} records");
    for (name, (before, after)) in SERVICES.iter().zip(before.iter().zip(closed.kept())) {
        assert_eq!(*before, after, "{name}");
    }
    assert_eq!(calls, 0);
    assert!(closed.stores.values().all(|store| is_idle(&**store)));
    verified::verify_data(&shop).await;
}
