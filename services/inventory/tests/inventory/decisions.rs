//! The decisions of inventory in full: all or nothing, conservation, idempotent deliveries.

use crate::samples::*;
use choreography::testing::given;
use inventory::{
    domain::{Delivery, Reservation, Stock, replenish as decide},
    service,
};

fn stock(on_hand: i64, reserved: i64, replenished: i64) -> Stock {
    Stock { on_hand, reserved, replenished, warned: false }
}

#[test]
fn an_order_whose_lines_are_all_available_holds_them() {
    let lines = [line("CUP", 3), line("TEA", 20)];
    let mut given = given(service(), [replenished("d-1", "TEA", 50), replenished("d-2", "CUP", 40)]);
    given.when(&placed(ORDER, &lines)).says([reserved(ORDER, &lines)]).asks_nothing();
    assert_eq!(given.state::<Stock>("TEA"), stock(50, 20, 50));
    assert_eq!(given.state::<Stock>("CUP"), stock(40, 3, 40));
    assert_eq!(given.state::<Stock>("TEA").available(), 30);
    assert_eq!(given.state::<Reservation>(ORDER), Reservation::Held(lines.to_vec()));
}

#[test]
fn an_order_that_is_short_of_one_line_holds_nothing_and_says_all_that_is_short() {
    let past = [replenished("d-1", "TEA", 50), replenished("d-2", "CUP", 2)];
    let mut given = given(service(), past);
    let wanted = [line("TEA", 20), line("CUP", 3), line("POT", 1)];
    given.when(&placed(ORDER, &wanted)).says([failed(ORDER, &[("CUP", 3, 2), ("POT", 1, 0)])]);
    assert_eq!(given.state::<Stock>("TEA"), stock(50, 0, 50));
    assert_eq!(given.state::<Reservation>(ORDER), Reservation::Refused);
}

#[test]
fn several_lines_of_one_sku_add_up() {
    let mut short = given(service(), [replenished("d-1", "TEA", 50)]);
    short.when(&placed(ORDER, &[line("TEA", 30), line("TEA", 21)])).says([failed(ORDER, &[("TEA", 51, 50)])]);

    let lines = [line("TEA", 20), line("TEA", 20)];
    let mut enough = given(service(), [replenished("d-1", "TEA", 50)]);
    enough.when(&placed(ORDER, &lines)).says([reserved(ORDER, &lines)]);
    assert_eq!(enough.state::<Stock>("TEA"), stock(50, 40, 50));
}

#[test]
fn quantities_that_no_order_can_have_are_never_available() {
    let mut given = given(service(), [replenished("d-1", "TEA", 50)]);
    given.when(&placed("a", &[line("TEA", 0)])).says([failed("a", &[("TEA", 0, 50)])]);
    given.when(&placed("b", &[line("TEA", -3)])).says([failed("b", &[("TEA", -3, 50)])]);
    given.when(&placed("c", &[line("TEA", 5), line("TEA", -5)])).says([failed("c", &[("TEA", 0, 50)])]);
    let overflow = [line("TEA", i64::MAX), line("TEA", i64::MAX)];
    given.when(&placed("d", &overflow)).says([failed("d", &[("TEA", i64::MAX, 50)])]);
    let back_again = [line("TEA", i64::MIN), line("TEA", i64::MIN), line("TEA", 1)];
    given.when(&placed("e", &back_again)).says_names(&["StockReservationFailed"]);
    assert_eq!(given.state::<Stock>("TEA"), stock(50, 0, 50));
}

#[test]
fn two_orders_cannot_hold_the_same_units() {
    let mut given = given(service(), [replenished("d-1", "TEA", 30)]);
    given.when(&placed(ORDER, &[line("TEA", 20)])).says([reserved(ORDER, &[line("TEA", 20)])]);
    given.when(&placed(OTHER, &[line("TEA", 20)])).says([failed(OTHER, &[("TEA", 20, 10)])]);
}

