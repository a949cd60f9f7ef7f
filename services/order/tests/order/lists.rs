//! Orders are listed newest first, and a customer's list holds no other's.

use crate::samples::*;
use choreography::{State, testing::given};
use order::{
    listing::{CustomerOrder, PlacedOrder},
    service,
};

#[test]
fn an_order_is_listed_from_the_moment_it_is_placed() {
    let mut given = given(service(), []);
    given.when(&place());
    let (mine, all) =
        (CustomerOrder::key("c-42", 1_700_000_000_000, ORDER), PlacedOrder::key(1_700_000_000_000, ORDER));
    assert_eq!(given.state::<CustomerOrder>(&mine).order_id, ORDER);
    assert_eq!(given.state::<PlacedOrder>(&all).order_id, ORDER);
}

#[test]
fn only_the_placing_of_an_order_changes_a_list() {
    for event in [confirmed(), cancellation_requested(), dispatched(false), completed(), undone()] {
        assert!(CustomerOrder::keys(&event).is_empty() && PlacedOrder::keys(&event).is_empty());
    }
}

#[test]
fn newer_orders_sort_first() {
    let times = [i64::MAX, 1_700_000_000_001, 1_700_000_000_000, 1, 0, -1, i64::MIN];
    let keys: Vec<String> = times.iter().map(|at| PlacedOrder::key(*at, ORDER)).collect();
    assert!(keys.is_sorted(), "{keys:?}");
    assert!(keys.iter().all(|key| key.len() == keys[0].len()), "{keys:?}");
}

#[test]
fn one_customers_prefix_begins_no_key_of_another() {
    let key = |customer: &str| CustomerOrder::key(customer, 0, ORDER);
    for (mine, other) in [("c-4", "c-42"), ("a", "a/b"), ("a%2Fb", "a/b"), ("", "a")] {
        assert!(key(mine).starts_with(&CustomerOrder::prefix(mine)));
        assert!(!key(other).starts_with(&CustomerOrder::prefix(mine)), "{mine} and {other}");
    }
}
