//! What a topic lacks of its service's log, and publishing it again.
//!
//! A service that runs does that by itself: before its reign's first row its relay looks at the topic, and once more when
//! the topic has gone back (`goes_on_behind`). So one process publishes, and only ever a contiguous run upwards; readers
//! pass over what they have seen. What is left to a job is a service that does not run, or a hole in the midst of a topic,
//! which only somebody notices who reads all of it.

use crate::{
    bus::{Beginning, Bell, Bus, BusAway, Ends},
    record::{LogRow, Position},
    recover::{Pull, RecoverError, log_end},
    store::{Batch, Lead, Read, Store, StoreError},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Rows compared at once.
const PAGE: usize = 1024;
/// How long nothing may be confirmed before that is an error.
const PATIENCE: Duration = Duration::from_secs(60);
/// A service that runs looks at its topic every ten seconds, and mends what it finds. What it has not noticed after this
/// long it does not know of.
const NOTICES_WITHIN: Duration = Duration::from_secs(30);
/// How often progress is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How often all of a topic is looked at while its service has not noticed what it lacks.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Behind which row publishing goes on, given where the topic begins and ends, the log's first row, and how far the log
/// was published: there, or earlier where the topic lacks something. What retention has deleted is not lacking.
pub(crate) fn goes_on_behind(ends: &Ends, first: Option<Position>, published: Position) -> Position {
    let is_empty = ends.latest.seq == 0;
    let lacks_its_beginning = is_empty || first.is_some_and(|first| ends.earliest >= first);
    match ends.whole {
        true if lacks_its_beginning => Position::default(),
        false if is_empty => published,
        _ => published.min(ends.latest),
    }
}

/// What a topic lacks of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lacking {
    /// The last event before the first one that is lacking.
    pub after: Position,
    /// Events of the log behind that one: so many are published again.
    pub events: u64,
}

