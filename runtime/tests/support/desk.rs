//! A desk with everything around it, driven step by step.

use super::{
    bus::{ScriptedBus, record},
    clock::TestClock,
    service::{self, Act, Event, Page, Write, left, right},
    shaky::{Notes, Shaky},
    world::World,
};
use choreography::{Input, Service, State, Stored, Topic};
use runtime::{
    Clock, Engine, Handle, Health, LogRow, Micros, Parts, Performer, Position, Read, Shared, Step, Store, TraceId,
    bus::Bus,
    incoming::{Incoming, Reply},
    intake::Wish,
    recover::{self, RecoverError, Recovered},
    store::{MemoryStore, SqliteRead, SqliteStore},
    telemetry::Spans,
};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::oneshot;

/// Opens sessions of one store.
#[derive(Clone)]
pub enum Sessions {
    Memory(MemoryStore),
    Sqlite(Arc<tempfile::TempDir>),
    /// A store of the test's own.
    #[allow(dead_code, reason = "shared with tests that need no others")]
    Other(Open),
}

type Open = Arc<dyn Fn() -> (Box<dyn Store>, Arc<dyn Read>) + Send + Sync>;

impl Sessions {
    pub fn memory() -> Sessions {
        Sessions::Memory(MemoryStore::new(7))
    }

    pub fn sqlite() -> Sessions {
        Sessions::Sqlite(Arc::new(tempfile::tempdir().unwrap()))
    }

    pub fn store(&self) -> Box<dyn Store> {
        match self {
            Sessions::Memory(store) => Box::new(store.clone()),
            Sessions::Sqlite(folder) => Box::new(SqliteStore::open(&folder.path().join("desk.db"), 7).unwrap()),
            Sessions::Other(open) => open().0,
        }
    }

    pub fn read(&self) -> Arc<dyn Read> {
        match self {
            Sessions::Memory(store) => Arc::new(store.clone()),
            Sessions::Sqlite(folder) => {
                drop(self.store()); // creates the file
                Arc::new(SqliteRead::open(&folder.path().join("desk.db")).unwrap())
            }
            Sessions::Other(open) => open().1,
        }
    }
}

/// Runs a test on both stores.
pub fn on_both_stores(test: fn(Desk)) {
    test(Desk::on(Sessions::memory()));
    test(Desk::on(Sessions::sqlite()));
}

/// One engine of the desk, and what it shares with the others of its test.
pub struct Desk {
    pub clock: TestClock,
    pub bus: ScriptedBus,
    pub world: World,
    pub shared: Arc<Shared>,
    pub read: Arc<dyn Read>,
    pub sessions: Sessions,
    service: fn() -> Service<Event>,
    engine: Engine<Event>,
    notes: Arc<Mutex<Notes>>,
    spans: Spans,
}

/// What a desk is put together from.
struct Around {
    sessions: Sessions,
    service: fn() -> Service<Event>,
    clock: TestClock,
    bus: ScriptedBus,
    /// Instead of the scripted one.
    other_bus: Option<Box<dyn Bus>>,
    /// Instead of those that only write down.
    performers: Option<Vec<Box<dyn Performer>>>,
    /// Where its spans go.
    spans: Spans,
}

impl Default for Around {
    fn default() -> Around {
        let (sessions, service) = (Sessions::memory(), service::service as fn() -> _);
        let (clock, bus) = (TestClock::default(), ScriptedBus::default());
        Around { sessions, service, clock, bus, other_bus: None, performers: None, spans: Spans::default() }
    }
}

impl Around {
    fn begin(self) -> Desk {
        let Around { sessions, service, clock, bus, other_bus, performers, spans } = self;
        let (world, read, notes) = (World::default(), sessions.read(), Arc::<Mutex<Notes>>::default());
        let shared = Shared::traced("desk", read.clone(), spans.clone());
        bus.script().log = Some(read.clone());
        let parts = Parts {
            service: service(),
            store: Box::new(Shaky { inner: sessions.store(), notes: notes.clone(), naive: None }),
            bus: other_bus.unwrap_or_else(|| Box::new(bus.clone())),
            performers: performers.unwrap_or_else(|| world.performers()),
            clock: Arc::new(clock.clone()),
            shared: shared.clone(),
            owner: "here".into(),
            build: 1,
        };
        let engine = Engine::new(parts).unwrap();
        Desk { clock, bus, world, shared, read, sessions, service, engine, notes, spans }
    }
}

