//! Schemas of versions newer than this build: while services are deployed one by one, some already write them.
//! Whoever has a registry tells them here, and from then on such events are read like those of older versions.

use crate::{
    catalog::{SchemaFile, schemas},
    parsed::brief,
};
use apache_avro::{
    Schema,
    schema_compatibility::{Compatibility, SchemaCompatibility},
};
use std::{
    collections::BTreeMap,
    sync::{PoisonError, RwLock},
};

type Versions = BTreeMap<(&'static str, &'static str, u16), &'static Schema>;

static LEARNED: RwLock<Versions> = RwLock::new(BTreeMap::new());

/// See [`crate::catalog::learn`].
pub(crate) fn learn(topic: &str, name: &str, version: u16, text: &str) -> Result<(), String> {
    let not = |why: String| format!("version {version} of `{name}` of topic `{topic}` cannot be learned: {why}");
    let of_event = |file: &&SchemaFile| (file.topic, file.name) == (topic, name);
    let newest = schemas().iter().filter(of_event).max_by_key(|file| file.version);
    let newest = newest.ok_or_else(|| not("this build does not know the event".into()))?;
    if version <= newest.version {
        return Err(not(format!("this build has its own schemas up to version {}", newest.version)));
    }
    let written = Schema::parse_str(text).map_err(|why| not(brief(&why)))?;
    let current = Schema::parse_str(newest.text).map_err(|why| not(brief(&why)))?;
    match SchemaCompatibility::can_read(&written, &current) {
        Ok(Compatibility::Full) => keep((newest.topic, newest.name, version), written).map_err(not),
        Ok(Compatibility::Partial) => Err(not(format!("version {} reads only some of it", newest.version))),
        Err(why) => Err(not(format!("version {} cannot read it: {why}", newest.version))),
    }
}

fn keep(id: (&'static str, &'static str, u16), schema: Schema) -> Result<(), String> {
    let mut learned = LEARNED.write().unwrap_or_else(PoisonError::into_inner);
    match learned.get(&id) {
        Some(known) if known.canonical_form() == schema.canonical_form() => Ok(()),
        Some(_) => Err("another schema was learned under this version".into()),
        // A version is never forgotten, so leaking its schema costs what keeping it would.
        None => {
            learned.insert(id, Box::leak(Box::new(schema)));
            Ok(())
        }
    }
}

/// What was learned of this version.
pub(crate) fn learned(topic: &str, name: &str, version: u16) -> Option<&'static Schema> {
    let learned = LEARNED.read().unwrap_or_else(PoisonError::into_inner);
    learned.iter().find_map(|(id, schema)| (*id == (topic, name, version)).then_some(*schema))
}
