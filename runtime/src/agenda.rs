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
const MAX_ROWS: usize = 8192;
/// Attempts of one effect under way at a time.
const MAX_UNDER_WAY: usize = 1024;
/// The first pause before an unclear attempt is repeated; it doubles up to the longest.
const FIRST_PAUSE: Micros = 50_000;
const LONGEST_PAUSE: Micros = 10_000_000;

/// A family and what its effects are about: one of them runs at a time.
pub(crate) type Turn = (&'static str, Key);

/// Rows by the order of performing.
type Queue = BTreeMap<WorkPlace, Task>;

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

/// The effects of one name that have their turn, and how many of them are under way.
#[derive(Default)]
struct Named {
    waiting: VecDeque<Task>,
    under_way: usize,
}

/// The next work, by due time. A row is in exactly one of its parts.
#[derive(Default)]
pub(crate) struct Agenda {
    timers: Queue,
    /// Effects that were not tried in this reign and have no turn yet.
    effects: Queue,
    /// Effects whose last attempt told nothing. They keep their turn.
    unclear: Queue,
    /// The turns taken, each with those waiting behind.
    turns: HashMap<Turn, Queue>,
    /// By name, so that one effect at its bound holds up no other.
    names: BTreeMap<String, Named>,
    /// Handed out and not answered.
    under_way: HashMap<WorkId, Task>,
    /// Every row in memory, with its place while it waits for its time.
    held: HashMap<WorkId, Option<WorkPlace>>,
    /// Rows behind this place are only in the table.
    horizon: Option<WorkPlace>,
    /// When the last of the effects that were ever in memory was asked for.
    asked_at: Micros,
}

impl Agenda {
    /// An agenda that has read nothing of the table yet.
    pub fn unread() -> Agenda {
        Agenda { horizon: Some((Micros::MIN, 0, String::new(), String::new())), ..Agenda::default() }
    }

    /// Takes a row up, if it is not behind the horizon. A timer set again takes the place of the one before; an effect
    /// asked for again while it is open is the same request.
    pub fn add(&mut self, row: Arc<WorkRow>, fresh: bool, turn: Option<Turn>) {
        let id = row.id();
        match self.held.get(&id) {
            Some(Some(before)) if turn.is_none() => {
                self.timers.remove(before);
                self.held.remove(&id);
            }
            Some(_) => return,
            None => {}
        }
        if self.horizon.as_ref().is_none_or(|horizon| place(&row, row.due) <= *horizon) {
            self.insert(Task { row, attempts: 0, fresh, turn });
            self.bound();
        }
    }

    fn insert(&mut self, task: Task) {
        let place = place(&task.row, task.row.due);
        self.held.insert(task.row.id(), Some(place.clone()));
        if task.turn.is_some() {
            self.asked_at = self.asked_at.max(task.row.due);
            self.effects.insert(place, task);
        } else {
            self.timers.insert(place, task);
        }
    }

    /// Over the bound the last rows leave memory, never one that was tried: its attempts are known only here.
    fn bound(&mut self) {
        while self.held.len() > MAX_ROWS {
            let lasts =
                [&self.timers, &self.effects].map(|queue| queue.last_key_value().map(|(place, _)| place.clone()));
            let Some(last) = lasts.into_iter().flatten().max() else { return };
            self.timers.remove(&last);
            self.effects.remove(&last);
            let (due, seq, name, key) = last;
            self.held.remove(&(name.clone(), key));
            let before = (due, seq, name, String::new());
            self.horizon = Some(self.horizon.take().map_or(before.clone(), |h| h.min(before)));
        }
    }

    /// Reads on in the table when there is room. `turn` tells whose turn a row takes.
    pub fn refill(&mut self, store: &mut dyn Store, turn: impl Fn(&WorkRow) -> Option<Turn>) -> Result<(), StoreError> {
        while let Some(horizon) = self.horizon.clone()
            && self.held.len() < MAX_ROWS / 2
        {
            let page = store.work_after(Some(&horizon), MAX_ROWS / 4)?;
            self.horizon = (page.len() == MAX_ROWS / 4).then(|| page.last().map(|row| place(row, row.due))).flatten();
            for row in page {
                if !self.held.contains_key(&row.id()) {
                    let turn = turn(&row);
                    self.insert(Task { row: Arc::new(row), attempts: 0, fresh: false, turn });
                }
            }
        }
        Ok(())
    }

    /// Timers due until then, handed out.
    pub fn timers_due(&mut self, until: Micros, max: usize) -> Vec<Arc<WorkRow>> {
        let mut due = vec![];
        while due.len() < max
            && let Some(task) = pop_due(&mut self.timers, until)
        {
            due.push(task.row.clone());
            self.hand_out(task);
        }
        due
    }

    /// When the last effect that the table or this reign tells of was asked for.
    pub fn asked_at(&self) -> Micros {
        self.asked_at
    }

    /// Effects that may be performed now, handed out: their turn, and not too many at a time. They are due when they are
    /// asked for, also by a clock that was set back since.
    pub fn effects_ready(&mut self, now: Micros) -> Vec<Task> {
        while let Some((_, task)) = self.effects.pop_first() {
            self.take_turn(task);
        }
        while let Some(task) = pop_due(&mut self.unclear, now) {
            self.has_turn(task);
        }
        let mut next = vec![];
        for named in self.names.values_mut() {
            let room = MAX_UNDER_WAY.saturating_sub(named.under_way).min(named.waiting.len());
            named.under_way += room;
            next.extend(named.waiting.drain(..room));
        }
        next.into_iter().map(|task| self.hand_out(Task { attempts: task.attempts + 1, ..task })).collect()
    }

    fn take_turn(&mut self, task: Task) {
        self.held.insert(task.row.id(), None);
        match task.turn.as_ref().and_then(|turn| self.turns.get_mut(turn)) {
            Some(behind) => _ = behind.insert(place(&task.row, task.row.due), task),
            None => {
                self.turns.extend(task.turn.clone().map(|turn| (turn, Queue::new())));
                self.has_turn(task);
            }
        }
    }

    fn has_turn(&mut self, task: Task) {
        self.held.insert(task.row.id(), None);
        self.names.entry(task.row.name.clone()).or_default().waiting.push_back(task);
    }

    fn hand_out(&mut self, task: Task) -> Task {
        self.held.insert(task.row.id(), None);
        self.under_way.insert(task.row.id(), task.clone());
        task
    }

    fn back(&mut self, id: &WorkId) -> Option<Task> {
        let task = self.under_way.remove(id)?;
        if let (Some(_), Some(named)) = (&task.turn, self.names.get_mut(&id.0)) {
            named.under_way = named.under_way.saturating_sub(1);
        }
        Some(task)
    }

    /// How many attempts a row has taken in this reign.
    pub fn attempts(&self, id: &WorkId) -> u32 {
        let unclear = || self.unclear.get(self.held.get(id)?.as_ref()?);
        self.under_way.get(id).or_else(unclear).map_or(0, |task| task.attempts)
    }

    /// The row is answered, or set aside: whoever waits behind it is next. An answer may come after all while the row
    /// waits for its next attempt.
    pub fn settled(&mut self, id: &WorkId) {
        let task = match self.held.remove(id) {
            Some(Some(place)) => self.unclear.remove(&place),
            _ => self.back(id).or_else(|| take(&mut self.names.get_mut(&id.0)?.waiting, id)),
        };
        let Some(turn) = task.and_then(|task| task.turn) else { return };
        match self.turns.get_mut(&turn).and_then(Queue::pop_first) {
            Some((_, next)) => self.has_turn(next),
            None => _ = self.turns.remove(&turn),
        }
    }

    /// The attempt told nothing: again after a pause, with its turn kept. Returns the pause.
    pub fn again(&mut self, id: &WorkId, now: Micros) -> Micros {
        let Some(task) = self.back(id) else { return 0 };
        let pause = pause(&task);
        let place = place(&task.row, now + pause);
        self.held.insert(id.clone(), Some(place.clone()));
        self.unclear.insert(place, task);
        pause
    }

    /// When the next row is due, as far as memory tells.
    pub fn next_due(&self) -> Option<Micros> {
        let queues = [&self.timers, &self.effects, &self.unclear];
        queues.into_iter().filter_map(|queue| queue.first_key_value().map(|(place, _)| place.0)).min()
    }
}

fn place(row: &WorkRow, at: Micros) -> WorkPlace {
    (at, row.seq, row.name.clone(), row.key.clone())
}

fn pop_due(queue: &mut Queue, until: Micros) -> Option<Task> {
    queue.first_entry().filter(|first| first.key().0 <= until).map(|first| first.remove())
}

fn take(waiting: &mut VecDeque<Task>, id: &WorkId) -> Option<Task> {
    let index = waiting.iter().position(|task| task.row.id() == *id)?;
    waiting.remove(index)
}

/// Doubles with each attempt; up to half of it again by the key, so that what failed together is not repeated together.
fn pause(task: &Task) -> Micros {
    let base = FIRST_PAUSE.saturating_mul(1 << task.attempts.saturating_sub(1).min(20)).min(LONGEST_PAUSE);
    let spread =
        task.row.key.bytes().fold(Micros::from(task.attempts), |hash, byte| (hash * 31 + Micros::from(byte)) % 1009);
    base + base * spread / 2018
}
