//! What is to be done next: a bounded part of the work table in memory, in the order of performing.

use crate::{
    clock::Micros,
    record::{WorkId, WorkRow},
    store::{Store, StoreError, WorkPlace},
};
use choreography::Key;
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

/// Rows held in memory; further ones stay in the table until there is room.
const MAX_ROWS: usize = 32_768;
/// Attempts of one effect under way at a time.
const MAX_UNDER_WAY: usize = 1024;
/// The first pause before an unclear attempt is repeated; it doubles up to the longest.
const FIRST_PAUSE: Micros = 50_000;
const LONGEST_PAUSE: Micros = 10_000_000;

/// A family and what its effects are about: one of them runs at a time.
pub(crate) type Turn = (&'static str, Key);

/// One row of the agenda.
#[derive(Clone)]
pub(crate) struct Task {
    pub row: Arc<WorkRow>,
    /// Attempts so far in this reign.
    pub attempts: u32,
    /// Whether it was asked for in this reign, so that it surely was never tried.
    pub fresh: bool,
    /// Whose turn it takes; none for a timer.
    pub turn: Option<Turn>,
}

/// The effects of one name that wait, and how many of them are under way.
#[derive(Default)]
struct Due {
    waiting: BTreeMap<WorkPlace, Task>,
    under_way: usize,
}

/// The next work, by due time.
#[derive(Default)]
pub(crate) struct Agenda {
    timers: BTreeMap<WorkPlace, Task>,
    /// By name, so that one effect at its bound holds up no other.
    effects: HashMap<String, Due>,
    /// The turns taken, each with those waiting behind, in log order.
    turns: HashMap<Turn, VecDeque<Task>>,
    /// Handed out and not answered.
    under_way: HashMap<WorkId, Task>,
    /// Rows behind this place are only in the table.
    horizon: Option<WorkPlace>,
}

impl Due {
    /// The next that is due, unless too many are under way.
    fn next(&mut self, now: Micros) -> Option<Task> {
        let first = self.waiting.first_entry().filter(|first| first.key().0 <= now)?;
        (self.under_way < MAX_UNDER_WAY).then(|| first.remove())
    }
}

impl Agenda {
    /// An agenda that has read nothing of the table yet.
    pub fn unread() -> Agenda {
        Agenda { horizon: Some((Micros::MIN, 0, String::new(), String::new())), ..Agenda::default() }
    }

    fn rows(&self) -> usize {
        self.timers.len() + self.effects.values().map(|due| due.waiting.len()).sum::<usize>() + self.under_way.len()
    }

    /// Takes a row up, if it is not behind the horizon.
    pub fn add(&mut self, row: Arc<WorkRow>, fresh: bool, turn: Option<Turn>) {
        let place = place(&row, row.due);
        if self.horizon.as_ref().is_none_or(|horizon| place <= *horizon) {
            self.insert(place, Task { row, attempts: 0, fresh, turn });
            self.bound();
        }
    }

    fn insert(&mut self, place: WorkPlace, task: Task) {
        let queue = match task.turn {
            Some(_) => &mut self.effects.entry(task.row.name.clone()).or_default().waiting,
            None => &mut self.timers,
        };
        queue.insert(place, task);
    }

    /// Over the bound the last rows leave memory, never one that was tried: its attempts are known only here.
    fn bound(&mut self) {
        while self.rows() > MAX_ROWS {
            let last_timer = self.timers.last_key_value().map(|(place, _)| place.clone());
            let untried = |due: &Due| {
                due.waiting.iter().rev().find(|(_, task)| task.attempts == 0).map(|(place, _)| place.clone())
            };
            let Some(last) = self.effects.values().filter_map(untried).chain(last_timer).max() else { return };
            self.timers.remove(&last);
            self.effects.values_mut().for_each(|due| _ = due.waiting.remove(&last));
            let before = (last.0, last.1, last.2.clone(), String::new());
            self.horizon = Some(self.horizon.take().map_or(before.clone(), |h| h.min(before)));
        }
    }

    /// Reads on in the table when there is room. `turn` tells whose turn a row takes.
    pub fn refill(&mut self, store: &mut dyn Store, turn: impl Fn(&WorkRow) -> Option<Turn>) -> Result<(), StoreError> {
        while let Some(horizon) = self.horizon.clone()
            && self.rows() < MAX_ROWS / 2
        {
            let page = store.work_after(Some(&horizon), MAX_ROWS / 4)?;
            self.horizon = (page.len() == MAX_ROWS / 4).then(|| page.last().map(|row| place(row, row.due))).flatten();
            for row in page {
                if !self.under_way.contains_key(&row.id()) {
                    let (place, turn) = (place(&row, row.due), turn(&row));
                    self.insert(place, Task { row: Arc::new(row), attempts: 0, fresh: false, turn });
                }
            }
        }
        Ok(())
    }

    /// Timers due until then, handed out.
    pub fn timers_due(&mut self, until: Micros, max: usize) -> Vec<Arc<WorkRow>> {
        let mut due = vec![];
        while due.len() < max
            && let Some(first) = self.timers.first_entry()
            && first.key().0 <= until
        {
            let task = first.remove();
            due.push(task.row.clone());
            self.under_way.insert(task.row.id(), task);
        }
        due
    }

    /// Effects that may be performed now, handed out: due, their turn, and not too many at a time.
    pub fn effects_ready(&mut self, now: Micros) -> Vec<Task> {
        let names: Vec<String> = self.effects.keys().cloned().collect();
        let mut ready = vec![];
        for name in names {
            while let Some(task) = self.effects.get_mut(&name).and_then(|due| due.next(now)) {
                if let Some(task) = self.take_turn(task) {
                    ready.push(self.hand_out(task));
                }
            }
        }
        ready
    }

    fn take_turn(&mut self, task: Task) -> Option<Task> {
        let Some(turn) = task.turn.clone() else { return Some(task) };
        match self.turns.get_mut(&turn) {
            Some(waiting) if task.attempts == 0 => {
                waiting.push_back(task);
                None
            }
            _ => {
                self.turns.entry(turn).or_default();
                Some(task)
            }
        }
    }

    fn hand_out(&mut self, mut task: Task) -> Task {
        task.attempts += 1;
        self.effects.entry(task.row.name.clone()).or_default().under_way += 1;
        self.under_way.insert(task.row.id(), task.clone());
        task
    }

    fn back(&mut self, id: &WorkId) -> Option<Task> {
        let task = self.under_way.remove(id)?;
        if task.turn.is_some()
            && let Some(due) = self.effects.get_mut(&task.row.name)
        {
            due.under_way = due.under_way.saturating_sub(1);
        }
        Some(task)
    }

    /// How many attempts a row that is under way has taken.
    pub fn attempts(&self, id: &WorkId) -> u32 {
        self.under_way.get(id).map_or(0, |task| task.attempts)
    }

    /// The row is answered, or set aside: whoever waits behind it is next.
    pub fn settled(&mut self, id: &WorkId) {
        let Some(turn) = self.back(id).and_then(|task| task.turn) else { return };
        let Some(mut waiting) = self.turns.remove(&turn) else { return };
        // They wait behind each other again, in their order, the first of them with the turn.
        while let Some(task) = waiting.pop_front() {
            self.insert(place(&task.row, task.row.due), task);
        }
    }

    /// The attempt told nothing: again after a pause, with its turn kept. Returns the pause.
    pub fn again(&mut self, id: &WorkId, now: Micros) -> Micros {
        let Some(task) = self.back(id) else { return 0 };
        let pause = pause(&task);
        let at = place(&task.row, now + pause);
        self.insert(at, task);
        pause
    }

    /// When the next row is due, as far as memory tells.
    pub fn next_due(&self) -> Option<Micros> {
        let timer = self.timers.first_key_value().map(|(place, _)| place.0);
        let effect = self.effects.values().filter(|due| due.under_way < MAX_UNDER_WAY);
        let effect = effect.filter_map(|due| due.waiting.first_key_value().map(|(place, _)| place.0));
        timer.into_iter().chain(effect).min()
    }
}

fn place(row: &WorkRow, at: Micros) -> WorkPlace {
    (at, row.seq, row.name.clone(), row.key.clone())
}

/// Doubles with each attempt; up to half of it again by the key, so that what failed together is not repeated together.
fn pause(task: &Task) -> Micros {
    let base = FIRST_PAUSE.saturating_mul(1 << task.attempts.saturating_sub(1).min(20)).min(LONGEST_PAUSE);
    let spread =
        task.row.key.bytes().fold(Micros::from(task.attempts), |hash, byte| (hash * 31 + Micros::from(byte)) % 1009);
    base + base * spread / 2018
}
