//! The log onto the topic: whatever breaks in between, nothing is lost and nothing overtakes.

use crate::{
    cluster::{RUNTIME, corner, eventually},
    faults::BrokerProxy,
    wire::{Speaker, assert_in_order, on_topic},
};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier},
    client::DefaultClientContext,
};
use runtime::bus::{Bus, kafka::Settings};
use std::sync::atomic::Ordering;

fn through(proxy: &BrokerProxy, settings: &Settings) -> Settings {
    Settings { brokers: proxy.brokers.clone(), ..settings.clone() }
}

#[test]
fn while_connections_break_nothing_is_lost_and_nothing_overtakes() {
    let Some(corner) = corner(&["left"]) else { return };
    let Some(proxy) = BrokerProxy::before(&corner.brokers) else { return };
    let mut speaker = Speaker::begin(&through(&proxy, &corner));
    // Given a service that speaks while its connections break again and again, in the midst of sending,
    for turn in 0..40 {
        for _ in 0..10 {
            speaker.say(100);
        }
        let confirmed = speaker.bus.published().until;
        if turn % 2 == 0 {
            proxy.cut();
        }
        eventually("it goes on", || speaker.bus.published().until > confirmed);
    }
    // when they are left alone, then everything is there, in order.
    speaker.all_published();
    assert_in_order(&on_topic(&corner), 40_000);
    assert!(proxy.connections.load(Ordering::Relaxed) > 20, "the proxy was passed by");
}

#[test]
fn what_no_queue_can_hold_while_the_brokers_are_away_waits_in_the_log() {
    let Some(corner) = corner(&["left"]) else { return };
    let Some(proxy) = BrokerProxy::before(&corner.brokers) else { return };
    let mut speaker = Speaker::begin(&through(&proxy, &corner));
    speaker.say(10);
    speaker.all_published();
    // Given brokers out of reach, when more is said than the producer's queue can hold,
    proxy.set_open(false);
    for _ in 0..50 {
        speaker.say(1000);
    }
    // then it is said that rows wait, and nothing is given up;
    assert!(speaker.held_up().contains("events wait to be published"));
    assert_eq!(speaker.bus.published().until, Some(10));
    // and when they are back, everything arrives.
    proxy.set_open(true);
    speaker.say(5);
    speaker.all_published();
    assert_in_order(&on_topic(&corner), 50_015);
}

/// Changes what the topic of `left` takes.
fn allow_bytes(settings: &Settings, bytes: &str) {
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &settings.brokers).create().unwrap();
    let topic = settings.topic("left");
    let change = AlterConfig::new(ResourceSpecifier::Topic(&topic)).set("max.message.bytes", bytes);
    let changed = RUNTIME.block_on(admin.alter_configs(&[change], &AdminOptions::new())).unwrap();
    changed.into_iter().for_each(|changed| _ = changed.unwrap());
}

#[test]
fn a_record_that_the_broker_refuses_is_overtaken_by_nothing() {
    let Some(corner) = corner(&["left"]) else { return };
    let mut speaker = Speaker::begin(&corner);
    speaker.say(10);
    speaker.all_published();
    // Given a topic that was made too small behind our back,
    allow_bytes(&corner, "300000");
    // when a record that it refuses is followed by many that it would take,
    speaker.say_long(1, 400_000);
    for _ in 0..20 {
        speaker.say(100);
    }
    // then they wait, and everybody can see for what;
    eventually("the refused row is named", || {
        speaker.bus.published().held_up.is_some_and(|why| why.contains("row 11 of") && why.contains("too large"))
    });
    assert_in_order(&on_topic(&corner), 10);
    // and when it is mended, everything arrives in order.
    allow_bytes(&corner, "1048576");
    speaker.all_published();
    assert_in_order(&on_topic(&corner), 2011);
}

#[test]
fn a_closed_connection_leaves_what_it_can_on_the_topic() {
    let Some(corner) = corner(&["left"]) else { return };
    let mut speaker = Speaker::begin(&corner);
    speaker.say(300);
    drop(speaker);
    assert_in_order(&on_topic(&corner), 300);
}
