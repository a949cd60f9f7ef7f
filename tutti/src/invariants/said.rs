//! Every event of an order as one bit, and what each service may say after what it said before: the tables of the
//! protocol as conditions on sets.

/// A set of events of one order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Set(u32);

impl Set {
    /// Adds an event; whether it was there already.
    pub fn insert(&mut self, said: Said) -> bool {
        let before = self.has(said);
        self.0 |= 1 << said as u32;
        before
    }

    pub fn has(self, said: Said) -> bool {
        self.0 & (1 << said as u32) != 0
    }

    pub fn all(self, events: &[Said]) -> bool {
        events.iter().all(|said| self.has(*said))
    }

    pub fn any(self, events: &[Said]) -> bool {
        self.first(events).is_some()
    }

    /// The first of these that is in it.
    pub fn first(self, events: &[Said]) -> Option<Said> {
        events.iter().copied().find(|said| self.has(*said))
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Names the events of each service whose key is an order.
macro_rules! said {
    ($($service:literal { $($event:ident)+ })+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Said { $($($event,)+)+ }
        const NAMES: &[(&str, &str, Said)] = &[$($(($service, stringify!($event), Said::$event),)+)+];
    };
}

said! {
    "order" {
        OrderPlaced OrderConfirmed OrderCancellationRequested OrderDispatched OrderCompleted OrderCancelled
        OrderUndoProgressed OrderUndone
    }
    "inventory" { StockReserved StockReservationFailed StockReleased StockDeducted }
    "payment" {
        PaymentRequested PaymentCompleted PaymentFailed PaymentVoided PaymentRefundRequested PaymentRefunded
    }
    "shipping" {
        ShipmentRequested ShipmentScheduled ShipmentSchedulingFailed ShipmentReleased ShipmentDispatched
        TrackingUpdated ShipmentDelivered ShipmentCancellationRequested ShipmentCancelled ShipmentCancellationRejected
    }
}

use Said::*;

impl Said {
    /// The event of this name, if it is about an order and leads somewhere.
    pub fn named(service: &str, name: &str) -> Option<Said> {
        NAMES.iter().find(|(s, n, _)| *s == service && *n == name).map(|(_, _, said)| *said)
    }

    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, _, said)| *said == self).map_or("?", |(_, name, _)| name)
    }

    /// Why this may not follow what was said about the order before, if it may not. That each participant closes once,
    /// and that an order has one ending, are invariants of their own and not held here.
    pub fn objection(self, before: Set) -> Option<String> {
        let (needs, excludes) = (self.needs(before), self.excludes());
        let missing = needs.iter().find(|said| !before.has(**said));
        let in_the_way = before.first(excludes);
        match (missing, in_the_way) {
            (Some(missing), _) => Some(format!("{} was said without {}", self.name(), missing.name())),
            (None, Some(other)) => Some(format!("{} was said after {}", self.name(), other.name())),
            (None, None) => None,
        }
    }

    /// What must have been said before by the same service.
    fn needs(self, before: Set) -> &'static [Said] {
        match self {
            OrderPlaced | StockReserved | StockReservationFailed | PaymentRequested | ShipmentRequested => &[],
            OrderConfirmed | OrderCancelled => &[OrderPlaced],
            OrderCancellationRequested | OrderDispatched => &[OrderConfirmed],
            OrderCompleted => &[OrderDispatched],
            OrderUndoProgressed | OrderUndone => &[OrderCancelled],
            StockReleased if before.has(StockReservationFailed) => &[],
            StockReleased | StockDeducted => &[StockReserved],
            PaymentCompleted | PaymentFailed | PaymentRefundRequested => &[PaymentRequested],
            PaymentVoided if before.has(PaymentRequested) => &[PaymentRefundRequested],
            PaymentVoided => &[],
            PaymentRefunded => &[PaymentRefundRequested],
            ShipmentScheduled | ShipmentSchedulingFailed | ShipmentCancellationRequested => &[ShipmentRequested],
            ShipmentReleased => &[ShipmentScheduled],
            ShipmentDispatched => &[ShipmentReleased],
            TrackingUpdated | ShipmentDelivered | ShipmentCancellationRejected => &[ShipmentDispatched],
            ShipmentCancelled if before.has(ShipmentRequested) && !before.has(ShipmentSchedulingFailed) => {
                &[ShipmentCancellationRequested]
            }
            ShipmentCancelled => &[],
        }
    }

    /// What must not have been said before by the same service.
    fn excludes(self) -> &'static [Said] {
        match self {
            OrderPlaced => &[OrderPlaced],
            OrderConfirmed => &[OrderConfirmed, OrderCancelled],
            OrderCancellationRequested => &[OrderCancellationRequested, OrderDispatched, OrderCancelled],
            OrderDispatched => &[OrderDispatched, OrderCancelled],
            OrderCompleted => &[OrderCompleted],
            OrderCancelled => &[OrderCancelled],
            OrderUndoProgressed | OrderUndone => &[OrderUndone],
            StockReserved | StockReservationFailed => {
                &[StockReserved, StockReservationFailed, StockReleased, StockDeducted]
            }
            StockReleased => &[StockDeducted],
            StockDeducted => &[StockDeducted, StockReleased],
            PaymentRequested => &[PaymentRequested, PaymentVoided],
            PaymentCompleted => &[PaymentCompleted, PaymentFailed, PaymentRefundRequested, PaymentVoided],
            PaymentFailed => &[PaymentCompleted, PaymentRefundRequested],
            PaymentRefundRequested => &[PaymentRefundRequested, PaymentFailed, PaymentVoided],
            PaymentVoided => &[],
            PaymentRefunded => &[],
            ShipmentRequested => &[ShipmentRequested, ShipmentCancelled],
            ShipmentScheduled | ShipmentSchedulingFailed => {
                &[ShipmentScheduled, ShipmentSchedulingFailed, ShipmentCancellationRequested, ShipmentCancelled]
            }
            ShipmentReleased => &[ShipmentReleased, ShipmentCancellationRequested, ShipmentCancelled],
            ShipmentDispatched => &[ShipmentDispatched, ShipmentCancelled],
            TrackingUpdated => &[ShipmentDelivered],
            ShipmentDelivered => &[ShipmentDelivered],
            ShipmentCancellationRequested => &[ShipmentDispatched, ShipmentCancelled],
            ShipmentCancelled => &[ShipmentDispatched],
            ShipmentCancellationRejected => &[ShipmentCancellationRejected],
        }
    }
}
