//! Many callers at once, engines that take the lead from each other all the time, commits that get lost: nothing may be
//! lost, doubled or turned round. The same test finds plenty when the store does not look who leads.

use crate::support::{
    bus::ScriptedBus,
    desk::{Sessions, trace},
    dice::Dice,
    service::{self, Count, desk::Noted},
    shaky::{Fault, Notes, Shaky},
    world::World,
};
use choreography::Event;
use runtime::{
    Engine, Handle, Health, Parts, Position, Read, Shared, Step, SystemClock,
    incoming::{Incoming, Reply},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Condvar, Mutex, MutexGuard},
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

const CALLERS: u64 = 24;
const COMMANDS: u64 = 200;
const ENGINES: u64 = 3;
/// Nothing is measured against it but that the test ends.
const DEADLINE: Duration = Duration::from_secs(120);

#[derive(Default)]
struct Scene {
    alive: Vec<Arc<Shared>>,
    accepted: u64,
    /// Commands that a caller had to repeat, because its engine was gone or it did not wait.
    repeated: u64,
    failed: Vec<String>,
    done: bool,
}

/// One service on one store, its engines and its callers.
struct Stage {
    sessions: Sessions,
    naive: bool,
    scene: Mutex<Scene>,
    changed: Condvar,
    until: Instant,
}

impl Stage {
    fn scene(&self) -> MutexGuard<'_, Scene> {
        self.scene.lock().unwrap()
    }

    /// Changes something, and tells everybody.
    fn change<R>(&self, change: impl FnOnce(&mut Scene) -> R) -> R {
        let result = change(&mut self.scene());
        self.changed.notify_all();
        result
    }

    fn wait_for(&self, condition: impl Fn(&Scene) -> bool) -> MutexGuard<'_, Scene> {
        let mut scene = self.scene();
        while !condition(&scene) {
            let left = self.until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{} of {} accepted", scene.accepted, CALLERS * COMMANDS);
            scene = self.changed.wait_timeout(scene, left).unwrap().0;
        }
        scene
    }

    /// One engine after the other: each takes the lead from whoever has it, a few commands after the last one ended.
    fn run_engines(&self, mut dice: Dice) {
        loop {
            let patience = dice.roll(40);
            let since = self.scene().accepted;
            if self.wait_for(|s| s.done || s.alive.is_empty() || s.accepted >= since + patience).done {
                return;
            }
            self.run_engine(&mut dice);
        }
    }

    fn run_engine(&self, dice: &mut Dice) {
        let (mut engine, shared) = self.engine(dice);
        self.change(|scene| scene.alive.push(shared.clone()));
        let handle = Handle::new(shared.clone());
        while !self.scene().done {
            match engine.step() {
                Step::Worked => {}
                Step::Idle(_) if matches!(handle.health(), Health::Away(_)) => {}
                Step::Idle(_) => shared.intake.bell().wait(Some(Duration::from_secs(1))),
                Step::Stopped | Step::Ended(_) => break,
            }
        }
        // Whoever still waits for it learns that it is gone.
        self.change(|scene| scene.alive.retain(|alive| !Arc::ptr_eq(alive, &shared)));
    }

    fn engine(&self, dice: &mut Dice) -> (Engine<service::Event>, Arc<Shared>) {
        let read = self.sessions.read();
        let shared = Shared::new("desk", read.clone());
        let fault = |_| match dice.roll(20) {
            0 => Some(Fault::LostBefore),
            1 => Some(Fault::LostAfter),
            _ => None,
        };
        let notes = Notes { faults: (0..100).map(fault).collect(), ..Notes::default() };
        let store = Shaky {
            inner: self.sessions.store(),
            notes: Arc::new(Mutex::new(notes)),
            naive: self.naive.then_some(read),
        };
        let parts = Parts {
            service: service::service(),
            store: Box::new(store),
            bus: Box::new(ScriptedBus::default()),
            performers: World::default().performers(),
            clock: Arc::new(SystemClock),
            shared: shared.clone(),
            owner: "here".into(),
            build: 1,
        };
        (Engine::new(parts).unwrap(), shared)
    }

    /// Counts up under a key of its own. Only what was accepted is followed by the next.
    fn call(&self, caller: u64, mut dice: Dice) {
        for n in 1..=COMMANDS {
            while !self.accepted(caller, n, &mut dice) {
                self.change(|scene| scene.repeated += 1);
            }
        }
    }

    /// Offers the command to any engine; false when the caller has to repeat itself.
    fn accepted(&self, caller: u64, n: u64, dice: &mut Dice) -> bool {
        let engine = {
            let scene = self.wait_for(|scene| !scene.alive.is_empty());
            scene.alive[dice.roll(scene.alive.len() as u64) as usize].clone()
        };
        let (answer, reply) = oneshot::channel();
        let command = Count { key: format!("caller-{caller}"), n };
        let offered = engine.intake.offer(Incoming::command(command, trace(), answer));
        drop(engine);
        // Some do not wait for the answer, and repeat what may be under way.
        if offered.is_err() || dice.roll(20) == 0 {
            return false;
        }
        match reply.blocking_recv() {
            Ok(Reply::Accepted | Reply::Unchanged) => self.change(|scene| scene.accepted += 1),
            Ok(other) => self.change(|scene| scene.failed.push(format!("caller {caller}, {n}: {other:?}"))),
            Err(_) => return false,
        }
        true
    }

    fn play(&self) {
        std::thread::scope(|scope| {
            for n in 0..ENGINES {
                scope.spawn(move || self.run_engines(Dice::new(1000 + n)));
            }
            let callers: Vec<_> = (0..CALLERS).map(|n| scope.spawn(move || self.call(n, Dice::new(n)))).collect();
            let played = callers.into_iter().map(|caller| caller.join()).filter(Result::is_err).count();
            self.change(|scene| {
                scene.done = true;
                scene.alive.iter().for_each(|engine| engine.intake.bell().ring());
            });
            assert_eq!(played, 0, "callers panicked");
        });
    }

    /// Everything that is wrong with what came of it.
    fn violations(&self, read: &dyn Read) -> Vec<String> {
        let log = read.log_after(0, Position::default(), 1_000_000).unwrap();
        let mut found = self.scene().failed.clone();
        let mut noted: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for (row, seq) in log.iter().zip(1..) {
            if row.seq != seq {
                found.push(format!("{} where {seq} is expected", row.seq));
            }
            let event = Noted::decode(1, &row.body).unwrap();
            noted.entry(event.key).or_default().push(event.n);
        }
        if !log.is_sorted_by_key(|row| row.epoch) {
            found.push("a reign wrote after the next one had begun".into());
        }
        let wrong = (0..CALLERS).map(|caller| format!("caller-{caller}")).filter_map(|caller| {
            let noted = noted.remove(&caller).unwrap_or_default();
            (!noted.iter().copied().eq(1..=COMMANDS)).then(|| format!("{caller}: {noted:?}"))
        });
        found.extend(wrong);
        found
    }
}

