//! The warning that something gets scarce: once per crossing.

use crate::samples::*;
use choreography::testing::{Given, given};
use inventory::{domain::Stock, service};
use shared_events::inventory::Event;

fn with_tea(units: i64) -> Given<Event> {
    given(service(), [replenished("d-0", "TEA", units)])
}

#[test]
fn the_order_that_takes_the_stock_below_the_threshold_warns_in_the_same_breath() {
    let mut given = with_tea(12);
    given.when(&placed("a", &[line("TEA", 2)])).says([reserved("a", &[line("TEA", 2)])]);
    given.when(&placed("b", &[line("TEA", 1)])).says([reserved("b", &[line("TEA", 1)]), warning("TEA", 9)]);
    assert!(given.state::<Stock>("TEA").warned);
}

#[test]
fn further_orders_below_the_threshold_do_not_warn_again() {
    let mut given = with_tea(12);
    given.when(&placed("a", &[line("TEA", 5)])).says_names(&["StockReserved", "LowStockWarning"]);
    given.when(&placed("b", &[line("TEA", 5)])).says_names(&["StockReserved"]);
    given.when(&dispatched("a")).says_names(&["StockDeducted"]);
    given.when(&placed("c", &[line("TEA", 2)])).says_names(&["StockReserved"]);
}

#[test]
fn a_release_that_brings_enough_back_arms_the_warning_again() {
    let mut given = with_tea(12);
    given.when(&placed("a", &[line("TEA", 3)])).says_names(&["StockReserved", "LowStockWarning"]);
    given.when(&order_cancelled("a"));
    assert!(!given.state::<Stock>("TEA").warned);
    given.when(&placed("b", &[line("TEA", 3)])).says_names(&["StockReserved", "LowStockWarning"]);
}

#[test]
fn a_release_that_does_not_bring_enough_back_arms_nothing() {
    let mut given = with_tea(12);
    given.when(&placed("a", &[line("TEA", 6)])).says_names(&["StockReserved", "LowStockWarning"]);
    given.when(&placed("b", &[line("TEA", 3)])).says_names(&["StockReserved"]);
    given.when(&order_cancelled("b"));
    given.when(&placed("c", &[line("TEA", 1)])).says_names(&["StockReserved"]);
}

#[test]
fn a_replenishment_up_to_the_threshold_arms_the_warning_again() {
    let mut given = with_tea(10);
    given.when(&placed("a", &[line("TEA", 5)])).says([reserved("a", &[line("TEA", 5)]), warning("TEA", 5)]);
    given.when(&replenish("d-1", "TEA", 4));
    assert!(given.state::<Stock>("TEA").warned, "nine are still few");
    given.when(&replenish("d-2", "TEA", 1));
    assert!(!given.state::<Stock>("TEA").warned, "ten are enough");
    given.when(&placed("b", &[line("TEA", 1)])).says([reserved("b", &[line("TEA", 1)]), warning("TEA", 9)]);
}

#[test]
fn each_sku_warns_for_itself() {
    let past = [replenished("d-1", "TEA", 12), replenished("d-2", "CUP", 11), replenished("d-3", "POT", 99)];
    let mut given = given(service(), past);
    let lines = [line("TEA", 2), line("CUP", 2), line("POT", 2), line("TEA", 2)];
    given.when(&placed("a", &lines)).says([reserved("a", &lines), warning("CUP", 9), warning("TEA", 8)]);
}

#[test]
fn an_order_that_is_refused_warns_of_nothing() {
    let mut given = with_tea(12);
    given.when(&placed("a", &[line("TEA", 13)])).says_names(&["StockReservationFailed"]);
}