#[test]
fn a_cancelled_order_gives_back_the_lines_it_held() {
    let lines = [line("CUP", 3), line("TEA", 20)];
    let past = [replenished("d-1", "TEA", 50), replenished("d-2", "CUP", 40), reserved(ORDER, &lines)];
    let mut given = given(service(), past);
    given.when(&order_cancelled(ORDER)).says([released(ORDER, &lines)]).asks_nothing();
    assert_eq!(given.state::<Stock>("TEA"), stock(50, 0, 50));
    assert_eq!(given.state::<Stock>("CUP"), stock(40, 0, 40));
    assert_eq!(given.state::<Reservation>(ORDER), Reservation::Closed);
}

#[test]
fn a_cancelled_order_that_held_nothing_closes_with_no_lines() {
    let mut given = given(service(), [replenished("d-1", "TEA", 1), failed(ORDER, &[("TEA", 2, 1)])]);
    given.when(&order_cancelled(ORDER)).says([released(ORDER, &[])]).asks_nothing();
    assert_eq!(given.state::<Stock>("TEA"), stock(1, 0, 1));
}

#[test]
fn a_parcel_that_is_out_takes_its_units_out_of_the_house() {
    let lines = [line("TEA", 20)];
    let mut given = given(service(), [replenished("d-1", "TEA", 50), reserved(ORDER, &lines)]);
    given.when(&dispatched(ORDER)).says([deducted(ORDER, &lines)]).asks_nothing();
    assert_eq!(given.state::<Stock>("TEA"), stock(30, 0, 50));
    assert_eq!(given.state::<Reservation>(ORDER), Reservation::Deducted);
}

#[test]
fn a_delivery_is_booked_once() {
    let mut given = given(service(), []);
    given.when(&replenish("d-1", "TEA", 50)).says([replenished("d-1", "TEA", 50)]);
    assert_eq!(decide(&replenish("d-1", "TEA", 50), &states_after("d-1", "TEA", 50)), Ok(None));
    given.when(&replenish("d-1", "TEA", 50)).nothing();
    given.when(&replenish("d-2", "TEA", 50)).says([replenished("d-2", "TEA", 50)]);
    assert_eq!(given.state::<Stock>("TEA"), stock(100, 0, 100));
}

fn states_after(delivery: &str, sku: &str, quantity: i64) -> choreography::States {
    use choreography::State;
    let mut states = service().states();
    let (mut booked, mut stock) = (Delivery::default(), Stock::default());
    booked.evolve(delivery, &replenished(delivery, sku, quantity));
    stock.evolve(sku, &replenished(delivery, sku, quantity));
    states.load(Delivery::KIND, delivery.into(), Box::new(booked), 1);
    states.load(Stock::KIND, sku.into(), Box::new(stock), 1);
    states
}

#[test]
fn a_key_that_stands_for_another_delivery_is_refused() {
    let mut given = given(service(), [replenished("d-1", "TEA", 50)]);
    given.when(&replenish("d-1", "TEA", 51)).nothing().refuses("idempotency_key_reused");
    given.when(&replenish("d-1", "CUP", 50)).nothing().refuses("idempotency_key_reused");
}

#[test]
fn a_quantity_that_cannot_be_counted_is_refused() {
    let mut given = given(service(), [replenished("d-1", "TEA", 50)]);
    for quantity in [0, -1, i64::MIN, i64::MAX] {
        given.when(&replenish("d-2", "TEA", quantity)).nothing().refuses("quantity_out_of_range");
    }
    given.when(&replenish("d-3", "TEA", i64::MAX - 50)).says([replenished("d-3", "TEA", i64::MAX - 50)]);
    given.when(&replenish("d-4", "TEA", 1)).nothing().refuses("quantity_out_of_range");
}

#[test]
fn units_are_conserved_through_every_ending() {
    let mut given = given(service(), [replenished("d-1", "TEA", 30)]);
    given.when(&placed("a", &[line("TEA", 5)]));
    given.when(&placed("b", &[line("TEA", 7)]));
    given.when(&placed("c", &[line("TEA", 40)]));
    given.when(&order_cancelled("a"));
    given.when(&dispatched("b"));
    given.when(&order_cancelled("c"));
    assert_eq!(given.state::<Stock>("TEA"), stock(30 - 7, 0, 30));
}
