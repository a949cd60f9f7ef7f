//! Where everything stands between two steps.

use crate::{
    desk::{Asked, Memory, Said},
    fixed::Fixed,
};
use std::collections::{BTreeMap, VecDeque};

/// The services, in the order in which everything here is indexed.
pub const NAMES: [&str; 4] = ["order", "inventory", "payment", "shipping"];
pub const ORDER: usize = 0;
pub const INVENTORY: usize = 1;
pub const PAYMENT: usize = 2;
pub const SHIPPING: usize = 3;

/// The state of the model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Stand {
    /// What each service remembers.
    pub memories: [Fixed<Memory>; 4],
    pub orders: BTreeMap<String, Course>,
    /// What must not be.
    pub wrong: Option<String>,
}

/// What is under way for one order, and what has come of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Course {
    /// What somebody has still to read of what each service has said about it. Nothing orders two orders' records for a
    /// reader, and nothing two services'.
    pub topics: [VecDeque<Fixed<Said>>; 4],
    /// How much of that each reader has read: its cursors. By reader and source.
    pub cursors: [[usize; 4]; 4],
    /// What is asked of the world and the clock: by family, in the order of asking.
    pub work: BTreeMap<&'static str, VecDeque<Fixed<Asked>>>,
    /// What the world did under which key: done, or refused. Asked again, it answers the same.
    pub world: BTreeMap<(&'static str, String), bool>,
    /// The carrier has the parcel.
    pub out: bool,
    /// How many closing events inventory, payment and shipping have said.
    pub closed: [u8; 3],
    /// A cancel was answered 202.
    pub promised: bool,
    /// The customer was told that it is too late.
    pub rejected: bool,
    /// How often something may still go otherwise than well; nothing if that is not limited.
    pub twists: Option<u8>,
}

impl Default for Fixed<Memory> {
    fn default() -> Fixed<Memory> {
        Memory::default().into()
    }
}

impl Course {
    /// How often the world did this.
    pub fn times(&self, effect: &str) -> usize {
        self.world.iter().filter(|((name, _), done)| *name == effect && **done).count()
    }

    /// The carrier may collect the parcel, and still can.
    pub fn waits_for_carrier(&self) -> bool {
        self.times("hand_over") > 0 && self.times("cancel_label") == 0 && !self.out
    }

    /// The reader has not read everything that this source has said.
    pub fn is_unread(&self, reader: usize, source: usize) -> bool {
        self.cursors[reader][source] < self.topics[source].len()
    }
}

impl Stand {
    /// Where an order stands in a service, as the tables call it.
    pub fn of(&self, service: usize, order_id: &str) -> &str {
        self.memories[service].of(order_id)
    }

    /// Completed or undone: nothing more is to happen to it.
    pub fn is_settled(&self, order_id: &str) -> bool {
        ["Completed", "Undone"].contains(&self.of(ORDER, order_id))
    }

    /// Nobody has anything to read, to do or to wait for.
    pub fn is_at_rest(&self, order_id: &str, course: &Course) -> bool {
        self.of(ORDER, order_id) != "Unknown"
            && course.topics.iter().all(VecDeque::is_empty)
            && course.work.is_empty()
            && !course.waits_for_carrier()
            && (!course.out || self.of(SHIPPING, order_id) == "Delivered")
    }

    /// The orders that are not at rest.
    pub fn busy(&self) -> impl Iterator<Item = (&String, &Course)> {
        self.orders.iter().filter(|(id, course)| !self.is_at_rest(id, course))
    }
}
