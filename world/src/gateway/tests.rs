//! Given a card and earlier calls, when the shop calls, then this is answered and this is in the ledger.

use super::{Answer, Capture, Kind, Outcome, Refund};
use crate::{
    NoAnswer, World,
    testing::{HandClock, Scene, crash_image, options, soon},
};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tempfile::TempDir;

fn paying(token: &str) -> Capture {
    Capture { order_id: "o-1".into(), amount_minor: 2_590, currency: "EUR".into(), token: token.into() }
}

fn back(amount_minor: i64, capture_key: &str) -> Refund {
    Refund { order_id: "o-1".into(), amount_minor, currency: "EUR".into(), capture_key: capture_key.into() }
}

fn declined(code: &str) -> Result<Answer, NoAnswer> {
    Ok(Answer::Declined { code: code.into() })
}

fn has_succeeded(answer: &Result<Answer, NoAnswer>) -> bool {
    matches!(answer, Ok(Answer::Succeeded { .. }))
}

/// A world whose time only the test moves.
fn timeless() -> (World, Arc<HandClock>, TempDir) {
    let (clock, folder) = (HandClock::new(), tempfile::tempdir().expect("a directory"));
    let world = World::open(folder.path(), &options(json!({})), Arc::clone(&clock) as _, |_| async { Ok(()) });
    (world.expect("a world"), clock, folder)
}

async fn outcomes(world: &World) -> Vec<(Kind, Outcome)> {
    let entries = world.gateway.ledger(None, 0, 100).await.expect("a ledger");
    entries.into_iter().map(|entry| (entry.kind, entry.outcome)).collect()
}

#[tokio::test]
async fn a_good_card_is_captured_once_and_a_repeat_gets_the_same_receipt() {
    let scene = Scene::new(json!({}));
    let first = scene.world.gateway.capture("k", paying("tok_ok")).await;
    assert!(has_succeeded(&first));
    assert_eq!(scene.world.gateway.capture("k", paying("tok_ok")).await, first);
    assert_eq!(scene.world.gateway.find("k").await.map(|it| it.ok_or(NoAnswer::Lost)), Ok(first));
    let entries = scene.world.gateway.ledger(Some("o-1"), 0, 10).await.expect("a ledger");
    assert_eq!(entries.len(), 1);
    assert_eq!((entries[0].amount_minor, entries[0].currency.as_str()), (2_590, "EUR"));
    assert_eq!((entries[0].key.as_str(), &entries[0].outcome), ("k", &Outcome::Succeeded));
}

#[tokio::test]
async fn bad_cards_are_declined_with_their_code_and_stay_declined() {
    let scene = Scene::new(json!({}));
    for (token, code) in [
        ("tok_declined", "card_declined"),
        ("tok_insufficient_funds", "insufficient_funds"),
        ("whatever", "card_declined"),
        ("", "card_declined"),
    ] {
        assert_eq!(scene.world.gateway.capture(token, paying(token)).await, declined(code));
        assert_eq!(scene.world.gateway.capture(token, paying(token)).await, declined(code));
        assert_eq!(scene.world.gateway.find(token).await, Ok(Some(Answer::Declined { code: code.into() })));
    }
    assert_eq!(outcomes(&scene.world).await.len(), 4);
}

#[tokio::test]
async fn a_key_is_not_taken_for_another_body() {
    let scene = Scene::new(json!({}));
    assert!(has_succeeded(&scene.world.gateway.capture("k", paying("tok_ok")).await));
    let others = [
        paying("tok_slow"),
        Capture { amount_minor: 1, ..paying("tok_ok") },
        Capture { currency: "USD".into(), ..paying("tok_ok") },
        Capture { order_id: "o-2".into(), ..paying("tok_ok") },
    ];
    for other in others {
        assert_eq!(scene.world.gateway.capture("k", other).await, declined("idempotency_key_reused"));
    }
    assert_eq!(scene.world.gateway.refund("k", back(1, "k")).await, declined("idempotency_key_reused"));
    assert_eq!(outcomes(&scene.world).await, [(Kind::Capture, Outcome::Succeeded)]);
}

#[tokio::test]
async fn fifty_callers_under_one_key_take_the_money_once() {
    let scene = Scene::new(json!({}));
    let callers: Vec<_> = (0..50)
        .map(|_| {
            let gateway = scene.world.gateway.clone();
            tokio::spawn(async move { gateway.capture("k", paying("tok_ok")).await })
        })
        .collect();
    let mut answers = Vec::new();
    for caller in callers {
        answers.push(soon(caller).await.expect("a caller"));
    }
    assert!(has_succeeded(&answers[0]));
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(outcomes(&scene.world).await, [(Kind::Capture, Outcome::Succeeded)]);
}

