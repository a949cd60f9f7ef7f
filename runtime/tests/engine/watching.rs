//! Whoever watches a key is woken by its change, and health tells whether the desk can do its work.

use crate::support::{
    desk::{Desk, trace},
    service::{Act, Page, Write},
};
use runtime::{Handle, Health, Rejected, Versioned, Watch};
use std::time::Duration;

/// Long enough for anything; nothing is measured against it.
const DEADLINE: Duration = Duration::from_secs(30);

async fn has_changed(watch: &mut Watch) -> bool {
    watch.changed(Duration::ZERO).await
}

async fn page(handle: &Handle, key: &str) -> Option<Versioned<Page>> {
    handle.state::<Page>(key).await.unwrap()
}

#[tokio::test]
async fn a_watch_registered_before_the_read_sees_the_change_after_it() {
    let mut desk = Desk::new();
    let handle = desk.handle();
    desk.settle();
    // Given a watch, and then a read that finds nothing,
    let mut watch = handle.watch("a");
    assert_eq!(page(&handle, "a").await, None);
    // when the change comes between the read and the wait,
    desk.left(1, "a", Act::Note);
    desk.settle();
    // then the wait ends at once, and the read sees it.
    assert!(watch.changed(DEADLINE).await);
    assert_eq!(page(&handle, "a").await, Some(Versioned { state: Page { events: 1, last: 1 }, version: 1 }));
    assert!(!has_changed(&mut watch).await, "one change wakes once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_wakes_everybody_who_watches_its_key_and_nobody_else() {
    let mut desk = Desk::new();
    desk.settle();
    let handle = desk.handle();
    let watches: Vec<_> = (0..3).map(|_| handle.watch("a")).collect();
    let mut other = handle.watch("b");
    let woken: Vec<_> =
        watches.into_iter().map(|mut watch| tokio::spawn(async move { watch.changed(DEADLINE).await })).collect();
    desk.left(1, "a", Act::Note);
    desk.settle();
    for woken in woken {
        assert!(woken.await.unwrap());
    }
    assert!(!has_changed(&mut other).await);
}

#[tokio::test]
async fn every_key_that_an_event_changes_is_told() {
    let mut desk = Desk::new();
    desk.settle();
    let handle = desk.handle();
    let (mut from, mut to) = (handle.watch("a"), handle.watch("b"));
    desk.left(1, "a", Act::Move("b".into()));
    desk.settle();
    assert!(has_changed(&mut from).await && has_changed(&mut to).await);
}

#[tokio::test]
async fn a_watch_works_again_after_others_went_away() {
    let mut desk = Desk::new();
    desk.settle();
    let handle = desk.handle();
    drop(handle.watch("a"));
    desk.left(1, "a", Act::Note);
    desk.settle();
    let mut watch = handle.watch("a");
    desk.left(2, "a", Act::Note);
    desk.settle();
    assert!(has_changed(&mut watch).await);
}

#[tokio::test]
async fn nothing_committed_means_nobody_is_woken() {
    let mut desk = Desk::new();
    desk.settle();
    let mut watch = desk.handle().watch("a");
    drop(desk.write("a", 1, Act::Refuse));
    drop(desk.write("a", 1, Act::Panic));
    desk.left(1, "a", Act::Nothing);
    desk.settle();
    assert!(!has_changed(&mut watch).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_waits_for_the_commit_and_reads_what_it_wrote() {
    let mut desk = Desk::new();
    desk.settle();
    let handle = desk.handle();
    let caller = tokio::spawn(async move {
        let command = Write { key: "a".into(), n: 1, act: Act::Note };
        handle.command(command, trace()).await.map(|_| handle)
    });
    desk.shared.intake.bell().wait(Some(DEADLINE));
    desk.settle();
    let handle = caller.await.unwrap().unwrap();
    assert_eq!(page(&handle, "a").await.map(|page| page.version), Some(1));
    assert_eq!(handle.log_of("a").await.unwrap().len(), 1);
    let status = handle.status().await.unwrap();
    assert_eq!((status.head, status.health), (1, Health::Ready));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_and_a_failed_caller_are_told_apart() {
    let mut desk = Desk::new();
    desk.settle();
    for (act, expected) in [(Act::Refuse, "Refused"), (Act::Panic, "Failed")] {
        let handle = desk.handle();
        let command = Write { key: "a".into(), n: 1, act };
        let caller = tokio::spawn(async move { handle.command(command, trace()).await });
        desk.shared.intake.bell().wait(Some(DEADLINE));
        desk.settle();
        let rejected = caller.await.unwrap();
        let named = match rejected {
            Err(Rejected::Refused(_)) => "Refused",
            Err(Rejected::Failed(_)) => "Failed",
            _ => "neither",
        };
        assert_eq!(named, expected);
    }
}

#[tokio::test]
async fn health_tells_from_starting_to_ready_to_away_and_back() {
    let mut desk = Desk::new();
    assert_eq!(desk.health(), Health::Starting);
    desk.settle();
    assert_eq!(desk.health(), Health::Ready);
    desk.notes().away = true;
    desk.left(1, "a", Act::Note);
    desk.settle();
    assert!(matches!(desk.health(), Health::Away(_)));
    desk.notes().away = false;
    desk.settle();
    assert_eq!(desk.health(), Health::Ready);
    assert_eq!(desk.handle().begun().await, Ok(()));
}

#[tokio::test]
async fn when_watching_ends_nobody_is_left_waiting() {
    let mut desk = Desk::new();
    desk.settle();
    let handle = desk.handle();
    let mut before = handle.watch("a");
    handle.end_watches();
    let mut after = handle.watch("a");
    assert!(!before.changed(Duration::MAX).await, "there was no change");
    assert!(!after.changed(Duration::MAX).await, "and whoever comes later does not wait either");
}
