//! What is read: hints that lead astray, gaps, strangers on the topic, topics that vanish; and what is known of the end.

use crate::{
    cluster::{RUNTIME, corner, eventually},
    faults::BrokerProxy,
    wire::{GENERATION, LANE, Listener, Speaker, at, headers_of, put, seqs},
};
use rdkafka::{
    ClientConfig, Message,
    admin::{AdminClient, AdminOptions, NewPartitions},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer},
    message::{Header, OwnedHeaders},
};
use runtime::{
    bus::{Beginning, Bus, kafka::Settings},
    record::CursorRow,
};
use std::time::Duration;

fn cursor(seq: u64, hint: i64) -> CursorRow {
    CursorRow { source: "left".into(), lane: 0, at: at(seq), offset_hint: Some(hint) }
}

#[test]
fn whatever_a_hint_says_the_next_record_is_the_next_one() {
    let Some(corner) = corner(&["left", "desk"]) else { return };
    let mut speaker = Speaker::begin(&corner);
    (0..3).for_each(|_| speaker.say(1000));
    speaker.all_published();
    // Given cursors with hints that are right, too low, too high, at the end, far beyond it, or nonsense,
    for hint in [2000, 1, 500, 2700, 2999, 3000, 3001, 999_999, 0, -5] {
        let mut listener = Listener::begin(&corner);
        listener.bus.begin(&Beginning { cursors: vec![cursor(2000, hint)], ..Beginning::default() }).unwrap();
        listener.after = at(2000);
        // then reading goes on behind the cursor, and each record brings the right hint.
        let taken = listener.take(1000);
        assert_eq!(seqs(&taken), (2001..=3000).collect::<Vec<_>>(), "with hint {hint}");
        assert!(taken.iter().all(|record| record.hint == Some(record.row.seq.cast_signed())));
        listener.follows();
    }
}

#[test]
fn a_new_reign_gets_again_what_an_earlier_one_was_given() {
    let Some(corner) = corner(&["left", "desk"]) else { return };
    Speaker::begin(&corner).say(100);
    let mut listener = Listener::begin(&corner);
    listener.take(100);
    listener.bus.begin(&Beginning { cursors: vec![cursor(40, 40)], ..Beginning::default() }).unwrap();
    listener.after = at(40);
    assert_eq!(seqs(&listener.take(60)), (41..=100).collect::<Vec<_>>());
}

#[test]
fn what_is_missing_is_looked_for_once_and_taken_when_it_is_published_again() {
    let Some(corner) = corner(&["left", "desk"]) else { return };
    let value = |id: u32| [&[0], &id.to_be_bytes()[..], b"\x02a"].concat();
    let id = id_of_said(&corner);
    for seq in [1, 2, 4, 5] {
        put(&corner, "a", headers_of(seq, "Said", 1), &value(id));
    }
    // Given a reader that stands at a gap, as the lanes do it,
    let mut listener = Listener::begin(&corner);
    assert_eq!(seqs(&listener.take(4)), [1, 2, 4, 5]);
    listener.after = at(2);
    listener.bus.reread(LANE, at(2)).unwrap();
    assert_eq!(seqs(&listener.take(2)), [4, 5], "looked for from the beginning");
    // when it is asked for again, then the topic is not read through again,
    listener.after = at(2);
    listener.bus.reread(LANE, at(2)).unwrap();
    listener.follows_given(at(5));
    // and what is published again is taken.
    for seq in [3, 4, 5, 6] {
        put(&corner, "a", headers_of(seq, "Said", 1), &value(id));
    }
    assert_eq!(seqs(&listener.take(4)), [3, 4, 5, 6]);
    listener.follows();
}

/// The id under which the registry has the first version of `Said`.
fn id_of_said(settings: &Settings) -> u32 {
    let registry = runtime::bus::kafka::Registry::at(&settings.registry).unwrap();
    let subject = format!("{}-test.left.Said", settings.topic("left"));
    RUNTIME.block_on(registry.id_of(&subject, crate::cluster::CONTRACT[0].text)).unwrap().unwrap()
}

