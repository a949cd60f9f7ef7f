//! Three brokers, of which one at a time is lost: everything goes on, also while it is away.

use crate::{
    customers::Customers, deployed::Deployed, real_servers::RealServers, request::tea, servers::Servers, wait::until,
};
use rdkafka::{
    ClientConfig,
    consumer::{BaseConsumer, Consumer},
};
use std::time::Duration;
use tutti::shop::SERVICES;

#[tokio::test(flavor = "multi_thread")]
async fn with_one_of_three_brokers_gone_orders_are_taken_and_settled() {
    let Some(servers) = RealServers::taken().await else { return };
    let Some(mut shop) = Deployed::new(&[]).await else { return };
    if shop.site.servers.brokers() < 3 {
        eprintln!("skipped: let KAFKA_BOOTSTRAP_SERVERS name three brokers");
        return;
    }
    shop.open().await;
    let mut accepted = vec![];
    for broker in ["kafka-1", "kafka-2", "kafka-3"] {
        let customers = Customers::come_after(&shop.client(), accepted.len());
        customers.have_ordered(20).await;
        everything_is_replicated(&shop.site.servers).await;
        servers.kill(broker).await;
        customers.have_ordered(20).await;
        accepted.extend(customers.leave().await);
        // While one is away the others carry every event: what is placed now is settled now.
        println!("without {broker}");
        let placed = shop.client().placed(&format!("without-{broker}"), &tea("zoe")).await;
        shop.client().settled(&placed).await;
        shop.ready().await;
        servers.start(broker).await;
    }
    println!("{} orders", accepted.len());
    shop.invariants_hold().await;
}

/// A broker that has come back holds everything again; before that the loss of another one would be the loss of two.
async fn everything_is_replicated(servers: &Servers) {
    let client: BaseConsumer = ClientConfig::new().set("bootstrap.servers", &servers.kafka.brokers).create().unwrap();
    let in_sync = |service: &str| {
        let metadata = client.fetch_metadata(Some(&servers.kafka.topic(service)), Duration::from_secs(5)).ok()?;
        metadata.topics()[0].partitions().iter().all(|partition| partition.isr().len() == 3).then_some(())
    };
    until("everything is replicated", || async {
        tokio::task::block_in_place(|| SERVICES.iter().try_for_each(|service| in_sync(service)))
    })
    .await;
}
