//! What must not be reported: a shop that is right, at rest and at any moment before.

use crate::scene::{CALLED_BACK, COMPLETED, NEVER, OPEN, SERVICES, Shop, every_story};
use runtime::{
    LogRow, ParkedRow, Position, Read, StoreError, WorkRow,
    record::{CursorRow, StateRow},
    store::{Counts, Lead, MemoryStore},
};
use std::{
    cell::RefCell,
    sync::{Arc, Mutex},
};
use tutti::{
    invariants::{Books, Entry, Evidence, INVARIANTS, Message, Parcel, Promise, verify},
    screen::Screen,
};

#[test]
fn a_shop_with_every_ending_breaks_no_invariant_and_every_invariant_is_held_against_something() {
    let mut frozen = every_story().freeze();
    let promise = |order_id: &str, total, cancelled| Promise { order_id: order_id.into(), total_minor: total, cancelled };
    frozen.promised = vec![promise(COMPLETED, Some(2500), false), promise(CALLED_BACK, None, true)];
    // A parked record of something that was not decided is nothing wrong.
    let row = Arc::new(LogRow { seq: 1, key: NEVER.into(), ..frozen.store("payment").log[0].clone() });
    frozen.store("shipping").parked =
        vec![ParkedRow { id: 1, source: "payment".into(), row, reason: "it is poison".into(), since: 0 }];

    let report = frozen.verify();

    assert_eq!(report.violations, []);
    assert!(report.is_clean());
    assert_eq!((report.orders, report.open, report.at_rest), (8, 1, false));
    let unchecked: Vec<_> = report.invariants.iter().filter(|outcome| outcome.checked == 0).map(|o| &o.name).collect();
    assert_eq!(unchecked, ["not_past_parked"; 0]);
    assert_eq!(report.invariants.len(), INVARIANTS.len());
}

#[test]
fn dump() {
    let mut f = every_story().freeze();
    for s in &f.stores { for r in &s.log { println!("{} {} {} <- {}", r.id(), r.key, r.name, r.cause); } println!("{:?}", s.cursors); }
}
