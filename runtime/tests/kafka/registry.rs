//! The registry: as long as it does not answer, or answers nonsense, everything waits and nothing is set aside.

use crate::{
    cluster::{CONTRACT, Corner, RUNTIME, corner, settings},
    faults::{Mood, RegistryProxy},
    wire::{Listener, Speaker, assert_in_order, headers_of, on_topic, put, seqs},
};
use runtime::bus::{
    Bus,
    kafka::{
        Registry, RegistryError, Settings,
        registration::{self, RegistrationError},
    },
};
use shared_events::catalog::SchemaFile;
use std::{sync::atomic::Ordering, time::Duration};

fn through(proxy: &RegistryProxy, settings: &Settings) -> Settings {
    Settings { registry: proxy.url.clone(), ..settings.clone() }
}

/// Every way in which a registry can fail, and what is said of it to one who writes, and to one who reads.
const FAILURES: [(Mood, &str, &str); 6] = [
    (Mood::Down, "is away", "is away"),
    (Mood::Broken, "answers 500", "answers 500"),
    (Mood::NotFound, "answers 404", "answers 404"),
    (Mood::Forbidden, "does not permit it", "does not permit it"),
    (Mood::Wiped, "tutti schemas register", "is empty"),
    (Mood::Slow, "is away", "is away"),
];

#[test]
fn while_the_registry_fails_events_wait_in_the_log() {
    for (mood, why, _) in FAILURES {
        let Some(corner) = corner(&["left"]) else { return };
        let proxy = RegistryProxy::before(&corner.registry, mood);
        let mut speaker = Speaker::begin(&through(&proxy, &corner));
        speaker.say(10);
        assert!(speaker.held_up().contains(why), "{mood:?}: {}", speaker.held_up());
        speaker.say(10);
        assert_eq!(on_topic(&corner), [0; 0]);
        proxy.set(Mood::Well);
        speaker.all_published();
        assert_in_order(&on_topic(&corner), 20);
    }
}

#[test]
fn while_the_registry_fails_a_reader_waits() {
    for (mood, _, why) in FAILURES {
        let Some(corner) = corner(&["left", "desk"]) else { return };
        Speaker::begin(&corner).say(10);
        let proxy = RegistryProxy::before(&corner.registry, mood);
        let mut listener = Listener::begin(&through(&proxy, &corner));
        listener.is_away(why);
        listener.is_away(why);
        proxy.set(Mood::Well);
        let taken = listener.take(10);
        assert!(taken.iter().all(|record| record.poison.is_none() && record.row.schema == 1));
    }
}

#[test]
fn what_the_registry_told_once_is_never_asked_again() {
    let Some(corner) = corner(&["left", "desk"]) else { return };
    let proxy = RegistryProxy::before(&corner.registry, Mood::Well);
    let mut speaker = Speaker::begin(&through(&proxy, &corner));
    let mut listener = Listener::begin(&through(&proxy, &corner));
    speaker.say(10);
    listener.take(10);
    proxy.set(Mood::Broken);
    let calls = proxy.calls.load(Ordering::Relaxed);
    speaker.say(1000);
    listener.take(1000);
    assert_eq!(proxy.calls.load(Ordering::Relaxed), calls);
    assert_eq!(calls, 2, "once to write, once to read");
}

fn framed(id: u32) -> Vec<u8> {
    [&[0], &id.to_be_bytes()[..], b"\x02a"].concat()
}

#[test]
fn an_id_that_a_registry_does_not_know_is_waited_for_and_then_poison() {
    let Some(corner) = corner(&["left", "desk"]) else { return };
    put(&corner, "a", headers_of(1, "Said", 1), &framed(u32::MAX >> 1));
    // As long as it may come yet, the lane waits;
    let patient = Settings { unknown_id_after: Duration::from_secs(300), ..(*corner).clone() };
    let mut listener = Listener::begin(&patient);
    listener.is_away("does not know the id");
    listener.is_away("does not know the id");
    // then it is poison, and the lane goes on.
    let impatient = Settings { unknown_id_after: Duration::from_secs(1), ..(*corner).clone() };
    let mut listener = Listener::begin(&impatient);
    let taken = listener.take(1);
    assert!(taken[0].poison.as_ref().is_some_and(|why| why.contains("does not know the id")));
    assert_eq!((&*taken[0].row.body, taken[0].row.schema), (&b"\x02a"[..], 1), "kept as its headers tell");
}

#[test]
fn an_outage_while_an_id_is_unknown_sets_nothing_aside() {
    let Some(corner) = corner(&["left", "desk"]) else { return };
    Speaker::begin(&corner).say(3);
    for mood in [Mood::Wiped, Mood::Broken] {
        let proxy = RegistryProxy::before(&corner.registry, mood);
        let impatient = Settings { unknown_id_after: Duration::ZERO, ..through(&proxy, &corner) };
        let mut listener = Listener::begin(&impatient);
        for _ in 0..3 {
            listener.is_away("registry");
        }
        proxy.set(Mood::Well);
        assert!(listener.take(3).iter().all(|record| record.poison.is_none()));
    }
}

