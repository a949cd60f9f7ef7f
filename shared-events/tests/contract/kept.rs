//! Rows of a service's own tables: readable by a person, refused when damaged or of another shape.

use choreography::Stored;
use serde::{Deserialize, Serialize};
use shared_events::{Fingerprint, stored};
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Deadline {
    order_id: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Stock {
    on_hand: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Unwritable {
    by_pair: BTreeMap<(i64, i64), i64>,
}

stored!(Deadline, Stock shape 2, Unwritable);

#[test]
fn a_row_is_json_and_comes_back() {
    let deadline = Deadline { order_id: "o".into() };
    let row = deadline.encode().unwrap();
    assert_eq!(row, br#"{"order_id":"o"}"#);
    assert_eq!(Deadline::decode(1, &row), Ok(deadline));
}

#[test]
fn a_row_of_another_shape_is_refused() {
    assert_eq!((Deadline::SHAPE, Stock::SHAPE), (1, 2));
    let wrong = Stock::decode(1, br#"{"on_hand":1}"#).unwrap_err();
    assert_eq!(wrong, "`Stock` is stored in shape 1, and this build reads shape 2");
}

#[test]
fn a_damaged_row_is_refused_without_quoting_it() {
    for damaged in
        [&b"{\"order_id\":\"Ada"[..], b"", b"{\"order_id\":[\"Ada\"]}", b"\xff\xfe", b"{}", b"{\"order_id\":\"o\"}x"]
    {
        let wrong = Deadline::decode(1, damaged).unwrap_err();
        assert!(wrong.contains("`Deadline`") && !wrong.contains("Ada"), "{wrong}");
    }
}

#[test]
fn a_value_without_a_json_form_is_refused() {
    let wrong = Unwritable { by_pair: BTreeMap::from([((1, 2), 3)]) }.encode().unwrap_err();
    assert!(wrong.contains("`Unwritable`"), "{wrong}");
}

#[test]
fn a_fingerprint_is_hexadecimal_in_a_row_and_nothing_else() {
    let fingerprint = Fingerprint(std::array::from_fn(|at| (at * 8) as u8));
    let text = serde_json::to_string(&fingerprint).unwrap();
    assert!(text.starts_with("\"0008101820") && text.len() == 66, "{text}");
    assert_eq!(serde_json::from_str::<Fingerprint>(&text).unwrap(), fingerprint);
    for wrong in ["\"00\"", "7", &text.replace('0', "g"), &text.replace("00", "ä")] {
        assert!(serde_json::from_str::<Fingerprint>(wrong).is_err(), "{wrong}");
    }
}
