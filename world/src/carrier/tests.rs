//! Given a parcel, when the shop calls or time passes, then this is answered, reported and in the book.

use super::{Answer, Booking, Carrier, Parcel, ReportKind, Step};
use crate::{
    NoAnswer, Report, World,
    testing::{Scene, crash_image, options, soon, until},
};
use runtime::clock::SystemClock;
use serde_json::json;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

fn parcel_to(order_id: &str, country: &str) -> Booking {
    Booking {
        order_id: order_id.into(),
        name: "A. Customer".into(),
        street: "Long Street 1".into(),
        city: "Town".into(),
        postal_code: "12345".into(),
        country: country.into(),
    }
}

async fn booked(carrier: &Carrier, order_id: &str) -> String {
    match carrier.book(&format!("book/{order_id}"), parcel_to(order_id, "DE")).await {
        Ok(Answer::Booked { label }) => label,
        other => panic!("no label: {other:?}"),
    }
}

async fn handed_over(carrier: &Carrier, order_id: &str) -> String {
    let label = booked(carrier, order_id).await;
    assert_eq!(carrier.hand_over(&format!("over/{order_id}"), order_id, &label).await, Ok(Answer::Accepted));
    label
}

async fn parcel(world: &World, order_id: &str) -> Parcel {
    let parcels = world.carrier.parcels(Some(order_id), 0, 10).await.expect("a book");
    assert_eq!(parcels.len(), 1);
    parcels.into_iter().next().expect("a parcel")
}

async fn under_way(world: &World) -> i64 {
    let count = |book: &rusqlite::Connection| {
        book.query_row("SELECT count(*) FROM parcel WHERE under_way = 1", [], |row| row.get(0))
    };
    world.carrier.reader.read(count).await.expect("a count")
}

fn quick() -> serde_json::Value {
    json!({"carrier": {"pick_up_ms": 0, "transit_ms": 4}})
}

#[tokio::test]
async fn a_key_has_one_label_for_ever() {
    let scene = Scene::new(json!({}));
    let label = booked(&scene.world.carrier, "o-1").await;
    assert_eq!(booked(&scene.world.carrier, "o-1").await, label);
    assert_ne!(booked(&scene.world.carrier, "o-2").await, label);
    assert_eq!(scene.world.carrier.find("book/o-1").await, Ok(Some(Answer::Booked { label: label.clone() })));
    assert_eq!(scene.world.carrier.find("book/o-9").await, Ok(None));
    assert_eq!(booked(&Scene::new(json!({})).world.carrier, "o-1").await, label);
    let reused = Answer::NotServed { code: "idempotency_key_reused".into() };
    assert_eq!(scene.world.carrier.book("book/o-1", parcel_to("o-3", "DE")).await, Ok(reused));
    assert_eq!(parcel(&scene.world, "o-1").await.step, Step::Booked);
}

