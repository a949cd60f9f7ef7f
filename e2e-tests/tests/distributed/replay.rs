//! Every topic read again from its beginning, by every service, from real brokers: nothing comes of it.

use crate::{
    client::Client,
    endings::{STORIES, place_all},
    kept::{Kept, is_idle},
    request::order,
    site::Site,
    wait::until,
};
use serde_json::{Value, json};
use tokio_postgres::NoTls;
use tutti::shop::SERVICES;

/// What nobody orders but the one who comes later.
const LATER: &str = "TIN-001";

/// What the world was asked for and what it told about these orders.
async fn books(world: &Client, orders: &[String]) -> Vec<Value> {
    let mut books = vec![];
    for id in orders {
        for path in ["/gateway/ledger", "/carrier/parcels", "/mailbox"] {
            books.push(world.read(&format!("{path}?order_id={id}")).await);
        }
    }
    books
}

/// What each service keeps.
async fn all_kept(site: &Site) -> Vec<Kept> {
    let stores = SERVICES.map(|name| (name, site.servers.read(name)));
    let reading = tokio::task::spawn_blocking(move || {
        stores.iter().map(|(name, store)| Kept::of(name, store)).collect::<Vec<_>>()
    });
    reading.await.unwrap()
}

async fn all_idle(site: &Site) {
    until("every service is idle", || async {
        let stores = SERVICES.map(|name| site.servers.read(name));
        let looking = tokio::task::spawn_blocking(move || stores.iter().all(|store| is_idle(store)));
        looking.await.unwrap().then_some(())
    })
    .await;
}

/// A service that runs no more forgets where on the topics it was.
async fn forget_places(url: &str) {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    assert!(client.execute("UPDATE cursor SET offset_hint = NULL", &[]).await.unwrap() > 0);
    drop(client);
    connection.await.unwrap().unwrap();
}

/// Nothing has changed since but what is about the article that was ordered later, though more has come.
fn assert_still_there(service: &str, before: &Kept, after: &Kept) {
    assert_eq!(before.log, after.log[..before.log.len()], "the log of {service} is another one");
    for (slot, state) in before.states.iter().filter(|(slot, _)| slot.1 != LATER) {
        assert_eq!(after.states.get(slot), Some(state), "{service}: {slot:?} has changed");
    }
    assert_eq!(before.parked, after.parked, "{service} has set something aside");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_topic_read_again_from_its_beginning_changes_no_row_and_asks_nothing_of_the_world() {
    let settings = [("ORDER_DEADLINE_S", "15"), ("PICK_UP_S", "15")];
    let Some(mut site) = Site::new(&settings).await else { return };
    site.open().await;
    let faults = json!({ "gateway": { "slow_ms": 1500, "unknown_ms": 30000 },
        "carrier": { "pick_up_ms": 20, "transit_ms": 100 } });
    site.world.client.world(&faults).await;

    // Given orders of every ending, and nothing left to do,
    let orders: Vec<String> = place_all(&site, "first").await.into_iter().map(|(_, id)| id).collect();
    assert_eq!(orders.len(), STORIES.len());
    for id in &orders {
        site.orders().settled(id).await;
    }
    all_idle(&site).await;
    let (kept, told) = (all_kept(&site).await, books(&site.world.client, &orders).await);

    // when each service finds its next record by reading all before it,
    for name in SERVICES {
        site.process(name).kill().await;
        forget_places(&site.servers.url(name)).await;
        site.process(name).start();
    }
    let later = order("grace", &[(LATER, 1)], "tok_ok");
    let later = site.orders().insist("/orders", Some("later"), &later).await.expect(202);
    site.orders().settled(later["order_id"].as_str().unwrap()).await;
    all_idle(&site).await;

    // then all that was there is there as it was, row by row, and the world was asked for nothing about those orders.
    for (name, (before, after)) in SERVICES.iter().zip(kept.iter().zip(&all_kept(&site).await)) {
        assert_still_there(name, before, after);
    }
    assert_eq!(told, books(&site.world.client, &orders).await);
}
