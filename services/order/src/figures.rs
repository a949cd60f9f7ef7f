//! What an operator asks about orders: how many are open and how old they are, whose undo is outstanding and since when,
//! how long orders took, and why they were cancelled.
//!
//! All of it follows from the service's own events: they are counted as they are committed. After a start the orders that
//! are open are looked up once among the states, in the background, and what was committed meanwhile is read from the log.

use crate::{domain::Order, requests};
use choreography::{Event as _, State, Stored};
use metrics::{counter, gauge, histogram};
use runtime::{Clock, Handle, LogRow, Micros, Position, Read, StoreError, SystemClock, telemetry::Figures};
use shared_events::{
    OrderId, Participant,
    order::{OrderCancelled, OrderUndoProgressed},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

const SECOND: Micros = 1_000_000;
/// Open orders are counted by how much older than these they are.
const AGES: [(&str, Micros); 6] = [
    ("0s", 0),
    ("1m", 60 * SECOND),
    ("5m", 300 * SECOND),
    ("15m", 900 * SECOND),
    ("1h", 3600 * SECOND),
    ("1d", 86_400 * SECOND),
];
/// After a start, orders placed longer ago than this are not looked for: so the look-up stays short in a shop of any age.
const LOOK_BACK: Micros = 30 * 86_400 * SECOND;
/// States or events read at once.
const PAGE: usize = 4096;
/// The pause before a store that is away is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// Counts the orders of the service behind `handle` while this process leads, until the process ends. Must be called
/// inside an async runtime.
pub fn keep(handle: &Handle) {
    let figures = Arc::<OrderFigures>::default();
    handle.keep_figures(figures.clone());
    let handle = handle.clone();
    tokio::spawn(async move {
        while handle.leads().await.is_ok() {
            learn(&figures, &handle).await;
            if handle.stands_by().await.is_err() {
                return;
            }
            // What others commit is told to them only.
            *figures.known() = None;
        }
    });
}

async fn learn(figures: &Arc<OrderFigures>, handle: &Handle) {
    loop {
        let (figures, read) = (figures.clone(), handle.reader());
        match tokio::task::spawn_blocking(move || figures.learn(&*read, SystemClock.now())).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => tracing::warn!(%error, "open orders are not counted yet"),
            Err(error) => return tracing::error!(%error, "open orders are not counted"),
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
}

/// The orders that are open.
#[derive(Default)]
pub struct OrderFigures(Mutex<Option<Known>>);

/// What is known, once it is.
struct Known {
    /// How far the log is counted.
    at: Position,
    /// Each open order, with its undo where it is cancelled.
    open: HashMap<OrderId, Option<Undo>>,
}

/// An undo under way.
struct Undo {
    since: Micros,
    /// Who has not closed yet.
    outstanding: Vec<Participant>,
}

impl Undo {
    fn of(since: Micros, closed: &[Participant]) -> Undo {
        let outstanding = Participant::ALL.iter().copied().filter(|p| !closed.contains(p)).collect();
        Undo { since, outstanding }
    }
}

impl OrderFigures {
    fn known(&self) -> MutexGuard<'_, Option<Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks up which orders are open. From then on it keeps up with what is committed.
    ///
    /// # Errors
    /// When the store cannot be read; nothing is known then.
    pub fn learn(&self, read: &dyn Read, now: Micros) -> Result<(), StoreError> {
        let lead = read.lead()?;
        // The states may be newer than this; the events since are counted once more, and lead to the same.
        let at = Position { generation: lead.generation, seq: lead.head };
        let open = open_orders(read, now - LOOK_BACK)?;
        let mut learned = Known { at, open };
        // While this is locked the engine waits, so what it commits next is surely behind what is read here.
        let mut known = self.known();
        loop {
            let rows = read.log_after(0, learned.at, PAGE)?;
            if rows.is_empty() {
                *known = Some(learned);
                return Ok(());
            }
            learned.count(&rows);
        }
    }
}

/// Orders that were placed after a moment and are not settled.
fn open_orders(read: &dyn Read, since: Micros) -> Result<HashMap<OrderId, Option<Undo>>, StoreError> {
    let kind = format!("{}.{}", Order::KIND, Order::SHAPE);
    let (mut open, mut after) = (HashMap::new(), requests::first_id_of(since / 1000));
    loop {
        let rows = read.scan(&kind, "", Some(&after), PAGE)?;
        let Some(last) = rows.last() else { return Ok(open) };
        after.clone_from(&last.key);
        for row in rows {
            let order = Order::decode(Order::SHAPE, &row.body);
            let order = order.map_err(|why| StoreError::Fatal(format!("order {} cannot be read: {why}", row.key)))?;
            if order.placed().is_some() && !order.settled() {
                let undo = undo_of(read, &row.key, &order)?;
                open.insert(row.key, undo);
            }
        }
    }
}

/// The state knows who has closed, the log when it began.
fn undo_of(read: &dyn Read, order_id: &str, order: &Order) -> Result<Option<Undo>, StoreError> {
    let Some(cancellation) = order.cancellation() else { return Ok(None) };
    let log = read.log_of(order_id)?;
    let since = log.iter().find(|row| row.name == OrderCancelled::NAME).map_or(0, |row| row.at);
    Ok(Some(Undo::of(since, &cancellation.closed)))
}

impl Known {
    fn count(&mut self, rows: &[Arc<LogRow>]) {
        for row in rows.iter().filter(|row| row.position() > self.at) {
            if let Err(why) = count_event(&mut self.open, row) {
                tracing::warn!(event = row.name, key = row.key, why, "cannot be counted");
            }
        }
        self.at = rows.last().map_or(self.at, |row| row.position().max(self.at));
    }

    fn undone_before(&self, participant: Participant) -> impl Iterator<Item = Micros> {
        let undos = self.open.values().flatten();
        undos.filter(move |undo| undo.outstanding.contains(&participant)).map(|undo| undo.since)
    }
}

fn count_event(open: &mut HashMap<OrderId, Option<Undo>>, row: &LogRow) -> Result<(), String> {
    match &*row.name {
        "OrderPlaced" => _ = open.insert(row.key.clone(), None),
        "OrderCancelled" => {
            let cancelled = OrderCancelled::decode(row.schema, &row.body)?;
            counter!("tutti.compensations", "reason" => cancelled.reason.as_str()).increment(1);
            open.insert(row.key.clone(), Some(Undo::of(row.at, &cancelled.closed)));
        }
        "OrderUndoProgressed" => {
            let closed = OrderUndoProgressed::decode(row.schema, &row.body)?.participant;
            if let Some(Some(undo)) = open.get_mut(&row.key) {
                undo.outstanding.retain(|participant| *participant != closed);
            }
        }
        "OrderCompleted" => settled(open, row, "completed"),
        "OrderUndone" => settled(open, row, "undone"),
        _ => {}
    }
    Ok(())
}

fn settled(open: &mut HashMap<OrderId, Option<Undo>>, row: &LogRow, ending: &'static str) {
    open.remove(&row.key);
    if let Some(placed_at) = requests::placed_at(&row.key) {
        histogram!("tutti.time_to_settled.seconds", "ending" => ending).record(seconds(row.at - placed_at * 1000));
    }
}

impl Figures for OrderFigures {
    fn committed(&self, rows: &[Arc<LogRow>]) {
        if let Some(known) = &mut *self.known() {
            known.count(rows);
        }
    }

    fn report(&self, now: Micros) {
        let known = self.known();
        let Some(known) = &*known else { return };
        let placed = known.open.keys().filter_map(|id| requests::placed_at(id)).map(|at| now - at * 1000);
        for (age, count) in older_than(placed) {
            gauge!("tutti.orders.open", "older_than" => age).set(count);
        }
        for participant in Participant::ALL {
            for (age, count) in older_than(known.undone_before(*participant).map(|since| now - since)) {
                gauge!("tutti.undo.outstanding", "participant" => participant.as_str(), "older_than" => age).set(count);
            }
        }
    }
}

/// How many are at least so old.
fn older_than(ages: impl Iterator<Item = Micros>) -> impl Iterator<Item = (&'static str, f64)> {
    let mut counts = [0.0; AGES.len()];
    for age in ages {
        AGES.iter().zip(&mut counts).filter(|((_, bound), _)| age >= *bound).for_each(|(_, count)| *count += 1.0);
    }
    AGES.iter().map(|(name, _)| *name).zip(counts)
}

#[allow(clippy::cast_precision_loss, reason = "metrics are floating point; no span of time here nears 2^53 µs")]
fn seconds(micros: Micros) -> f64 {
    micros.max(0) as f64 / 1e6
}
