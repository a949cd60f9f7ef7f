//! Following the lanes of other services: what is read next, how far each was followed, and what holds one up.

use crate::{
    bus::{Bus, BusAway, Fetched},
    clock::Micros,
    handle::Health,
    incoming::{From, Incoming, Reply},
    record::{CursorRow, FOREIGN, Position},
    reign::{Lane, Reign},
    telemetry::LaneCounts,
};
use choreography::{Service, Start, Topic};

/// A lane that stands at a gap, and a bus that is away, are asked again after this long.
const ASK_AGAIN: Micros = 1_000_000;
/// Parked records of one source, by key, at which it is paused: by then something general is wrong.
const MAX_PARKED_HEADS: usize = 1000;
/// A source that says nothing but poison for this long is paused.
const ONLY_POISON_FOR: Micros = 60_000_000;
/// So many records of it at least: a quiet source with a bad record now and then goes on.
const MANY_POISONED: u32 = 10;
/// How long timers wait for a source that cannot be reached before they fire all the same, and say so.
const TIMERS_WAIT_AT_MOST: Micros = 24 * 3_600_000_000;

struct Followed {
    lane: Lane,
    /// Everything that was said up to this moment has been taken.
    until: Micros,
    /// What was the lane's end at some moment; once the cursor is there, the lane is followed until that moment.
    end: Option<(Position, Micros)>,
    /// Since when a record has been missing.
    gap_since: Option<Micros>,
    /// Since when the bus has been away.
    away: Option<(Micros, String)>,
    /// Since when it has said nothing but poison, and how many records of it.
    poison: Option<(Micros, u32)>,
    paused: bool,
    /// When the last record was said that the batch has taken.
    taken_from: Option<Micros>,
    counts: LaneCounts,
}

/// All lanes that a service reads.
pub(crate) struct Lanes {
    followed: Vec<Followed>,
    first: usize,
}

impl Lanes {
    pub fn of<T: Topic>(service: &Service<T>) -> Lanes {
        let followed = service.sources().into_iter().map(|source| Followed {
            lane: (source, 0),
            until: Micros::MIN,
            end: None,
            gap_since: None,
            away: None,
            poison: None,
            paused: false,
            taken_from: None,
            counts: LaneCounts::of(T::NAME, source),
        });
        Lanes { followed: followed.collect(), first: 0 }
    }

    /// Cursors of lanes never read before, where the service's declared start says.
    pub fn first_cursors<T: Topic>(
        &mut self,
        service: &Service<T>,
        reign: &Reign,
        bus: &mut dyn Bus,
    ) -> Result<Vec<CursorRow>, BusAway> {
        let mut cursors = vec![];
        for Followed { lane, .. } in &self.followed {
            if !reign.cursors.contains_key(lane) {
                let ends = bus.ends(*lane)?;
                let at = if service.start() == Start::Now { ends.latest } else { ends.earliest };
                cursors.push(CursorRow { source: lane.0.to_owned(), lane: lane.1, at, offset_hint: None });
            }
        }
        Ok(cursors)
    }

    /// The first cursors are written: the reign goes by them.
    pub fn begin(&self, reign: &mut Reign, written: Vec<CursorRow>) {
        for row in written {
            if let Some(followed) = self.followed.iter().find(|f| f.lane.0 == row.source && f.lane.1 == row.lane) {
                reign.cursors.insert(followed.lane, row.at);
            }
        }
    }

    /// What the lanes have next, each with its share of the room, beginning with another one each time.
    pub fn fetch(&mut self, bus: &mut dyn Bus, reign: &Reign, now: Micros, room: usize) -> Fetched {
        let lanes = self.followed.len();
        let mut all = Fetched::default();
        for n in 0..lanes {
            let share = room.saturating_sub(all.records.len() + all.foreign.len()) / (lanes - n);
            let followed = &mut self.followed[(self.first + n) % lanes];
            followed.paused = followed.paused && still_paused(followed, reign);
            if share == 0 || followed.paused || followed.waits(now) {
                continue;
            }
            let after = reign.cursors.get(&followed.lane).copied().unwrap_or_default();
            match followed.fetch(bus, after, share, now) {
                Ok(fetched) => {
                    all.records.extend(fetched.records);
                    all.foreign.extend(fetched.foreign);
                }
                Err(BusAway(why)) => followed.is_away(now, why),
            }
        }
        self.first = (self.first + 1) % lanes.max(1);
        all
    }

    /// Learns from a batch that was passed: gaps, and sources that say nothing but poison.
    pub fn passed(&mut self, batch: &[Incoming], replies: &[Reply], now: Micros, bus: &mut dyn Bus, reign: &Reign) {
        for (input, reply) in batch.iter().zip(replies) {
            let lane = match &input.from {
                From::Record(record) => (record.source, record.row.lane),
                From::Foreign(foreign) => (foreign.source, foreign.lane),
                _ => continue,
            };
            let Some(followed) = self.followed.iter_mut().find(|f| f.lane == lane) else { continue };
            match reply {
                Reply::Early => followed.stands_at_gap(now, bus, reign),
                Reply::Parked(_) => followed.poisoned(now, reign),
                _ => followed.goes_on(),
            }
            if let (From::Record(record), Reply::Accepted | Reply::Parked(_)) = (&input.from, reply) {
                followed.taken_from = Some(record.row.at);
            }
        }
        for followed in &mut self.followed {
            followed.taken_from.take().into_iter().for_each(|said_at| followed.counts.taken(now - said_at));
        }
    }

