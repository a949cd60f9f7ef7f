//! The bytes of every event and version, once and for all: what is in `schemas/**/*.golden.json` was published and will
//! be read for ever.
//!
//! `TUTTI_GOLDEN=write cargo test -p shared-events golden` writes the file of a new version. A file that exists is
//! never written again.

use crate::{
    samples, schemas,
    shape::{by_schema, hex},
    yesterday,
};
use apache_avro::{Schema, rabin::Rabin};
use serde::{Deserialize, Serialize};
use shared_events::catalog;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Golden {
    /// Rabin fingerprint of the schema's canonical form: names, types and symbols as they were published.
    schema: String,
    /// The event, as serde shows it.
    value: serde_json::Value,
    /// Its Avro datum in hexadecimal.
    pub datum: String,
}

impl Golden {
    fn of(topic: &str, name: &str, version: u16, datum: &[u8]) -> Golden {
        let file = catalog::schemas().iter().find(|f| (f.topic, f.name, f.version) == (topic, name, version)).unwrap();
        let schema = Schema::parse_str(file.text).unwrap().fingerprint::<Rabin>().to_string();
        let value = serde_json::from_str(&by_schema(topic, name, version, datum)).unwrap();
        Golden { schema, value, datum: hex(datum) }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let digits = self.datum.as_bytes().chunks_exact(2).map(|pair| str::from_utf8(pair).unwrap());
        digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
    }
}

/// What today's code makes of every version: (topic, name, version, datum).
fn today() -> Vec<(&'static str, &'static str, u16, Vec<u8>)> {
    let current = samples::all().into_iter().map(|sample| (sample.topic, sample.name, sample.version, sample.datum));
    current.chain([("order", "OrderPlaced", 1, yesterday::OrderPlaced::sample().encode())]).collect()
}

fn path(topic: &str, name: &str, version: u16) -> String {
    format!("{topic}/{name}.v{version}.golden.json")
}

pub fn golden(topic: &str, name: &str, version: u16) -> Golden {
    let path = path(topic, name, version);
    match std::fs::read_to_string(schemas::folder().join(&path)) {
        Ok(text) => serde_json::from_str(&text).unwrap(),
        Err(why) => panic!("schemas/{path}: {why}; a new version gets its file by TUTTI_GOLDEN=write"),
    }
}

#[test]
fn todays_bytes_are_the_golden_ones() {
    for (topic, name, version, datum) in today() {
        let fresh = Golden::of(topic, name, version, &datum);
        let file = schemas::folder().join(path(topic, name, version));
        if std::env::var("TUTTI_GOLDEN").is_ok_and(|how| how == "write") && !file.exists() {
            std::fs::write(file, serde_json::to_string_pretty(&fresh).unwrap() + "\n").unwrap();
        }
        assert_eq!(golden(topic, name, version), fresh, "{name} version {version} was published otherwise");
    }
}

#[test]
fn every_version_has_golden_bytes_and_nothing_else_has() {
    let expected = catalog::schemas().iter().map(|f| path(f.topic, f.name, f.version));
    assert_eq!(schemas::files(".golden.json"), expected.collect());
}

#[test]
fn golden_bytes_of_every_version_are_read_by_todays_structs() {
    for sample in samples::all() {
        for version in 1..=sample.version {
            let read = (sample.decode)(version, &golden(sample.topic, sample.name, version).bytes());
            assert!(read.is_ok(), "{} version {version}: {read:?}", sample.name);
        }
    }
}
