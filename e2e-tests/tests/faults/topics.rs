//! What can happen to topics and tables from outside: records that nobody of the shop wrote, a broker that takes no
//! large records any more, readers that begin at the beginning, a disk that is full.

use crate::{
    client::items,
    customers::Customers,
    deployed::Deployed,
    process::Process,
    real_servers::RealServers,
    servers::Servers,
    wait::{PATIENCE, until},
};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier},
    client::DefaultClientContext,
    producer::{BaseProducer, BaseRecord, Producer},
};
use serde_json::{Value, json};
use tokio_postgres::NoTls;
use tutti::shop::SERVICES;

/// Not framed, framed but cut off, and with a schema id and a length that lie.
const NONSENSE: [&[u8]; 4] = [b"", b"hello", &[0, 0, 0], &[0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]];

/// Writes records on a service's topic that are nobody's events.
pub fn send_nonsense(servers: &Servers, service: &str) {
    let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", &servers.kafka.brokers).create().unwrap();
    let topic = servers.kafka.topic(service);
    for payload in NONSENSE {
        producer.send(BaseRecord::to(&topic).key("nobody").payload(payload).partition(0)).unwrap();
    }
    tokio::task::block_in_place(|| producer.flush(PATIENCE)).unwrap();
}

/// What of it a service has set aside.
async fn nonsense(reader: &Process) -> Option<Vec<Value>> {
    let answer = reader.admin.try_send(reader.admin.request(reqwest::Method::GET, "/parked")).await.ok()?;
    let parked = items(answer.expect(200), "items");
    Some(parked.into_iter().filter(|row| row["source"].as_str().unwrap().starts_with("foreign:")).collect())
}

/// Drops all of it that a service has set aside; one that dies meanwhile is left alone.
pub async fn discard_nonsense(reader: &Process) {
    until("nonsense is set aside", || async { nonsense(reader).await.filter(|rows| !rows.is_empty()) }).await;
    for row in nonsense(reader).await.unwrap_or_default() {
        let which = json!({ "source": row["source"], "key": row["key"] });
        let request = reader.admin.request(reqwest::Method::POST, "/parked/discard").json(&which);
        _ = reader.admin.try_send(request).await;
    }
}

/// Drops all of it wherever it is.
pub async fn discard_all_nonsense(shop: &Deployed) {
    for name in SERVICES {
        let reader = &shop.site[name];
        while nonsense(reader).await.is_none_or(|rows| !rows.is_empty()) {
            discard_nonsense(reader).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_records_are_set_aside_and_the_rest_goes_on() {
    let Some(_servers) = RealServers::taken().await else { return };
    let Some(mut shop) = Deployed::new(&[]).await else { return };
    shop.open().await;
    let customers = Customers::come_after(&shop.client(), 0);
    customers.have_ordered(10).await;
    for name in SERVICES {
        send_nonsense(&shop.site.servers, name);
    }
    customers.have_ordered(10).await;
    let accepted = customers.leave().await;
    // How many others each service reads.
    for (reader, sources) in [("order", 3), ("inventory", 2), ("payment", 2), ("shipping", 2), ("email", 1)] {
        until(&format!("{reader} has set it aside"), || async {
            (nonsense(&shop.site[reader]).await?.len() == sources * NONSENSE.len()).then_some(())
        })
        .await;
    }
    discard_all_nonsense(&shop).await;
    shop.all_is_right(&accepted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_the_broker_refuses_wait_in_the_log_until_it_takes_them() {
    let Some(_servers) = RealServers::taken().await else { return };
    let Some(mut shop) = Deployed::new(&[]).await else { return };
    shop.open().await;
    let customers = Customers::come_after(&shop.client(), 0);
    customers.have_ordered(10).await;
    limit_records(&shop.site.servers, "order", 200).await;
    let why = shop.held_up("order").await;
    assert!(why.contains("events wait to be published"), "{why}");
    customers.have_ordered(10).await;
    limit_records(&shop.site.servers, "order", 1_048_588).await;
    customers.have_ordered(10).await;
    let accepted = customers.leave().await;
    shop.ready().await;
    shop.all_is_right(&accepted).await;
}

async fn limit_records(servers: &Servers, service: &str, bytes: u32) {
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &servers.kafka.brokers).create().unwrap();
    let (topic, bytes) = (servers.kafka.topic(service), bytes.to_string());
    let limit = AlterConfig::new(ResourceSpecifier::Topic(&topic)).set("max.message.bytes", &bytes);
    for altered in admin.alter_configs(&[limit], &AdminOptions::new()).await.unwrap() {
        altered.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_topic_read_again_from_its_beginning_changes_nothing_and_sends_nothing() {
    let Some(_servers) = RealServers::taken().await else { return };
    let Some(mut shop) = Deployed::new(&[]).await else { return };
    shop.open().await;
    let customers = Customers::come_after(&shop.client(), 0);
    customers.have_ordered(20).await;
    let accepted = customers.leave().await;
    shop.all_is_right(&accepted).await;
    let before = everything_told(&shop).await;

    // No service remembers where on a topic it was, and the next record is found by reading all before it.
    for name in SERVICES {
        shop.site.process(name).kill().await;
        sql(&shop.site.servers.url(name), "UPDATE cursor SET offset_hint = NULL").await;
        shop.site.process(name).start();
    }
    shop.ready().await;
    let customers = Customers::come_after(&shop.client(), 1_000);
    customers.have_ordered(1).await;
    let later = customers.leave().await;
    shop.invariants_hold().await;
    let after = everything_told(&shop).await;
    let known =
        |rows: &[Value]| rows.iter().filter(|row| later.iter().all(|one| row["order_id"] != one.id.as_str())).count();
    assert_eq!(before.len(), known(&after));
}

/// What the world was asked for and what it was told.
async fn everything_told(shop: &Deployed) -> Vec<Value> {
    let client = shop.client();
    let mut told = client.all("/gateway/ledger", "entries").await;
    told.extend(client.all("/carrier/parcels", "parcels").await);
    let orders: Vec<Value> = client.all("/orders", "items").await;
    for order in orders {
        let path = format!("/mailbox?order_id={}", order["order_id"].as_str().unwrap());
        told.extend(client.all(&path, "messages").await);
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_an_outage_and_nothing_is_lost() {
    let Some(_servers) = RealServers::taken().await else { return };
    let Some(mut shop) = Deployed::new(&[]).await else { return };
    shop.open().await;
    let customers = Customers::come_after(&shop.client(), 0);
    customers.have_ordered(10).await;
    // What PostgreSQL says when its disk is full, at every row that is written.
    let full = "CREATE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
        CREATE TRIGGER disk_is_full BEFORE INSERT ON log FOR EACH ROW EXECUTE FUNCTION disk_is_full()";
    for name in ["payment", "order"] {
        sql(&shop.site.servers.url(name), full).await;
        let why = shop.held_up(name).await;
        assert!(why.contains("No space left"), "{why}");
        sql(&shop.site.servers.url(name), "DROP FUNCTION disk_is_full CASCADE").await;
        customers.have_ordered(10).await;
    }
    let accepted = customers.leave().await;
    shop.ready().await;
    shop.all_is_right(&accepted).await;
}

async fn sql(url: &str, statements: &str) {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute(statements).await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
}