impl Desk {
    /// The process ends, and its store is rebuilt: from nothing, or from an older copy of it.
    pub fn recovered(self, store: &MemoryStore) -> (Desk, Result<Recovered, RecoverError>) {
        let parts = recover::Parts {
            service: (self.service)(),
            store: Box::new(store.clone()),
            read: Arc::new(store.clone()),
            bus: Box::new(self.bus.clone()),
            bell: Arc::default(),
            clock: Arc::new(self.clock.clone()),
            build: 1,
        };
        let recovered = recover::recover(parts, &|_, _| {});
        (self.on_store(store), recovered)
    }

    /// Its topic has its events up to this one.
    pub fn publishes_until(&self, seq: u64) {
        for row in self.log().into_iter().filter(|row| row.seq <= seq) {
            self.bus.put(runtime::Record::new("desk", row));
        }
    }

    pub fn new() -> Desk {
        Around::default().begin()
    }

    pub fn on(sessions: Sessions) -> Desk {
        Around { sessions, ..Around::default() }.begin()
    }

    /// A desk on another bus than the scripted one.
    pub fn on_bus(sessions: Sessions, bus: impl Bus + 'static) -> Desk {
        Around { sessions, other_bus: Some(Box::new(bus)), ..Around::default() }.begin()
    }

    /// A desk whose effects are performed by these.
    pub fn performing(clock: TestClock, performers: Vec<Box<dyn Performer>>) -> Desk {
        Around { clock, performers: Some(performers), ..Around::default() }.begin()
    }

    /// A desk whose spans are seen, with effects performed by these or, if there are none, written down.
    pub fn traced(spans: Spans, clock: TestClock, performers: Option<Vec<Box<dyn Performer>>>) -> Desk {
        Around { spans, clock, performers, ..Around::default() }.begin()
    }

    /// A desk that, in topics it has never read, begins with what is said from now on.
    pub fn from_now_on() -> Desk {
        Around { service: || service::service().starts_now(), ..Around::default() }.begin()
    }

    /// The next build, which keeps other kinds of state, on what this one leaves.
    pub fn followed_by(self, service: fn() -> Service<Event>) -> Desk {
        let (sessions, clock, bus) = (self.sessions.clone(), self.clock.clone(), self.bus.clone());
        drop(self);
        Around { sessions, clock, bus, service, ..Around::default() }.begin()
    }

    /// The process ends, and another one begins on another store, beside the same bus and the same world's time.
    pub fn on_store(self, store: &MemoryStore) -> Desk {
        let (sessions, clock, bus) = (Sessions::Memory(store.clone()), self.clock.clone(), self.bus.clone());
        Around { sessions, service: self.service, clock, bus, ..Around::default() }.begin()
    }

    /// Another process of the same service, with performers of its own.
    pub fn rival(&self) -> Desk {
        let (sessions, clock, bus) = (self.sessions.clone(), self.clock.clone(), self.bus.clone());
        let spans = self.spans.clone();
        Around { sessions, service: self.service, clock, bus, spans, ..Around::default() }.begin()
    }

    /// The process is killed and started again; nothing is left but store and bus.
    pub fn killed_and_started_again(self) -> Desk {
        self.rival()
    }

    pub fn now(&self) -> Micros {
        self.clock.now()
    }