#[test]
fn an_id_that_stands_for_another_event_by_now_is_waited_for() {
    let Some(corner) = corner(&["left", "desk"]) else { return };
    Speaker::begin(&corner).say(3);
    let proxy = RegistryProxy::before(&corner.registry, Mood::Mixed);
    let mut listener = Listener::begin(&through(&proxy, &corner));
    listener.is_away("is Other, not");
    proxy.set(Mood::Well);
    assert!(listener.take(3).iter().all(|record| record.poison.is_none()));
}

#[test]
fn frames_that_lie_are_poison_and_the_lane_goes_on() {
    let Some(corner) = corner(&["left", "desk"]) else { return };
    for (seq, value) in [(1, &b""[..]), (2, b"\0\0\0"), (3, b"\x07\0\0\0\x01a")] {
        put(&corner, "a", headers_of(seq, "Said", 1), value);
    }
    put(&corner, "a", headers_of(4, "Unheard", 9), b"\0\xff\xff\xff\xffa");
    let taken = Listener::begin(&corner).take(4);
    assert_eq!(seqs(&taken), [1, 2, 3, 4]);
    assert!(taken[..3].iter().all(|record| record.poison.is_some()));
    assert_eq!((&taken[3].poison, taken[3].row.schema), (&None, 9), "an event that nobody here knows needs no schema");
}

#[test]
fn a_version_that_only_the_registry_knows_is_named_when_it_cannot_be_read() {
    // Given a newer build that has registered a version 3,
    const NEWER: &[SchemaFile] = &[SchemaFile {
        topic: "left",
        name: "Said",
        version: 3,
        text: r#"{"type":"record","name":"Said","namespace":"test.left","fields":[{"name":"key","type":"string"},{"name":"third","type":"string","default":""}]}"#,
    }];
    let Some(corner) = corner(&["left", "desk"]) else { return };
    let newer = Settings { contract: NEWER, ..(*corner).clone() };
    let registered = RUNTIME.block_on(registration::register(&newer, false)).unwrap();
    put(&corner, "a", headers_of(1, "Said", 3), &framed(registered[0].id.unwrap()));
    // then an older build says what it could not learn; this contract is not the shop's.
    let taken = Listener::begin(&corner).take(1);
    assert!(taken[0].poison.as_ref().is_some_and(|why| why.contains("version 3 of `Said`")), "{:?}", taken[0].poison);
}

#[test]
fn the_contract_is_registered_once_and_stays() {
    let Some(settings) = settings() else { return };
    let corner = Corner::of(settings, &[]);
    let planned = RUNTIME.block_on(registration::check(&corner)).unwrap();
    assert!(planned.iter().all(|one| one.id.is_none() && !one.was_there), "checking writes nothing");
    let first = RUNTIME.block_on(registration::register(&corner, false)).unwrap();
    let again = RUNTIME.block_on(registration::register(&corner, false)).unwrap();
    assert_eq!(first.len(), CONTRACT.len());
    assert!(first.iter().all(|one| !one.was_there) && again.iter().all(|one| one.was_there));
    let ids = |all: &[registration::Registered]| all.iter().map(|one| one.id.unwrap()).collect::<Vec<_>>();
    assert_eq!(ids(&first), ids(&again));
    assert_eq!(first[0].subject, format!("{}left.events-test.left.Said", corner.prefix));
}

#[test]
fn what_is_not_compatible_is_refused_and_named() {
    let Some(corner) = corner(&[]) else { return };
    const OTHER: &[SchemaFile] = &[SchemaFile {
        topic: "left",
        name: "Said",
        version: 1,
        text: r#"{"type":"record","name":"Said","namespace":"test.left","fields":[{"name":"key","type":"long"}]}"#,
    }];
    let other = Settings { contract: OTHER, ..(*corner).clone() };
    for result in
        [RUNTIME.block_on(registration::check(&other)), RUNTIME.block_on(registration::register(&other, false))]
    {
        let Err(RegistrationError::Incompatible(wrong)) = result else { panic!("{result:?}") };
        assert!(wrong[0].contains("version 1 of Said"), "{wrong:?}");
    }
}

#[test]
fn without_permission_it_is_said_what_to_do() {
    let Some(settings) = settings() else { return };
    let proxy = RegistryProxy::before(&settings.registry, Mood::Forbidden);
    let error = RUNTIME.block_on(registration::register(&through(&proxy, &settings), false)).unwrap_err();
    assert!(matches!(error, RegistrationError::Registry(RegistryError::Forbidden { status: 403, .. })));
    assert!(error.to_string().contains("SCHEMA_REGISTRY_URL"), "{error}");
}

#[test]
fn an_address_that_is_none_is_named() {
    for url in ["", "localhost", "mailto:me"] {
        let error = Registry::at(url).unwrap_err();
        assert!(error.to_string().contains("SCHEMA_REGISTRY_URL"), "{error}");
    }
    let away = RUNTIME.block_on(Registry::at("http://me:secret@127.0.0.1:1/").unwrap().subjects()).unwrap_err();
    assert!(!away.to_string().contains("secret"), "{away}");
}

/// The readiness of a whole service stands on what the bus says here.
#[test]
fn a_bus_that_waits_for_nothing_says_so() {
    let Some(corner) = corner(&["left"]) else { return };
    let mut speaker = Speaker::begin(&corner);
    speaker.say(3);
    speaker.all_published();
    assert_eq!(speaker.bus.published().held_up, None);
}
