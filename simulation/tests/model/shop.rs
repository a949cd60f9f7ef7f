//! The model: four shipped services, and what comes of each step that they, their customers, the clock, the gateway and
//! the carrier can take.

use crate::{
    alone::looked_at,
    desk::{Decides, Desk, Said},
    fixed::Fixed,
    heard::Heard,
    liveness::Ways,
    properties,
    stand::{Course, INVENTORY, NAMES, ORDER, PAYMENT, SHIPPING, Stand},
    steps::{Act, Step, acts},
    tables::Row,
};
use choreography::Service;
use shared_events::{inventory as stock, payment as payments};
use stateright::{Model, Property};
use std::{collections::BTreeSet, time::Duration};

/// What closes the undo of inventory, payment and shipping.
const CLOSING: [&[&str]; 3] =
    [&["StockReleased"], &["PaymentVoided", "PaymentRefunded", "PaymentFailed"], &["ShipmentCancelled"]];

/// The shop, and how much of it is looked at.
pub struct Shop {
    desks: [Box<dyn Decides>; 4],
    /// Units of the one article.
    pub units: i64,
    /// How often something may go otherwise than well with each order; nothing if that is not limited.
    twists: Vec<Option<u8>>,
    /// Readers that take every record, whether they have it or not: to see that the check notices.
    pub forgets_cursors: bool,
    /// Where every step leads.
    pub ways: Ways,
}

impl Shop {
    /// So many units, and orders for one each, with each of which so much may go otherwise than well.
    pub fn new(units: i64, twists: &[Option<u8>]) -> Shop {
        Shop {
            desks: [
                Desk::new(ORDER, order::service()),
                Desk::new(INVENTORY, inventory::service()),
                Desk::new(PAYMENT, payment::service()),
                Desk::new(SHIPPING, shipping::service(Duration::from_secs(60))),
            ],
            units,
            twists: twists.to_vec(),
            forgets_cursors: false,
            ways: Ways::default(),
        }
    }

    /// The same with another payment service.
    pub fn with_payment(mut self, service: Service<payments::Event>) -> Shop {
        self.desks[PAYMENT] = Desk::new(PAYMENT, service);
        self
    }

    /// The same with another inventory.
    pub fn with_inventory(mut self, service: Service<stock::Event>) -> Shop {
        self.desks[INVENTORY] = Desk::new(INVENTORY, service);
        self
    }

    /// The rows of the tables that were met.
    pub fn rows(&self) -> BTreeSet<Row> {
        self.desks.iter().flat_map(|desk| desk.rows()).collect()
    }

