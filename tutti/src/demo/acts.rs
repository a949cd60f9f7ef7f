//! The table of everything the demo plays before the burst: every ending and every race.

use super::scenario::{
    Act,
    Ending::{Completed, Undone, UndoneOrTooLate},
    Quantity::{AllBut, TooMany, Units},
    Request, Scenario,
    Step::{
        Awaits, Cancel, CancelAtRisk, CancelTooLate, Ends, Hears, NeverSaid, Place, Repeat, RepeatChanged, Replenish,
        Said, Warned, World,
    },
};
use crate::client::Milestone::Confirmed;

const TEA: Request = Request::of(&[("TEA-001", Units(2))]);
const TEA_AND_CUP: Request = Request::of(&[("TEA-001", Units(1)), ("CUP-001", Units(1))]);
/// Only the story of the shortage orders rare pots, so that nobody else changes their stock meanwhile.
const TOO_MANY_POTS: Request = Request::of(&[("TEA-001", Units(1)), ("POT-RARE", TooMany)]);
const ONE_POT: Request = Request::of(&[("TEA-001", Units(1)), ("POT-RARE", Units(1))]);
/// Only the story of the warning orders tins.
const NEARLY_ALL_TINS: Request = Request::of(&[("TIN-001", AllBut(2))]);
const ONE_TIN: Request = Request::of(&[("TIN-001", Units(1))]);

/// What is said about every order on its way from placed to delivered. Not where the parcel was meanwhile: a carrier's
/// report of that which comes after the one of the delivery, as it may on a busy machine, tells nothing new.
const THE_WHOLE_WAY: &[&str] = &[
    "OrderPlaced",
    "StockReserved",
    "PaymentRequested",
    "PaymentCompleted",
    "ShipmentRequested",
    "ShipmentScheduled",
    "OrderConfirmed",
    "ShipmentReleased",
    "ShipmentDispatched",
    "StockDeducted",
    "OrderDispatched",
    "ShipmentDelivered",
    "OrderCompleted",
    "EmailSent",
];

/// The acts, in the order in which they are played.
pub const ACTS: &[Act] = &[
    Act { title: "Nothing is broken", broken: &[], mended: &[], scenarios: CALM },
    Act {
        title: "The carrier does not come",
        broken: &["carrier.collects=false"],
        mended: &["carrier.collects=true"],
        scenarios: NO_PICK_UP,
    },
    Act {
        title: "The carrier is slow to answer, and quick to collect",
        broken: &["carrier.delay_ms=400", "carrier.pick_up_ms=20"],
        mended: &["carrier.delay_ms=0", "carrier.pick_up_ms=250"],
        scenarios: ALREADY_COLLECTED,
    },
    Act {
        title: "The payment gateway is down",
        broken: &["gateway.fail=1"],
        mended: &["gateway.fail=0"],
        scenarios: GATEWAY_DOWN,
    },
];

/// What can only be watched in a shop that waits for seconds where others wait for minutes or hours, with what it is
/// that must be so short.
pub const NEED_SHORT_WAITS: &[(&str, &str)] = &[
    ("never collected", "how long the carrier may take to collect a parcel (--pick-up, PICK_UP_S)"),
    ("deadline", "how long an order may take to be confirmed (--order-deadline, ORDER_DEADLINE_S)"),
];

