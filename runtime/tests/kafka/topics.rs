//! Topics are created by a job and held against what is needed; a layout that would lose something is named.

use crate::{
    cluster::{Corner, RUNTIME, layout, settings},
    wire::Speaker,
};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
};
use runtime::{
    Position,
    bus::{
        Beginning, Bus,
        kafka::{
            Settings,
            topics::{self, Layout, TopicError},
        },
    },
};

#[test]
fn creating_topics_again_changes_nothing() {
    let Some(settings) = settings() else { return };
    let corner = Corner::of(settings, &["left", "desk"]);
    let create = || RUNTIME.block_on(topics::create(&corner, &["left", "desk"], &layout())).unwrap();
    assert_eq!(create(), [corner.topic("left"), corner.topic("desk")]);
    assert_eq!(create(), [""; 0]);
}

fn create_by_hand(settings: &Settings, partitions: i32, option: (&str, &str)) {
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &settings.brokers).create().unwrap();
    let topic = settings.topic("left");
    let new = NewTopic::new(&topic, partitions, TopicReplication::Fixed(1)).set(option.0, option.1);
    let created = RUNTIME.block_on(admin.create_topics(&[new], &AdminOptions::new())).unwrap();
    created.into_iter().for_each(|created| _ = created.unwrap());
}

/// What a service says whose topic was created like this.
fn refusal(partitions: i32, option: (&str, &str)) -> Option<String> {
    let corner = Corner::of(settings()?, &["left"]);
    create_by_hand(&corner, partitions, option);
    let mut refused = None;
    crate::cluster::eventually("it is refused", || {
        let begun = Speaker::connect(&corner).bus.begin(&Beginning::default());
        refused = begun.err().map(|away| away.to_string()).filter(|why| !why.contains("does not exist"));
        refused.is_some()
    });
    refused
}

#[test]
fn a_topic_with_another_number_of_partitions_is_refused() {
    let Some(why) = refusal(3, ("cleanup.policy", "delete")) else { return };
    assert!(why.contains("3 partitions") && why.contains("tutti topics create"), "{why}");
}

#[test]
fn a_topic_that_takes_less_than_the_log_is_refused() {
    let Some(why) = refusal(1, ("max.message.bytes", "100000")) else { return };
    assert!(why.contains("max.message.bytes") && why.contains("100000"), "{why}");
}

#[test]
fn a_topic_that_is_compacted_is_refused() {
    let Some(why) = refusal(1, ("cleanup.policy", "compact")) else { return };
    assert!(why.contains("cleanup.policy=compact"), "{why}");
}

#[test]
fn a_topic_that_is_missing_is_named_and_waited_for() {
    let Some(settings) = settings() else { return };
    let corner = Corner::of(settings, &["left"]);
    let mut speaker = Speaker::connect(&corner);
    let away = speaker.bus.begin(&Beginning::default()).unwrap_err();
    assert!(away.to_string().contains(&format!("the topic {} does not exist", corner.topic("left"))), "{away}");
    corner.create_topics();
    speaker.bus.begin(&Beginning::default()).unwrap();
    assert_eq!(speaker.bus.ends(("left", 0)).unwrap().latest, Position::default());
}

#[test]
fn brokers_that_are_not_there_are_named() {
    let Some(settings) = settings() else { return };
    let nowhere = Settings { brokers: "127.0.0.1:1".into(), ..settings };
    let error = RUNTIME.block_on(topics::assert(&nowhere, &["left"])).unwrap_err();
    assert!(matches!(error, TopicError::Away { .. }));
    assert!(error.to_string().contains("KAFKA_BOOTSTRAP_SERVERS") && error.to_string().contains("127.0.0.1:1"));
    let unreplicated = Layout { replication: 99, ..layout() };
    let Some(settings) = crate::cluster::settings() else { return };
    let refused = RUNTIME.block_on(topics::create(&settings, &["left"], &unreplicated)).unwrap_err();
    assert!(matches!(refused, TopicError::Refused { .. }), "{refused}");
}
