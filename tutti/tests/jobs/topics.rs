//! `tutti topics create|check`.

use crate::run::{address, setting, tutti, unique};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions},
    client::DefaultClientContext,
};
use serde_json::{Value, json};

/// Topics that are gone when the test ends.
struct Topics {
    brokers: String,
    prefix: String,
}

impl Topics {
    fn names(&self) -> Vec<String> {
        let services = ["order", "inventory", "payment", "shipping", "email"];
        services.iter().map(|service| format!("{}{service}.events", self.prefix)).collect()
    }
}

impl Drop for Topics {
    fn drop(&mut self) {
        let admin: AdminClient<DefaultClientContext> =
            ClientConfig::new().set("bootstrap.servers", &self.brokers).create().unwrap();
        let names = self.names();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let tokio = tokio::runtime::Runtime::new().unwrap();
        // Some tests make none.
        _ = tokio.block_on(admin.delete_topics(&names, &AdminOptions::new()));
    }
}

#[test]
fn topics_are_made_once_and_then_found() {
    let Some(brokers) = address("KAFKA_BOOTSTRAP_SERVERS") else { return };
    let topics = Topics { brokers: brokers.clone(), prefix: unique("topics.") };
    let settings = [setting("KAFKA_BOOTSTRAP_SERVERS", brokers)];
    let prefix = ["--topic-prefix", &topics.prefix];
    let run = |args: &[&str]| tutti(&[args, &prefix[..]].concat(), &settings);
    run(&["topics", "check"]).refused(1, &["order.events does not exist", "tutti topics create"]);
    let create = ["--json", "topics", "create", "--replication", "1", "--min-in-sync", "1", "--retention", "1h"];
    let created =
        |ran: crate::run::Ran| -> Vec<String> { serde_json::from_value(ran.document()["created"].clone()).unwrap() };
    let mut first = created(run(&create));
    let mut expected = topics.names();
    first.sort();
    expected.sort();
    assert_eq!(first, expected);
    assert_eq!(created(run(&create)), Vec::<String>::new());
    let checked: Value = run(&["--json", "topics", "check"]).document();
    assert_eq!(checked, json!({ "topics": topics.names(), "created": [] }));
}

#[test]
fn more_copies_than_there_are_brokers_are_refused_in_the_brokers_words() {
    let Some(brokers) = address("KAFKA_BOOTSTRAP_SERVERS") else { return };
    let topics = Topics { brokers: brokers.clone(), prefix: unique("copies.") };
    let args = ["topics", "create", "--replication", "99", "--topic-prefix", &topics.prefix];
    tutti(&args, &[setting("KAFKA_BOOTSTRAP_SERVERS", brokers)]).refused(1, &["cannot be created"]);
}

#[test]
fn brokers_that_are_away_or_unnamed_are_told_apart() {
    tutti(&["topics", "check"], &[]).refused(2, &["KAFKA_BOOTSTRAP_SERVERS is not set"]);
    let nobody = [setting("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")];
    tutti(&["topics", "check"], &nobody).refused(3, &["127.0.0.1:1", "away"]);
    let args = ["topics", "create", "--replication", "1"];
    tutti(&args, &nobody).refused(2, &["--min-in-sync 2", "1 copies"]);
}