    /// Whether the next record of a lane is missing, though later ones are there.
    pub fn stands_at_gap(&self, lane: Lane) -> bool {
        self.followed.iter().any(|followed| followed.lane == lane && followed.gap_since.is_some())
    }

    /// The missing record is not waited for any longer.
    pub fn goes_on(&mut self, lane: Lane) {
        self.followed.iter_mut().filter(|followed| followed.lane == lane).for_each(Followed::goes_on);
    }

    /// Timers due up to this moment may fire: whatever was said before it has been taken.
    pub fn followed_until(&self, now: Micros) -> Micros {
        let until = |followed: &Followed| match (followed.gap_since, &followed.away) {
            (Some(_), _) => now,
            _ if followed.paused => now,
            (None, Some(_)) => followed.until.max(now - TIMERS_WAIT_AT_MOST),
            (None, None) => followed.until,
        };
        self.followed.iter().map(until).min().unwrap_or(now)
    }

    /// When to look again, at the latest. News ring the bell.
    pub fn wake(&self, now: Micros, next_due: Option<Micros>) -> Option<Micros> {
        let held_up = self.followed.iter().any(|f| f.gap_since.is_some() || f.away.is_some());
        let due = next_due.map(|due| if due <= now { now + ASK_AGAIN } else { due });
        due.into_iter().chain(held_up.then_some(now + ASK_AGAIN)).min()
    }

    /// What holds this service up, in one sentence.
    pub fn health(&self) -> Health {
        let trouble = self.followed.iter().find_map(|followed| {
            let source = followed.lane.0;
            match (&followed.away, followed.gap_since) {
                (Some((_, why)), _) => Some(format!("{source} cannot be read: {why}")),
                (None, Some(_)) => Some(format!("a record of {source} is missing: it must be published again")),
                _ if followed.paused => Some(format!("{source} is paused: too much of it is poison")),
                _ => None,
            }
        });
        trouble.map_or(Health::Ready, Health::HeldUp)
    }
}

impl Followed {
    /// Reads on. A lane is never read to its end while more keeps coming, so what counts is that the cursor has
    /// reached what was the end at some moment.
    fn fetch(&mut self, bus: &mut dyn Bus, after: Position, max: usize, now: Micros) -> Result<Fetched, BusAway> {
        let fetched = bus.fetch(self.lane, after, max)?;
        self.away = None;
        let told = fetched.end.map(|end| (end.at, now.saturating_sub(end.age)));
        for (_, at) in self.end.into_iter().chain(told).filter(|(end, _)| after >= *end) {
            self.until = self.until.max(at);
        }
        // The older question is answered first; a newer one would never be, while more keeps coming.
        self.end = self.end.or(told).filter(|(end, _)| after < *end);
        Ok(fetched)
    }

    fn is_away(&mut self, now: Micros, why: String) {
        let waited_enough = |at: Micros| self.until < at - TIMERS_WAIT_AT_MOST;
        let before = self.away.as_ref().is_some_and(|(at, _)| waited_enough(*at));
        if waited_enough(now) && !before && self.until > Micros::MIN {
            tracing::error!(source = self.lane.0, why, "away for so long that timers no longer wait for it");
        }
        self.away = Some((now, why));
    }

    fn waits(&self, now: Micros) -> bool {
        self.away.as_ref().is_some_and(|(since, _)| now < since + ASK_AGAIN)
            || self.gap_since.is_some_and(|since| now < since + ASK_AGAIN)
    }

    fn goes_on(&mut self) {
        if self.gap_since.take().is_some() {
            self.counts.gap_closed();
        }
        self.poison = None;
    }

    fn stands_at_gap(&mut self, now: Micros, bus: &mut dyn Bus, reign: &Reign) {
        let after = reign.cursors.get(&self.lane).copied().unwrap_or_default();
        if self.gap_since.is_none() {
            self.counts.gap_opened();
            tracing::error!(source = self.lane.0, lane = self.lane.1, after = ?after, "a record is missing; nothing behind it is taken");
        }
        self.gap_since = Some(now);
        if let Err(BusAway(why)) = bus.reread(self.lane, after) {
            self.away = Some((now, why));
        }
    }

    fn poisoned(&mut self, now: Micros, reign: &Reign) {
        let (since, before) = self.poison.unwrap_or((now, 0));
        self.poison = Some((since, before + 1));
        let nothing_else = now - since > ONLY_POISON_FOR && before >= MANY_POISONED;
        if nothing_else || heads(reign, self.lane.0) >= MAX_PARKED_HEADS {
            tracing::error!(source = self.lane.0, "paused: too much of it is poison");
            self.paused = true;
        }
    }
}

fn still_paused(followed: &mut Followed, reign: &Reign) -> bool {
    let heads = heads(reign, followed.lane.0);
    let paused = heads >= MAX_PARKED_HEADS || (followed.poison.is_some() && heads > 0);
    if !paused {
        followed.poison = None;
    }
    paused
}

/// Keys of a source under which something is parked, and what is foreign on its topic.
fn heads(reign: &Reign, source: &str) -> usize {
    let of_source = |parked: &str| parked.strip_prefix(FOREIGN).unwrap_or(parked) == source;
    reign.parked.keys().filter(|(parked, _)| of_source(parked)).count()
}
