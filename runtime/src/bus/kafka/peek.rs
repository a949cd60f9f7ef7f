//! A look at the first and the last records of a lane, by a reader of its own that is gone afterwards.

use super::{
    Settings,
    config::{ASK_WITHIN, Quiet},
    headers,
};
use crate::{
    bus::{BusAway, Ends},
    record::Position,
    reign::Lane,
};
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
};
use std::time::{Duration, Instant};

/// How many records at the end are looked at. A relay that is restarted repeats rows, so the very last record need not
/// be the furthest one.
const TAIL: i64 = 1000;
const READ_WITHIN: Duration = Duration::from_secs(10);

/// The ends of a lane, and the offset behind the last record.
pub(super) struct Peeked {
    pub ends: Ends,
    pub hint: i64,
}

/// Looks. A lane that has no event, or of which retention has left none, is told to be empty.
pub(super) fn ends(settings: &Settings, service: &str, (source, lane): Lane) -> Result<Peeked, BusAway> {
    let topic = settings.topic(source);
    let away = |e: KafkaError| BusAway(format!("{topic} cannot be read: {e}"));
    let consumer = settings.consumer(service).map_err(away)?;
    let consumer = Peek { consumer, topic: &topic, source, partition: i32::from(lane) };
    let (low, high) = consumer.consumer.fetch_watermarks(&topic, i32::from(lane), ASK_WITHIN).map_err(away)?;
    let earliest = consumer.positions(low, low + 1, high)?.into_iter().next();
    let latest = consumer.positions((high - TAIL).max(low), high, high)?.into_iter().max();
    let earliest = earliest.map(|first| Position { seq: first.seq - 1, ..first });
    let ends = Ends { earliest: earliest.unwrap_or_default(), latest: latest.unwrap_or_default(), whole: low == 0 };
    Ok(Peeked { ends, hint: high })
}

struct Peek<'p> {
    consumer: BaseConsumer<Quiet>,
    topic: &'p str,
    source: &'static str,
    partition: i32,
}

impl Peek<'_> {
    /// The events from an offset on, at least one if there is any, up to an offset.
    fn positions(&self, from: i64, until: i64, high: i64) -> Result<Vec<Position>, BusAway> {
        let away = |why: String| BusAway(format!("{} cannot be read: {why}", self.topic));
        let mut positions = vec![];
        if from >= high {
            return Ok(positions);
        }
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(self.topic, self.partition, Offset::Offset(from)).map_err(|e| away(e.to_string()))?;
        self.consumer.assign(&list).map_err(|e| away(e.to_string()))?;
        let deadline = Instant::now() + READ_WITHIN;
        while Instant::now() < deadline {
            let Some(message) = self.consumer.poll(Duration::from_millis(100)) else { continue };
            let message = message.map_err(|e| away(e.to_string()))?;
            let place = headers::Place { source: self.source, partition: self.partition as u16 };
            let row = headers::to_row(&place, message.key(), message.headers());
            positions.extend(row.map(|row| row.position()));
            let reached = message.offset() + 1;
            if reached >= high || (reached >= until && !positions.is_empty()) {
                return Ok(positions);
            }
        }
        Err(away(format!("nothing came within {} s", READ_WITHIN.as_secs())))
    }
}
