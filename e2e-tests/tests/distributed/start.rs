//! What a process says when it cannot start, and what it waits for.

use crate::{ports, site::Site};
use tokio::net::TcpListener;

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_become_right_ends_the_process_and_is_named() {
    let Some(site) = Site::new(&[]).await else { return };
    let wrong = site.servers.url_with("payment", "hunter2");
    let wrong_keyring = site.servers.url_with("keyring", "hunter2");
    let taken = TcpListener::bind(ports::free()).await.unwrap();
    let taken_address = taken.local_addr().unwrap().to_string();
    for (setting, value, code, named) in [
        ("DATABASE_URL", None, 2, "DATABASE_URL is not set"),
        ("DATABASE_URL", Some("hunter2"), 2, "DATABASE_URL cannot be used"),
        ("KAFKA_BOOTSTRAP_SERVERS", None, 2, "KAFKA_BOOTSTRAP_SERVERS is not set"),
        ("SCHEMA_REGISTRY_URL", Some("there"), 2, "SCHEMA_REGISTRY_URL is `there`"),
        ("KEYRING_DATABASE_URL", None, 2, "KEYRING_DATABASE_URL is not set"),
        ("KEYRING_DATABASE_URL", Some("hunter2"), 2, "KEYRING_DATABASE_URL cannot be used"),
        ("PAYMENT_GATEWAY_URL", Some("https://hunter2@there"), 2, "PAYMENT_GATEWAY_URL is `…@there`"),
        ("TUTTI_LOG", Some("="), 2, "TUTTI_LOG="),
        ("LISTEN", Some("8080"), 2, "LISTEN is `8080`"),
        ("LISTEN", Some(&*taken_address), 4, "give another one with LISTEN"),
        ("KEYRING_DATABASE_URL", Some(&*wrong_keyring), 4, "See that KEYRING_DATABASE_URL names"),
        ("KAFKA_TOPIC_PREFIX", Some("nobody-made."), 4, "the topic nobody-made.payment.events does not exist"),
        ("DATABASE_URL", Some(&*wrong), 1, "See that DATABASE_URL names"),
    ] {
        let mut payment = site.replica("payment");
        payment.set(setting, value);
        payment.start();
        let status = payment.ended().await;
        let log = payment.log();
        assert_eq!(status.code(), Some(code), "{setting}: {log}");
        assert!(log.contains(named) && !log.contains("hunter2") && !log.contains("panicked"), "{setting}: {log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_merely_away_is_waited_for_and_readiness_is_red() {
    let Some(mut site) = Site::new(&[]).await else { return };
    // Given a broker that nobody listens for.
    let nobody = ports::free().to_string();
    site.process("inventory").set("KAFKA_BOOTSTRAP_SERVERS", Some(&nobody));
    site.process("inventory").start();
    let inventory = &site["inventory"];
    crate::wait::until("it waits", || async { inventory.log().contains("waiting until it is there").then_some(()) })
        .await;
    assert_eq!(inventory.client.get("/health/live").await.status, 200);
    let red = inventory.client.get("/health/ready").await.expect(503);
    assert!(red["services"][0]["why"].as_str().unwrap().contains("KAFKA_BOOTSTRAP_SERVERS"), "{red}");
    assert!(!inventory.health().await);
    assert_eq!(inventory.log().matches("waiting until it is there").count(), 1, "{}", inventory.log());
    // When it is asked to end, it ends at once and well.
    let inventory = site.process("inventory");
    assert!(inventory.terminate().await.success(), "{}", inventory.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_routes_are_served_apart_and_customers_routes_are_described() {
    let Some(mut site) = Site::new(&[]).await else { return };
    site.process("inventory").start();
    let inventory = &site["inventory"];
    inventory.ready().await;
    for path in ["/status", "/metrics", "/parked", "/log/TEA-001"] {
        assert_eq!(inventory.admin.get(path).await.status, 200, "{path}");
        inventory.client.get(path).await.problem(404);
    }
    let described = inventory.client.read("/openapi.json").await;
    assert!(described["paths"]["/stock"].is_object(), "{described}");
    assert!(inventory.admin.get("/metrics").await.body.contains("tutti_log_head"));
    let log = inventory.admin.read("/log/TEA-001").await;
    assert_eq!(log["items"][0]["type"], "StockReplenished", "{log}");
    assert!(inventory.health().await);
    // Nothing is missing from the log, also where some of it is filtered out.
    for said in ["listening", "a reign begins"] {
        assert!(inventory.log().contains(said), "{said}: {}", inventory.log());
    }
}