#[tokio::test]
async fn a_flaky_card_fails_once_without_a_trace_and_then_works() {
    let scene = Scene::new(json!({}));
    assert_eq!(scene.world.gateway.capture("k", paying("tok_flaky")).await, Err(NoAnswer::Refused));
    assert_eq!(scene.world.gateway.find("k").await, Ok(None));
    assert_eq!(outcomes(&scene.world).await, []);
    assert!(has_succeeded(&scene.world.gateway.capture("k", paying("tok_flaky")).await));
}

#[tokio::test]
async fn a_timed_out_capture_has_taken_the_money_and_tells_when_asked() {
    let scene = Scene::new(json!({}));
    assert_eq!(scene.world.gateway.capture("k", paying("tok_timeout_then_success")).await, Err(NoAnswer::Lost));
    assert!(matches!(scene.world.gateway.find("k").await, Ok(Some(Answer::Succeeded { .. }))));
    assert!(has_succeeded(&scene.world.gateway.capture("k", paying("tok_timeout_then_success")).await));
    assert_eq!(outcomes(&scene.world).await, [(Kind::Capture, Outcome::Succeeded)]);
}

#[tokio::test]
async fn an_unknown_capture_tells_nobody_for_a_while() {
    let (world, clock, _folder) = timeless();
    assert_eq!(world.gateway.capture("k", paying("tok_unknown")).await, Err(NoAnswer::InProgress));
    assert_eq!(world.gateway.find("k").await, Err(NoAnswer::InProgress));
    assert_eq!(outcomes(&world).await, [(Kind::Capture, Outcome::Pending)]);
    clock.advance(Duration::from_millis(2_999));
    assert_eq!(world.gateway.capture("k", paying("tok_unknown")).await, Err(NoAnswer::InProgress));
    clock.advance(Duration::from_millis(1));
    assert!(matches!(world.gateway.find("k").await, Ok(Some(Answer::Succeeded { .. }))));
    assert_eq!(outcomes(&world).await, [(Kind::Capture, Outcome::Succeeded)]);
}

#[tokio::test]
async fn an_unknown_capture_turns_out_the_same_after_a_crash() {
    let (world, clock, folder) = timeless();
    assert_eq!(world.gateway.capture("k", paying("tok_unknown")).await, Err(NoAnswer::InProgress));
    let image = crash_image(folder.path());
    clock.advance(Duration::from_secs(3));
    let again = World::open(image.path(), &options(json!({})), clock, |_| async { Ok(()) }).expect("a world");
    assert!(matches!(again.gateway.find("k").await, Ok(Some(Answer::Succeeded { .. }))));
}

#[tokio::test]
async fn a_slow_card_answers_at_the_end() {
    let scene = Scene::new(json!({"gateway": {"slow_ms": 20}}));
    assert!(has_succeeded(&soon(scene.world.gateway.capture("k", paying("tok_slow"))).await));
}

#[tokio::test]
async fn a_slow_capture_goes_on_when_its_caller_gives_up() {
    let (world, clock, _folder) = timeless();
    let impatient = tokio::spawn({
        let gateway = world.gateway.clone();
        async move { gateway.capture("k", paying("tok_slow")).await }
    });
    crate::testing::until(|| async { !outcomes(&world).await.is_empty() }).await;
    impatient.abort();
    assert_eq!(world.gateway.find("k").await, Err(NoAnswer::InProgress));
    clock.advance(Duration::from_secs(2));
    assert!(matches!(world.gateway.find("k").await, Ok(Some(Answer::Succeeded { .. }))));
}

