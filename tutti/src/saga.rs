//! What the types of a single service cannot say: who owns an order's fate, which event triggers every undo, and who
//! must answer it. CI holds the map of all services to it.

use crate::map;
use choreography::{CheckError, Participant, Saga, check_all};

/// The saga of one order.
pub const SAGA: Saga = Saga {
    owner: "order",
    undo: "OrderCancelled",
    participants: &[
        Participant { service: "inventory", closing: &["StockReleased"] },
        Participant { service: "payment", closing: &["PaymentVoided", "PaymentRefunded", "PaymentFailed"] },
        Participant { service: "shipping", closing: &["ShipmentCancelled"] },
    ],
    for_outside: &[
        // How far an undo has come.
        "OrderUndoProgressed",
        // The warehouse's book.
        "StockDeducted",
        "StockReplenished",
        "LowStockWarning",
        // What a service must remember is an event, also where nobody else reads it.
        "PaymentRequested",
        "PaymentRefundRequested",
        "ShipmentRequested",
        "ShipmentReleased",
        "ShipmentCancellationRequested",
        // `ShipmentDispatched` always comes before it on the same topic, and says all that `order` needs.
        "ShipmentCancellationRejected",
        // For the order's timeline.
        "TrackingUpdated",
        "EmailSent",
        "EmailFailed",
        "SmsSent",
        "SmsFailed",
    ],
};

/// Holds all services to the saga.
///
/// # Errors
/// Lists every event that nobody reads, every reaction to what nobody says, and every step without its undo or its
/// closing event.
pub fn check() -> Result<(), CheckError> {
    check_all(&map::services(), &SAGA)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_services_together_hold() {
        assert_eq!(check(), Ok(()));
    }

    #[test]
    fn the_participants_are_those_that_an_order_waits_for() {
        let waits_for: Vec<_> = shared_events::Participant::ALL.iter().map(|p| p.as_str()).collect();
        assert_eq!(SAGA.participants.iter().map(|p| p.service).collect::<Vec<_>>(), waits_for);
    }

    #[test]
    fn only_events_that_are_said_and_unread_are_listed_as_for_outside() {
        let services = map::services();
        for event in SAGA.for_outside {
            let sayer = services.iter().find(|service| service.events.contains(event));
            let sayer = sayer.unwrap_or_else(|| panic!("{event} is said by nobody"));
            assert!(!services.iter().any(|reader| reader.reads(sayer.service, event)), "{event} has a reader");
        }
    }
}
