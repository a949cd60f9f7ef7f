//! What must hold in every stand, and what must come true in some. Each property is about one order or about the stock:
//! the model leaves out what only mixes the steps of two orders.

use crate::{
    heard::ARTICLE,
    shop::Shop,
    stand::{Course, INVENTORY, ORDER, PAYMENT, SHIPPING, Stand},
};
use choreography::Stored;
use inventory::domain::Stock;
use stateright::Property;

/// All of them.
pub fn all() -> Vec<Property<Shop>> {
    vec![
        Property::always("nothing happens that no table knows, and nothing to a settled order", |_, stand: &Stand| {
            stand.wrong.is_none()
        }),
        Property::always("never oversold, and no unit is lost", stock_is_right),
        Property::always("money is taken once and given back once", |_, stand: &Stand| every(stand, money_is_right)),
        Property::always("one closing event per participant", |_, stand: &Stand| {
            every(stand, |_, _, course| course.closed.iter().all(|times| *times <= 1))
        }),
        Property::always("undone only after all three", |_, stand: &Stand| {
            every(stand, |stand, id, course| stand.of(ORDER, id) != "Undone" || course.closed == [1, 1, 1])
        }),
        Property::always(
            "a parcel is out only if it is reserved, paid, confirmed and not cancelled",
            |_, stand: &Stand| every(stand, |stand, id, course| !course.out || may_be_out(stand, id, course)),
        ),
        Property::always("a confirmed order is cancelled only after its parcel", |_, stand: &Stand| {
            every(stand, parcel_goes_first)
        }),
        Property::always(
            "at rest every order is completed or undone, and so is everything about it",
            |_, stand: &Stand| {
                every(stand, |stand, id, course| !stand.is_at_rest(id, course) || ended_well(stand, id, course))
            },
        ),
        Property::sometimes("every order has ended as it can end", |shop: &Shop, stand: &Stand| {
            let count = |end: &str| stand.orders.keys().filter(|id| stand.of(ORDER, id) == end).count();
            // Somebody gets the unit, if there is one; everybody else does not.
            let completed = shop.units.min(1) as usize;
            stand.busy().next().is_none()
                && count("Completed") == completed
                && count("Undone") == stand.orders.len() - completed
        }),
        Property::sometimes("nobody gets anything", |_, stand: &Stand| {
            stand.busy().next().is_none() && stand.orders.keys().all(|id| stand.of(ORDER, id) == "Undone")
        }),
    ]
}

fn every(stand: &Stand, holds: fn(&Stand, &str, &Course) -> bool) -> bool {
    stand.orders.iter().all(|(id, course)| holds(stand, id, course))
}

/// Units that are promised belong to the orders that hold them; units that left belong to those that were dispatched.
fn stock_is_right(shop: &Shop, stand: &Stand) -> bool {
    let Some(row) = stand.memories[INVENTORY].rows.get(&("stock", ARTICLE.to_owned())) else { return shop.units == 0 };
    let stock = <Stock as Stored>::decode(Stock::SHAPE, row).expect("a stock");
    let count = |name: &str| stand.orders.keys().filter(|id| stand.of(INVENTORY, id) == name).count() as i64;
    stock.available() >= 0 && stock.reserved == count("Held") && stock.on_hand == shop.units - count("Deducted")
}

fn money_is_right(_: &Stand, _: &str, course: &Course) -> bool {
    course.times("charge") <= 1 && course.times("refund") <= course.times("charge")
}

fn may_be_out(stand: &Stand, id: &str, course: &Course) -> bool {
    ["Held", "Deducted"].contains(&stand.of(INVENTORY, id))
        && stand.of(PAYMENT, id) == "Paid"
        && course.times("charge") == 1
        && course.times("cancel_label") == 0
        && ["Confirmed", "CancelAsked", "Dispatched", "Completed"].contains(&stand.of(ORDER, id))
        && stand.of(SHIPPING, id) != "Closed"
}

fn parcel_goes_first(stand: &Stand, id: &str, _: &Course) -> bool {
    let cancelled = ["Cancelled", "Undone"].contains(&stand.of(ORDER, id));
    let confirmed = ["Released", "Cancelling", "Cancelling(asked)", "Dispatched", "Delivered"];
    !cancelled || !confirmed.contains(&stand.of(SHIPPING, id))
}

fn ended_well(stand: &Stand, id: &str, course: &Course) -> bool {
    let [inventory, payment, shipping] = [INVENTORY, PAYMENT, SHIPPING].map(|service| stand.of(service, id));
    let (taken, returned) = (course.times("charge"), course.times("refund"));
    match stand.of(ORDER, id) {
        "Completed" => {
            (inventory, payment, shipping) == ("Deducted", "Paid", "Delivered")
                && (taken, returned, course.out) == (1, 0, true)
                && (!course.promised || course.rejected)
        }
        "Undone" => {
            (inventory, payment, shipping) == ("Closed", "Closed", "Closed")
                && taken == returned
                && !course.out
                && course.times("cancel_label") == course.times("book_label")
        }
        _ => false,
    }
}
