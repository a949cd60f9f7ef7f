//! Payment against the simplest thing that could be right: a purse, and a note of who may still have what is in it.

use crate::orders::{cancelled, euros, reserved};
use choreography::{Done, testing::given};
use payment::domain::{Charge, Payment, Refund};
use proptest::prelude::*;
use shared_events::{DeclineReason, Sealed};

/// What the customer's card says to a charge, and when the others are heard of: each order of four things that happen
/// once, of which some may never happen.
#[derive(Clone, Debug)]
struct Course {
    amount: i64,
    card_is_good: bool,
    is_reserved: bool,
    is_cancelled: bool,
    order: Vec<Happens>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Happens {
    Reserved,
    Cancelled,
    Charged,
    Refunded,
}

/// The reference: what is asked of the gateway, and what is in the purse.
#[derive(Default)]
struct Purse {
    charging: bool,
    refunding: bool,
    holds: i64,
    cancelled: bool,
}

fn course() -> impl Strategy<Value = Course> {
    use Happens::{Cancelled, Charged, Refunded, Reserved};
    let order = Just(vec![Reserved, Cancelled, Charged, Refunded]).prop_shuffle();
    (1..1_000_000i64, any::<bool>(), prop::bool::weighted(0.9), any::<bool>(), order).prop_map(
        |(amount, card_is_good, is_reserved, is_cancelled, order)| Course {
            amount,
            card_is_good,
            is_reserved,
            is_cancelled,
            order,
        },
    )
}

fn charge(amount: i64) -> Charge {
    let sealed = Sealed::from_bytes(vec![]);
    Charge { order_id: "o".into(), customer_id: "c".into(), lines: vec![], amount: euros(amount), sealed }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_purse_of_a_cancelled_order_is_empty_in_the_end_and_never_holds_more_than_the_price(course in course()) {
        let (mut purse, mut payment) = (Purse::default(), given(payment::service(), []));
        let mut left = course.order.clone();
        left.retain(|it| (*it != Happens::Reserved || course.is_reserved) && (*it != Happens::Cancelled || course.is_cancelled));
        // The next of them that can happen; the gateway answers only what it was asked.
        while let Some(next) = left.iter().position(|it| match it {
            Happens::Charged => purse.charging,
            Happens::Refunded => purse.refunding,
            Happens::Reserved | Happens::Cancelled => true,
        }) {
            match left.remove(next) {
                Happens::Reserved => {
                    let asks: &[&str] = if purse.cancelled { &[] } else { &["charge"] };
                    payment.when(&reserved("o", euros(course.amount))).asks_names(asks);
                    purse.charging = !purse.cancelled;
                }
                Happens::Cancelled => {
                    purse.cancelled = true;
                    purse.refunding = purse.holds > 0;
                    let asks: &[&str] = if purse.refunding { &["refund"] } else { &[] };
                    payment.when(&cancelled("o")).asks_names(asks);
                }
                Happens::Charged => {
                    purse.charging = false;
                    purse.holds = if course.card_is_good { course.amount } else { 0 };
                    purse.refunding = purse.cancelled && purse.holds > 0;
                    let asks: &[&str] = if purse.refunding { &["refund"] } else { &[] };
                    let outcome = if course.card_is_good { Ok("R".into()) } else { Err(DeclineReason::Declined) };
                    payment.when(&Done { asked: charge(course.amount), outcome }).asks_names(asks);
                }
                Happens::Refunded => {
                    (purse.refunding, purse.holds) = (false, 0);
                    let refund = Refund { order_id: "o".into(), amount: euros(course.amount) };
                    payment.when(&Done::<Refund> { asked: refund, outcome: Ok(()) }).says_names(&["PaymentRefunded"]);
                }
            }
            match payment.state::<Payment>("o") {
                Payment::Paid(money) => prop_assert_eq!(money.amount_minor, purse.holds),
                Payment::Unknown | Payment::Closed => prop_assert_eq!(purse.holds, 0),
                Payment::Charging => prop_assert!(purse.charging && !purse.cancelled),
                Payment::Undoing => prop_assert!(purse.cancelled && (purse.charging || purse.refunding)),
            }
        }
        let earned = course.is_reserved && course.card_is_good && !course.is_cancelled;
        prop_assert_eq!(purse.holds, if earned { course.amount } else { 0 });
        prop_assert!(!purse.charging && !purse.refunding);
    }
}
