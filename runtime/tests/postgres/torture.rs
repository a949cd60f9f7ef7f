//! Several processes on one database, two dozen callers, and every way to lose the lead, again and again: nothing that
//! was acknowledged may be lost, doubled or turned round. `TUTTI_TORTURE_SECONDS` makes it longer than 15 s.

use crate::{
    check::{Seen, Violations, violations},
    process::{Answer, Line, Process, play},
    server::{Fresh, Server, run},
    support::{dice::Dice, service::desk::Noted},
};
use choreography::Event;
use runtime::{Position, store::Read};
use std::{
    collections::BTreeMap,
    env,
    sync::{Condvar, Mutex, MutexGuard},
    time::{Duration, Instant},
};
use tokio_postgres::Client;

const TEST: &str = "torture::processes_that_are_killed_paused_and_cut_off_lose_double_and_invert_nothing";
const PROCESSES: usize = 3;
const CALLERS: u64 = 24;
/// A caller whom nobody serves comes back after this.
const COME_BACK: Duration = Duration::from_millis(20);
/// Nothing is measured against it but that the test ends.
const DEADLINE: Duration = Duration::from_secs(60);

/// What is done to the process that leads, or to one that stands by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Blow {
    KillLeader,
    KillStandby,
    /// Its session is ended on the server.
    CutOff,
    /// For less than a silent holder is left alone.
    PauseShortly,
    /// Until another one leads; then it goes on as if nothing had happened.
    PauseUntilTakenOver,
}

const BLOWS: [Blow; 8] = [
    Blow::CutOff,
    Blow::KillLeader,
    Blow::PauseShortly,
    Blow::CutOff,
    Blow::KillStandby,
    Blow::KillLeader,
    Blow::CutOff,
    Blow::PauseUntilTakenOver,
];

#[derive(Default)]
struct Scene {
    /// To each caller, how far it was acknowledged.
    acknowledged: BTreeMap<String, u64>,
    processes: Vec<std::net::SocketAddr>,
    /// Commands that had to be offered again.
    repeated: u64,
    failed: Vec<String>,
    done: bool,
}

struct Stage {
    database: Fresh,
    admin: Client,
    scene: Mutex<Scene>,
    changed: Condvar,
}

