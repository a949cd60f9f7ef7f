//! Courses of events as sequence diagrams. Only commands and events are listed; who says each event, why, and who had
//! to be asked is found in the map, so a story that the services could not play is an error.

use choreography::{MapRow, Origin, ServiceMap};

/// One course of commands and events.
pub(super) struct Story {
    pub title: &'static str,
    pub about: &'static str,
    /// What has happened before it begins.
    pub before: &'static [&'static str],
    /// What happens.
    pub events: &'static [&'static str],
}

const UNTIL_PAID: &[&str] = &["PlaceOrder", "OrderPlaced", "StockReserved", "PaymentRequested", "PaymentCompleted"];
const UNTIL_RELEASED: &[&str] = &[
    "PlaceOrder",
    "OrderPlaced",
    "StockReserved",
    "PaymentRequested",
    "PaymentCompleted",
    "ShipmentRequested",
    "ShipmentScheduled",
    "OrderConfirmed",
    "ShipmentReleased",
];

/// The stories that the documentation tells.
pub(super) const STORIES: &[Story] = &[
    Story {
        title: "All goes well",
        about: "Each service reacts to the one before. `order` confirms on `ShipmentScheduled` alone, because that was \
                caused by the payment, and the payment by the reservation.",
        before: &[],
        events: &[
            "PlaceOrder",
            "OrderPlaced",
            "StockReserved",
            "PaymentRequested",
            "PaymentCompleted",
            "ShipmentRequested",
            "ShipmentScheduled",
            "OrderConfirmed",
            "ShipmentReleased",
            "Report",
            "ShipmentDispatched",
            "StockDeducted",
            "OrderDispatched",
            "Report",
            "ShipmentDelivered",
            "OrderCompleted",
        ],
    },
    Story {
        title: "A paid order that no carrier takes",
        about: "`OrderCancelled` is the one trigger of every compensation. Each participant answers it with exactly one \
                closing event, also when it had nothing to undo, and the last of them makes the order undone.",
        before: UNTIL_PAID,
        events: &[
            "ShipmentRequested",
            "ShipmentSchedulingFailed",
            "OrderCancelled",
            "StockReleased",
            "OrderUndoProgressed",
            "ShipmentCancelled",
            "OrderUndoProgressed",
            "PaymentRefundRequested",
            "PaymentRefunded",
            "OrderUndone",
        ],
    },
    Story {
        title: "A customer cancels a confirmed order",
        about: "From the confirmation on shipping decides, and from the hand-over of the parcel the carrier. So `order` \
                asks, and cancels only once the label is void.",
        before: UNTIL_RELEASED,
        events: &[
            "CancelOrder",
            "OrderCancellationRequested",
            "ShipmentCancellationRequested",
            "ShipmentCancelled",
            "OrderCancelled",
            "StockReleased",
            "OrderUndoProgressed",
            "PaymentRefundRequested",
            "PaymentRefunded",
            "OrderUndone",
        ],
    },
];

impl Story {
    /// A Mermaid sequence diagram.
    pub fn diagram(&self, services: &[ServiceMap]) -> Result<String, String> {
        let mut telling = Telling { services, told: vec![], asked: vec![] };
        let mut tell = |step| telling.tell(step).map_err(|why| format!("{}: {why}", self.title));
        for step in self.before {
            tell(step)?;
        }
        let mut text = String::from("sequenceDiagram\n  participant outside as customer, gateway, carrier\n");
        for service in services.iter().filter(|service| self.events.iter().any(|e| service.events.contains(e))) {
            text += &format!("  participant {}\n", service.service);
        }
        for step in self.events {
            text += &tell(step)?;
        }
        Ok(text.trim_end().to_owned())
    }
}

/// How far a story has been told.
struct Telling<'m> {
    services: &'m [ServiceMap],
    told: Vec<&'static str>,
    /// Effects and timers that have been asked for, by whom, and when.
    asked: Vec<(&'static str, Origin, usize)>,
}

impl Telling<'_> {
    fn tell(&mut self, step: &'static str) -> Result<String, String> {
        let commands = || self.services.iter().flat_map(|service| &service.rows).map(|row| row.origin);
        let line = if commands().any(|origin| origin == Origin::Command(step)) {
            String::new() // told with the event that it leads to
        } else {
            self.tell_event(step)?
        };
        self.told.push(step);
        Ok(line)
    }

    fn tell_event(&mut self, event: &'static str) -> Result<String, String> {
        let sayer = self.services.iter().find(|service| service.events.contains(&event));
        let sayer = sayer.ok_or_else(|| format!("nobody says {event}"))?;
        let says_it = sayer.rows.iter().filter(|row| row.declared.events.contains(event));
        let row = says_it.filter_map(|row| Some((self.since(sayer.service, row.origin)?, row))).max_by_key(|(s, _)| *s);
        let (_, row) = row.ok_or_else(|| format!("{} has no reason yet to say {event}", sayer.service))?;
        let effects = row.declared.effects.iter().map(|name| Origin::Effect(name));
        let asked = effects.chain(row.declared.timers.iter().map(|name| Origin::Timer(name)));
        self.asked.extend(asked.map(|origin| (sayer.service, origin, self.told.len())));
        Ok(format!("{}  Note over {}: {event}\n", reason(sayer.service, row), sayer.service))
    }

    /// When the input came to be, counted in steps told; the latest reason is the one that counts.
    fn since(&self, service: &str, origin: Origin) -> Option<usize> {
        match origin {
            Origin::Event { name, .. } | Origin::Command(name) => self.told.iter().rposition(|told| *told == name),
            asked => self.asked.iter().rev().find(|(by, what, _)| *by == service && *what == asked).map(|(.., at)| *at),
        }
    }
}

fn reason(service: &str, row: &MapRow) -> String {
    match row.origin {
        Origin::Event { topic, name } => format!("  {topic}->>{service}: {name}\n"),
        Origin::Command(name) => format!("  outside->>{service}: {name}\n"),
        Origin::Effect(name) => format!("  {service}->>outside: {name}\n  outside-->>{service}: answer of {name}\n"),
        Origin::Timer(name) => format!("  {service}->>{service}: timer {name}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::services;

    fn told(before: &'static [&'static str], events: &'static [&'static str]) -> Result<String, String> {
        Story { title: "a story", about: "", before, events }.diagram(&services())
    }

    #[test]
    fn the_services_can_play_every_story() {
        for story in STORIES {
            story.diagram(&services()).unwrap();
        }
    }

    #[test]
    fn the_reason_of_each_event_is_found_in_the_map() {
        let told = told(UNTIL_PAID, &["ShipmentRequested", "ShipmentSchedulingFailed", "OrderCancelled"]).unwrap();
        let lines: Vec<&str> = told.lines().map(str::trim).filter(|line| !line.starts_with("participant")).collect();
        assert_eq!(
            lines,
            [
                "sequenceDiagram",
                "payment->>shipping: PaymentCompleted",
                "Note over shipping: ShipmentRequested",
                "shipping->>outside: book_label",
                "outside-->>shipping: answer of book_label",
                "Note over shipping: ShipmentSchedulingFailed",
                "shipping->>order: ShipmentSchedulingFailed",
                "Note over order: OrderCancelled",
            ]
        );
    }

    #[test]
    fn what_cannot_follow_is_an_error() {
        assert_eq!(
            told(&["PlaceOrder"], &["OrderPlaced", "PaymentCompleted"]).unwrap_err(),
            "a story: payment has no reason yet to say PaymentCompleted"
        );
        assert_eq!(told(&["OrderLost"], &[]).unwrap_err(), "a story: nobody says OrderLost");
    }
}
