//! The simulated buses: topics with a relay, as with a broker, and the shipped bus on which the log is the topic. Records
//! become visible to each reader at a time of its own, so that topics overtake each other; within a lane nothing does.

mod embedded;
mod relay;
mod topics;

pub use embedded::{EmbeddedBus, Sight};
pub use relay::Relay;
pub use topics::{Reads, TopicBus, Topics};

use crate::{
    counters::Situation,
    dice::Dice,
    fault::Fault,
    plan::{SECOND, SERVICES},
    sim::{Event, Sim},
};
use runtime::{LogRow, Micros, Record, bus::BusAway};
use std::sync::Arc;
use tutti::invariants::SERVICES as NAMES;

/// A service's place in the list of all.
#[must_use]
pub fn index_of(service: &str) -> usize {
    NAMES.iter().position(|name| *name == service).unwrap_or_default()
}

/// Whether this names a service; other names stand for what is no service's event.
#[must_use]
pub fn is_service(name: &str) -> bool {
    NAMES.contains(&name)
}

/// When each reader sees a record that comes onto a topic now, none before what came there earlier.
fn seen_at(sim: &Sim, before: &mut [Micros; SERVICES]) -> [Micros; SERVICES] {
    let now = sim.now();
    for (reader, seen) in before.iter_mut().enumerate() {
        let late = sim.strikes(Fault::Delays, 0.15);
        let delay = if late { sim.draw(Fault::Delays, delay) } else { 0 };
        *seen = (*seen).max(now + delay);
        sim.at(*seen, Event::Ring(reader));
    }
    *before
}

fn delay(dice: &mut Dice) -> Micros {
    let longest = if dice.falls(0.1) { 120 * SECOND } else { 3 * SECOND };
    dice.magnitude(1000, longest)
}

/// A reader cannot tell what some records are, for a while: its registry does not know the schema, or it has a mistake.
fn perhaps_undecodable(sim: &Sim, reader: usize, record: Record) -> Record {
    let all = sim.plan.all_undecodable();
    let unlucky = || record.row.key.bytes().map(usize::from).sum::<usize>() % 3 == 0;
    if sim.lasts(Fault::Undecodable, reader) && (all || unlucky()) {
        return Record { poison: Some("the registry knows no schema 77".into()), ..record };
    }
    record
}

fn reach(sim: &Sim, life: &crate::life::Life) -> Result<(), BusAway> {
    if sim.is_cut_off(life, Situation::CrashInFetch) {
        return Err(BusAway("the process is over".into()));
    }
    if sim.lasts(Fault::BusAway, life.service) {
        sim.saw(Situation::BusAway);
        return Err(BusAway("switched off".into()));
    }
    Ok(())
}

/// `OrderPlaced` as builds of the schema's first version wrote it.
#[derive(serde::Serialize)]
struct OrderPlacedV1<'p> {
    order_id: &'p str,
    customer_id: &'p str,
    lines: &'p [shared_events::Line],
    total_minor: i64,
    fingerprint: &'p shared_events::Fingerprint,
    phone_given: bool,
    placed_at: i64,
    deadline_ms: i64,
    sealed: &'p shared_events::Sealed<shared_events::Personal>,
}

/// The row as a build of the schema's first version wrote it, if it can be written so.
fn in_old_schema(row: &Arc<LogRow>) -> Option<Arc<LogRow>> {
    use choreography::Topic;
    use shared_events::{codec::Avro, order::Event};
    let event = (row.name == "OrderPlaced").then(|| Event::decode(&row.name, row.schema, &row.body).ok())??;
    let Event::OrderPlaced(placed) = event else { return None };
    let old = OrderPlacedV1 {
        order_id: &placed.order_id,
        customer_id: &placed.customer_id,
        lines: &placed.lines,
        total_minor: placed.total_minor,
        fingerprint: &placed.fingerprint,
        phone_given: placed.phone_given,
        placed_at: placed.placed_at,
        deadline_ms: placed.deadline_ms,
        sealed: &placed.sealed,
    };
    let body = Avro::encode(&old, "order", "OrderPlaced", 1).ok()?;
    Some(Arc::new(LogRow { schema: 1, body: body.into(), ..(**row).clone() }))
}