    /// A service hears something: what it says goes onto its topic, what it asks for is work.
    fn hears(&self, stand: &mut Stand, service: usize, heard: &Heard) -> Option<&'static str> {
        let reaction = self.desks[service].decide(&stand.memories[service], heard);
        if let Some(why) = &reaction.poison {
            stand.wrong = Some(format!("{}: {why}", NAMES[service]));
        }
        reaction.said.iter().for_each(|said| self.say(stand, service, said));
        stand.memories[service] = reaction.memory.clone();
        for asked in &reaction.asked {
            let course = stand.orders.entry(asked.key.clone()).or_default();
            course.work.entry(asked.family).or_default().push_back(asked.clone());
        }
        reaction.refused
    }

    fn say(&self, stand: &mut Stand, service: usize, said: &Fixed<Said>) {
        let late = ["StockDeducted", "ShipmentCancellationRejected"];
        match stand.of(ORDER, &said.key) {
            "Undone" => stand.wrong = Some(format!("{} is said about an order that is undone", said.name)),
            "Completed" if !late.contains(&said.name) => {
                stand.wrong = Some(format!("{} is said about an order that is completed", said.name));
            }
            _ => {}
        }
        let Some(course) = stand.orders.get_mut(&said.key) else { return }; // about an article: nobody reads it
        for (closed, names) in course.closed.iter_mut().zip(CLOSING) {
            *closed += u8::from(names.contains(&said.name));
        }
        course.rejected |= said.name == "ShipmentCancellationRejected";
        course.topics[service].push_back(said.clone());
    }

    /// A reader's bus hands over everything from the beginning to the next record, and that one twice, as it does to one
    /// that has lost its place. Taken is what the cursor says is new.
    fn read(&self, stand: &mut Stand, order_id: &str, reader: usize, source: usize) -> Option<()> {
        let next = stand.orders[order_id].cursors[reader][source];
        for at in (0..=next).chain([next]) {
            let course = stand.orders.get_mut(order_id)?;
            let said = course.topics[source][at].clone();
            let is_new = at == course.cursors[reader][source];
            course.cursors[reader][source] += usize::from(is_new);
            if (is_new || self.forgets_cursors) && self.desks[reader].reads(NAMES[source], said.name) {
                self.hears(stand, reader, &Heard::Record(NAMES[source], said));
            }
        }
        Some(())
    }

    /// Records that a reader does not react to only move its cursor, and what everybody has read is of no use to anyone.
    fn tidy(&self, course: &mut Course) {
        for source in 0..4 {
            for reader in 0..4 {
                let read = course.cursors[reader][source];
                let unread = course.topics[source].iter().skip(read);
                let skipped = unread.take_while(|said| !self.desks[reader].reads(NAMES[source], said.name)).count();
                course.cursors[reader][source] = read + skipped;
            }
            let read_by_all = course.cursors.iter().map(|cursors| cursors[source]).min().unwrap_or(0);
            course.topics[source].drain(..read_by_all);
            course.cursors.iter_mut().for_each(|cursors| cursors[source] -= read_by_all);
        }
        course.work.retain(|_, asked| !asked.is_empty());
    }

    /// Takes a step. `None` if it cannot be taken now.
    fn take(&self, stand: &mut Stand, Step { order_id, act }: &Step) -> Option<()> {
        let id = || order_id.clone();
        match act {
            Act::Place { changed } => {
                self.hears(stand, ORDER, &Heard::Place { order_id: id(), changed: *changed });
            }
            Act::Cancel => {
                let over = stand.is_settled(order_id);
                let refused = self.hears(stand, ORDER, &Heard::Cancel(id())).is_some();
                stand.orders.get_mut(order_id)?.promised |= !refused && !over;
            }
            Act::Read { reader, source } => self.read(stand, order_id, *reader, *source)?,
            Act::Attempt(asked, done) => {
                let course = stand.orders.get_mut(order_id)?;
                course.world.entry((asked.name, asked.key.clone())).or_insert(*done);
            }
            Act::Hear(asked) => {
                let course = stand.orders.get_mut(order_id)?;
                let done = *course.world.get(&(asked.name, asked.key.clone()))?;
                course.work.get_mut(asked.family)?.pop_front();
                self.hears(stand, asked.service, &Heard::Answer(asked.clone(), done));
            }
            Act::Ring(asked) => {
                stand.orders.get_mut(order_id)?.work.remove(asked.family);
                self.hears(stand, asked.service, &Heard::Due(asked.clone()));
            }
            Act::Collect => stand.orders.get_mut(order_id)?.out = true,
            Act::Report(sight) => {
                self.hears(stand, SHIPPING, &Heard::Report(id(), *sight));
            }
        }
        Some(())
    }
}

impl Model for Shop {
    type State = Stand;
    type Action = Step;

    fn init_states(&self) -> Vec<Stand> {
        let course = |twists: &Option<u8>| Course { twists: *twists, ..Course::default() };
        let orders = self.twists.iter().enumerate().map(|(n, twists)| (format!("{n:032x}"), course(twists))).collect();
        let mut stand = Stand { orders, ..Stand::default() };
        if self.units > 0 {
            self.hears(&mut stand, INVENTORY, &Heard::Deliver(self.units));
        }
        vec![stand]
    }

    fn actions(&self, stand: &Stand, steps: &mut Vec<Step>) {
        for (order_id, course) in looked_at(stand) {
            steps.extend(acts(stand, order_id, course).into_iter().map(|act| Step { order_id: order_id.clone(), act }));
        }
    }

    fn next_state(&self, before: &Stand, step: Step) -> Option<Stand> {
        let mut after = before.clone();
        self.take(&mut after, &step)?;
        self.tidy(after.orders.get_mut(&step.order_id)?);
        // What changes nothing is no step: most of what comes again.
        if after == *before {
            return None;
        }
        if step.is_twist(before)
            && let Some(left) = &mut after.orders.get_mut(&step.order_id)?.twists
        {
            *left = left.checked_sub(1)?;
        }
        self.ways.note(before, &after);
        Some(after)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}
