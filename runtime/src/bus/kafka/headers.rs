//! A log row as a record of Kafka and back: CloudEvents 1.0 in binary mode, and what the log has beyond it.
//!
//! What this reads was written by anybody who can reach the topic, so nothing of it is trusted: a record whose headers
//! do not hold together is foreign.

use crate::{
    clock::rfc3339,
    draft::MAX_KEY,
    record::{Cause, LogRow},
    trace::Traceparent,
};
use rdkafka::message::{Header, Headers, OwnedHeaders};
use std::sync::Arc;

/// Bytes of the longest header that is believed.
const MAX_HEADER: usize = 4096;
/// Before a framed datum: a zero and the schema's id.
pub const FRAME: usize = 5;

/// The names, in the order of [`Values`].
const NAMES: [&str; 16] = [
    "content-type",
    "ce_specversion",
    "ce_id",
    "ce_source",
    "ce_type",
    "ce_subject",
    "ce_time",
    "ce_dataschema",
    "ce_correlationid",
    "ce_causationid",
    "traceparent",
    "ce_tuttigen",
    "ce_tuttilane",
    "ce_tuttiseq",
    "ce_tuttiepoch",
    "ce_tutticause",
];
/// When it was committed, to the microsecond; `ce_time` is for people.
const AT: &str = "ce_tuttiat";

/// The headers of a row of `source`'s log.
#[must_use]
pub fn of_row(source: &str, row: &LogRow) -> OwnedHeaders {
    let trace: Option<Traceparent> = row.trace.parse().ok();
    let correlation = trace.map(|trace| trace.trace_id.to_string()).unwrap_or_default();
    let causation = row.cause.parse::<Cause>().ok().and_then(|cause| cause.event).unwrap_or_default();
    let values: [&str; 16] = [
        "application/avro",
        "1.0",
        &row.id().to_string(),
        source,
        &row.name,
        &row.key,
        &rfc3339(row.at),
        &format!("urn:tutti:{source}:{}:{}", row.name, row.schema),
        &correlation,
        &causation,
        &row.trace,
        &row.generation.to_string(),
        &row.lane.to_string(),
        &row.seq.to_string(),
        &row.epoch.to_string(),
        &row.cause,
    ];
    let mut headers = OwnedHeaders::new_with_capacity(NAMES.len() + 1);
    for (key, value) in NAMES.into_iter().zip(values).filter(|(_, value)| !value.is_empty()) {
        headers = headers.insert(Header { key, value: Some(value) });
    }
    headers.insert(Header { key: AT, value: Some(&row.at.to_string()) })
}

/// A datum with the frame that says which schema wrote it.
pub fn frame(schema_id: u32, datum: &[u8], into: &mut Vec<u8>) {
    into.clear();
    into.push(0);
    into.extend(schema_id.to_be_bytes());
    into.extend(datum);
}

/// The schema's id and the datum.
///
/// # Errors
/// Says what is no frame about it.
pub fn unframe(value: &[u8]) -> Result<(u32, &[u8]), String> {
    match value {
        [0, a, b, c, d, datum @ ..] => Ok((u32::from_be_bytes([*a, *b, *c, *d]), datum)),
        [0, ..] => Err(format!("its value of {} bytes is shorter than the frame of {FRAME}", value.len())),
        [] => Err("it has no value".into()),
        [magic, ..] => Err(format!("its value begins with {magic}, not with the 0 of a framed datum")),
    }
}

/// Where a record came from.
pub struct Place<'p> {
    /// Whose topic it is.
    pub source: &'p str,
    /// The partition, which is the lane.
    pub partition: u16,
}

