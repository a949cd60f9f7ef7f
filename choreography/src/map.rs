//! The map: who reacts to what, says what and asks what. Read from the types of the decisions, so it cannot lie.

use crate::{Declared, Origin};

/// One decision as the map shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct MapRow {
    /// What is decided about.
    pub origin: Origin,
    /// What may come of it.
    pub declared: Declared,
}

/// All decisions of one service.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceMap {
    /// The service's name.
    pub service: &'static str,
    /// Everything it may say.
    pub events: &'static [&'static str],
    /// Its decisions, in the order of its table of contents.
    pub rows: Vec<MapRow>,
}

impl ServiceMap {
    /// Whether it decides about this event of `topic`.
    #[must_use]
    pub fn reads(&self, topic: &str, event: &str) -> bool {
        self.rows
            .iter()
            .any(|row| matches!(row.origin, Origin::Event { topic: t, name } if t == topic && name == event))
    }
}