const CALM: &[Scenario] = &[
    Scenario {
        name: "happy",
        shows: "Everything works, from placed to delivered.",
        steps: &[Place(TEA_AND_CUP), Ends(Completed), Said(THE_WHOLE_WAY), NeverSaid(&["OrderCancelled"])],
    },
    Scenario {
        name: "declined",
        shows: "The card is declined: the goods go back on the shelf.",
        steps: &[
            Place(TEA.paid_with("tok_declined")),
            Ends(Undone("payment_declined")),
            Said(&["PaymentFailed", "StockReleased", "ShipmentCancelled", "OrderUndone"]),
            NeverSaid(&["OrderConfirmed", "PaymentCompleted", "PaymentRefunded"]),
        ],
    },
    Scenario {
        name: "insufficient funds",
        shows: "Not enough money on the account ends the same way.",
        steps: &[
            Place(TEA.paid_with("tok_insufficient_funds")),
            Ends(Undone("payment_declined")),
            Said(&["PaymentFailed", "StockReleased", "OrderUndone"]),
        ],
    },
    Scenario {
        name: "out of stock",
        shows: "One line is short: nothing is reserved at all. New goods come in, and the next order goes through.",
        steps: &[
            Place(TOO_MANY_POTS),
            Ends(Undone("out_of_stock")),
            Said(&["StockReservationFailed", "PaymentVoided", "ShipmentCancelled", "OrderUndone"]),
            NeverSaid(&["StockReserved", "PaymentRequested"]),
            Replenish("POT-RARE", 5),
            Place(ONE_POT),
            Ends(Completed),
        ],
    },
    Scenario {
        name: "no carrier",
        shows: "Nobody delivers to that country: the money goes back too.",
        steps: &[
            Place(TEA.to("XX")),
            Ends(Undone("no_carrier")),
            Said(&["ShipmentSchedulingFailed", "PaymentRefunded", "StockReleased", "OrderUndone"]),
        ],
    },
    Scenario {
        name: "flaky gateway",
        shows: "The gateway fails at first: asked again under the same key, it charges once.",
        steps: &[Place(TEA.paid_with("tok_flaky")), Ends(Completed), NeverSaid(&["PaymentFailed"])],
    },
    Scenario {
        name: "lost answer",
        shows: "The gateway charges, and its answer gets lost: it is asked, not charged again.",
        steps: &[Place(TEA.paid_with("tok_timeout_then_success")), Ends(Completed), NeverSaid(&["PaymentFailed"])],
    },
    Scenario {
        name: "unknown for a while",
        shows: "Nobody can say for a while whether the money was taken: the order waits until somebody can.",
        steps: &[Place(TEA.paid_with("tok_unknown")), Ends(Completed), NeverSaid(&["PaymentFailed"])],
    },
    Scenario {
        name: "cancel while charging",
        shows: "The customer cancels while the charge is in flight: it is taken, and goes back.",
        steps: &[
            Place(TEA.paid_with("tok_slow")),
            Hears("PaymentRequested"),
            Cancel,
            Cancel,
            Ends(Undone("customer")),
            Said(&["PaymentRefundRequested", "PaymentRefunded", "ShipmentCancelled", "StockReleased", "OrderUndone"]),
            NeverSaid(&["PaymentCompleted", "OrderConfirmed"]),
        ],
    },
    Scenario {
        name: "cancel at once",
        shows: "The cancellation races every step there is: whoever wins, the order ends whole.",
        steps: &[Place(TEA), CancelAtRisk, Ends(UndoneOrTooLate)],
    },
    Scenario {
        name: "cancel too late",
        shows: "The parcel is out: the shop says so.",
        steps: &[
            Place(TEA),
            Hears("OrderDispatched"),
            CancelTooLate,
            Ends(Completed),
            NeverSaid(&["OrderCancellationRequested", "OrderCancelled"]),
        ],
    },
    Scenario {
        name: "repeated request",
        shows: "The same request under the same key is the same order, now and when it is long over.",
        steps: &[Place(TEA), Repeat, Ends(Completed), Repeat],
    },
    Scenario {
        name: "changed request",
        shows: "Another request under the same key is refused, and the first one goes on.",
        steps: &[Place(TEA), RepeatChanged, Ends(Completed)],
    },
    Scenario {
        name: "low stock",
        shows: "Stock runs low: one warning, not one per order.",
        steps: &[Place(NEARLY_ALL_TINS), Ends(Completed), Place(ONE_TIN), Ends(Completed), Warned("TIN-001", 1)],
    },
];

const NO_PICK_UP: &[Scenario] = &[
    Scenario {
        name: "cancel after confirmation",
        shows: "Confirmed, and not collected yet: the label is voided first, then everything is undone.",
        steps: &[
            Place(TEA),
            Awaits(Confirmed),
            Cancel,
            Ends(Undone("customer")),
            Said(&[
                "OrderConfirmed",
                "OrderCancellationRequested",
                "ShipmentCancelled",
                "PaymentRefunded",
                "OrderUndone",
            ]),
            NeverSaid(&["ShipmentDispatched", "StockDeducted"]),
        ],
    },
    Scenario {
        name: "never collected",
        shows: "The carrier does not come in time: the shipment is called off, and everything is undone.",
        steps: &[
            Place(TEA),
            Ends(Undone("no_carrier")),
            Said(&[
                "ShipmentReleased",
                "ShipmentCancellationRequested",
                "ShipmentCancelled",
                "PaymentRefunded",
                "OrderUndone",
            ]),
            NeverSaid(&["ShipmentDispatched", "StockDeducted"]),
        ],
    },
];

