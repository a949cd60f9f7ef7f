//! The check is able to fail: services that are wrong in one thing, and which property tells.

use crate::{check, shop::Shop};
use choreography::{Do, Service};
use inventory::domain::{Delivery, Reservation, Stock, deduct, release, replenish, reserve};
use payment::domain::{Payment, Refund, Undone, charge, charged, refunded, undo};
use shared_events::{
    inventory::{Event as StockEvent, StockReleased},
    order::OrderCancelled,
    payment::{Event as PaymentEvent, PaymentRefundRequested},
};
use stateright::Checker;

const AT_REST: &str = "at rest every order is completed or undone, and so is everything about it";
const NO_TABLE: &str = "nothing happens that no table knows, and nothing to a settled order";
const STOCK: &str = "never oversold, and no unit is lost";
const MONEY: &str = "money is taken once and given back once";

/// The property of this name is violated.
fn finds(shop: Shop, property: &'static str) {
    let checker = check(shop);
    assert!(checker.discovery(property).is_some(), "`{property}` still holds");
}

fn payment_with(undo: fn(&OrderCancelled, &Payment) -> Undone) -> Shop {
    let service = Service::<PaymentEvent>::default().keeps::<Payment>().on(charge).on(charged).on(undo).on(refunded);
    Shop::new(1, &[Some(2)]).with_payment(service)
}

#[test]
fn a_payment_without_a_tombstone_charges_for_a_cancelled_order() {
    fn no_tombstone(cancelled: &OrderCancelled, payment: &Payment) -> Undone {
        if *payment == Payment::Unknown { Undone::Answered(()) } else { undo(cancelled, payment) }
    }
    finds(payment_with(no_tombstone), AT_REST);
}

#[test]
fn a_payment_that_does_not_wait_for_the_charge_gives_back_what_it_may_never_take() {
    fn at_once(cancelled: &OrderCancelled, payment: &Payment) -> Undone {
        let order_id = cancelled.order_id.clone();
        let refund = Refund { order_id: order_id.clone(), amount: cancelled.total.clone() };
        match payment {
            Payment::Charging => Undone::Now((PaymentRefundRequested { order_id }, Do(refund))),
            _ => undo(cancelled, payment),
        }
    }
    finds(payment_with(at_once), MONEY);
}

#[test]
fn an_inventory_that_releases_the_wrong_quantity_loses_units() {
    fn too_much(cancelled: &OrderCancelled, reservation: &Reservation) -> StockReleased {
        let mut released = release(cancelled, reservation);
        released.lines.iter_mut().for_each(|line| line.quantity -= 1);
        released
    }
    let service = Service::<StockEvent>::default().keeps::<Stock>().keeps::<Reservation>().keeps::<Delivery>();
    finds(Shop::new(1, &[Some(2)]).with_inventory(service.on(replenish).on(reserve).on(too_much).on(deduct)), STOCK);
}

#[test]
fn a_record_that_is_taken_twice_is_noticed() {
    let mut shop = Shop::new(1, &[Some(1)]);
    shop.forgets_cursors = true;
    finds(shop, NO_TABLE);
}