/// Why nothing was published again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RepublishError {
    /// The service runs, and its relay has not mended the topic.
    #[error(
        "{service} runs: the process at {owner} leads, and it alone publishes. A topic that was created anew it fills by \
         itself; this one has a hole that it does not know of: stop the service, run this, and start it again"
    )]
    Runs {
        /// The service.
        service: &'static str,
        /// Where its leader is.
        owner: String,
    },
    /// The topic is ahead of the log.
    #[error(
        "the topic of {0} has events that its store lacks: the store was lost, or is an older copy; run `tutti recover --service {0}` first"
    )]
    Behind(&'static str),
    /// The topic has something else where the log has an event.
    #[error(
        "event {event} on the topic of {service} is not the one in its log: they do not belong together. See that DATABASE_URL and KAFKA_BOOTSTRAP_SERVERS name the same shop"
    )]
    Other {
        /// The service.
        service: &'static str,
        /// The first event that differs.
        event: String,
    },
    /// Nothing is confirmed any more.
    #[error("nothing was confirmed for {seconds} s: {0}", seconds = PATIENCE.as_secs())]
    HeldUp(String),
    /// The bus.
    #[error(transparent)]
    Bus(#[from] BusAway),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Compares a topic with the log, all of it. Nothing when it lacks nothing.
///
/// # Errors
/// When they do not fit together, or cannot be read.
pub fn lacking(
    service: &'static str,
    read: &dyn Read,
    bus: &mut dyn Bus,
    bell: &Bell,
    progress: &dyn Fn(u64, u64),
) -> Result<Option<Lacking>, RepublishError> {
    let ends = bus.ends((service, 0))?;
    if ends.latest.seq > 0 && !read.holds(ends.latest)? {
        return Err(RepublishError::Behind(service));
    }
    let (head, mut compared) = (log_end(read)?, 0);
    let mut at = if ends.whole || ends.latest.seq == 0 { Position::default() } else { ends.earliest };
    let mut pull = Pull::new(bus, bell);
    loop {
        let page = read.log_after(0, at, PAGE)?;
        if page.is_empty() || at >= head {
            return Ok(None);
        }
        for row in &page {
            if !is_on_topic(service, &mut pull, at, row)? {
                return Ok(Some(Lacking { after: at, events: count_behind(read, at)? }));
            }
            (at, compared) = (row.position(), compared + 1);
        }
        progress(compared, head.seq.max(compared));
    }
}

fn is_on_topic(
    service: &'static str,
    pull: &mut Pull,
    after: Position,
    row: &Arc<LogRow>,
) -> Result<bool, RepublishError> {
    let found = match pull.next_after((service, 0), after) {
        Ok(found) => found,
        Err(RecoverError::Gap { .. }) => None,
        Err(RecoverError::Bus(away)) => return Err(away.into()),
        Err(other) => return Err(BusAway(other.to_string()).into()),
    };
    let Some(found) = found.filter(|found| found.row.position() == row.position()) else { return Ok(false) };
    // A schema that is not known yet says nothing against it.
    if found.poison.is_none() && (found.row.body != row.body || found.row.name != row.name) {
        return Err(RepublishError::Other { service, event: row.id().to_string() });
    }
    Ok(true)
}

fn count_behind(read: &dyn Read, mut after: Position) -> Result<u64, StoreError> {
    let mut events = 0;
    loop {
        let page = read.log_after(0, after, PAGE)?;
        let Some(last) = page.last() else { return Ok(events) };
        (events, after) = (events + page.len() as u64, last.position());
    }
}

/// A service that does not run, with what is needed to publish in its place.
pub struct Parts {
    /// The service.
    pub service: &'static str,
    /// Its store: the job leads while it publishes, so that nobody else does.
    pub store: Box<dyn Store>,
    /// The same, for reading.
    pub read: Arc<dyn Read>,
    /// A connection that reads the service's own topic, and publishes on it.
    pub bus: Box<dyn Bus>,
    /// Rings when the bus has news.
    pub bell: Arc<Bell>,
    /// As in [`crate::Parts`].
    pub build: u64,
}

/// Publishes again what the topic lacks. A service that runs is left to do that by itself, and waited for.
///
/// # Errors
/// Says why not, and what to do.
pub fn republish(mut parts: Parts, progress: &dyn Fn(u64, u64)) -> Result<Option<Lacking>, RepublishError> {
    let Parts { service, read, bus, bell, .. } = &mut parts;
    let service = *service;
    let mut found = lacking(service, &**read, &mut **bus, bell, &|_, _| {})?;
    let Some(first_found) = found else { return Ok(None) };
    let notices_until = Instant::now() + NOTICES_WITHIN;
    while let Some(lacking) = found {
        let led = parts.store.begin_reign("a republication", parts.build);
        match led {
            Ok(lead) => {
                publish(&mut parts, lead, lacking, progress)?;
                found = None;
            }
            Err(StoreError::Led(owner)) => {
                let knows = wait_for_leader(&parts, &owner, progress)?;
                if !knows && Instant::now() > notices_until {
                    return Err(RepublishError::Runs { service, owner });
                }
                found = self::lacking(parts.service, &*parts.read, &mut *parts.bus, &parts.bell, &|_, _| {})?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Some(first_found))
}

fn publish(parts: &mut Parts, lead: Lead, lacking: Lacking, progress: &dyn Fn(u64, u64)) -> Result<(), RepublishError> {
    let head = Position { generation: lead.generation, seq: lead.head };
    begin(parts, &Beginning { head, published: lead.published, cursors: vec![] })?;
    parts.bus.publish_again(lacking.after);
    let mut watched = Watched::new();
    loop {
        let published = parts.bus.published();
        let until = published.until.unwrap_or(head.seq);
        progress(lacking.events.saturating_sub(head.seq.saturating_sub(until)), lacking.events);
        if until >= head.seq {
            parts.store.commit(&Batch { lead, published: until, ..Batch::default() })?;
            return Ok(());
        }
        watched.at(until, || published.held_up.unwrap_or_else(|| "the brokers do not say why".into()))?;
        parts.bell.wait(Some(LOOK_EVERY));
    }
}

/// A topic that was just created takes a moment to be known to every broker.
fn begin(parts: &mut Parts, beginning: &Beginning) -> Result<(), BusAway> {
    let since = Instant::now();
    while let Err(away) = parts.bus.begin(beginning) {
        if since.elapsed() > PATIENCE {
            return Err(away);
        }
        parts.bell.wait(Some(LOOK_EVERY));
    }
    Ok(())
}

/// Whether something moves.
struct Watched {
    at: u64,
    since: Instant,
}

impl Watched {
    fn new() -> Watched {
        Watched { at: 0, since: Instant::now() }
    }

    fn at(&mut self, at: u64, why: impl FnOnce() -> String) -> Result<(), RepublishError> {
        if at != self.at {
            *self = Watched { at, since: Instant::now() };
        } else if self.since.elapsed() > PATIENCE {
            return Err(RepublishError::HeldUp(why()));
        }
        Ok(())
    }
}

/// The leader publishes what it knows to be lacking; what it does not know of, nobody else may publish meanwhile. Whether
/// it knew of anything.
fn wait_for_leader(parts: &Parts, owner: &str, progress: &dyn Fn(u64, u64)) -> Result<bool, RepublishError> {
    let mut watched = Watched::new();
    let mut lead = parts.read.lead()?;
    if lead.published >= lead.head {
        parts.bell.wait(Some(LOOK_AGAIN_AFTER));
        return Ok(false);
    }
    while lead.published < lead.head {
        progress(lead.published, lead.head);
        watched.at(lead.published, || format!("{} at {owner} does not go on; see its readiness", parts.service))?;
        parts.bell.wait(Some(LOOK_EVERY));
        lead = parts.read.lead()?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(generation: i64, seq: u64) -> Position {
        Position { generation, seq }
    }

    /// A topic with the events of one generation from one to another.
    fn topic(first: u64, last: u64, whole: bool) -> Ends {
        if last == 0 {
            return Ends { earliest: Position::default(), latest: Position::default(), whole };
        }
        Ends { earliest: at(7, first - 1), latest: at(7, last), whole }
    }

    #[test]
    fn a_topic_that_lacks_nothing_is_gone_on_with() {
        assert_eq!(goes_on_behind(&topic(1, 9, true), Some(at(7, 1)), at(7, 9)), at(7, 9));
        assert_eq!(goes_on_behind(&topic(1, 9, true), Some(at(7, 1)), at(7, 5)), at(7, 5), "what may be under way");
        assert_eq!(goes_on_behind(&topic(0, 0, true), None, at(7, 0)), Position::default(), "nothing was ever said");
    }

    #[test]
    fn a_topic_that_lacks_its_end_is_filled_from_there() {
        assert_eq!(goes_on_behind(&topic(1, 4, true), Some(at(7, 1)), at(7, 9)), at(7, 4));
        assert_eq!(goes_on_behind(&topic(3, 4, false), Some(at(7, 1)), at(7, 9)), at(7, 4));
        assert_eq!(goes_on_behind(&topic(1, 4, true), Some(at(7, 1)), at(8, 2)), at(7, 4), "across generations");
    }

    #[test]
    fn a_topic_that_was_created_anew_is_filled_from_the_beginning() {
        assert_eq!(goes_on_behind(&topic(0, 0, true), Some(at(7, 1)), at(7, 9)), Position::default());
        assert_eq!(goes_on_behind(&topic(5, 9, true), Some(at(7, 1)), at(7, 9)), Position::default());
        assert_eq!(goes_on_behind(&topic(1, 9, true), Some(at(6, 1)), at(7, 9)), Position::default());
    }

    #[test]
    fn what_retention_has_deleted_is_not_lacking() {
        assert_eq!(goes_on_behind(&topic(5, 9, false), Some(at(7, 1)), at(7, 9)), at(7, 9));
        assert_eq!(goes_on_behind(&topic(0, 0, false), Some(at(7, 1)), at(7, 9)), at(7, 9));
    }
}
