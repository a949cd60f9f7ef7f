//! The model: four shipped services, their customers, the clock, the gateway and the carrier, and every step that one of
//! them can take next.

use crate::{
    desk::{Asked, Decides, Desk, Said},
    fixed::Fixed,
    heard::{Heard, Sight},
    liveness::Ways,
    properties,
    stand::{INVENTORY, NAMES, ORDER, PAYMENT, SHIPPING, Stand},
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
    orders: Vec<String>,
    /// Units of the one article.
    pub units: i64,
    /// How often something may go otherwise than well, over all orders; nothing if that is not limited.
    twists: Option<u8>,
    /// Readers that take every record, whether they have it or not: to see that the check notices.
    pub forgets_cursors: bool,
    /// Where every step leads.
    pub ways: Ways,
}

/// What can happen next. Crashes are in it: before a commit a crash leaves nothing behind; after it, everything that
/// follows is merely later; a reader that has lost its place is given again what it had ([`Step::Read`]); and an effect
/// is performed, and what came of it is heard of, in two steps with anything in between.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// A customer orders, perhaps again, perhaps something else under the same key.
    Place(String, bool),
    Cancel(String),
    /// A service reads the next record of another one's topic; what it has read before comes again with it.
    Read {
        reader: usize,
        source: usize,
    },
    /// The world is asked to do it, with this luck, if it has not done it before under its key.
    Attempt(Fixed<Asked>, bool),
    /// The service hears what came of it.
    Hear(Fixed<Asked>),
    /// A timer is due.
    Ring(Fixed<Asked>),
    /// The carrier collects the parcel.
    Collect(String),
    /// The carrier reports, perhaps again.
    Report(String, Sight),
}

