//! The simulated ports, with no fault switched on, are held to what the real ones are held to.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use runtime::{
    bus::{Bell, Bus},
    conformance::{self, Open, Wire},
    store::MemoryStore,
};
use simulation::{
    bus::{Reads, Relay, TopicBus, Topics},
    fault::Fault,
    history::History,
    life::Life,
    plan::{Narrowed, Plan},
    sim::{Event, Sim},
    store::{Lock, SimRead, SimStore},
    watch::Watch,
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread::JoinHandle,
};

const GENERATION: i64 = 1_700_000_000_000;

/// A history in which nothing happens by itself and nothing goes wrong. Outside an async runtime its time is the real one.
fn calm() -> Arc<Sim> {
    let nothing = Narrowed { without: Fault::ALL.iter().copied().collect(), orders: Some([].into()) };
    Sim::begin(Plan { embedded: false, ..Plan::of(0, &nothing) }, History::default())
}

fn watch(sim: &Arc<Sim>) -> Arc<Watch> {
    Arc::new(Watch::new(sim.clone(), Default::default()))
}

fn store() -> Open {
    let (store, lock, sim) = (MemoryStore::new(GENERATION), Lock::default(), calm());
    let (watch, sessions) = (watch(&sim), AtomicU32::new(0));
    Box::new(move || {
        let life = Arc::new(Life::new(0, sessions.fetch_add(1, Ordering::Relaxed)));
        let session = SimStore::new(store.clone(), lock.clone(), sim.clone(), life, Some(watch.clone()));
        Ok((Box::new(session), Arc::new(SimRead::new(store.clone(), sim.clone(), 0))))
    })
}

#[test]
fn the_simulated_store_conforms() {
    conformance::store(store).unwrap();
}

type Bells = Arc<Mutex<Vec<Arc<Bell>>>>;

/// Does what is on the agenda of a history, as whoever plays it does.
struct Driver {
    sim: Arc<Sim>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Driver {
    fn start(sim: &Arc<Sim>, bells: Bells) -> Driver {
        let over = Arc::new(AtomicBool::new(false));
        let (driven, ends) = (sim.clone(), over.clone());
        let thread = std::thread::spawn(move || {
            let tokio = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            tokio.block_on(async {
                while !ends.load(Ordering::Relaxed) {
                    happen(&driven, &bells);
                    match driven.next_at() {
                        // Either way it is time to look at the agenda.
                        Some(at) => _ = tokio::time::timeout_at(driven.instant(at), driven.news.notified()).await,
                        None => driven.news.notified().await,
                    }
                }
            });
        });
        Driver { sim: sim.clone(), over, thread: Some(thread) }
    }
}

fn happen(sim: &Sim, bells: &Bells) {
    while let Some(event) = sim.next_due() {
        match event {
            Event::Relay(relay) => Relay::deliver(&relay, sim),
            Event::Ring(_) => bells.lock().unwrap().iter().for_each(|bell| bell.ring()),
            _ => panic!("something else is on the agenda of a calm history"),
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        self.sim.news.notify_one();
        self.thread.take().into_iter().for_each(|thread| thread.join().unwrap());
    }
}

fn wire() -> Wire {
    let (sim, store, bells) = (calm(), MemoryStore::new(GENERATION), Bells::default());
    let topics = Arc::new(Topics::new(watch(&sim)));
    let connect = {
        let (sim, store) = (sim.clone(), store.clone());
        move |service| {
            let life = Arc::new(Life::new(service, 0));
            Box::new(TopicBus::new(sim.clone(), life, topics.clone(), store.clone(), Reads::default()))
        }
    };
    let speaker = connect(0);
    let driver = Driver::start(&sim, bells.clone());
    let listener = move || {
        let _ = &driver; // it goes on for as long as somebody may listen
        let bell = Arc::new(Bell::default());
        bells.lock().unwrap().push(bell.clone());
        let bus: Box<dyn Bus> = connect(1);
        (bus, bell)
    };
    Wire { source: "order", store: Box::new(store), speaker, listener: Box::new(listener) }
}

#[test]
fn the_simulated_bus_conforms() {
    conformance::bus(wire).unwrap();
}
