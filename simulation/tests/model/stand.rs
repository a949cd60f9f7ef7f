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
    /// What somebody has still to read of each service's log.
    pub topics: [VecDeque<Fixed<Said>>; 4],
    /// How much of that each reader has read: its cursors. By reader and source.
    pub cursors: [[usize; 4]; 4],
    /// What is asked of the world and the clock: by order and family, in the order of asking.
    pub work: BTreeMap<(String, &'static str), VecDeque<Fixed<Asked>>>,
    /// The orders that were placed.
    pub orders: BTreeMap<String, Course>,
    /// How often something may still go otherwise than well; nothing if that is not limited.
    pub twists: Option<u8>,
    /// What must not be.
    pub wrong: Option<String>,
}

/// What has come of one order outside the services' memories.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Course {
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
}

impl Stand {
    /// Where an order stands in a service, as the tables call it.
    pub fn of(&self, service: usize, order_id: &str) -> &str {
        self.memories[service].of(order_id)
    }

    /// Completed or undone: nothing more is to happen to it.
    pub fn settled(&self, order_id: &str) -> bool {
        ["Completed", "Undone"].contains(&self.of(ORDER, order_id))
    }

    /// Nobody has anything to read, to do or to wait for.
    pub fn at_rest(&self) -> bool {
        self.topics.iter().all(VecDeque::is_empty)
            && self.work.is_empty()
            && self.orders.iter().all(|(id, course)| {
                !course.waits_for_carrier() && (!course.out || self.of(SHIPPING, id) == "Delivered")
            })
    }

    /// One thing less may go otherwise than well; `None` if it may not.
    pub fn twisted(mut self) -> Option<Stand> {
        if let Some(left) = self.twists {
            self.twists = Some(left.checked_sub(1)?);
        }
        Some(self)
    }

    /// The same, unless it goes well.
    pub fn twisted_unless(self, well: bool) -> Option<Stand> {
        if well { Some(self) } else { self.twisted() }
    }
}