impl Shop {
    /// So many orders for one of so many units.
    pub fn new(orders: u32, units: i64, twists: Option<u8>) -> Shop {
        Shop {
            desks: [
                Desk::new(ORDER, order::service()),
                Desk::new(INVENTORY, inventory::service()),
                Desk::new(PAYMENT, payment::service()),
                Desk::new(SHIPPING, shipping::service(Duration::from_secs(60))),
            ],
            orders: (0..orders).map(|n| format!("{n:032x}")).collect(),
            units,
            twists,
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

    /// How many orders there are.
    pub fn orders(&self) -> usize {
        self.orders.len()
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
            stand.work.entry((asked.key.clone(), asked.family)).or_default().push_back(asked.clone());
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
        if let Some(course) = stand.orders.get_mut(&said.key) {
            for (closed, names) in course.closed.iter_mut().zip(CLOSING) {
                *closed += u8::from(names.contains(&said.name));
            }
            course.rejected |= said.name == "ShipmentCancellationRejected";
        }
        stand.topics[service].push_back(said.clone());
    }

    /// A reader's bus hands over everything from the beginning to the next record, and that one twice, as it does to one
    /// that has lost its place. Taken is what the cursor says is new.
    fn read(&self, stand: &mut Stand, reader: usize, source: usize) {
        let next = stand.cursors[reader][source];
        for at in (0..=next).chain([next]) {
            let is_new = at == stand.cursors[reader][source];
            let said = stand.topics[source][at].clone();
            if (is_new || self.forgets_cursors) && self.desks[reader].reads(NAMES[source], said.name) {
                self.hears(stand, reader, &Heard::Record(NAMES[source], said));
            }
            stand.cursors[reader][source] += usize::from(is_new);
        }
    }

    /// Records that a reader does not react to only move its cursor, and what everybody has read is of no use to anyone.
    fn tidy(&self, stand: &mut Stand) {
        for source in 0..4 {
            for reader in 0..4 {
                let skipped = |said: &Fixed<Said>| !self.desks[reader].reads(NAMES[source], said.name);
                let topic = stand.topics[source].iter();
                stand.cursors[reader][source] +=
                    topic.skip(stand.cursors[reader][source]).take_while(|it| skipped(it)).count();
            }
            let read_by_all = (0..4).map(|reader| stand.cursors[reader][source]).min().unwrap_or(0);
            stand.topics[source].drain(..read_by_all);
            stand.cursors.iter_mut().for_each(|cursors| cursors[source] -= read_by_all);
        }
        stand.work.retain(|_, asked| !asked.is_empty());
    }

    fn take(&self, mut stand: Stand, step: &Step) -> Option<Stand> {
        match step {
            Step::Place(order_id, changed) => {
                stand.orders.entry(order_id.clone()).or_default();
                self.hears(&mut stand, ORDER, &Heard::Place { order_id: order_id.clone(), changed: *changed });
                Some(stand)
            }
            Step::Cancel(order_id) => {
                let refused = self.hears(&mut stand, ORDER, &Heard::Cancel(order_id.clone())).is_some();
                if let Some(course) = stand.orders.get_mut(order_id) {
                    course.promised |= !refused;
                }
                stand.twisted()
            }
            Step::Read { reader, source } => {
                self.read(&mut stand, *reader, *source);
                Some(stand)
            }
            Step::Attempt(asked, done) => {
                let course = stand.orders.get_mut(&asked.key)?;
                course.world.entry((asked.name, asked.key.clone())).or_insert(*done);
                stand.twisted_unless(*done || asked.name == "cancel_label")
            }
            Step::Hear(asked) => {
                let done = *stand.orders.get(&asked.key)?.world.get(&(asked.name, asked.key.clone()))?;
                stand.work.get_mut(&(asked.key.clone(), asked.family))?.pop_front();
                self.hears(&mut stand, asked.service, &Heard::Answer(asked.clone(), done));
                Some(stand)
            }
            Step::Ring(asked) => {
                let in_time = stand.settled(&asked.key);
                stand.work.remove(&(asked.key.clone(), asked.family));
                self.hears(&mut stand, asked.service, &Heard::Due(asked.clone()));
                stand.twisted_unless(in_time)
            }
            Step::Collect(order_id) => {
                stand.orders.get_mut(order_id)?.out = true;
                Some(stand)
            }
            Step::Report(order_id, sight) => {
                self.hears(&mut stand, SHIPPING, &Heard::Report(order_id.clone(), *sight));
                stand.twisted_unless(*sight == Sight::Delivered)
            }
        }
    }
}

impl Model for Shop {
    type State = Stand;
    type Action = Step;

    fn init_states(&self) -> Vec<Stand> {
        let mut stand = Stand { twists: self.twists, ..Stand::default() };
        if self.units > 0 {
            self.hears(&mut stand, INVENTORY, &Heard::Deliver(self.units));
        }
        self.tidy(&mut stand);
        vec![stand]
    }

    fn actions(&self, stand: &Stand, steps: &mut Vec<Step>) {
        for reader in 0..4 {
            let unread = |source: &usize| stand.cursors[reader][*source] < stand.topics[*source].len();
            steps.extend((0..4).filter(unread).map(|source| Step::Read { reader, source }));
        }
        for asked in stand.work.values().filter_map(|family| family.front()) {
            if asked.is_timer {
                steps.push(Step::Ring(asked.clone()));
                continue;
            }
            let course = &stand.orders[&asked.key];
            let outcomes: &[bool] = match asked.name {
                "refund" => &[true],
                "cancel_label" => &[!course.out],
                _ => &[true, false],
            };
            steps.extend(outcomes.iter().map(|done| Step::Attempt(asked.clone(), *done)));
            steps.push(Step::Hear(asked.clone()));
        }
        // Orders are alike, so it does not matter which one is first.
        let next = self.orders.get(stand.orders.len());
        steps.extend(next.map(|id| Step::Place(id.clone(), false)));
        steps.extend(next.map(|id| Step::Cancel(id.clone())));
        for (id, course) in &stand.orders {
            steps.extend([false, true].map(|changed| Step::Place(id.clone(), changed)));
            steps.push(Step::Cancel(id.clone()));
            steps.extend(course.waits_for_carrier().then(|| Step::Collect(id.clone())));
            let sights = [Sight::Dispatched, Sight::Tracking, Sight::Delivered];
            steps.extend(sights.into_iter().filter(|_| course.out).map(|sight| Step::Report(id.clone(), sight)));
        }
    }

    fn next_state(&self, before: &Stand, step: Step) -> Option<Stand> {
        let mut after = self.take(before.clone(), &step)?;
        self.tidy(&mut after);
        // Whatever changes nothing is no step, and cost nothing.
        let changed = Stand { twists: before.twists, ..after.clone() } != *before;
        changed.then(|| {
            self.ways.note(before, &after);
            after
        })
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}
