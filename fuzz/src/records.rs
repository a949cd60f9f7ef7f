//! Records of a topic as anybody could have put them there: key, headers and framed value.

use choreography::{Service, Topic};
use rdkafka::message::{Header, OwnedHeaders};
use runtime::{
    Cause, LogRow, Record,
    bus::kafka::headers::{Place, frame, of_row, to_row, unframe},
    incoming::Incoming,
};
use std::{sync::Arc, time::Duration};

/// Every topic whose records are read.
const SOURCES: [&str; 5] = ["order", "inventory", "payment", "shipping", "email"];

/// Takes a record up to the door of every service: lines of headers as `<name>: <value>`, of which `key:` is the key, an
/// empty line, and the value. Whether it is somebody's event.
///
/// # Panics
/// When a row that was read is not the same again after it was written.
pub fn take(bytes: &[u8]) -> bool {
    let (head, value) = split(bytes);
    let (mut key, mut headers) = (None, OwnedHeaders::new());
    for line in head.split(|byte| *byte == b'\n') {
        let Some(colon) = line.windows(2).position(|pair| pair == b": ") else { continue };
        let (name, value) = (&line[..colon], &line[colon + 2..]);
        match std::str::from_utf8(name) {
            Ok("key") => key = Some(value),
            // A client cannot send such a name.
            Ok(name) if !name.contains('\0') => headers = headers.insert(Header { key: name, value: Some(value) }),
            _ => {}
        }
    }
    let mut taken = false;
    for source in SOURCES {
        if let Ok(row) = to_row(&Place { source, partition: 0 }, key, Some(&headers)) {
            comes_back(source, &row);
            offer(source, row, value);
            taken = true;
        }
    }
    taken
}

/// The head of a text, and what follows its first empty line.
pub(crate) fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.windows(2).position(|pair| pair == b"\n\n") {
        Some(at) => (&bytes[..at], &bytes[at + 2..]),
        None => (bytes, &[]),
    }
}

fn comes_back(source: &str, row: &LogRow) {
    let again = to_row(&Place { source, partition: 0 }, Some(row.key.as_bytes()), Some(&of_row(source, row)));
    // A schema of no version is written as version 0, and so read.
    assert_eq!(again.as_ref(), Ok(row), "the headers of a row are not those it was read from");
    if let Ok(cause) = row.cause.parse::<Cause>() {
        assert_eq!(cause.to_string().parse(), Ok(cause), "{}", row.cause);
    }
}

fn offer(source: &'static str, row: LogRow, value: &[u8]) {
    let (body, poison) = match unframe(value) {
        Ok((id, datum)) => {
            let mut framed = vec![];
            frame(id, datum, &mut framed);
            assert_eq!(framed, value, "a frame is not what it was");
            (datum, None)
        }
        Err(why) => (value, Some(why)),
    };
    let row = Arc::new(LogRow { body: body.into(), ..row });
    let record = Record { source, row, hint: None, poison };
    hears(&order::service(), &record);
    hears(&inventory::service(), &record);
    hears(&payment::service(), &record);
    hears(&shipping::service(Duration::ZERO), &record);
    hears(&email::service(), &record);
}

fn hears<T: Topic>(service: &Service<T>, record: &Record) {
    drop(Incoming::record(service, record.clone()));
}
