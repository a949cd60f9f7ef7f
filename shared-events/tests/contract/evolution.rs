//! Versions live side by side: old bytes are read by today's code, today's bytes by yesterday's.

use crate::{golden::golden, samples, yesterday};
use choreography::Event;
use shared_events::{
    Money,
    catalog::{self, SchemaFile},
    order::OrderPlaced,
};

#[test]
fn an_order_placed_before_there_were_currencies_is_read_in_euros() {
    let datum = golden("order", "OrderPlaced", 1).bytes();
    let read = OrderPlaced::decode(1, &datum).unwrap();
    assert_eq!(read, OrderPlaced { currency: "EUR".into(), ..samples::order_placed() });
    assert_eq!(read.total(), Money { amount_minor: 72_590, currency: "EUR".into() });
}

#[test]
fn todays_order_is_read_by_yesterdays_build() {
    let datum = golden("order", "OrderPlaced", 2).bytes();
    assert_eq!(yesterday::OrderPlaced::decode(2, &datum), Ok(yesterday::OrderPlaced::sample()));
}

#[test]
fn every_version_reads_every_other_one() {
    let pairs = catalog::check_compatibility(catalog::schemas());
    assert_eq!(pairs, Ok(1), "as many as there are pairs of versions");
}

/// Two versions of an event `E` with these fields.
fn versions(first: &'static str, second: &'static str) -> [SchemaFile; 2] {
    [(1, first), (2, second)].map(|(version, text)| SchemaFile { topic: "order", name: "E", version, text })
}

#[test]
fn a_field_without_a_default_is_refused_in_the_direction_that_breaks() {
    let files = versions(
        r#"{"type":"record","name":"E","fields":[{"name":"a","type":"string"}]}"#,
        r#"{"type":"record","name":"E","fields":[{"name":"a","type":"string"},{"name":"b","type":"string"}]}"#,
    );
    let wrong = catalog::check_compatibility(&files).unwrap_err();
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert!(wrong[0].starts_with("`order/E`: version 2 cannot read what version 1 writes"), "{wrong:?}");
}

#[test]
fn a_changed_type_and_a_field_taken_away_are_refused() {
    let record = r#"{"type":"record","name":"E","fields":[{"name":"a","type":"string"}]}"#;
    let changed = r#"{"type":"record","name":"E","fields":[{"name":"a","type":"long"}]}"#;
    let without = r#"{"type":"record","name":"E","fields":[]}"#;
    assert_eq!(catalog::check_compatibility(&versions(record, changed)).map_err(|wrong| wrong.len()), Err(2));
    assert_eq!(catalog::check_compatibility(&versions(record, without)).map_err(|wrong| wrong.len()), Err(1));
}

#[test]
fn a_new_word_needs_an_enum_with_a_default() {
    let closed =
        r#"{"type":"record","name":"E","fields":[{"name":"a","type":{"type":"enum","name":"W","symbols":["x"]}}]}"#;
    let grown =
        r#"{"type":"record","name":"E","fields":[{"name":"a","type":{"type":"enum","name":"W","symbols":["x","y"]}}]}"#;
    let wrong = catalog::check_compatibility(&versions(closed, grown)).unwrap_err();
    assert_eq!(wrong, ["`order/E`: version 1 reads only some of what version 2 writes"]);
}

#[test]
fn a_file_that_is_no_schema_is_named() {
    let wrong = catalog::check_compatibility(&versions("{}", "{}")).unwrap_err();
    assert!(wrong[0].contains("schemas/order/E.v1.avsc is no Avro schema"), "{wrong:?}");
}

#[test]
fn a_version_newer_than_this_build_is_named() {
    let wrong = OrderPlaced::decode(3, &[]).unwrap_err();
    assert!(wrong.contains("`OrderPlaced`") && wrong.contains("versions 1 to 2") && wrong.contains('3'), "{wrong}");
    let wrong = OrderPlaced::decode(0, &[]).unwrap_err();
    assert!(wrong.contains("not in version 0"), "{wrong}");
}

#[test]
fn an_unknown_event_is_named() {
    use choreography::Topic;
    let wrong = shared_events::order::Event::decode("OrderPainted", 1, &[]).unwrap_err();
    assert!(wrong.contains("`OrderPainted`"), "{wrong}");
    let wrong = catalog::to_json("order", "StockReserved", 1, &[]).unwrap_err();
    assert!(wrong.contains("`StockReserved` is no event of topic `order`"), "{wrong}");
}
