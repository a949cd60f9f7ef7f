//! What customers send, and what must be true of whatever comes back.

use serde_json::{Value, json};

/// An order of `lines`, by a customer, paid with a card.
pub fn order(customer: &str, lines: &[(&str, i64)], token: &str) -> Value {
    let lines: Vec<Value> = lines.iter().map(|(sku, quantity)| json!({ "sku": sku, "quantity": quantity })).collect();
    json!({
        "customer_id": customer, "email": format!("{customer}@example.com"), "phone": "+49301234567", "lines": lines,
        "shipping_address": { "name": "Ada Lovelace", "street": "Invalidenstr. 1", "city": "Berlin",
            "postal_code": "10115", "country": "DE" },
        "payment_token": token,
    })
}

/// Two packets of tea, paid with a card that works.
pub fn tea(customer: &str) -> Value {
    order(customer, &[("TEA-001", 2)], "tok_ok")
}

/// An order with something else at a place of it.
pub fn with(mut order: Value, pointer: &str, value: impl Into<Value>) -> Value {
    *order.pointer_mut(pointer).unwrap() = value.into();
    order
}

/// An object has these members, and no others.
pub fn has_exactly(object: &Value, members: &[&str]) {
    let mut found: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    let mut members = members.to_vec();
    found.sort_unstable();
    members.sort_unstable();
    assert_eq!(found, members, "{object}");
}

/// A trace id, and so an order's id.
pub fn is_id(value: &Value) -> bool {
    let lower = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    value.as_str().is_some_and(|text| text.len() == 32 && text.bytes().all(lower))
}

/// An instant in RFC 3339, UTC, as `2026-01-31T12:04:05.678Z`: text that also sorts by time.
pub fn is_instant(value: &Value) -> bool {
    let shape = |(at, b): (usize, u8)| match at {
        4 | 7 => b == b'-',
        10 => b == b'T',
        13 | 16 => b == b':',
        19 => b == b'.',
        23 => b == b'Z',
        _ => b.is_ascii_digit(),
    };
    value.as_str().is_some_and(|text| text.len() == 24 && text.bytes().enumerate().all(shape))
}
