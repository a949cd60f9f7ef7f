//! Every schema of the contract, compiled in from `schemas/`: for showing stored events of any version, and for what
//! must be said to a schema registry.

use crate::{compatibility, learned, parsed};
use apache_avro::types::Value;
use serde_json::Value as Json;

/// One file under `schemas/`: the shape of one event in one version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchemaFile {
    /// The topic, and the folder.
    pub topic: &'static str,
    /// The event.
    pub name: &'static str,
    /// Its version, from 1.
    pub version: u16,
    /// The Avro schema as it stands in the file.
    pub text: &'static str,
}

/// Compiles the schema files in; a version that is not listed here does not exist.
macro_rules! files {
    ($($topic:literal { $($name:literal v $($version:literal),+;)+ })+) => {
        &[$($($(SchemaFile {
            topic: $topic,
            name: $name,
            version: $version,
            text: include_str!(concat!("../../schemas/", $topic, "/", $name, ".v", $version, ".avsc")),
        },)+)+)+]
    };
}

const FILES: &[SchemaFile] = files! {
    "order" {
        "OrderPlaced" v 1, 2;
        "OrderConfirmed" v 1;
        "OrderCancellationRequested" v 1;
        "OrderDispatched" v 1;
        "OrderCompleted" v 1;
        "OrderCancelled" v 1;
        "OrderUndoProgressed" v 1;
        "OrderUndone" v 1;
    }
    "inventory" {
        "StockReserved" v 1;
        "StockReservationFailed" v 1;
        "StockReleased" v 1;
        "StockDeducted" v 1;
        "StockReplenished" v 1;
        "LowStockWarning" v 1;
    }
    "payment" {
        "PaymentRequested" v 1;
        "PaymentCompleted" v 1;
        "PaymentFailed" v 1;
        "PaymentVoided" v 1;
        "PaymentRefundRequested" v 1;
        "PaymentRefunded" v 1;
    }
    "shipping" {
        "ShipmentRequested" v 1;
        "ShipmentScheduled" v 1;
        "ShipmentSchedulingFailed" v 1;
        "ShipmentReleased" v 1;
        "ShipmentDispatched" v 1;
        "TrackingUpdated" v 1;
        "ShipmentDelivered" v 1;
        "ShipmentCancellationRequested" v 1;
        "ShipmentCancelled" v 1;
        "ShipmentCancellationRejected" v 1;
    }
    "email" {
        "EmailSent" v 1;
        "EmailFailed" v 1;
        "SmsSent" v 1;
        "SmsFailed" v 1;
    }
};

/// Every schema of the contract, versions of one event in ascending order.
#[must_use]
pub fn schemas() -> &'static [SchemaFile] {
    FILES
}

/// Checks that any version of an event can be read by any other version of it, both ways, and says how many pairs of
/// versions that are: `FULL_TRANSITIVE`, as registries call it.
///
/// # Errors
/// One sentence for each pair that does not fit, and for each file that is no schema.
pub fn check_compatibility(files: &[SchemaFile]) -> Result<usize, Vec<String>> {
    compatibility::check(files)
}

/// Which version of an event among `files` a schema is, as a registry has it: the same fields in the same order, whatever
/// else is written into it. Where only defaults differ, the bytes are the same under either version, and the first is told.
///
/// # Errors
/// When the text is no Avro schema.
pub fn version_of(files: &[SchemaFile], topic: &str, name: &str, schema: &str) -> Result<Option<u16>, String> {
    parsed::version_of(files, topic, name, schema)
}

/// Takes note of the schema that a newer build writes an event with, as a registry has it. From then on
/// [`Topic::decode`](choreography::Topic::decode) and [`to_json`] read that version, leaving out what they do not know.
///
/// # Errors
/// When this build does not know the event, has the version itself, cannot read everything written with it, or learned
/// something else under this version before.
pub fn learn(topic: &str, name: &str, version: u16, schema: &str) -> Result<(), String> {
    learned::learn(topic, name, version, schema)
}

/// Shows a stored event of any known version. Sealed data shows as `"sealed"`, never its bytes.
///
/// # Errors
/// When this build does not know the event or the version, or the datum is no datum of it.
pub fn to_json(topic: &str, name: &str, version: u16, datum: &[u8]) -> Result<Json, String> {
    let schema = parsed::schema(topic, name, version)?;
    let broken = |why: String| format!("`{name}` version {version} of topic `{topic}` cannot be read: {why}");
    let value = parsed::read(schema, None, datum).map_err(broken)?;
    shown(value).map_err(broken)
}

fn shown(value: Value) -> Result<Json, String> {
    Ok(match value {
        Value::Null => Json::Null,
        Value::Boolean(yes) => yes.into(),
        Value::Int(number) => number.into(),
        Value::Long(number) | Value::TimestampMillis(number) => number.into(),
        Value::String(text) | Value::Enum(_, text) => text.into(),
        // The contract has no `bytes` but sealed data; a test holds it to that.
        Value::Bytes(_) => "sealed".into(),
        Value::Fixed(_, bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into(),
        Value::Union(_, chosen) => shown(*chosen)?,
        Value::Array(items) => Json::Array(items.into_iter().map(shown).collect::<Result<_, _>>()?),
        Value::Record(fields) => {
            let field = |(name, value)| shown(value).map(|json| (name, json));
            Json::Object(fields.into_iter().map(field).collect::<Result<_, _>>()?)
        }
        _ => return Err("it has a kind of field that this build cannot show".into()),
    })
}