#[test]
fn strangers_on_the_topic_are_told_apart() {
    let Some(corner) = corner(&["left", "desk"]) else { return };
    let mut speaker = Speaker::begin(&corner);
    speaker.say(2);
    speaker.all_published();
    put(&corner, "stranger", OwnedHeaders::new(), b"hello");
    put(&corner, "a", OwnedHeaders::new().insert(Header { key: "ce_id", value: Some(&[0xff_u8, 0xfe][..]) }), b"");
    speaker.say(2);
    speaker.all_published();
    put(&corner, "b", headers_of(9, "Said", 1), b"its key is not its subject");
    let mut listener = Listener::begin(&corner);
    let (mut records, mut foreign) = (vec![], vec![]);
    eventually("all of it came", || {
        let fetched = listener.fetch().unwrap_or_default();
        records.extend(fetched.records);
        foreign.extend(fetched.foreign);
        records.len() + foreign.len() == 7
    });
    assert_eq!(seqs(&records), [1, 2, 3, 4]);
    let places: Vec<_> = foreign.iter().map(|one| (one.key(), &*one.body)).collect();
    let place = |offset: u64| format!("{}/0/{offset}", corner.topic("left"));
    assert_eq!(places, [(place(2), &b"hello"[..]), (place(3), b""), (place(6), b"its key is not its subject")]);
    assert!(foreign[0].why.contains("no headers"), "{}", foreign[0].why);
    listener.follows();
}

#[test]
fn an_end_that_was_known_before_an_outage_proves_nothing_during_it() {
    let Some(corner) = corner(&["left", "desk"]) else { return };
    let Some(proxy) = BrokerProxy::before(&corner.brokers) else { return };
    let mut speaker = Speaker::begin(&corner);
    speaker.say(10);
    let mut listener = Listener::begin(&Settings { brokers: proxy.brokers.clone(), ..(*corner).clone() });
    listener.take(10);
    assert!(listener.follows().age < 60_000_000);
    // Given brokers that cannot be reached, when more is said meanwhile,
    proxy.set_open(false);
    speaker.say(10);
    speaker.all_published();
    // then the bus is away and claims nothing newer than the outage,
    listener.is_away("the brokers do not answer");
    // and afterwards everything comes before the end is told.
    proxy.set_open(true);
    listener.take(10);
    listener.follows();
}

#[test]
fn a_topic_that_vanished_or_was_created_anew_is_named() {
    let Some(corner) = corner(&["left", "desk"]) else { return };
    let mut speaker = Speaker::begin(&corner);
    speaker.say(50);
    let mut listener = Listener::begin(&corner);
    listener.take(50);
    listener.follows();
    // When the topic is deleted, it is said;
    drop(speaker);
    corner.delete_topic("left");
    eventually("the loss is named", || listener.fetch().is_err_and(|away| away.0.contains("is gone")));
    // when it is created anew, that is said, until its events are published again.
    corner.create_topics();
    eventually("the new one is named", || listener.fetch().is_err_and(|away| away.0.contains("created anew")));
    let mut speaker = Speaker::begin(&corner);
    speaker.say(60);
    assert_eq!(seqs(&listener.take(10)), (51..=60).collect::<Vec<_>>());
    listener.follows();
}

#[test]
fn a_topic_that_gets_more_partitions_is_named() {
    let Some(corner) = corner(&["left", "desk"]) else { return };
    let mut speaker = Speaker::begin(&corner);
    speaker.say(5);
    let mut listener = Listener::begin(&corner);
    listener.take(5);
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &corner.brokers).create().unwrap();
    let topic = corner.topic("left");
    RUNTIME.block_on(admin.create_partitions(&[NewPartitions::new(&topic, 2)], &AdminOptions::new())).unwrap();
    eventually("it is named", || {
        // Looking is what an engine does.
        _ = listener.fetch();
        listener.bus.published().held_up.is_some_and(|why| why.contains("2 partitions"))
    });
    speaker.say(5);
    listener.take(5);
}