const ALREADY_COLLECTED: &[Scenario] = &[Scenario {
    name: "cancel against collection",
    shows: "The shop agreed to try, but the parcel is already out: the cancellation is rejected, the order completes.",
    steps: &[
        Place(TEA),
        Awaits(Confirmed),
        Cancel,
        Ends(Completed),
        Said(&["OrderCancellationRequested", "ShipmentDispatched", "ShipmentCancellationRejected", "OrderCompleted"]),
        NeverSaid(&["OrderCancelled"]),
    ],
}];

const GATEWAY_DOWN: &[Scenario] = &[Scenario {
    name: "deadline",
    shows: "Nobody answers until the order's deadline: it is cancelled, and undone once the gateway can be asked again.",
    steps: &[
        Place(TEA),
        Hears("OrderCancelled"),
        World(&["gateway.fail=0"]),
        Ends(Undone("deadline")),
        Said(&["PaymentRefundRequested", "StockReleased", "ShipmentCancelled", "OrderUndone"]),
        NeverSaid(&["OrderConfirmed"]),
    ],
}];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn scenarios() -> impl Iterator<Item = &'static Scenario> {
        ACTS.iter().flat_map(|act| act.scenarios)
    }

    #[test]
    fn every_scenario_begins_with_an_order_and_says_how_it_ends() {
        for scenario in scenarios() {
            assert!(matches!(scenario.steps.first(), Some(Place(_))), "{}", scenario.name);
            let after_the_last_order = scenario.steps.iter().rev().take_while(|step| !matches!(step, Place(_)));
            let endings = after_the_last_order.filter(|step| matches!(step, Ends(_))).count();
            assert_eq!(endings, 1, "{}", scenario.name);
        }
    }

    #[test]
    fn what_needs_short_waits_is_played() {
        for (name, _) in NEED_SHORT_WAITS {
            assert!(scenarios().any(|scenario| scenario.name == *name), "{name}");
        }
    }

    #[test]
    fn names_are_unique_and_sentences_end() {
        let names: BTreeSet<&str> = scenarios().map(|scenario| scenario.name).collect();
        assert_eq!(names.len(), scenarios().count());
        assert!(scenarios().all(|scenario| scenario.shows.ends_with('.')));
    }

    #[test]
    fn every_ending_is_played() {
        let played: BTreeSet<String> = scenarios()
            .flat_map(|scenario| scenario.steps)
            .filter_map(|step| if let Ends(ending) = step { Some(ending.to_string()) } else { None })
            .collect();
        for ending in ["out_of_stock", "payment_declined", "no_carrier", "deadline", "customer"] {
            assert!(played.contains(&Undone(ending).to_string()), "{ending}");
        }
        assert!(played.contains(&Completed.to_string()));
    }

    #[test]
    fn whatever_an_act_breaks_it_mends() {
        let names = |settings: &[&str]| -> BTreeSet<String> {
            settings.iter().filter_map(|setting| setting.split('=').next().map(str::to_owned)).collect()
        };
        for act in ACTS {
            assert_eq!(names(act.broken), names(act.mended), "{}", act.title);
        }
    }

    #[test]
    fn every_event_that_is_expected_or_ruled_out_exists() {
        let services = crate::map::services();
        let known: BTreeSet<&str> = services.iter().flat_map(|service| service.events.iter().copied()).collect();
        for step in scenarios().flat_map(|scenario| scenario.steps) {
            let named: &[&str] = match step {
                Said(events) | NeverSaid(events) => events,
                Hears(event) => std::slice::from_ref(event),
                _ => &[],
            };
            named.iter().for_each(|event| assert!(known.contains(event), "{event}"));
        }
    }
}