#[tokio::test]
async fn a_refund_gives_back_what_was_captured_and_no_more() {
    let scene = Scene::new(json!({}));
    let gateway = &scene.world.gateway;
    assert!(has_succeeded(&gateway.capture("k", paying("tok_ok")).await));
    assert_eq!(gateway.refund("r-0", back(2_591, "k")).await, declined("amount_exceeds_capture"));
    let first = gateway.refund("r-1", back(2_000, "k")).await;
    assert!(has_succeeded(&first));
    assert_eq!(gateway.refund("r-1", back(2_000, "k")).await, first);
    assert_eq!(gateway.refund("r-2", back(591, "k")).await, declined("amount_exceeds_capture"));
    assert!(has_succeeded(&gateway.refund("r-3", back(590, "k")).await));
    let entries = gateway.ledger(Some("o-1"), 0, 10).await.expect("a ledger");
    let refunded: i64 = entries
        .iter()
        .filter(|entry| entry.kind == Kind::Refund && entry.outcome == Outcome::Succeeded)
        .map(|entry| entry.amount_minor)
        .sum();
    assert_eq!(refunded, 2_590);
    assert!(entries.iter().skip(1).all(|entry| entry.capture_key.as_deref() == Some("k")));
}

#[tokio::test]
async fn only_a_succeeded_capture_of_the_order_is_given_back() {
    let scene = Scene::new(json!({}));
    let gateway = &scene.world.gateway;
    assert_eq!(gateway.capture("bad", paying("tok_declined")).await, declined("card_declined"));
    assert!(has_succeeded(&gateway.capture("good", paying("tok_ok")).await));
    assert_eq!(gateway.refund("r-1", back(1, "bad")).await, declined("capture_not_found"));
    assert_eq!(gateway.refund("r-2", back(1, "none")).await, declined("capture_not_found"));
    let stranger = Refund { order_id: "o-2".into(), ..back(1, "good") };
    assert_eq!(gateway.refund("r-3", stranger).await, declined("capture_not_found"));
    let dollars = Refund { currency: "USD".into(), ..back(1, "good") };
    assert_eq!(gateway.refund("r-4", dollars).await, declined("currency_mismatch"));
    assert_eq!(gateway.refund("r-5", back(0, "good")).await, declined("invalid_amount"));
    let nothing = Capture { amount_minor: -1, ..paying("tok_ok") };
    assert_eq!(gateway.capture("negative", nothing).await, declined("invalid_amount"));
}

#[tokio::test]
async fn a_refund_waits_for_its_capture() {
    let (world, clock, _folder) = timeless();
    assert_eq!(world.gateway.capture("k", paying("tok_unknown")).await, Err(NoAnswer::InProgress));
    assert_eq!(world.gateway.refund("r", back(2_590, "k")).await, Err(NoAnswer::InProgress));
    clock.advance(Duration::from_secs(3));
    assert!(has_succeeded(&world.gateway.refund("r", back(2_590, "k")).await));
}

#[tokio::test]
async fn faults_strike_before_or_after_the_work() {
    let scene = Scene::new(json!({}));
    let world = &scene.world;
    world.set(&json!({"gateway": {"fail": 1.0}})).expect("set");
    assert_eq!(world.gateway.capture("failed", paying("tok_ok")).await, Err(NoAnswer::Refused));
    assert_eq!(world.gateway.find("failed").await, Err(NoAnswer::Refused));
    world.set(&json!({"gateway": {"fail": 0.0, "lose_answer": 1.0}})).expect("set");
    assert_eq!(world.gateway.capture("lost", paying("tok_ok")).await, Err(NoAnswer::Lost));
    world.set(&json!({"gateway": {"lose_answer": 0.0, "decline": 1.0, "delay_ms": 2}})).expect("set");
    assert_eq!(world.gateway.capture("unlucky", paying("tok_ok")).await, declined("card_declined"));
    assert!(has_succeeded(&world.gateway.capture("lost", paying("tok_ok")).await), "decided before the fault");
    assert_eq!(world.gateway.find("failed").await, Ok(None));
}

#[tokio::test]
async fn the_ledger_is_read_in_pages() {
    let scene = Scene::new(json!({}));
    for number in 0..5 {
        let order_id = format!("o-{}", number % 2);
        let capture = Capture { order_id, ..paying("tok_ok") };
        assert!(has_succeeded(&scene.world.gateway.capture(&format!("k-{number}"), capture).await));
    }
    let keys = async |order_id: Option<&'static str>, after, limit| {
        let page = scene.world.gateway.ledger(order_id, after, limit).await.expect("a page");
        page.into_iter().map(|entry| entry.key).collect::<Vec<_>>()
    };
    assert_eq!(keys(None, 0, 2).await, ["k-0", "k-1"]);
    assert_eq!(keys(None, 2, 9).await, ["k-2", "k-3", "k-4"]);
    assert_eq!(keys(Some("o-0"), 1, 1).await, ["k-2"]);
    assert_eq!(keys(Some("o-9"), 0, 9).await, Vec::<String>::new());
}
