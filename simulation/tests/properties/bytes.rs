//! Bytes from outside, made of good ones by cutting, changing, repeating and mixing: read or refused, never a panic.

use choreography::Topic;
use order::request::OrderRequest;
use runtime::LogRow;
use shared_events::{email, inventory, order as orders, payment, shipping};
use simulation::{
    dice::Dice,
    plan::{Narrowed, Plan},
    stage::{Care, play_and_keep},
};
use std::{collections::BTreeMap, sync::Arc};

/// One of several ways to spoil bytes.
fn spoilt(dice: &mut Dice, bytes: &[u8], other: &[u8]) -> Vec<u8> {
    let mut spoilt = bytes.to_vec();
    for _ in 0..dice.between(1, 4) {
        let length = spoilt.len().max(1) as u64;
        let at = usize::try_from(dice.below(length)).unwrap_or(0);
        match dice.below(6) {
            0 => spoilt.truncate(at),
            1 => spoilt.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << (at % 8)),
            2 => spoilt.insert(at.min(spoilt.len()), *dice.pick(&[0, 0xff, 0x7f, 0x80, b'"', b'{']).unwrap_or(&0)),
            3 => spoilt.extend_from_within(at.min(spoilt.len())..),
            4 => spoilt.splice(at.min(spoilt.len()).., other.iter().copied().skip(at)).for_each(drop),
            _ => spoilt.iter_mut().skip(at).take(8).for_each(|byte| *byte = 0xff),
        }
    }
    spoilt
}

/// Reads a datum as an event of the topic; what is read can be written, and is read the same again.
fn read<T: Topic>(row: &LogRow, datum: &[u8]) {
    if let Ok(event) = T::decode(&row.name, row.schema, datum) {
        let written = event.encode().expect("what was read can be written");
        let again = T::decode(event.name(), event.version(), &written).expect("what was written can be read");
        assert_eq!(again.encode().as_ref(), Ok(&written), "{}", row.name);
    }
}

#[test]
fn spoilt_datums_are_read_or_refused() {
    let logs = play_and_keep(Plan::of(5, &Narrowed::default()), Care::default()).expect("a history");
    let mut corpus: BTreeMap<String, (usize, Arc<LogRow>)> = BTreeMap::new();
    for (service, log) in logs.iter().enumerate() {
        log.iter().for_each(|row| _ = corpus.insert(row.name.clone(), (service, row.clone())));
    }
    let all: Vec<_> = corpus.values().cloned().collect();
    assert!(all.len() > 8, "{} kinds of events", all.len());
    let mut dice = Dice::new(1, "bytes");
    for _ in 0..20_000 {
        let ((service, row), (_, other)) =
            (dice.pick(&all).expect("one").clone(), dice.pick(&all).expect("one").clone());
        let datum = spoilt(&mut dice, &row.body, &other.body);
        match service {
            0 => read::<orders::Event>(&row, &datum),
            1 => read::<inventory::Event>(&row, &datum),
            2 => read::<payment::Event>(&row, &datum),
            3 => read::<shipping::Event>(&row, &datum),
            _ => read::<email::Event>(&row, &datum),
        }
    }
}

#[test]
fn spoilt_order_requests_are_taken_or_refused() {
    let good = br#"{"customer_id":"c-42","email":"a@example.com","phone":"+49301234567","lines":[{"sku":"TEA-001","quantity":2}],
        "shipping_address":{"name":"Ada","street":"Weg 1","city":"Berlin","postal_code":"10115","country":"DE"},"payment_token":"tok_ok"}"#;
    let other =
        br#"{"customer_id":null,"lines":[[{}]],"email":1e999,"phone":"\ud800","quantity":-9223372036854775808}"#;
    let mut dice = Dice::new(2, "requests");
    let mut taken = 0;
    for _ in 0..50_000 {
        let body = spoilt(&mut dice, good, other);
        let Ok(request) = serde_json::from_slice::<OrderRequest>(&body) else { continue };
        if let Ok(valid) = request.validate() {
            taken += 1;
            assert!(!valid.canonical().is_empty() && !valid.wanted().is_empty());
        }
    }
    assert!(taken > 50, "{taken} were taken");
}
