//! What can happen next to an order.

use crate::{
    desk::{Asked, short},
    fixed::Fixed,
    heard::Sight,
    stand::{Course, NAMES, ORDER, Stand},
};
use std::fmt;

/// Something happens to an order.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Step {
    pub order_id: String,
    pub act: Act,
}

/// What can happen to an order. Crashes are in it: before a commit a crash leaves nothing behind; after it, everything that
/// follows is merely later; a reader that has lost its place is given again what it had ([`Act::Read`]); and an effect is
/// performed, and what came of it is heard of, in two steps with anything in between.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// It is placed, perhaps again, perhaps changed under the same key.
    Place {
        changed: bool,
    },
    Cancel,
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
    Collect,
    /// The carrier reports, perhaps again.
    Report(Sight),
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.act {
            Act::Read { reader, source } => write!(f, "{} reads what {} says", NAMES[*reader], NAMES[*source])?,
            act => write!(f, "{act:?}")?,
        }
        write!(f, " [{}]", short(&self.order_id))
    }
}

impl Step {
    /// Whether an order could end well without this.
    pub fn is_twist(&self, stand: &Stand) -> bool {
        match &self.act {
            Act::Cancel => true,
            Act::Attempt(asked, done) => !done && asked.name != "cancel_label",
            Act::Ring(_) => !stand.is_settled(&self.order_id),
            Act::Report(sight) => *sight != Sight::Delivered,
            Act::Place { .. } | Act::Read { .. } | Act::Hear(_) | Act::Collect => false,
        }
    }
}

/// What can happen next to an order.
pub fn acts(stand: &Stand, order_id: &str, course: &Course) -> Vec<Act> {
    let mut acts = vec![Act::Place { changed: false }, Act::Cancel];
    if stand.of(ORDER, order_id) != "Unknown" {
        acts.push(Act::Place { changed: true });
    }
    for reader in 0..4 {
        let unread = (0..4).filter(|source| course.is_unread(reader, *source));
        acts.extend(unread.map(|source| Act::Read { reader, source }));
    }
    for asked in course.work.values().filter_map(|family| family.front()) {
        if asked.is_timer {
            acts.push(Act::Ring(asked.clone()));
            continue;
        }
        let outcomes: &[bool] = match asked.name {
            "refund" => &[true],
            "cancel_label" => &[!course.out],
            _ => &[true, false],
        };
        acts.extend(outcomes.iter().map(|done| Act::Attempt(asked.clone(), *done)));
        acts.push(Act::Hear(asked.clone()));
    }
    acts.extend(course.waits_for_carrier().then_some(Act::Collect));
    let sights = [Sight::Dispatched, Sight::Tracking, Sight::Delivered];
    acts.extend(sights.into_iter().filter(|_| course.out).map(Act::Report));
    acts
}
