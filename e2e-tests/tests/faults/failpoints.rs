//! A service ends at every failpoint once, wherever it is just then, and starts again. `TUTTI_SEED` chooses when, and
//! `TUTTI_ROUNDS` how often each.

use crate::{
    customers::{Accepted, Customers},
    deployed::Deployed,
    dice::Dice,
    real_servers::RealServers,
    topics,
    wait::PATIENCE,
};
use runtime::failpoint::FAILPOINTS;
use serde_json::json;
use std::env;

/// Who comes by at a place, often.
fn who_comes_by(place: &str) -> &'static str {
    match place {
        "door.decided.answer" | "door.committed.answer" | "work.handed" | "work.asked" | "work.called" => "payment",
        "door.decided.record" | "door.committed.record" | "lanes.fetched" => "shipping",
        "door.decided.foreign" | "door.committed.foreign" | "door.decided.parked" | "door.committed.parked" => {
            "inventory"
        }
        "migration.applied" | "migration.committed" => "email",
        _ => "order",
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_ends_at_any_failpoint_loses_nothing_and_doubles_nothing() {
    let Some(_servers) = RealServers::taken().await else { return };
    // Orders that nobody can pay for come to their deadline soon, so that timers fire.
    let Some(mut shop) = Deployed::new(&[("ORDER_DEADLINE_S", "6")]).await else { return };
    let rounds = env::var("TUTTI_ROUNDS").map_or(1, |text| text.parse().unwrap());
    let mut dice = Dice::of_environment();

    // A database changes its shape once only, so these come before everything else.
    let (first_starts, places): (Vec<&str>, Vec<&str>) =
        FAILPOINTS.iter().copied().partition(|place| place.starts_with("migration."));
    for place in first_starts {
        ends_at(&mut shop, place, 1).await;
    }
    shop.open().await;
    shop.client().world(&json!({ "gateway": { "unknown_ms": 60_000, "lose_answer": 0.2 } })).await;
    let mut accepted: Vec<Accepted> = vec![];
    for place in (0..rounds).flat_map(|_| &places) {
        println!("{place}");
        accepted.extend(comes_back_from(&mut shop, place, 1 + dice.below(3), accepted.len()).await);
    }

    shop.ready().await;
    topics::discard_all_nonsense(&shop).await;
    for order in &accepted {
        shop.client().settled(&order.id).await;
    }
    let report = shop.invariants_hold().await;
    assert_eq!(report["orders"], json!(accepted.len()));
}

/// Starts the service that comes by there, which ends there.
async fn ends_at(shop: &mut Deployed, place: &str, times: u64) {
    let process = shop.site.process(who_comes_by(place));
    process.set("TUTTI_KILL_AT", Some(&format!("{place}:{times}")));
    process.start();
    has_ended(shop, place).await;
}

async fn has_ended(shop: &mut Deployed, place: &str) {
    let process = shop.site.process(who_comes_by(place));
    let status = process.ended_within(PATIENCE * 2).await;
    let ends = format!("the process ends at {place},");
    assert!(!status.success() && process.log().contains(&ends), "{place}: {status}: {}", process.log());
    process.set("TUTTI_KILL_AT", None);
}

/// Customers order while the service ends there and starts again.
async fn comes_back_from(shop: &mut Deployed, place: &str, times: u64, so_far: usize) -> Vec<Accepted> {
    // A reign begins once a process.
    let often = !place.starts_with("lead.") && !place.starts_with("lanes.begun") && !place.contains("parked");
    let often = often && !place.contains("foreign");
    let process = shop.site.process(who_comes_by(place));
    process.kill().await;
    process.set("TUTTI_KILL_AT", Some(&format!("{place}:{}", if often { times } else { 1 })));
    process.start();
    let customers = Customers::come_after(&shop.client(), so_far);
    if place.contains("foreign") || place.contains("parked") {
        topics::send_nonsense(&shop.site.servers, "order");
    }
    if place.contains("parked") {
        topics::discard_nonsense(&shop.site["inventory"]).await;
    }
    // How far the log is published is noted by itself only when nothing else happens any more.
    let (staying, left) = match place {
        "relay.noted" => (None, customers.leave().await),
        _ => (Some(customers), vec![]),
    };
    has_ended(shop, place).await;
    shop.site.process(who_comes_by(place)).start();
    match staying {
        Some(customers) => {
            customers.have_ordered(1).await;
            customers.leave().await
        }
        None => left,
    }
}
