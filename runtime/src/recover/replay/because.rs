//! What an event was said because of, as its cause tells.

use crate::record::EventId;

/// The input that led to an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Because<'c> {
    /// A command. What it held is not kept.
    Command,
    /// An event of a service.
    Record {
        /// Whose.
        source: &'c str,
        /// Which.
        id: EventId,
    },
    /// The answer of an effect, or a timer.
    Work {
        /// The effect's or timer's name.
        name: &'c str,
        /// What its row has for a cause.
        event: &'c str,
    },
}

impl Because<'_> {
    /// Reads a [`Cause`](crate::record::Cause) as text; nothing when it is none.
    pub fn of(cause: &str) -> Option<Because<'_>> {
        if let Some((event, via)) = cause.rsplit_once(" via ") {
            return Some(Because::Work { name: via.split('#').next()?, event });
        }
        if cause.starts_with("command ") {
            return Some(Because::Command);
        }
        let (source, id) = cause.rsplit_once('/')?;
        let mut parts = id.split('.');
        let id = EventId {
            generation: parts.next()?.parse().ok()?,
            lane: parts.next()?.parse().ok()?,
            seq: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(Because::Record { source, id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_cause_is_read() {
        let id = EventId { generation: 7, lane: 0, seq: 42 };
        assert_eq!(Because::of("command PlaceOrder"), Some(Because::Command));
        assert_eq!(Because::of("order/7.0.42"), Some(Because::Record { source: "order", id }));
        let work = |name, event| Some(Because::Work { name, event });
        assert_eq!(Because::of("order/7.0.42 via mail#2"), work("mail", "order/7.0.42"));
        assert_eq!(Because::of("order/7.0.42 via deadline"), work("deadline", "order/7.0.42"));
        assert_eq!(Because::of("command Write via Cook#1"), work("Cook", "command Write"));
        for none in ["", "order", "order/7", "order/7.0.x", "order/7.0.1.2"] {
            assert_eq!(Because::of(none), None, "{none}");
        }
    }
}
