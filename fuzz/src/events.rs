//! Datums of events, of every version that was ever published.

use choreography::Topic;
use shared_events::{email, inventory, order, payment, shipping};

/// Reads the datum as what its first line says, `<topic> <event> <version>`; what was read is written and read the same.
/// Whether it was read.
///
/// # Panics
/// When it is not.
pub fn read(bytes: &[u8]) -> bool {
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else { return false };
    let line = String::from_utf8_lossy(&bytes[..end]);
    let [topic, name, version] = line.split(' ').collect::<Vec<_>>()[..] else { return false };
    let Ok(version) = version.parse() else { return false };
    let datum = &bytes[end + 1..];
    match topic {
        "order" => read_as::<order::Event>(name, version, datum),
        "inventory" => read_as::<inventory::Event>(name, version, datum),
        "payment" => read_as::<payment::Event>(name, version, datum),
        "shipping" => read_as::<shipping::Event>(name, version, datum),
        _ => read_as::<email::Event>(name, version, datum),
    }
}

fn read_as<T: Topic>(name: &str, version: u16, datum: &[u8]) -> bool {
    let Ok(event) = T::decode(name, version, datum) else { return false };
    assert_eq!(event.name(), name, "another event was read than was asked for");
    let Ok(written) = event.encode() else { panic!("{event:?} was read and cannot be written") };
    match T::decode(name, event.version(), &written) {
        // Not compared as events: one could hold a number that is not equal to itself.
        Ok(again) => assert_eq!(again.encode().as_ref(), Ok(&written), "{event:?} became {again:?}"),
        Err(why) => panic!("{event:?} was written and cannot be read: {why}"),
    }
    true
}
