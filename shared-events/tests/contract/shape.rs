//! Each Rust struct has exactly the fields of its schema: same names, same order, same values, at every depth.

use crate::{samples, yesterday};
use apache_avro::{Schema, reader::datum::GenericDatumReader, types::Value};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use shared_events::catalog;

/// What the schema alone says about a datum, as JSON text in the order of the schema's fields.
pub fn by_schema(topic: &str, name: &str, version: u16, datum: &[u8]) -> String {
    let is_it = |file: &&catalog::SchemaFile| (file.topic, file.name, file.version) == (topic, name, version);
    let file = catalog::schemas().iter().find(is_it).unwrap();
    let schema = Schema::parse_str(file.text).unwrap();
    let mut rest = datum;
    let value = GenericDatumReader::builder(&schema).build().unwrap().read_value(&mut rest).unwrap();
    assert!(rest.is_empty());
    text(&value)
}

fn text(value: &Value) -> String {
    match value {
        Value::Boolean(yes) => yes.to_string(),
        Value::Long(number) | Value::TimestampMillis(number) => number.to_string(),
        Value::String(text) | Value::Enum(_, text) => serde_json::to_string(text).unwrap(),
        Value::Bytes(bytes) => format!("\"{}\"", BASE64.encode(bytes)),
        Value::Fixed(_, bytes) => format!("\"{}\"", hex(bytes)),
        Value::Array(items) => format!("[{}]", items.iter().map(text).collect::<Vec<_>>().join(",")),
        Value::Record(fields) => {
            let field = |(name, value): &(String, Value)| format!("\"{name}\":{}", text(value));
            format!("{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(","))
        }
        other => panic!("the contract has no {other:?}"),
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn every_struct_says_what_its_schema_says() {
    for sample in samples::all() {
        let by_schema = by_schema(sample.topic, sample.name, sample.version, &sample.datum);
        assert_eq!(sample.json, by_schema, "{}", sample.name);
    }
}

#[test]
fn every_struct_comes_back_as_it_was() {
    for sample in samples::all() {
        assert_eq!((sample.decode)(sample.version, &sample.datum), Ok(sample.json), "{}", sample.name);
    }
}

#[test]
fn yesterdays_struct_says_what_its_schema_says() {
    let placed = yesterday::OrderPlaced::sample();
    let by_schema = by_schema("order", "OrderPlaced", 1, &placed.encode());
    assert_eq!(serde_json::to_string(&placed).unwrap(), by_schema);
}

#[test]
fn any_stored_event_can_be_shown_without_its_sealed_data() {
    for sample in samples::all() {
        let mut expected: serde_json::Value = serde_json::from_str(&sample.json).unwrap();
        if let Some(sealed) = expected.get_mut("sealed") {
            *sealed = "sealed".into();
        }
        let shown = catalog::to_json(sample.topic, sample.name, sample.version, &sample.datum);
        assert_eq!(shown, Ok(expected), "{}", sample.name);
    }
}

#[test]
fn an_event_of_the_whole_topic_goes_through_bytes_and_back() {
    use choreography::Topic;
    use shared_events::order;
    let event = order::Event::from(samples::order_placed());
    let back = order::Event::decode(event.name(), event.version(), &event.encode().unwrap());
    assert_eq!(back, Ok(event));
}
