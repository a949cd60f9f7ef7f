//! A newer build writes what this one does not know yet; with the schema from a registry it is read all the same.

use crate::samples;
use apache_avro::{Schema, reader::datum::GenericDatumReader, types::Value, writer::datum::GenericDatumWriter};
use choreography::Event;
use shared_events::{catalog, order::OrderCancelled};

fn text(name: &str) -> &'static str {
    catalog::schemas().iter().rfind(|file| file.name == name).unwrap().text
}

/// `OrderCancelled` with one more reason, put before all others, and one more field at the front.
fn newer() -> String {
    let newer = text("OrderCancelled")
        .replace(r#"["out_of_stock""#, r#"["fraud", "out_of_stock""#)
        .replace(r#""fields": ["#, r#""fields": [{"name": "note", "type": "string", "default": ""},"#);
    // Only the event itself gets the field; the records in it stay as they are.
    let (event, inner) = newer.split_once(r#"{"name": "order_id""#).unwrap();
    let inner = inner.replace(r#"{"name": "note", "type": "string", "default": ""},"#, "");
    format!(r#"{event}{{"name": "order_id"{inner}"#)
}

/// Today's sample, as the newer build would write it for this reason.
fn written_by_newer(reason: &str) -> Vec<u8> {
    let (today, newer) = (Schema::parse_str(text("OrderCancelled")).unwrap(), Schema::parse_str(&newer()).unwrap());
    let datum = samples::order_cancelled().encode().unwrap();
    let value = GenericDatumReader::builder(&today).build().unwrap().read_value(&mut &datum[..]).unwrap();
    let Value::Record(mut fields) = value else { panic!("events are records") };
    fields.iter_mut().filter(|(name, _)| name == "reason").for_each(|(_, value)| *value = Value::String(reason.into()));
    let value = Value::Record(fields).resolve(&newer).unwrap();
    GenericDatumWriter::builder(&newer).build().unwrap().write_value_to_vec(value).unwrap()
}

#[test]
fn a_newer_version_is_unknown_until_its_schema_is_learned() {
    let datum = written_by_newer("payment_declined");
    let wrong = OrderCancelled::decode(2, &datum).unwrap_err();
    assert!(wrong.contains("not in version 2"), "{wrong}");

    catalog::learn("order", "OrderCancelled", 2, &newer()).unwrap();

    assert_eq!(OrderCancelled::decode(2, &datum), Ok(samples::order_cancelled()));
    assert_eq!(catalog::to_json("order", "OrderCancelled", 2, &datum).unwrap()["reason"], "payment_declined");

    let wrong = OrderCancelled::decode(2, &written_by_newer("fraud")).unwrap_err();
    assert!(
        wrong.contains("`OrderCancelled` version 2") && wrong.contains("unrecognised"),
        "never another word: {wrong}"
    );

    assert_eq!(catalog::learn("order", "OrderCancelled", 2, &newer()), Ok(()), "again");
    let wrong = catalog::learn("order", "OrderCancelled", 2, text("OrderCancelled")).unwrap_err();
    assert!(wrong.contains("another schema was learned"), "{wrong}");
}

#[test]
fn what_this_build_has_itself_is_not_learned() {
    let wrong = catalog::learn("order", "OrderPlaced", 2, text("OrderPlaced")).unwrap_err();
    assert!(wrong.contains("has its own schemas up to version 2"), "{wrong}");
    let wrong = catalog::learn("order", "OrderPainted", 1, text("OrderPlaced")).unwrap_err();
    assert!(wrong.contains("does not know the event"), "{wrong}");
}

#[test]
fn what_this_build_cannot_read_is_not_learned() {
    let without = text("ShipmentDelivered").replace("report_id", "report");
    let wrong = catalog::learn("shipping", "ShipmentDelivered", 2, &without).unwrap_err();
    assert!(wrong.contains("version 1 cannot read it"), "{wrong}");
    let wrong = catalog::learn("shipping", "ShipmentDelivered", 2, "no schema").unwrap_err();
    assert!(wrong.contains("`ShipmentDelivered`"), "{wrong}");
}
