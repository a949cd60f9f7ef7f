//! The choreography, checked exhaustively: the shipped decisions of four services, every interleaving of what they read,
//! of what the world does and of when they hear of it, of customers, timers and carrier.
//!
//! One order with everything that can go otherwise than well, and a second one that wants the same unit. [`shop`] is the
//! model, [`stand`] its state, [`steps`] what can happen, [`desk`] makes the decisions, [`properties`] is what must hold, [`tables`] the protocol.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod alone;
mod broken;
mod desk;
mod fixed;
mod heard;
mod liveness;
mod properties;
mod shop;
mod stand;
mod steps;
mod tables;

use shop::Shop;
use stateright::{Checker, Model};

/// With how much going otherwise than well with the second of two orders: a cancel, a refusal, a timer, a report that
/// need not be. Each makes it many times longer.
const SECOND: &str = "TUTTI_MODEL_TWISTS";

fn check(shop: Shop) -> impl Checker<Shop> {
    choreography::quiet_panics();
    shop.checker().threads(2).spawn_bfs().join()
}

/// Every property holds, and from everywhere there is a way to where every order is settled.
fn assert_right(checker: &impl Checker<Shop>) {
    checker.assert_properties();
    let (lost, all) = checker.model().ways.lost();
    println!("{all} stands, {} steps", checker.state_count());
    assert_eq!(lost, 0, "of {all} stands so many have no way to a settled end");
}

#[test]
fn every_interleaving_of_one_order_is_right_and_meets_just_what_the_tables_say() {
    let mut met = std::collections::BTreeSet::new();
    for units in [0, 1] {
        let checker = check(Shop::new(units, &[None]));
        assert_right(&checker);
        met.extend(checker.model().rows().into_iter().filter(|row| row.input != "Replenish"));
    }
    assert_eq!(tables::differences(&met), Vec::<String>::new());
}

#[test]
fn two_orders_of_one_unit_never_both_get_it_and_both_end_well() {
    let twists = std::env::var(SECOND).map_or(0, |twists| twists.parse().expect("a small number"));
    assert_right(&check(Shop::new(1, &[None, Some(twists)])));
}