impl Stage {
    fn scene(&self) -> MutexGuard<'_, Scene> {
        self.scene.lock().unwrap()
    }

    fn change<R>(&self, change: impl FnOnce(&mut Scene) -> R) -> R {
        let result = change(&mut self.scene());
        self.changed.notify_all();
        result
    }

    /// Counts up under a key of its own until the play is over. Only what was acknowledged is followed by the next.
    fn call(&self, key: &str, mut dice: Dice) {
        let (mut line, mut leader) = (Line::default(), None);
        for n in 1.. {
            let until = Instant::now() + DEADLINE;
            loop {
                let address = leader.take().unwrap_or_else(|| self.any_process(&mut dice));
                match line.offer(address, key, n) {
                    Answer::Done => {
                        leader = Some(address);
                        break;
                    }
                    Answer::Led(owner) if owner != address => leader = Some(owner),
                    Answer::Led(_) | Answer::Unknown => {}
                    Answer::Failed(why) => return self.change(|scene| scene.failed.push(format!("{key} {n}: {why}"))),
                }
                if Instant::now() > until {
                    return self.change(|scene| scene.failed.push(format!("{key} {n} is never acknowledged")));
                }
                // Whoever was just told who leads may have been told what was true before.
                let (mut scene, _) = self.changed.wait_timeout(self.scene(), COME_BACK).unwrap();
                scene.repeated += 1;
            }
            let done = self.change(|scene| {
                scene.acknowledged.insert(key.to_owned(), n);
                scene.done
            });
            if done {
                return;
            }
        }
    }

    fn any_process(&self, dice: &mut Dice) -> std::net::SocketAddr {
        let processes = &self.scene().processes;
        processes[dice.roll(processes.len() as u64) as usize]
    }

    /// Epoch and owner of the lead.
    fn lead(&self) -> (i64, String) {
        let row = run(self.admin.query_one("SELECT epoch, owner FROM lead", &[])).unwrap();
        (row.get(0), row.get(1))
    }

    fn start(&self, processes: &mut Vec<Process>) {
        processes.push(Process::start(TEST, &self.database.url()));
        self.change(|scene| scene.processes = processes.iter().map(|process| process.address).collect());
    }

    /// Lets every caller get something done, so that each blow falls into the midst of work.
    fn await_progress(&self) {
        let until = Instant::now() + DEADLINE;
        let sum = |scene: &Scene| scene.acknowledged.values().sum::<u64>();
        let mut scene = self.scene();
        let enough = sum(&scene) + 40 * CALLERS;
        while sum(&scene) < enough && scene.failed.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "nobody is served any more");
            scene = self.changed.wait_timeout(scene, left).unwrap().0;
        }
    }

    fn strike(&self, blow: Blow, processes: &mut Vec<Process>, dice: &mut Dice) {
        let (epoch, owner) = self.lead();
        let leads = |process: &Process| process.address.to_string() == owner;
        let Some(leader) = processes.iter().position(leads) else { return };
        let standby = (leader + 1 + dice.roll(PROCESSES as u64 - 1) as usize) % PROCESSES;
        match blow {
            Blow::KillLeader => {
                drop(processes.remove(leader));
                self.start(processes);
            }
            Blow::KillStandby => {
                drop(processes.remove(standby));
                self.start(processes);
            }
            Blow::CutOff => self.database.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_locks
                  WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database
                        WHERE datname = current_database())",
            ),
            Blow::PauseShortly => {
                processes[leader].signal("STOP");
                // Not a wait for anything: how long it lasts is what happens to the process.
                let paused = Duration::from_millis(1000 + dice.roll(2000));
                drop(self.changed.wait_timeout_while(self.scene(), paused, |_| true).unwrap());
                processes[leader].signal("CONT");
            }
            Blow::PauseUntilTakenOver => {
                processes[leader].signal("STOP");
                let until = Instant::now() + DEADLINE;
                while self.lead().0 == epoch {
                    assert!(Instant::now() < until, "nobody takes over from a paused process");
                }
                self.await_progress();
                processes[leader].signal("CONT");
            }
        }
    }

    /// Blow upon blow for as long as it shall last. Returns how many of each fell.
    fn strike_all(&self, processes: &mut Vec<Process>, lasting: Duration) -> BTreeMap<Blow, u64> {
        let (until, mut dice, mut fallen) = (Instant::now() + lasting, Dice::new(42), BTreeMap::new());
        for blow in BLOWS.into_iter().cycle() {
            self.await_progress();
            if (Instant::now() > until && fallen.len() == 5) || !self.scene().failed.is_empty() {
                break;
            }
            self.strike(blow, processes, &mut dice);
            *fallen.entry(blow).or_default() += 1;
            let ended = processes.iter_mut().filter_map(|process| process.has_ended().then_some(process.address));
            let ended: Vec<_> = ended.map(|address| format!("the process at {address} ended by itself")).collect();
            self.change(|scene| scene.failed.extend(ended));
        }
        fallen
    }

    /// The log as a reader gets it, page by page.
    fn seen(&self) -> Vec<Seen> {
        let (read, mut seen, mut after) = (self.database.read(), vec![], Position::default());
        loop {
            let page = read.log_after(0, after, 1000).unwrap();
            let Some(last) = page.last() else { return seen };
            after = last.position();
            seen.extend(page.iter().map(|row| {
                let Noted { key, n, .. } = Noted::decode(1, &row.body).unwrap();
                Seen { seq: row.seq, key, n, epoch: row.epoch, at: row.at }
            }));
        }
    }
}

#[test]
fn processes_that_are_killed_paused_and_cut_off_lose_double_and_invert_nothing() {
    play();
    let Some(server) = Server::of_the_environment() else { return };
    let seconds = env::var("TUTTI_TORTURE_SECONDS").map_or(15, |seconds| seconds.parse().unwrap());
    let database = server.fresh();
    let admin = run(server.connect(&database.name));
    let stage = Stage { database, admin, scene: Mutex::default(), changed: Condvar::new() };
    let mut processes = vec![];
    (0..PROCESSES).for_each(|_| stage.start(&mut processes));
    let fallen = std::thread::scope(|scope| {
        for n in 0..CALLERS {
            let stage = &stage;
            scope.spawn(move || stage.call(&format!("caller-{n}"), Dice::new(n)));
        }
        let fallen = stage.strike_all(&mut processes, Duration::from_secs(seconds));
        stage.change(|scene| scene.done = true);
        fallen
    });
    let (seen, (reigns, _)) = (stage.seen(), stage.lead());
    let scene = stage.scene();
    let acknowledged: u64 = scene.acknowledged.values().sum();
    println!("{fallen:?}: {reigns} reigns, {acknowledged} acknowledged, {} offered again", scene.repeated);
    assert_eq!(scene.failed, [""; 0]);
    assert_eq!(violations(&scene.acknowledged, &seen), Violations::none());
    assert_eq!(seen.len() as u64, acknowledged, "what nobody asked for was said");
    assert!(reigns as usize > BLOWS.len() / 2, "only {reigns} reigns: it shows nothing");
    assert!(scene.repeated > CALLERS, "hardly any caller was disturbed: it shows nothing");
}
