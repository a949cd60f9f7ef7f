//! A record that is lost for good is passed over, only when it is really missing, and never without a record of it.

use crate::support::{
    clock::SECOND,
    desk::{Desk, on_both_stores},
    service::Act,
};
use runtime::{
    Health, Position,
    intake::Wish,
    skip::{self, Skip, SkipError},
};
use std::sync::Arc;

fn skipping(seq: u64) -> Skip {
    Skip { source: "left".into(), seq, reason: "its log is lost (ada)".into() }
}

/// A desk that stands before record 2 of `left`.
fn at_gap(mut desk: Desk) -> Desk {
    (1..=3).for_each(|seq| desk.left(seq, "a", Act::Note));
    desk.bus.lose("left", 2);
    desk.settle();
    assert_eq!(desk.said(), ["Noted a 1 by left"]);
    desk
}

/// As a job does it, beside a desk that does not run.
fn job(desk: &Desk, skip: &Skip, dry_run: bool) -> Result<String, SkipError> {
    let parts = skip::Parts {
        service: "desk",
        source: "left",
        store: desk.sessions.store(),
        read: desk.read.clone(),
        bus: Box::new(desk.bus.clone()),
        bell: Arc::default(),
        build: 1,
    };
    skip::skip(parts, skip, desk.now(), dry_run)
}

#[track_caller]
fn assert_recorded(desk: &Desk) {
    let parked = desk.read.parked_after(0, 10).unwrap();
    let recorded: Vec<_> = parked.iter().map(|row| (&*row.source, &*row.row.key, &*row.reason)).collect();
    assert_eq!(recorded, [("skipped:left", "left/1000.0.2", "its log is lost (ada)")]);
}

#[test]
fn a_running_service_passes_over_what_is_missing_on_request() {
    on_both_stores(|desk| {
        let mut desk = at_gap(desk);
        let told = desk.wish(Wish::Skip(skipping(2)));
        assert!(told.unwrap().contains("record 2 of left"));
        desk.pass_time(SECOND);
        assert_eq!(desk.said(), ["Noted a 1 by left", "Noted a 3 by left"]);
        assert_eq!(desk.health(), Health::Ready);
        assert_recorded(&desk);
    });
}

#[test]
fn a_job_passes_over_what_a_stopped_service_lacks() {
    on_both_stores(|desk| {
        let desk = at_gap(desk);
        assert_eq!(job(&desk, &skipping(2), true).unwrap(), "left/1000.0.2");
        assert_eq!(desk.cursor("left").unwrap().seq, 1, "a dry run writes nothing");
        assert_eq!(job(&desk, &skipping(2), false).unwrap(), "left/1000.0.2");
        let mut desk = desk.killed_and_started_again();
        desk.settle();
        assert_eq!(desk.said(), ["Noted a 1 by left", "Noted a 3 by left"]);
        assert_recorded(&desk);
    });
}

#[test]
fn the_record_of_it_stays_until_it_is_discarded() {
    let mut desk = at_gap(Desk::new());
    desk.wish(Wish::Skip(skipping(2))).unwrap();
    let slot = || ("skipped:left".to_owned(), "left/1000.0.2".to_owned());
    let (source, key) = slot();
    assert!(desk.wish(Wish::Retry { source, key }).unwrap_err().contains("passed over"));
    assert_recorded(&desk);
    let (source, key) = slot();
    desk.wish(Wish::Discard { source, key }).unwrap();
    assert!(desk.parked().is_empty());
}

#[test]
fn nothing_is_passed_over_that_is_not_missing() {
    let mut desk = Desk::new();
    desk.left(1, "a", Act::Note);
    desk.settle();
    desk.left(2, "a", Act::Note);
    let refused = |skip: &Skip, why: &str| {
        let told = job(&desk, skip, false).unwrap_err().to_string();
        assert!(told.contains(why), "{told}");
    };
    refused(&skipping(2), "is not missing: it is on its topic");
    refused(&skipping(1), "only the next record, 2, can be skipped, not 1");
    refused(&skipping(9), "only the next record, 2, can be skipped, not 9");
    refused(&Skip { reason: " ".into(), ..skipping(2) }, "a reason is 1 to 1000 characters");
    desk.settle();
    assert!(job(&desk, &skipping(3), false).unwrap_err().to_string().contains("its topic ends before it"));
    assert!(desk.wish(Wish::Skip(skipping(3))).unwrap_err().contains("no record of left is missing"));
    let unknown = Skip { source: "nobody".into(), ..skipping(3) };
    assert!(desk.wish(Wish::Skip(unknown)).unwrap_err().contains("no record of nobody"));
    assert_eq!(desk.cursor("left"), Some(Position { generation: 1000, seq: 2 }));
}

#[test]
fn a_service_that_runs_is_not_written_beside() {
    let desk = at_gap(Desk::new());
    desk.notes().led_by = Some("there".into());
    let store = Box::new(crate::support::shaky::Shaky {
        inner: desk.sessions.store(),
        notes: desk.shared_notes(),
        naive: None,
    });
    let parts = skip::Parts {
        service: "desk",
        source: "left",
        store,
        read: desk.read.clone(),
        bus: Box::new(desk.bus.clone()),
        bell: Arc::default(),
        build: 1,
    };
    let refused = skip::skip(parts, &skipping(2), desk.now(), false);
    assert_eq!(refused, Err(SkipError::Runs("there".into())));
}
