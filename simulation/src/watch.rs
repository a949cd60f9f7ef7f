//! Sees every commit the moment it is durable: holds the invariants that can be held against one commit at a time, and
//! counts what came true. Everything else is held by [`tutti::invariants`], now and then and at the end.

mod facts;
mod seen;

pub use facts::OrderFacts;

use crate::{counters::Situation, history::EPOCH, plan::SERVICES, sim::Sim};
use choreography::Topic;
use facts::Shelf;
use order::requests::request_of;
use runtime::{
    LogRow, Micros, Position, Read,
    record::{WorkId, WorkRow},
    store::{Batch, MemoryStore},
};
use shared_events::{Fingerprint, order as orders};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tutti::invariants::SERVICES as NAMES;

/// What was seen so far.
#[derive(Default)]
struct Seen {
    /// Every event of every log, in the order of the commits.
    said: Vec<(usize, Arc<LogRow>)>,
    orders: BTreeMap<String, OrderFacts>,
    shelves: BTreeMap<String, Shelf>,
    /// Which order a request placed, and the request's fingerprint.
    placed: BTreeMap<String, (String, Fingerprint)>,
    heads: [Position; SERVICES],
    times: [Micros; SERVICES],
    /// When which record came onto its topic.
    arrivals: [Vec<(Micros, Position)>; SERVICES],
    /// When which timer is due.
    timers: BTreeMap<WorkId, Micros>,
    /// The newest generation that each service has read of each other one.
    generations: BTreeMap<(usize, String), i64>,
}

impl Seen {
    /// Takes note of what an event tells.
    fn hear(&mut self, service: usize, row: &LogRow) -> Result<(), facts::Broken> {
        (self.heads[service], self.times[service]) = (row.position(), row.at);
        let stock =
            if service == crate::bus::index_of("inventory") { facts::stock(&mut self.shelves, row) } else { Ok(()) };
        let heard = self.orders.entry(row.key.clone()).or_default().hear(row);
        stock.and(heard.map_err(|(invariant, sentence)| (invariant, format!("{}: {sentence}", row.key))))
    }
}

/// Which request placed an order: the order's id, and the request's fingerprint.
fn request_placed(row: &LogRow) -> Option<(String, (String, Fingerprint))> {
    if row.name != "OrderPlaced" {
        return None;
    }
    match orders::Event::decode(&row.name, row.schema, &row.body).ok()? {
        orders::Event::OrderPlaced(placed) => {
            Some((request_of(&placed.order_id).to_owned(), (placed.order_id, placed.fingerprint)))
        }
        _ => None,
    }
}

/// The watch over all services' commits.
pub struct Watch {
    sim: Arc<Sim>,
    seen: Mutex<Seen>,
    commits: AtomicU64,
    /// Which services each one reads.
    sources: [Vec<usize>; SERVICES],
}

