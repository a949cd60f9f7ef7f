//! What all simulators share: the faults in force, the dice that decide when they strike, and the clock.

use crate::{dice::Dice, faults::InForce};
use runtime::clock::Clock;
use std::sync::Arc;

/// Clones share everything.
#[derive(Clone)]
pub(crate) struct Conditions {
    pub(crate) faults: Arc<InForce>,
    pub(crate) dice: Arc<Dice>,
    pub(crate) clock: Arc<dyn Clock>,
}
