//! An order's fate against the simplest thing that could be right: whoever comes first decides, and then it is counted
//! who has closed.

use crate::orders::{euros, placed};
use choreography::{
    Due,
    testing::{Given, given},
};
use order::domain::{CancelOrder, Order};
use proptest::prelude::*;
use shared_events::{
    DeclineReason, NoLabelReason,
    inventory::{StockReleased, StockReservationFailed},
    order::Event,
    payment::{PaymentFailed, PaymentRefunded, PaymentVoided},
    shipping::{ShipmentCancelled, ShipmentDelivered, ShipmentDispatched, ShipmentScheduled, ShipmentSchedulingFailed},
};

/// What can happen to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Happens {
    Cancel,
    Deadline,
    OutOfStock,
    Declined,
    NoCarrier,
    Scheduled,
    Dispatched,
    Delivered,
    Released,
    Voided,
    Refunded,
    ParcelCancelled,
}
use Happens::*;

const ALL: [Happens; 12] = [
    Cancel,
    Deadline,
    OutOfStock,
    Declined,
    NoCarrier,
    Scheduled,
    Dispatched,
    Delivered,
    Released,
    Voided,
    Refunded,
    ParcelCancelled,
];

/// The reference.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fate {
    Open,
    Confirmed {
        asked: bool,
    },
    Out,
    Completed,
    /// Who has closed: inventory, payment, shipping.
    Cancelled([bool; 3]),
}

impl Fate {
    /// What comes of it; nothing if it cannot happen now.
    fn after(&self, happens: Happens) -> Option<Fate> {
        let closes = match happens {
            Released => Some(0),
            Voided | Refunded | Declined => Some(1),
            ParcelCancelled => Some(2),
            _ => None,
        };
        match (self, happens) {
            (Fate::Open, Cancel | Deadline | OutOfStock | NoCarrier) => Some(Fate::Cancelled([false; 3])),
            (Fate::Open, Declined) => Some(Fate::Cancelled([false, true, false])),
            (Fate::Open, Scheduled) => Some(Fate::Confirmed { asked: false }),
            (Fate::Confirmed { .. }, Cancel) => Some(Fate::Confirmed { asked: true }),
            (Fate::Confirmed { .. }, Dispatched) => Some(Fate::Out),
            (Fate::Confirmed { .. }, ParcelCancelled) => Some(Fate::Cancelled([false, false, true])),
            (Fate::Out, Delivered) => Some(Fate::Completed),
            (Fate::Cancelled(closed), _) if closes.is_some_and(|who| !closed[who]) => {
                let mut closed = *closed;
                closed[closes?] = true;
                Some(Fate::Cancelled(closed))
            }
            // Said before they heard of the cancel, which is before they close.
            (Fate::Cancelled(closed), OutOfStock) if !closed[0] => Some(self.clone()),
            (Fate::Cancelled(closed), Scheduled | NoCarrier) if !closed[2] => Some(self.clone()),
            (_, Cancel | Deadline) => Some(self.clone()),
            _ => None,
        }
    }

    fn of(order: &Order) -> Fate {
        use shared_events::Participant::{Inventory, Payment, Shipping};
        match order {
            Order::Unknown => unreachable!("it was placed"),
            Order::Pending(_) => Fate::Open,
            Order::Confirmed(_) => Fate::Confirmed { asked: false },
            Order::CancelAsked(_) => Fate::Confirmed { asked: true },
            Order::Dispatched(_) => Fate::Out,
            Order::Completed(_) => Fate::Completed,
            Order::Cancelled(it) | Order::Undone(it) => {
                Fate::Cancelled([Inventory, Payment, Shipping].map(|who| it.closed.contains(&who)))
            }
        }
    }
}

/// Tells the order service; a pair that cannot happen panics.
fn tell(order: &mut Given<Event>, happens: Happens) {
    let order_id = || "o".to_owned();
    match happens {
        Cancel => order.when(&CancelOrder { order_id: order_id() }),
        Deadline => order.when(&Due(order::domain::Deadline { order_id: order_id() })),
        OutOfStock => order.when(&StockReservationFailed { order_id: order_id(), short: vec![] }),
        Declined => order.when(&PaymentFailed { order_id: order_id(), reason: DeclineReason::Declined }),
        NoCarrier => {
            order.when(&ShipmentSchedulingFailed { order_id: order_id(), reason: NoLabelReason::CountryNotServed })
        }
        Scheduled => order.when(&ShipmentScheduled { order_id: order_id(), label: "l".into(), carrier: "c".into() }),
        Dispatched => order.when(&ShipmentDispatched { order_id: order_id() }),
        Delivered => order.when(&ShipmentDelivered { order_id: order_id(), report_id: "r".into() }),
        Released => order.when(&StockReleased { order_id: order_id(), lines: vec![] }),
        Voided => order.when(&PaymentVoided { order_id: order_id() }),
        Refunded => order.when(&PaymentRefunded { order_id: order_id(), amount: euros(1) }),
        ParcelCancelled => order.when(&ShipmentCancelled { order_id: order_id() }),
    };
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whoever_comes_first_decides_and_the_last_to_close_ends_it(
        history in prop::collection::vec(prop::sample::select(&ALL[..]), 1..60)
    ) {
        let mut fate = Fate::Open;
        let mut order = given(order::service(), [placed("o", vec![]).into()]);
        for happens in history {
            let Some(after) = fate.after(happens) else { continue };
            fate = after;
            tell(&mut order, happens);
            let state = order.state::<Order>("o");
            prop_assert_eq!(Fate::of(&state), fate.clone(), "after {:?}", happens);
            prop_assert_eq!(state.settled(), matches!(fate, Fate::Completed | Fate::Cancelled([true, true, true])));
        }
    }
}