fn play_on(sessions: Sessions, naive: bool) -> Vec<String> {
    let read = sessions.read();
    let (scene, changed) = (Mutex::default(), Condvar::new());
    let stage = Stage { sessions, naive, scene, changed, until: Instant::now() + DEADLINE };
    stage.play();
    let reigns = read.lead().unwrap().epoch;
    let accepted = stage.scene().accepted;
    let repeated = stage.scene().repeated;
    println!("{reigns} reigns, {accepted} accepted, {repeated} repeated");
    assert!(naive || reigns >= 40, "only {reigns} reigns: it shows nothing");
    assert!(repeated > CALLERS, "hardly any caller was disturbed: it shows nothing");
    stage.violations(&*read)
}

#[test]
fn many_callers_and_takeovers_on_memory_lose_and_double_nothing() {
    assert_eq!(play_on(Sessions::memory(), false), [""; 0]);
}

#[test]
fn many_callers_and_takeovers_on_sqlite_lose_and_double_nothing() {
    assert_eq!(play_on(Sessions::sqlite(), false), [""; 0]);
}

#[test]
fn the_same_callers_find_a_store_that_does_not_look_who_leads() {
    for sessions in [Sessions::memory(), Sessions::sqlite()] {
        let violations = play_on(sessions, true);
        assert!(!violations.is_empty(), "a store without reigns went unnoticed");
    }
}