    pub fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap()
    }

    /// For another session of its store that goes wrong as this one does.
    pub fn shared_notes(&self) -> Arc<Mutex<Notes>> {
        self.notes.clone()
    }

    /// The store in memory, below everything else.
    pub fn memory(&self) -> &MemoryStore {
        match &self.sessions {
            Sessions::Memory(store) => store,
            Sessions::Sqlite(_) | Sessions::Other(_) => panic!("this test runs on another store"),
        }
    }

    pub fn step(&mut self) -> Step {
        self.engine.step()
    }

    /// Steps until there is nothing to do at once.
    #[track_caller]
    pub fn settle(&mut self) -> Step {
        for _ in 0..100_000 {
            match self.engine.step() {
                Step::Worked => {}
                step => return step,
            }
        }
        panic!("it never comes to rest");
    }

    /// Lets time pass, and settles.
    #[track_caller]
    pub fn pass_time(&mut self, by: Micros) -> Step {
        self.clock.turn(by);
        self.settle()
    }

    pub fn command(&self, command: impl Input) -> oneshot::Receiver<Reply> {
        let (caller, reply) = oneshot::channel();
        assert!(self.shared.intake.offer(Incoming::command(command, trace(), caller)).is_ok());
        reply
    }

    pub fn write(&self, key: &str, n: u64, act: Act) -> oneshot::Receiver<Reply> {
        self.command(Write { key: key.into(), n, act })
    }

    /// `left` says this.
    pub fn left(&self, seq: u64, key: &str, act: Act) {
        self.bus.put(record(seq, &left::Event::from(left::Told { key: key.into(), n: seq, act })));
    }

    /// `right` says this.
    pub fn right(&self, seq: u64, key: &str, act: Act) {
        self.bus.put(record(seq, &right::Event::from(right::Told { key: key.into(), n: seq, act })));
    }

    #[track_caller]
    pub fn wish(&mut self, wish: Wish) -> Result<String, String> {
        let mut reply = self.shared.intake.wish(wish);
        self.settle();
        reply.try_recv().unwrap()
    }

    pub fn handle(&self) -> Handle {
        Handle::new(self.shared.clone())
    }

    pub fn health(&self) -> Health {
        self.handle().health()
    }

    pub fn log(&self) -> Vec<Arc<LogRow>> {
        self.read.log_after(0, Position::default(), 1_000_000).unwrap()
    }

    /// The log in words, one event each.
    pub fn said(&self) -> Vec<String> {
        self.log().iter().map(|row| words(row)).collect()
    }

    /// What was said about one key.
    pub fn said_of(&self, key: &str) -> Vec<String> {
        self.read.log_of(key).unwrap().iter().map(|row| words(row)).collect()
    }

    pub fn page(&self, key: &str) -> Page {
        let row = self.read.state("page.1", key).unwrap();
        row.map_or_else(Page::default, |row| Page::decode(Page::SHAPE, &row.body).unwrap())
    }

    /// Seq and reason of everything parked.
    pub fn parked(&self) -> Vec<(String, u64, String)> {
        let rows = self.read.parked_after(0, 100_000).unwrap();
        rows.into_iter().map(|p| (format!("{} {}", p.source, p.row.key), p.row.seq, p.reason)).collect()
    }

    /// How far each source is read.
    pub fn cursor(&self, source: &str) -> Option<Position> {
        self.read.cursors().unwrap().into_iter().filter(|row| row.source == source).map(|row| row.at).max()
    }
}

pub fn trace() -> TraceId {
    TraceId::of_text("test")
}

/// An event as the tests write it: `Noted a 1`, `Answered a Cook 1 fine`.
fn words(row: &LogRow) -> String {
    match Event::decode(&row.name, row.schema, &row.body).unwrap() {
        Event::Noted(e) => format!("Noted {} {} by {}", e.key, e.n, e.by),
        Event::Moved(e) => format!("Moved {} to {}", e.key, e.to),
        Event::Answered(e) => format!("Answered {} {} {} {}", e.key, e.effect, e.n, e.outcome),
        Event::Rang(e) => format!("Rang {}", e.key),
    }
}

/// The log is dense, in one generation, and its time never runs backwards.
#[track_caller]
pub fn assert_dense(log: &[Arc<LogRow>]) {
    for (row, seq) in log.iter().zip(1..) {
        assert_eq!((row.generation, row.seq), (7, seq));
    }
    assert!(log.is_sorted_by_key(|row| row.at), "time ran backwards");
}

/// Every state is what its events fold to.
#[track_caller]
pub fn assert_folds<S: State<Topic = Event>>(desk: &Desk) {
    let mut folded = std::collections::BTreeMap::<String, (S, u64)>::new();
    for row in desk.log() {
        let event = Event::decode(&row.name, row.schema, &row.body).unwrap();
        for key in S::keys(&event) {
            let (state, version) = folded.entry(key.clone()).or_default();
            state.evolve(&key, &event);
            *version += 1;
        }
    }
    let kind = format!("{}.{}", S::KIND, S::SHAPE);
    let kept = desk.read.scan(&kind, "", None, 1_000_000).unwrap();
    let kept: Vec<_> = kept.iter().map(|r| (r.key.clone(), (S::decode(1, &r.body).unwrap(), r.version))).collect();
    assert_eq!(kept, folded.into_iter().collect::<Vec<_>>());
}
