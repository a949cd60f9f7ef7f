//! Events to Avro datums and back. Everything of the current version goes straight between struct and bytes; what
//! another version wrote is resolved to the current schema first, which costs several times as much.

use crate::parsed::{brief, nothing_left, parsed, read, schema};
use serde::{Serialize, de::DeserializeOwned};

/// Few events are larger, so most are written without growing the buffer.
const USUAL_SIZE: usize = 512;

/// The codec that the `topic!` calls of this crate name.
#[derive(Clone, Copy, Debug)]
pub struct Avro;

impl Avro {
    /// Writes the datum of `event` under the schema of its current `version`.
    ///
    /// # Errors
    /// Names the event and the version, and says what does not fit.
    pub fn encode<E: Serialize>(event: &E, topic: &str, name: &str, version: u16) -> Result<Vec<u8>, String> {
        let mut datum = Vec::with_capacity(USUAL_SIZE);
        match parsed(topic, name, version)?.writer.write_ser(&mut datum, event) {
            Ok(_) => Ok(datum),
            Err(why) => Err(format!("`{name}` cannot be written as version {version}: {}", brief(&why))),
        }
    }

    /// Reads a datum that was written under version `written`, as the struct whose version is `current`.
    ///
    /// # Errors
    /// Names the event and the version, and says what is wrong: a version this build does not know, or bytes that are
    /// not exactly one datum of it.
    pub fn decode<E: DeserializeOwned>(
        topic: &str,
        name: &str,
        written: u16,
        current: u16,
        datum: &[u8],
    ) -> Result<E, String> {
        let event = if written == current {
            directly(topic, name, current, datum)
        } else {
            resolved(topic, name, written, current, datum)
        };
        event.map_err(|why| format!("no datum of `{name}` version {written}: {why}"))
    }
}

fn directly<E: DeserializeOwned>(topic: &str, name: &str, version: u16, mut datum: &[u8]) -> Result<E, String> {
    let event = parsed(topic, name, version)?.reader.read_deser(&mut datum).map_err(|why| brief(&why))?;
    nothing_left(datum)?;
    Ok(event)
}

fn resolved<E: DeserializeOwned>(
    topic: &str,
    name: &str,
    written: u16,
    current: u16,
    datum: &[u8],
) -> Result<E, String> {
    let (writer, reader) = (schema(topic, name, written)?, schema(topic, name, current)?);
    let value = read(writer, Some(reader), datum)?;
    apache_avro::from_value(&value).map_err(|why| brief(&why))
}