impl Watch {
    /// A watch; `sources` are the services that each one reads.
    #[must_use]
    pub fn new(sim: Arc<Sim>, sources: [Vec<usize>; SERVICES]) -> Watch {
        Watch { sim, seen: Mutex::default(), commits: AtomicU64::new(0), sources }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many batches were committed, and how many events were said.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.commits.load(Ordering::Relaxed), self.seen().said.len() as u64)
    }

    /// Which order a request placed, and the fingerprint of that request.
    #[must_use]
    pub fn placed(&self, order_id: &str) -> Option<(String, Fingerprint)> {
        self.seen().placed.get(request_of(order_id)).cloned()
    }

    /// A record has come onto its topic.
    pub fn arrived(&self, source: usize, at: Position) {
        let now = self.sim.now();
        self.seen().arrivals[source].push((now, at));
    }

    /// A batch is durable.
    pub fn committed(&self, service: usize, batch: &Batch, store: &MemoryStore) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        let mut seen = self.seen();
        for row in &batch.log {
            self.note_row(service, row);
            self.row(&mut seen, service, row);
            if let Err((invariant, sentence)) = seen.hear(service, row) {
                self.sim.broken(invariant, sentence, vec![]);
            }
            seen.said.push((service, row.clone()));
        }
        self.note_rest(service, batch);
        seen::count(&self.sim, service, batch, &seen.orders);
        for cursor in &batch.cursors {
            let generation = cursor.at.generation;
            let before = seen.generations.insert((service, cursor.source.clone()), generation).unwrap_or_default();
            if before != 0 && generation > before && crate::bus::is_service(&cursor.source) {
                self.sim.saw(Situation::NewGeneration);
            }
        }
        for id in &batch.work_done {
            self.timer_waited(&seen, service, id, store);
        }
        for row in batch.work_put.iter().filter(|row| row.name == "deadline" || row.name == "pick_up") {
            seen.timers.insert(row.id(), row.due - EPOCH);
        }
    }

    fn note_row(&self, service: usize, row: &LogRow) {
        let body = row.body.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3)
        });
        self.sim.note(|| {
            let LogRow { name, key, seq, epoch, cause, .. } = row;
            format!("{:<9} {seq:>4} {name:<30} {key} epoch {epoch}, cause {cause}, body {body:016x}", NAMES[service])
        });
    }

    fn note_rest(&self, service: usize, batch: &Batch) {
        for parked in &batch.parked {
            self.sim.note(|| {
                let (row, why) = (&parked.row, &parked.reason);
                format!("{:<9} parks {} {} of {}: {why}", NAMES[service], row.name, row.key, parked.source)
            });
        }
        for WorkRow { name, key, stuck, .. } in batch.work_put.iter().map(|row| &**row) {
            self.sim.note(|| match stuck {
                Some(why) => format!("{:<9} sets aside {name} {key}: {why}", NAMES[service]),
                None => format!("{:<9} asks {name} {key}", NAMES[service]),
            });
        }
        for (name, key) in &batch.work_done {
            self.sim.note(|| format!("{:<9} has the end of {name} {key}", NAMES[service]));
        }
    }

    fn row(&self, seen: &mut Seen, service: usize, row: &LogRow) {
        let before = seen.heads[service];
        let begins = row.seq == 1 && row.generation > before.generation;
        let goes_on = row.generation == before.generation && row.seq == before.seq + 1;
        if !begins && !goes_on {
            let sentence = format!("{} says {} after {}", NAMES[service], row.seq, before.seq);
            self.sim.broken("dense", sentence, vec![]);
        }
        if row.at < seen.times[service] {
            self.sim.broken("time_forward", format!("time runs backwards in the log of {}", NAMES[service]), vec![]);
        }
        self.placed_once(seen, row);
    }

    /// A service's store is lost: of what it said only this is still known to anybody.
    pub fn lost(&self, service: usize, is_known: impl Fn(Position) -> bool) {
        let mut seen = self.seen();
        let seen = &mut *seen;
        seen.said.retain(|(of, row)| *of != service || is_known(row.position()));
        seen.orders.clear();
        seen.shelves.clear();
        seen.placed.clear();
        (seen.heads[service], seen.times[service]) = Default::default();
        for (service, row) in std::mem::take(&mut seen.said) {
            // What was wrong with it was found when it was said.
            _ = seen.hear(service, &row);
            if let Some((request, order)) = request_placed(&row) {
                seen.placed.insert(request, order);
            }
            seen.said.push((service, row));
        }
    }

    /// One customer's request under one key places one order, whatever happens.
    fn placed_once(&self, seen: &mut Seen, row: &LogRow) {
        let Some((request, (order_id, fingerprint))) = request_placed(row) else { return };
        if let Some((before, _)) = seen.placed.insert(request, (order_id.clone(), fingerprint)) {
            let sentence = format!("one request placed two orders, {before} and {order_id}");
            self.sim.broken("one_order_per_request", sentence, vec![]);
        }
    }

    /// A timer fires only after everything was taken that had come onto the topics before it was due. Whoever stands at
    /// a gap or is paused, or goes by a clock that jumped, is exempt.
    fn timer_waited(&self, seen: &Seen, service: usize, id: &WorkId, store: &MemoryStore) {
        use crate::fault::Fault::{ClockJump, Gap, StoreRefuses, Undecodable};
        let exempt = [ClockJump, Gap, StoreRefuses, Undecodable].iter().any(|fault| self.sim.plan.has(*fault));
        let Some(due) = seen.timers.get(id).filter(|_| !exempt) else { return };
        let cursors = Read::cursors(store).unwrap_or_default();
        for source in &self.sources[service] {
            let of_source = cursors.iter().filter(|row| row.source == NAMES[*source]);
            let read = of_source.map(|row| row.at).max().unwrap_or_default();
            let missed = seen.arrivals[*source].iter().find(|(at, position)| at < due && *position > read);
            if let Some((_, position)) = missed {
                let sentence = format!(
                    "{} {} of {} fires before event {} of {} is taken, which had come before it was due",
                    id.0, id.1, NAMES[service], position.seq, NAMES[*source]
                );
                self.sim.broken("timers_wait", sentence, vec![]);
            }
        }
    }

    /// What is known of an order.
    #[must_use]
    pub fn order(&self, order_id: &str) -> OrderFacts {
        self.seen().orders.get(order_id).cloned().unwrap_or_default()
    }

    /// The services that a service reads.
    #[must_use]
    pub fn sources_of(&self, service: usize) -> &[usize] {
        &self.sources[service]
    }

    /// Everything that anything was said about: orders and articles.
    #[must_use]
    pub fn orders_known(&self) -> Vec<String> {
        self.seen().orders.keys().cloned().collect()
    }

    /// The orders that were placed and have not ended.
    #[must_use]
    pub fn open_orders(&self) -> Vec<String> {
        let seen = self.seen();
        let open = seen.orders.iter().filter(|(_, order)| order.has("OrderPlaced") && !order.settled());
        open.map(|(id, order)| format!("{id} ({})", order.last())).collect()
    }

    /// How many orders were placed.
    #[must_use]
    pub fn orders_placed(&self) -> u64 {
        self.seen().placed.len() as u64
    }

    /// A parcel leaves only if it is reserved, paid, confirmed and released, and neither it nor its order is cancelled.
    pub fn may_leave(&self, order_id: &str) {
        let order = self.order(order_id);
        let lacking = ["StockReserved", "PaymentCompleted", "OrderConfirmed", "ShipmentReleased"];
        if let Some(lacking) = lacking.iter().find(|name| !order.has(name)) {
            self.sim.broken("parcel_earned", format!("the parcel of {order_id} is out without {lacking}"), vec![]);
        }
        if let Some(too_much) = ["OrderCancelled", "ShipmentCancelled"].iter().find(|name| order.has(name)) {
            self.sim.broken(
                "parcel_not_cancelled",
                format!("the parcel of {order_id} is out after {too_much}"),
                vec![],
            );
        }
    }
}