#[tokio::test]
async fn some_addresses_get_no_label() {
    let scene = Scene::new(json!({}));
    let abroad = Answer::NotServed { code: "country_not_served".into() };
    assert_eq!(scene.world.carrier.book("k-1", parcel_to("o-1", "XX")).await, Ok(abroad.clone()));
    let nowhere = Booking { street: "  ".into(), ..parcel_to("o-2", "DE") };
    let unreadable = Answer::NotServed { code: "address_refused".into() };
    assert_eq!(scene.world.carrier.book("k-2", nowhere).await, Ok(unreadable));
    assert_eq!(scene.world.carrier.book("k-1", parcel_to("o-1", "DE")).await, Ok(abroad.clone()), "decided before");
    assert_eq!(scene.world.carrier.find("k-1").await, Ok(Some(abroad)));
    assert_eq!(scene.world.carrier.parcels(None, 0, 10).await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_parcel_handed_over_is_collected_seen_and_delivered() {
    let mut scene = Scene::new(quick());
    booked(&scene.world.carrier, "only-booked").await;
    let label = handed_over(&scene.world.carrier, "o-1").await;
    let reports = [scene.report().await, scene.report().await, scene.report().await];
    assert!(reports.iter().all(|report| report.order_id == "o-1" && report.label == label));
    assert_eq!(reports[0].kind, ReportKind::Dispatched);
    assert!(matches!(&reports[1].kind, ReportKind::Tracking { place } if !place.is_empty()));
    assert_eq!(reports[2].kind, ReportKind::Delivered);
    assert!(reports[0].report_id != reports[1].report_id && reports[1].report_id != reports[2].report_id);
    let there = parcel(&scene.world, "o-1").await;
    assert_eq!(there.step, Step::Delivered);
    assert!(there.ready_at <= there.out_at && there.out_at < there.delivered_at);
    assert_eq!(parcel(&scene.world, "only-booked").await.step, Step::Booked);
    until(|| async { under_way(&scene.world).await == 0 }).await;
}

#[tokio::test]
async fn repeated_calls_change_nothing() {
    let mut scene = Scene::new(quick());
    let label = handed_over(&scene.world.carrier, "o-1").await;
    for key in ["over/o-1", "over/again"] {
        assert_eq!(scene.world.carrier.hand_over(key, "o-1", &label).await, Ok(Answer::Accepted));
    }
    for _ in 0..3 {
        scene.report().await;
    }
    until(|| async { under_way(&scene.world).await == 0 }).await;
    assert!(scene.reports.try_recv().is_err(), "three reports and no more");
}

#[tokio::test]
async fn a_label_is_void_until_it_is_collected() {
    let mut scene = Scene::new(json!({"carrier": {"pick_up_ms": 0, "transit_ms": 0, "collects": false}}));
    let carrier = scene.world.carrier.clone();
    let (unwanted, late) = (booked(&carrier, "unwanted").await, handed_over(&carrier, "late").await);
    assert_eq!(carrier.cancel("c-1", "unwanted", &unwanted).await, Ok(Answer::Accepted));
    assert_eq!(carrier.cancel("c-2", "late", &late).await, Ok(Answer::Accepted));
    assert_eq!(carrier.cancel("c-3", "late", &late).await, Ok(Answer::Accepted));
    assert_eq!(carrier.hand_over("h-1", "unwanted", &unwanted).await, Ok(Answer::LabelVoid));
    assert_eq!(carrier.hand_over("h-2", "late", &late).await, Ok(Answer::LabelVoid));
    handed_over(&carrier, "wanted").await;
    scene.world.set(&json!({"carrier": {"collects": true}})).expect("set");
    for _ in 0..3 {
        assert_eq!(scene.report().await.order_id, "wanted");
    }
    for order_id in ["unwanted", "late"] {
        let void = parcel(&scene.world, order_id).await;
        assert_eq!((void.step, void.out_at), (Step::Void, None));
    }
}

#[tokio::test]
async fn after_the_collection_it_is_too_late() {
    let mut scene = Scene::new(quick());
    let label = handed_over(&scene.world.carrier, "o-1").await;
    assert_eq!(scene.report().await.kind, ReportKind::Dispatched);
    assert_eq!(scene.world.carrier.cancel("c", "o-1", &label).await, Ok(Answer::AlreadyCollected));
    assert_eq!(scene.world.carrier.find("c").await, Ok(Some(Answer::AlreadyCollected)));
}

#[tokio::test]
async fn a_label_nobody_made_is_no_answer() {
    let scene = Scene::new(json!({}));
    let label = booked(&scene.world.carrier, "o-1").await;
    for (order_id, label) in [("o-1", "WP0"), ("o-2", label.as_str())] {
        let lost = scene.world.carrier.cancel("c", order_id, label).await;
        assert!(matches!(lost, Err(NoAnswer::Broken(_))), "{lost:?}");
    }
    assert_eq!(scene.world.carrier.find("c").await, Ok(None));
}

#[tokio::test]
async fn parcels_wait_while_the_carrier_does_not_come() {
    let mut scene = Scene::new(json!({"carrier": {"pick_up_ms": 3_600_000, "transit_ms": 0}}));
    handed_over(&scene.world.carrier, "in-memory").await;
    scene.world.set(&json!({"carrier": {"collects": false, "pick_up_ms": 0}})).expect("set");
    handed_over(&scene.world.carrier, "waiting").await;
    assert_eq!(parcel(&scene.world, "waiting").await.step, Step::Ready);
    scene.world.set(&json!({"carrier": {"collects": true}})).expect("set");
    for _ in 0..3 {
        assert_eq!(scene.report().await.order_id, "waiting");
    }
    assert_eq!(parcel(&scene.world, "in-memory").await.step, Step::Ready);
}

#[tokio::test]
async fn a_report_comes_again_until_it_is_accepted_and_holds_up_no_other() {
    let folder = tempfile::tempdir().expect("a directory");
    let tries: Arc<Mutex<BTreeMap<String, usize>>> = Arc::default();
    let counted = Arc::clone(&tries);
    let receive = move |report: Report| {
        let tries = {
            let mut tries = counted.lock().expect("the count");
            let count = tries.entry(report.report_id).or_default();
            *count += 1;
            *count
        };
        async move {
            assert!(tries != 1, "a receiver that panics is a receiver that refuses");
            if tries == 2 { Err("not now".to_owned()) } else { Ok(()) }
        }
    };
    let world = World::open(folder.path(), &options(quick()), Arc::new(SystemClock), receive).expect("a world");
    handed_over(&world.carrier, "o-1").await;
    until(|| async { under_way(&world).await == 0 }).await;
    assert_eq!(tries.lock().expect("the count").values().copied().collect::<Vec<_>>(), [3, 3, 3]);
}

#[tokio::test]
async fn reports_can_be_repeated_on_purpose() {
    let mut scene = Scene::new(json!({"carrier": {"pick_up_ms": 0, "transit_ms": 0, "repeat_reports": 1.0}}));
    handed_over(&scene.world.carrier, "o-1").await;
    let mut times = HashMap::<String, usize>::new();
    for _ in 0..6 {
        *times.entry(scene.report().await.report_id).or_default() += 1;
    }
    assert_eq!(times.into_values().collect::<Vec<_>>(), [2, 2, 2]);
}

#[tokio::test]
async fn reports_can_come_in_any_order() {
    let mut scene = Scene::new(json!({"carrier": {"pick_up_ms": 0, "transit_ms": 4, "shuffle_reports": true}}));
    for number in 0..40 {
        handed_over(&scene.world.carrier, &format!("o-{number}")).await;
    }
    let mut first = HashMap::<String, ReportKind>::new();
    for _ in 0..120 {
        let report = scene.report().await;
        first.entry(report.order_id).or_insert(report.kind);
    }
    assert!(first.values().any(|kind| *kind == ReportKind::Dispatched));
    assert!(first.values().any(|kind| *kind == ReportKind::Delivered));
}

#[tokio::test]
async fn what_was_under_way_at_a_crash_arrives_after_it() {
    let folder = tempfile::tempdir().expect("a directory");
    let refuse = |_| async { Err("the shop is down".to_owned()) };
    let world = World::open(folder.path(), &options(quick()), Arc::new(SystemClock), refuse).expect("a world");
    let label = handed_over(&world.carrier, "o-1").await;
    until(|| async { parcel(&world, "o-1").await.step == Step::Delivered }).await;
    let mut scene = Scene::at(crash_image(folder.path()), quick());
    let mut kinds = Vec::new();
    for _ in 0..3 {
        kinds.push(scene.report().await.kind);
    }
    assert_eq!((&kinds[0], &kinds[2]), (&ReportKind::Dispatched, &ReportKind::Delivered));
    assert_eq!(scene.world.carrier.cancel("c", "o-1", &label).await, Ok(Answer::AlreadyCollected));
    until(|| async { under_way(&scene.world).await == 0 }).await;
    let quiet = Scene::at(crash_image(scene.folder.path()), quick());
    assert_eq!(parcel(&quiet.world, "o-1").await.step, Step::Delivered);
    assert_eq!(under_way(&quiet.world).await, 0);
}

#[tokio::test]
async fn at_most_so_many_reports_are_on_their_way_and_none_is_lost() {
    let folder = tempfile::tempdir().expect("a directory");
    let (now, most, accepted) =
        (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let receive = {
        let (now, most, accepted) = (Arc::clone(&now), Arc::clone(&most), Arc::clone(&accepted));
        move |_| {
            let (now, most, accepted) = (Arc::clone(&now), Arc::clone(&most), Arc::clone(&accepted));
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                for _ in 0..20 {
                    tokio::task::yield_now().await;
                }
                now.fetch_sub(1, Ordering::SeqCst);
                accepted.fetch_add(1, Ordering::SeqCst);
                Ok(())
            }
        }
    };
    let faults = json!({"carrier": {"pick_up_ms": 0, "transit_ms": 0, "collects": false}});
    let world = World::open(folder.path(), &options(faults), Arc::new(SystemClock), receive).expect("a world");
    let booking: Vec<_> = (0..1_500)
        .map(|number| {
            let carrier = world.carrier.clone();
            tokio::spawn(async move { handed_over(&carrier, &format!("o-{number}")).await })
        })
        .collect();
    for one in booking {
        soon(one).await.expect("booked");
    }
    world.set(&json!({"carrier": {"collects": true}})).expect("set");
    until(|| async { under_way(&world).await == 0 }).await;
    assert_eq!(accepted.load(Ordering::SeqCst), 4_500);
    assert!(most.load(Ordering::SeqCst) <= 1_024, "{most:?} at once");
}

#[tokio::test]
async fn faults_strike_before_or_after_the_work() {
    let scene = Scene::new(json!({"carrier": {"fail": 1.0}}));
    let carrier = &scene.world.carrier;
    assert_eq!(carrier.book("k-1", parcel_to("o-1", "DE")).await, Err(NoAnswer::Refused));
    scene.world.set(&json!({"carrier": {"fail": 0.0, "lose_answer": 1.0, "delay_ms": 1}})).expect("set");
    assert_eq!(carrier.book("k-2", parcel_to("o-2", "DE")).await, Err(NoAnswer::Lost));
    scene.world.set(&json!({"carrier": {"lose_answer": 0.0}})).expect("set");
    assert_eq!(carrier.find("k-1").await, Ok(None));
    assert!(matches!(carrier.find("k-2").await, Ok(Some(Answer::Booked { .. }))));
}