/// The row that a record's headers tell of, still without its datum.
///
/// # Errors
/// Says why it is nobody's event.
pub fn to_row(place: &Place, key: Option<&[u8]>, headers: Option<&impl Headers>) -> Result<LogRow, String> {
    let values = Values::read(headers.ok_or("it has no headers")?)?;
    let key = std::str::from_utf8(key.ok_or("it has no key")?).map_err(|_| "its key is no text")?;
    if key.len() > MAX_KEY || key.contains('\0') {
        return Err(format!("its key is longer than {MAX_KEY} bytes, or holds a zero character"));
    }
    values.must_be("ce_specversion", "1.0")?;
    values.must_be("ce_source", place.source)?;
    values.must_be("ce_subject", key)?;
    let row = LogRow {
        lane: values.number("ce_tuttilane")?,
        generation: values.number("ce_tuttigen")?,
        seq: values.number("ce_tuttiseq")?,
        key: key.to_owned(),
        name: values.must_have("ce_type")?.to_owned(),
        schema: values.version(),
        body: Arc::default(),
        cause: values.get("ce_tutticause").unwrap_or_default().to_owned(),
        trace: values.get("traceparent").unwrap_or_default().to_owned(),
        epoch: values.get("ce_tuttiepoch").and_then(|epoch| epoch.parse().ok()).unwrap_or_default(),
        at: values.at.and_then(|at| at.parse().ok()).unwrap_or_default(),
    };
    values.must_be("ce_id", &row.id().to_string())?;
    if row.lane != place.partition {
        return Err(format!("its lane {} is not its partition {}", row.lane, place.partition));
    }
    if row.generation <= 0 || row.seq == 0 || i64::try_from(row.seq).is_err() {
        return Err(format!("{} cannot be the id of an event", row.id()));
    }
    Ok(row)
}

/// The headers that are known, each at most once.
#[derive(Default)]
struct Values<'h> {
    values: [Option<&'h str>; NAMES.len()],
    at: Option<&'h str>,
}

impl<'h> Values<'h> {
    fn read(headers: &'h impl Headers) -> Result<Values<'h>, String> {
        let mut values = Values::default();
        for header in headers.iter() {
            let slot = match NAMES.iter().position(|name| *name == header.key) {
                Some(known) => &mut values.values[known],
                None if header.key == AT => &mut values.at,
                None => continue,
            };
            let name = NAMES.iter().find(|name| **name == header.key).unwrap_or(&AT);
            let text = header.value.and_then(|value| std::str::from_utf8(value).ok());
            let text = text.filter(|text| text.len() <= MAX_HEADER && !text.contains('\0'));
            let text = text.ok_or_else(|| format!("its header {name} is no text of at most {MAX_HEADER} bytes"))?;
            if slot.replace(text).is_some() {
                return Err(format!("it has more than one header {name}"));
            }
        }
        Ok(values)
    }

    fn get(&self, name: &str) -> Option<&'h str> {
        let known = NAMES.iter().position(|known| *known == name)?;
        self.values[known]
    }