#[test]
fn records_that_retention_took_away_unread_are_a_gap() {
    let Some(corner) = corner(&["left", "desk"]) else { return };
    let mut speaker = Speaker::begin(&corner);
    speaker.say(100);
    speaker.all_published();
    delete_before(&corner, 60);
    // A reader that was at 20 finds 61 next: the lanes see the hole and name it.
    let mut listener = Listener::begin(&corner);
    listener.bus.begin(&Beginning { cursors: vec![cursor(20, 20)], ..Beginning::default() }).unwrap();
    listener.after = at(20);
    assert_eq!(listener.take(40)[0].row.seq, 61);
    // One that has never been there begins with what there is.
    let ends = listener.bus.ends(LANE).unwrap();
    assert_eq!((ends.earliest, ends.latest), (at(60), at(100)));
}

fn delete_before(settings: &Settings, offset: i64) {
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &settings.brokers).create().unwrap();
    let mut list = rdkafka::TopicPartitionList::new();
    list.add_partition_offset(&settings.topic("left"), 0, rdkafka::Offset::Offset(offset)).unwrap();
    RUNTIME.block_on(admin.delete_records(&list, &AdminOptions::new())).unwrap();
}

#[test]
fn what_is_published_late_is_kept_as_long_as_anything_else() {
    let Some(corner) = corner(&["left", "desk"]) else { return };
    let mut speaker = Speaker::begin(&corner);
    speaker.say(1); // years after it was committed
    speaker.all_published();
    let tool: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &corner.brokers)
        .set("group.id", format!("{}look", corner.prefix))
        .create()
        .unwrap();
    let mut list = rdkafka::TopicPartitionList::new();
    list.add_partition_offset(&corner.topic("left"), 0, rdkafka::Offset::Beginning).unwrap();
    tool.assign(&list).unwrap();
    let message = tool.poll(Duration::from_secs(30)).unwrap().unwrap();
    let written = message.timestamp().to_millis().unwrap();
    assert!(written > at_millis(1) + 1000 * 3600 * 24 * 365, "it bears the event's own time");
}

fn at_millis(seq: u64) -> i64 {
    crate::wire::row(seq, 0).at / 1000
}

#[test]
fn the_ends_of_a_lane_are_found_behind_repeats_and_strangers() {
    let Some(corner) = corner(&["left", "desk"]) else { return };
    put(&corner, "stranger", OwnedHeaders::new(), b"first");
    let mut speaker = Speaker::begin(&corner);
    speaker.say(10);
    speaker.all_published();
    // A relay that began again behind 4, and got no further than 6.
    for seq in [5, 6] {
        put(&corner, "a", headers_of(seq, "Said", 1), b"");
    }
    put(&corner, "stranger", OwnedHeaders::new(), b"last");
    let ends = Listener::begin(&corner).bus.ends(LANE).unwrap();
    assert_eq!((ends.earliest, ends.latest), (at(0), at(10)));
    assert_eq!(ends.latest.generation, GENERATION);
}

#[test]
fn those_who_watch_the_lag_see_how_far_a_service_is() {
    let Some(corner) = corner(&["left", "desk"]) else { return };
    Speaker::begin(&corner).say(10);
    let mut listener = Listener::begin(&corner);
    listener.take(10);
    let group = format!("{}tutti.desk", corner.prefix);
    let tool: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", &corner.brokers).set("group.id", &group).create().unwrap();
    eventually("the offset is committed", || {
        _ = listener.fetch();
        let mut list = rdkafka::TopicPartitionList::new();
        list.add_partition(&corner.topic("left"), 0);
        let committed = tool.committed_offsets(list, Duration::from_secs(10)).unwrap();
        committed.elements()[0].offset() == rdkafka::Offset::Offset(10)
    });
}
