//! The schema files: complete, documented, named alike everywhere.

use crate::samples;
use serde_json::Value as Json;
use shared_events::{
    CancelReason, CancelledBy, DeclineReason, NoLabelReason, NotSentReason, Participant, Template,
    catalog::{self, SchemaFile},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas")
}

/// The paths under `schemas/` that end so, from the topic's folder on.
pub fn files(ending: &str) -> BTreeSet<String> {
    let entries = |path: PathBuf| std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap());
    let topics = entries(folder()).filter(|entry| entry.path().is_dir());
    let paths = topics.flat_map(|topic| {
        let topic_name = topic.file_name().into_string().unwrap();
        entries(topic.path()).map(move |file| format!("{topic_name}/{}", file.file_name().into_string().unwrap()))
    });
    paths.filter(|path| path.ends_with(ending)).collect()
}

fn json(file: &SchemaFile) -> Json {
    serde_json::from_str(file.text).unwrap()
}

/// Every record, enum and fixed of a schema, the outermost first.
fn named(schema: &Json) -> Vec<Json> {
    let mut found = Vec::new();
    match schema {
        Json::Object(object) => {
            found.extend(object.contains_key("name").then(|| schema.clone()).filter(|it| it["type"].is_string()));
            found.extend(object.values().flat_map(named));
        }
        Json::Array(items) => found.extend(items.iter().flat_map(named)),
        _ => {}
    }
    found.retain(|it| ["record", "enum", "fixed"].contains(&it["type"].as_str().unwrap()));
    found
}

#[test]
fn every_file_is_listed_and_every_listed_file_is_there() {
    let listed = catalog::schemas().iter().map(|f| format!("{}/{}.v{}.avsc", f.topic, f.name, f.version));
    assert_eq!(files(".avsc"), listed.collect());
}

#[test]
fn every_event_has_all_versions_up_to_its_current_one() {
    let mut expected = BTreeSet::new();
    for sample in samples::all() {
        expected.extend((1..=sample.version).map(|version| (sample.topic, sample.name, version)));
    }
    let listed: BTreeSet<_> = catalog::schemas().iter().map(|f| (f.topic, f.name, f.version)).collect();
    assert_eq!(listed, expected);
}

#[test]
fn a_schema_is_named_as_its_file_and_its_topic() {
    for file in catalog::schemas() {
        let schema = json(file);
        assert_eq!(schema["type"], "record", "{file:?}");
        assert_eq!(schema["name"], file.name);
        assert_eq!(schema["namespace"], format!("shop.tutti.{}", file.topic));
    }
}

#[test]
fn every_schema_type_and_field_is_documented() {
    for file in catalog::schemas() {
        for named in named(&json(file)) {
            let fields = named["fields"].as_array().cloned().unwrap_or_default();
            for documented in [named].iter().chain(&fields) {
                let doc = documented["doc"].as_str().unwrap_or_default();
                assert!(!doc.is_empty() && doc.ends_with('.'), "{}: no doc on {documented}", file.name);
            }
        }
    }
}

#[test]
fn every_bytes_field_is_sealed_and_every_sealed_field_is_bytes() {
    let mut seen = 0;
    for file in catalog::schemas() {
        for field in named(&json(file)).iter().flat_map(|named| named["fields"].as_array().cloned().unwrap_or_default())
        {
            let is_bytes = field["type"] == "bytes" || field["type"]["type"] == "bytes";
            assert_eq!(is_bytes, field["name"] == "sealed", "{}: {field}", file.name);
            seen += usize::from(is_bytes);
        }
    }
    assert!(seen > 0);
}

#[test]
fn types_that_events_share_are_the_same_in_all_current_schemas() {
    let current = samples::all();
    let is_current = |file: &&SchemaFile| current.iter().any(|s| (s.name, s.version) == (file.name, file.version));
    let mut shared: BTreeMap<String, Json> = BTreeMap::new();
    for file in catalog::schemas().iter().filter(is_current) {
        for named in named(&json(file)).into_iter().skip(1) {
            let name = named["name"].as_str().unwrap().to_owned();
            assert_eq!(named["namespace"], "shop.tutti", "{name}");
            let first = shared.entry(name.clone()).or_insert_with(|| named.clone());
            assert_eq!(*first, named, "{} has its own idea of `{name}`", file.name);
        }
    }
    assert!(shared.contains_key("Money") && shared.contains_key("Line"));
}

#[test]
fn every_enum_has_the_words_of_its_rust_type_and_can_grow() {
    fn words<T: Copy>(all: &[T], as_str: fn(T) -> &'static str) -> Vec<&'static str> {
        all.iter().map(|word| as_str(*word)).chain(["unrecognised"]).collect()
    }
    let expected = BTreeMap::from([
        ("CancelReason", words(CancelReason::ALL, CancelReason::as_str)),
        ("CancelledBy", words(CancelledBy::ALL, CancelledBy::as_str)),
        ("DeclineReason", words(DeclineReason::ALL, DeclineReason::as_str)),
        ("NoLabelReason", words(NoLabelReason::ALL, NoLabelReason::as_str)),
        ("NotSentReason", words(NotSentReason::ALL, NotSentReason::as_str)),
        ("Participant", words(Participant::ALL, Participant::as_str)),
        ("Template", words(Template::ALL, Template::as_str)),
    ]);
    let mut seen = BTreeSet::new();
    for schema in catalog::schemas().iter().flat_map(|file| named(&json(file))).filter(|it| it["type"] == "enum") {
        let name = schema["name"].as_str().unwrap();
        assert_eq!(schema["symbols"], serde_json::json!(expected[name]), "{name}");
        assert_eq!(schema["default"], "unrecognised", "{name}");
        seen.insert(name.to_owned());
    }
    assert_eq!(seen.len(), expected.len());
}