    fn must_have(&self, name: &str) -> Result<&'h str, String> {
        self.get(name).filter(|value| !value.is_empty()).ok_or_else(|| format!("it has no header {name}"))
    }

    fn must_be(&self, name: &str, expected: &str) -> Result<(), String> {
        let value = self.must_have(name)?;
        if value == expected { Ok(()) } else { Err(format!("its header {name} is not `{expected}`")) }
    }

    fn number<N: std::str::FromStr>(&self, name: &str) -> Result<N, String> {
        self.must_have(name)?.parse().map_err(|_| format!("its header {name} is no such number"))
    }

    /// The version at the end of `ce_dataschema`; 0, which no schema has, where there is none.
    fn version(&self) -> u16 {
        let last = self.get("ce_dataschema").and_then(|urn| urn.rsplit(':').next());
        last.and_then(|version| version.parse().ok()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rdkafka::message::OwnedHeaders;

    fn row() -> LogRow {
        LogRow {
            lane: 0,
            generation: 1_763,
            seq: 42,
            key: "order-1".into(),
            name: "OrderPlaced".into(),
            schema: 2,
            body: Arc::default(),
            cause: "payment/1763.0.7 via charge#2".into(),
            trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into(),
            epoch: 3,
            at: 1_763_000_000_123_456,
        }
    }

    fn read(headers: &OwnedHeaders) -> Result<LogRow, String> {
        to_row(&Place { source: "order", partition: 0 }, Some(b"order-1"), Some(headers))
    }

    fn texts(headers: &OwnedHeaders) -> Vec<(String, String)> {
        let text = |value: Option<&[u8]>| String::from_utf8(value.unwrap().to_vec()).unwrap();
        headers.iter().map(|header| (header.key.to_owned(), text(header.value))).collect()
    }

    fn from(texts: &[(String, String)]) -> OwnedHeaders {
        let insert =
            |headers: OwnedHeaders, (key, value): &(String, String)| headers.insert(Header { key, value: Some(value) });
        texts.iter().fold(OwnedHeaders::new(), insert)
    }

    #[test]
    fn a_row_comes_back_as_it_was() {
        assert_eq!(read(&of_row("order", &row())).unwrap(), row());
        let bare = LogRow { cause: String::new(), trace: String::new(), at: -1, ..row() };
        assert_eq!(read(&of_row("order", &bare)).unwrap(), bare);
    }

    #[test]
    fn the_headers_are_those_of_the_contract() {
        let headers = texts(&of_row("order", &row()));
        let expected = [
            ("content-type", "application/avro"),
            ("ce_specversion", "1.0"),
            ("ce_id", "1763.0.42"),
            ("ce_source", "order"),
            ("ce_type", "OrderPlaced"),
            ("ce_subject", "order-1"),
            ("ce_time", "2025-11-13T02:13:20.123Z"),
            ("ce_dataschema", "urn:tutti:order:OrderPlaced:2"),
            ("ce_correlationid", "4bf92f3577b34da6a3ce929d0e0e4736"),
            ("ce_causationid", "payment/1763.0.7"),
            ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            ("ce_tuttigen", "1763"),
            ("ce_tuttilane", "0"),
            ("ce_tuttiseq", "42"),
            ("ce_tuttiepoch", "3"),
            ("ce_tutticause", "payment/1763.0.7 via charge#2"),
            ("ce_tuttiat", "1763000000123456"),
        ];
        let headers: Vec<_> = headers.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(headers, expected);
    }

    #[test]
    fn without_any_one_of_the_headers_that_count_a_record_is_foreign() {
        let all = texts(&of_row("order", &row()));
        for name in [
            "ce_specversion",
            "ce_id",
            "ce_source",
            "ce_type",
            "ce_subject",
            "ce_tuttigen",
            "ce_tuttilane",
            "ce_tuttiseq",
        ] {
            let without: Vec<_> = all.iter().filter(|(key, _)| key != name).cloned().collect();
            assert!(read(&from(&without)).unwrap_err().contains(name), "{name}");
        }
        assert!(read(&OwnedHeaders::new()).is_err());
        assert!(to_row(&Place { source: "order", partition: 0 }, None, Some(&from(&all))).is_err());
    }

    #[test]
    fn a_header_twice_is_foreign_even_with_the_same_value() {
        let mut all = texts(&of_row("order", &row()));
        all.push(("ce_id".into(), "1763.0.42".into()));
        assert!(read(&from(&all)).unwrap_err().contains("more than one header ce_id"));
    }

    #[test]
    fn headers_that_contradict_each_other_are_foreign() {
        let lies = [
            ("ce_specversion", "0.3"),
            ("ce_id", "1763.0.43"),
            ("ce_source", "payment"),
            ("ce_subject", "order-2"),
            ("ce_tuttilane", "1"),
            ("ce_tuttilane", "70000"),
            ("ce_tuttigen", "0"),
            ("ce_tuttigen", "99999999999999999999"),
            ("ce_tuttiseq", "0"),
            ("ce_tuttiseq", "-1"),
            ("ce_tuttiseq", "18446744073709551615"),
            ("ce_type", "Order\0Placed"),
        ];
        for (name, lie) in lies {
            let mut all = texts(&of_row("order", &row()));
            all.iter_mut().filter(|(key, _)| key == name).for_each(|(_, value)| *value = lie.into());
            assert!(read(&from(&all)).is_err(), "{name} = {lie}");
        }
    }

    #[test]
    fn frames_that_lie_are_named_and_nothing_more() {
        for (value, why) in [(&b""[..], "no value"), (&[0, 0, 0, 1], "shorter"), (&[1, 0, 0, 0, 1, 9], "begins with 1")]
        {
            assert!(unframe(value).unwrap_err().contains(why));
        }
        let mut framed = vec![9];
        frame(0x0102_0304, b"datum", &mut framed);
        assert_eq!(framed, b"\0\x01\x02\x03\x04datum");
        assert_eq!(unframe(&framed), Ok((0x0102_0304, &b"datum"[..])));
    }
}
