//! Which orders' steps need not be mixed with those of the others.

use crate::stand::{Course, INVENTORY, ORDER, Stand};

/// The orders whose steps are looked at. Two orders only meet at the stock: as long as one of them does not, its steps
/// can as well come first, for whatever happens to the others leads to the same.
/// (In the literature: its enabled steps are a persistent set. No step can be taken back, so none is put off for ever.)
pub fn looked_at(stand: &Stand) -> Vec<(&String, &Course)> {
    let busy: Vec<_> = stand.busy().collect();
    match busy.iter().find(|(id, course)| !meets_another(stand, id, course)) {
        Some(alone) => vec![*alone],
        None if busy.is_empty() => stand.orders.iter().collect(),
        None => busy,
    }
}

/// Whether what inventory reads next of an order can be in the way of another one, or another one in its way: what is
/// to be reserved may be taken or given back by others, and what is given back others may reserve. What was refused
/// gives nothing back, and what leaves the house was not available before.
fn meets_another(stand: &Stand, order_id: &str, course: &Course) -> bool {
    let others = stand.orders.keys().filter(|other| *other != order_id).map(|other| stand.of(INVENTORY, other));
    let reads_next = (0..4).any(|source| course.is_unread(INVENTORY, source));
    let gives_back = course.is_unread(INVENTORY, ORDER);
    match stand.of(INVENTORY, order_id) {
        "Unknown" => reads_next && others.clone().any(|other| ["Unknown", "Held"].contains(&other)),
        "Held" => gives_back && others.clone().any(|other| other == "Unknown"),
        _ => false,
    }
}
