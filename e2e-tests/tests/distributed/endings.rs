//! Orders of every ending through five processes, each of which is killed once in the middle of it.

use crate::{
    books,
    request::{order, tea, with},
    site::Site,
    wait::until,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tutti::{
    invariants::{Evidence, Promise, Report, verify},
    shop::SERVICES,
};

/// What happens to an order, and how the API tells its end.
pub type Story = (&'static str, &'static str, Option<&'static str>);

/// One order of each ending.
pub const STORIES: [Story; 6] = [
    ("completed", "completed", None),
    ("declined", "cancelled", Some("payment_declined")),
    ("out of stock", "cancelled", Some("out_of_stock")),
    ("no carrier", "cancelled", Some("no_carrier")),
    ("deadline", "cancelled", Some("deadline")),
    ("cancelled while charging", "cancelled", Some("customer")),
];

fn request(story: &str) -> Value {
    let customer = "ada";
    match story {
        "completed" => tea(customer),
        "declined" => order(customer, &[("TEA-001", 1)], "tok_declined"),
        "out of stock" => order(customer, &[("TEA-001", 1), ("POT-RARE", 4)], "tok_ok"),
        "no carrier" => with(tea(customer), "/shipping_address/country", "XX"),
        "deadline" => order(customer, &[("POT-001", 1)], "tok_unknown"),
        "cancelled while charging" => order(customer, &[("CUP-001", 1)], "tok_slow"),
        other => panic!("{other} is no story"),
    }
}

/// Places one order of each story; a customer insists until there is an answer.
pub async fn place_all(site: &Site, round: &str) -> Vec<(Story, String)> {
    let mut placed = vec![];
    for story in STORIES {
        let key = format!("{}-{round}", story.0.replace(' ', "-"));
        let answer = site.orders().insist("/orders", Some(&key), &request(story.0)).await.expect(202);
        let id = answer["order_id"].as_str().unwrap().to_owned();
        if story.0.starts_with("cancelled") {
            site.said("payment", "PaymentRequested", &id).await;
            let cancellation = format!("/orders/{id}/cancellation");
            site.orders().insist(&cancellation, None, &json!({ "reason": "changed my mind" })).await.expect(202);
        }
        placed.push((story, id));
    }
    placed
}

/// Holds everything against the invariants, once nothing moves any more.
async fn verified(site: &Site, orders: &[(Story, String)]) -> Report {
    let ids: Vec<String> = orders.iter().map(|(_, id)| id.clone()).collect();
    let books = books::Read::about(&site.world.client, &ids).await;
    let stores = SERVICES.map(|service| site.servers.read(service));
    let promised: Vec<_> = orders
        .iter()
        .map(|((story, ..), id)| Promise {
            order_id: id.clone(),
            total_minor: None,
            cancelled: story.starts_with("cancelled"),
        })
        .collect();
    let verifying = tokio::task::spawn_blocking(move || {
        let [order, inventory, payment, shipping, email] = &stores;
        let evidence =
            Evidence { stores: [order, inventory, payment, shipping, email], books: &books, promised: &promised };
        verify(&evidence, &()).unwrap()
    });
    verifying.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_order_ends_as_it_should_though_each_service_is_killed_in_the_middle_of_it() {
    let settings = [("ORDER_DEADLINE_S", "20"), ("PICK_UP_S", "60")];
    let Some(mut site) = Site::new(&settings).await else { return };
    site.open().await;
    let faults = json!({ "gateway": { "slow_ms": 1500, "unknown_ms": 30000 },
        "carrier": { "pick_up_ms": 20, "transit_ms": 200 } });
    site.world.client.world(&faults).await;

    // Given orders on their way, when each service is killed in turn and started again, with more orders coming in,
    let mut orders = place_all(&site, "first").await;
    for name in SERVICES {
        site.process(name).kill().await;
        if name != "order" {
            orders.extend(place_all_but_cancelled(&site, name).await);
        }
        site.process(name).start();
    }
    for service in site.services.values() {
        service.ready().await;
    }
    orders.extend(place_all(&site, "last").await);

    // then every order ends as it should,
    for ((story, state, reason), id) in &orders {
        let order = site.orders().settled(id).await;
        assert_eq!((&order["state"], order["reason"].as_str()), (&json!(state), *reason), "{story}: {order}");
    }
    // nothing waits any more, the same request still has the same answer, and every invariant holds.
    for service in site.services.values() {
        until(&format!("{} has nothing left to do", service.name), || async {
            let status = service.status().await;
            (status["open_work"] == 0 && status["parked"] == 0 && status["published"] == status["head"]).then_some(())
        })
        .await;
    }
    let (_, first) = &orders[0];
    assert_eq!(site.orders().placed("completed-first", &request("completed")).await, *first);
    let report = until("every invariant holds", || async {
        let report = verified(&site, &orders).await;
        (report.at_rest && report.violations.is_empty()).then_some(report)
    })
    .await;
    let distinct: BTreeSet<_> = orders.iter().map(|(_, id)| id).collect();
    assert_eq!((report.orders, distinct.len()), (orders.len() as u64, orders.len()));
    for service in site.services.values_mut() {
        let status = service.terminate().await;
        assert!(status.success(), "{}: {status}: {}", service.name, service.log());
    }
}

/// While a service is down nothing can be waited for, so nobody cancels in a certain moment.
async fn place_all_but_cancelled(site: &Site, round: &str) -> Vec<(Story, String)> {
    let mut placed = vec![];
    for story in STORIES.iter().filter(|story| !story.0.starts_with("cancelled") && story.0 != "deadline") {
        let key = format!("{}-{round}", story.0.replace(' ', "-"));
        // The service that takes orders may itself just be starting.
        let answer = site.orders().insist("/orders", Some(&key), &request(story.0)).await.expect(202);
        placed.push((*story, answer["order_id"].as_str().unwrap().to_owned()));
    }
    placed
}
