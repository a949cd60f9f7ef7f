//! Bytes that are no datum: cut off, followed by something, changed, or lying about their length. All of them are
//! errors or other events; none is a panic, and none makes the process allocate what it says.

use crate::{
    golden::golden,
    samples::{self, Sample},
};
use choreography::Event;
use serde::Serialize;
use shared_events::{
    NoLabelReason, catalog,
    codec::Avro,
    order::OrderPlaced,
    shipping::{ShipmentRequested, ShipmentSchedulingFailed, TrackingUpdated},
};

/// Calls `check` with the golden datum of every event and version.
fn with_every_golden(check: impl Fn(&Sample, u16, &[u8])) {
    for sample in samples::all() {
        for version in 1..=sample.version {
            check(&sample, version, &golden(sample.topic, sample.name, version).bytes());
        }
    }
}

/// Both ways to read it, which must agree whether it is a datum.
fn read(sample: &Sample, version: u16, datum: &[u8]) -> Result<String, String> {
    let event = (sample.decode)(version, datum);
    let shown = catalog::to_json(sample.topic, sample.name, version, datum);
    if let Err(why) = &event {
        assert!(why.contains(sample.name) && why.contains(&version.to_string()), "{why}");
    }
    assert!(shown.is_ok() || event.is_err(), "{}: {event:?}, but {shown:?}", sample.name);
    event
}

#[test]
fn a_datum_that_is_cut_off_anywhere_is_an_error() {
    with_every_golden(|sample, version, datum| {
        for end in 0..datum.len() {
            let cut = read(sample, version, &datum[..end]);
            assert!(cut.is_err(), "{} version {version} cut at {end}: {cut:?}", sample.name);
            assert!(catalog::to_json(sample.topic, sample.name, version, &datum[..end]).is_err());
        }
    });
}

#[test]
fn a_datum_with_something_behind_it_is_an_error() {
    with_every_golden(|sample, version, datum| {
        let wrong = read(sample, version, &[datum, &[0]].concat()).unwrap_err();
        assert!(wrong.contains("1 bytes follow its end"), "{wrong}");
    });
}

#[test]
fn a_datum_with_any_bit_or_byte_changed_is_read_or_refused() {
    with_every_golden(|sample, version, datum| {
        for at in 0..datum.len() {
            let flipped = (0..8).map(|bit| datum[at] ^ (1 << bit));
            for byte in flipped.chain([0x00, 0x01, 0x7f, 0x80, 0xff]) {
                let mut changed = datum.to_vec();
                changed[at] = byte;
                let _either = read(sample, version, &changed);
            }
        }
    });
}

#[test]
fn random_bytes_are_read_or_refused() {
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut roll = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    for sample in samples::all() {
        for _ in 0..500 {
            let bytes: Vec<u8> = (0..roll() % 200).map(|_| roll() as u8).collect();
            let _either = read(&sample, 1, &bytes);
        }
    }
}

/// A length or a count, as Avro writes it.
fn long(number: i64) -> Vec<u8> {
    let mut rest = ((number << 1) ^ (number >> 63)) as u64;
    let mut bytes = Vec::new();
    while rest > 0x7f {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}

const LIES: [i64; 8] = [i64::MAX, i64::MIN, i64::MIN + 1, -1, 1 << 62, 1 << 40, 600 << 20, 8 << 20];

#[test]
fn a_length_that_lies_is_refused_before_anything_is_allocated_for_it() {
    for lie in LIES {
        assert!(ShipmentRequested::decode(1, &long(lie)).is_err(), "{lie}");
    }
    for lie in [1 << 40, 600 << 20, 8 << 20] {
        let wrong = ShipmentRequested::decode(1, &long(lie)).unwrap_err();
        assert!(wrong.contains("allocate"), "{lie}: {wrong}");
        let wrong = catalog::to_json("shipping", "ShipmentRequested", 1, &long(lie)).unwrap_err();
        assert!(wrong.contains("allocate"), "{lie}: {wrong}");
    }
}

#[test]
fn a_count_that_lies_is_refused() {
    let before = [long(1), b"o".to_vec(), long(1), b"c".to_vec()].concat();
    let line = [long(1), b"s".to_vec(), long(1), long(1)].concat();
    for lie in LIES {
        let datum = [before.clone(), long(lie), line.repeat(3)].concat();
        for version in [1, 2] {
            assert!(OrderPlaced::decode(version, &datum).is_err(), "{lie}");
            assert!(catalog::to_json("order", "OrderPlaced", version, &datum).is_err(), "{lie}");
        }
    }
}

#[test]
fn text_that_is_no_utf8_is_refused() {
    let datum = [&long(1)[..], &[0xff], &long(0), &long(0)].concat();
    let wrong = TrackingUpdated::decode(1, &datum).unwrap_err();
    assert!(wrong.contains("`TrackingUpdated` version 1") && wrong.contains("utf-8"), "{wrong}");
}

#[test]
fn a_word_that_is_never_written_is_not_read() {
    // Given a datum with the number that `unrecognised` has in the current schema
    let mut datum =
        ShipmentSchedulingFailed { order_id: "o".into(), reason: NoLabelReason::Forgotten }.encode().unwrap();
    *datum.last_mut().unwrap() += 2;
    // Then it is refused, and so is the number after it
    let wrong = ShipmentSchedulingFailed::decode(1, &datum).unwrap_err();
    assert!(wrong.contains("unrecognised"), "{wrong}");
    *datum.last_mut().unwrap() += 2;
    assert!(ShipmentSchedulingFailed::decode(1, &datum).is_err());
}

#[test]
fn a_struct_that_does_not_fit_its_schema_is_not_written() {
    #[derive(Serialize)]
    struct ShipmentReleased {
        order_id: i64,
    }
    let wrong = Avro::encode(&ShipmentReleased { order_id: 1 }, "shipping", "ShipmentReleased", 1);
    let wrong = wrong.unwrap_err();
    assert!(wrong.contains("`ShipmentReleased`") && wrong.contains("order_id"), "{wrong}");
}
