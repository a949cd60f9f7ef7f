//! Reading lanes one record at a time, waiting for each.

use super::{RecoverError, shown};
use crate::{
    bus::{Bell, Bus, BusAway},
    draft::is_next,
    incoming::Reply,
    record::{Position, Record},
    reign::Lane,
};
use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

/// Records fetched at once.
const PAGE: usize = 1000;
/// How long a bus may tell nothing before that is an error.
const PATIENCE: Duration = Duration::from_secs(60);
/// A bell that was missed costs no more than this.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Lanes on their way in.
pub(crate) struct Pull<'b> {
    bus: &'b mut dyn Bus,
    bell: &'b Bell,
    ahead: HashMap<Lane, Ahead>,
}

/// What is fetched of a lane, and not taken yet.
#[derive(Default)]
struct Ahead {
    records: VecDeque<Record>,
    /// The furthest that was fetched.
    fetched: Position,
    /// Behind it there was a hole, and the lane was read from its beginning for it.
    reread: Option<Position>,
    /// What was fetched since then goes up to the lane's end.
    ended: bool,
}

impl<'b> Pull<'b> {
    pub fn new(bus: &'b mut dyn Bus, bell: &'b Bell) -> Pull<'b> {
        Pull { bus, bell, ahead: HashMap::new() }
    }

    /// Where a lane begins and ends.
    pub fn ends(&mut self, lane: Lane) -> Result<crate::bus::Ends, BusAway> {
        self.bus.ends(lane)
    }

    /// The record that comes next in the lane; nothing at its end.
    ///
    /// # Errors
    /// When it is missing, though later ones are there.
    pub fn next_after(&mut self, lane: Lane, after: Position) -> Result<Option<Record>, RecoverError> {
        while !self.is_at_hole(lane, after) {
            let Some(record) = self.pop(lane, after)? else { return Ok(None) };
            match is_next(after, record.row.position()) {
                None => return Ok(Some(record)),
                Some(Reply::Early) => self.read_again(lane, after)?,
                Some(_) => {} // a repetition
            }
        }
        let lacking = shown(Position { seq: after.seq + 1, ..after });
        Err(RecoverError::Gap { source_name: lane.0, lacking })
    }

    /// Everything was looked through for what comes next.
    fn is_at_hole(&self, lane: Lane, after: Position) -> bool {
        let ahead = self.ahead.get(&lane);
        ahead.is_some_and(|ahead| ahead.reread == Some(after) && ahead.ended && ahead.records.is_empty())
    }

    /// The lane is read once more from a place.
    pub fn go_back(&mut self, lane: Lane, after: Position) {
        self.ahead.insert(lane, Ahead { fetched: after, ..Ahead::default() });
    }

    /// Puts a record back that was not taken.
    pub fn put_back(&mut self, lane: Lane, record: Record) {
        self.ahead.entry(lane).or_default().records.push_front(record);
    }

    /// Once per place: what is missing may lie behind what is there, if it was published anew.
    fn read_again(&mut self, lane: Lane, after: Position) -> Result<(), BusAway> {
        let ahead = self.ahead.entry(lane).or_default();
        if ahead.reread.replace(after) != Some(after) {
            (ahead.fetched, ahead.records, ahead.ended) = (after, VecDeque::new(), false);
            self.bus.reread(lane, after)?;
        }
        Ok(())
    }

    fn pop(&mut self, lane: Lane, after: Position) -> Result<Option<Record>, BusAway> {
        let ahead = self.ahead.entry(lane).or_default();
        if let Some(record) = ahead.records.pop_front() {
            return Ok(Some(record));
        }
        // At a hole the bus goes on giving what lies behind it, as long as it is asked for the same place.
        let from = if ahead.reread == Some(after) { after } else { ahead.fetched.max(after) };
        let deadline = Instant::now() + PATIENCE;
        loop {
            let fetched = self.bus.fetch(lane, from, PAGE);
            match fetched {
                Ok(fetched) if !fetched.records.is_empty() => {
                    ahead.ended = fetched.end.is_some();
                    ahead.fetched = fetched.records.iter().map(|r| r.row.position()).fold(from, Position::max);
                    ahead.records.extend(fetched.records);
                    return Ok(ahead.records.pop_front());
                }
                Ok(fetched) if fetched.end.is_some() && fetched.foreign.is_empty() => {
                    ahead.ended = true;
                    return Ok(None);
                }
                Err(away) if Instant::now() >= deadline => return Err(away),
                Ok(_) | Err(_) => {}
            }
            if Instant::now() >= deadline {
                let (source, seconds) = (lane.0, PATIENCE.as_secs());
                return Err(BusAway(format!("nothing of {source} came within {seconds} s, though there is more")));
            }
            self.bell.wait(Some(LOOK_AGAIN));
        }
    }
}
