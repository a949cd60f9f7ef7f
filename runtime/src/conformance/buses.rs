//! The suite for buses: per lane everything that was published, in order, from any place, for every reader by itself.

use crate::{
    bus::{Beginning, Bell, Bus, BusAway, End, Fetched},
    clock::micros,
    record::{LogRow, Position, Record},
    reign::Lane,
    store::{Batch, Lead, Store, StoreError},
};
use std::{
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

/// What a bus may take to deliver; nothing is measured against it but that it ends.
const DELIVERED_WITHIN: Duration = Duration::from_secs(30);

/// Makes one more connection to a bus, with the bell that rings for its news.
pub type Connect = Box<dyn Fn() -> (Box<dyn Bus>, Arc<Bell>)>;

/// One service that speaks, and as many that listen to it as are wanted.
pub struct Wire {
    /// The speaking service.
    pub source: &'static str,
    /// Its store: what is published was committed there before.
    pub store: Box<dyn Store>,
    /// Its connection.
    pub speaker: Box<dyn Bus>,
    /// Connects one more listener to the speaker.
    pub listener: Connect,
}

/// What went wrong that must not.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub enum Failed {
    /// The bus was away.
    Bus(#[from] BusAway),
    /// The store failed.
    Store(#[from] StoreError),
}

type Check = fn(Wire) -> Result<(), Failed>;

const CHECKS: &[(&str, Check)] = &[
    ("an empty lane is at its end", an_empty_lane_is_at_its_end),
    ("records come in order, dense, as they were committed", records_come_in_order),
    ("a reader begins anywhere", a_reader_begins_anywhere),
    ("the end is told truly", the_end_is_told_truly),
    ("the ends of a lane are its first and last record", the_ends_of_a_lane),
    ("news ring the bells of all readers", news_ring_the_bells),
    ("readers do not disturb each other", readers_do_not_disturb_each_other),
    ("publishing again repeats at most, and loses nothing", publishing_again_loses_nothing),
    ("a reign that begins loses nothing", a_reign_that_begins_loses_nothing),
    ("a newer generation follows the older one", a_newer_generation_follows),
    ("reading again from the beginning disturbs nothing", reading_again_disturbs_nothing),
];

/// Holds a bus to its contract. `fresh` makes an empty bus each time it is called.
///
/// # Errors
/// When the bus or the store below it fails where it must not.
///
/// # Panics
/// When the bus does something else than it must.
pub fn bus(mut fresh: impl FnMut() -> Wire) -> Result<(), Failed> {
    for (name, check) in CHECKS {
        println!("bus: {name}");
        check(fresh())?;
    }
    Ok(())
}

/// The speaker at work.
struct Speaker {
    store: Box<dyn Store>,
    bus: Box<dyn Bus>,
    lead: Lead,
    lane: Lane,
}

impl Wire {
    fn begin(mut self) -> Result<(Speaker, impl Fn() -> Listener), Failed> {
        let lead = self.store.begin_reign("here", 1)?;
        begin(&mut *self.speaker, lead.generation)?;
        let lane = (self.source, 0);
        let connect = self.listener;
        let listen = move || {
            let (bus, bell) = connect();
            Listener { bus, bell, lane, taken: vec![] }
        };
        Ok((Speaker { store: self.store, bus: self.speaker, lead, lane }, listen))
    }
}

/// A generation begins with a reign, at its first event.
fn begin(bus: &mut dyn Bus, generation: i64) -> Result<(), Failed> {
    let head = Position { generation, seq: 0 };
    Ok(bus.begin(&Beginning { head, ..Beginning::default() })?)
}

impl Speaker {
    /// Waits until everything that was said is on the bus.
    fn published(&mut self) {
        let deadline = Instant::now() + DELIVERED_WITHIN;
        while self.bus.published().until.is_some_and(|until| until < self.lead.head) {
            assert!(Instant::now() < deadline, "not published: {:?}", self.bus.published());
            std::thread::yield_now();
        }
    }

    /// Commits and publishes the next `count` events of a generation, from `seq` on.
    fn say_in(&mut self, generation: i64, seq: u64, count: u64) -> Result<Vec<Arc<LogRow>>, Failed> {
        let rows: Vec<_> = (seq..seq + count).map(|seq| row(generation, seq)).collect();
        self.store.commit(&Batch { lead: self.lead, log: rows.clone(), ..Batch::default() })?;
        self.lead.commits += 1;
        self.lead.head += count;
        self.bus.publish(&rows);
        Ok(rows)
    }

    fn say(&mut self, count: u64) -> Result<Vec<Arc<LogRow>>, Failed> {
        self.say_in(self.lead.generation, self.lead.head + 1, count)
    }

    /// Just before the first record.
    fn beginning(&self) -> Position {
        Position { generation: self.lead.generation, seq: 0 }
    }
}

fn row(generation: i64, seq: u64) -> Arc<LogRow> {
    Arc::new(LogRow {
        lane: 0,
        generation,
        seq,
        key: format!("key-{}", seq % 3),
        name: "Said".into(),
        schema: 1,
        body: seq.to_be_bytes().into(),
        cause: "command Say".into(),
        trace: String::new(),
        epoch: 1,
        at: 1,
    })
}

/// A reader that keeps its place itself, as an engine does.
struct Listener {
    bus: Box<dyn Bus>,
    bell: Arc<Bell>,
    lane: Lane,
    taken: Vec<Arc<LogRow>>,
}

impl Listener {
    /// Reads on, never more than `page` at a time, until it has `count` records behind `after`; a lane is in order, so
    /// what is not behind the last one taken was delivered before.
    fn take(&mut self, after: Position, count: usize, page: usize) -> Result<Vec<Arc<LogRow>>, Failed> {
        let deadline = Instant::now() + DELIVERED_WITHIN;
        self.taken.clear();
        while self.taken.len() < count {
            assert!(Instant::now() < deadline, "{} of {count} records came", self.taken.len());
            let place = self.taken.last().map_or(after, |row| row.position());
            let fetched = self.bus.fetch(self.lane, place, page)?;
            assert!(fetched.records.len() <= page, "{} records where {page} were asked for", fetched.records.len());
            if fetched.records.is_empty() {
                self.bell.wait(Some(Duration::from_millis(100)));
            }
            self.keep(place, fetched.records);
        }
        Ok(std::mem::take(&mut self.taken))
    }

    fn keep(&mut self, mut place: Position, records: Vec<Record>) {
        for Record { source, row, .. } in records {
            assert_eq!((source, row.lane), self.lane);
            if row.position() > place {
                place = row.position();
                self.taken.push(row);
            }
        }
    }

    fn fetch(&mut self, after: Position, max: usize) -> Result<Fetched, Failed> {
        Ok(self.bus.fetch(self.lane, after, max)?)
    }

    /// Fetches until the lane is at its end, and returns what came last.
    fn at_end(&mut self, after: Position) -> Result<Fetched, Failed> {
        let deadline = Instant::now() + DELIVERED_WITHIN;
        loop {
            let fetched = self.fetch(after, 100)?;
            let last = fetched.records.last().map_or(after, |record| record.row.position());
            if fetched.end.is_some_and(|end| end.at <= last) {
                return Ok(fetched);
            }
            assert!(Instant::now() < deadline, "the end of the lane never came");
        }
    }
}

fn an_empty_lane_is_at_its_end(wire: Wire) -> Result<(), Failed> {
    let (speaker, listen) = wire.begin()?;
    let mut listener = listen();
    assert!(listener.at_end(speaker.beginning())?.records.is_empty());
    let ends = listener.bus.ends(speaker.lane)?;
    assert_eq!(ends.earliest, ends.latest);
    assert_eq!(ends.latest.seq, 0);
    Ok(())
}

fn records_come_in_order(wire: Wire) -> Result<(), Failed> {
    let (mut speaker, listen) = wire.begin()?;
    let mut said = vec![];
    for count in [1, 7, 1, 300, 0, 20] {
        said.extend(speaker.say(count)?);
    }
    for page in [1, 8, 1000] {
        assert_eq!(listen().take(speaker.beginning(), said.len(), page)?, said, "in pages of {page}");
    }
    Ok(())
}

/// The places include one far behind what any bus keeps at hand.
fn a_reader_begins_anywhere(wire: Wire) -> Result<(), Failed> {
    const RECORDS: u64 = 10_000;
    let (mut speaker, listen) = wire.begin()?;
    let mut said = vec![];
    while (said.len() as u64) < RECORDS {
        said.extend(speaker.say(1000)?);
    }
    for seq in [0, 1, 17, 1807, 1808, 1809, RECORDS / 2, RECORDS - 1] {
        let rest = &said[usize::try_from(seq).unwrap_or_default()..];
        let count = rest.len().min(50);
        let after = Position { seq, ..speaker.beginning() };
        assert_eq!(listen().take(after, count, 50)?[..count], rest[..count], "after {seq}");
    }
    assert!(listen().at_end(Position { seq: RECORDS, ..speaker.beginning() })?.records.is_empty());
    Ok(())
}

fn the_end_is_told_truly(wire: Wire) -> Result<(), Failed> {
    let (mut speaker, listen) = wire.begin()?;
    speaker.say(10)?;
    let mut listener = listen();
    listener.take(speaker.beginning(), 10, 10)?;
    let all_there = Instant::now();
    for max in 1..10 {
        let since_then = micros(all_there.elapsed());
        let fetched = listener.fetch(speaker.beginning(), max)?;
        let last = fetched.records.last().map_or(speaker.beginning(), |record| record.row.position());
        // What was known of the end when fewer were there is true of that time.
        let beyond = |end: End| end.at > last || end.age >= since_then;
        assert!(fetched.end.is_none_or(beyond), "{max} of 10 records are not all");
    }
    let last = Position { seq: 10, ..speaker.beginning() };
    assert!(listener.at_end(last)?.records.is_empty());
    speaker.say(1)?;
    assert_eq!(listener.take(last, 1, 10)?.len(), 1, "an end is not for ever");
    Ok(())
}

fn the_ends_of_a_lane(wire: Wire) -> Result<(), Failed> {
    let (mut speaker, listen) = wire.begin()?;
    let said = speaker.say(5)?;
    let mut listener = listen();
    listener.take(speaker.beginning(), 5, 10)?;
    let ends = listener.bus.ends(speaker.lane)?;
    assert_eq!(ends.latest, said[4].position());
    assert_eq!(listener.take(ends.earliest, 5, 10)?, said, "everything is behind the earliest end");
    assert!(listener.fetch(ends.latest, 10)?.records.is_empty(), "nothing is behind the latest end");
    Ok(())
}

/// A reader looks before it sleeps, as an engine does; from then on nothing but its bell makes it look again.
fn news_ring_the_bells(wire: Wire) -> Result<(), Failed> {
    let (mut speaker, listen) = wire.begin()?;
    let (woken, heard) = mpsc::channel();
    for n in 0..3 {
        let (woken, mut listener, beginning) = (woken.clone(), listen(), speaker.beginning());
        listener.at_end(beginning)?;
        std::thread::spawn(move || {
            while listener.fetch(beginning, 10).is_ok_and(|fetched| fetched.records.is_empty()) {
                listener.bell.wait(None);
            }
            // The one who hears may have failed already.
            _ = woken.send(n);
        });
    }
    speaker.say(1)?;
    for _ in 0..3 {
        assert!(heard.recv_timeout(DELIVERED_WITHIN).is_ok(), "a reader was not woken");
    }
    Ok(())
}

fn readers_do_not_disturb_each_other(wire: Wire) -> Result<(), Failed> {
    let (mut speaker, listen) = wire.begin()?;
    let said = speaker.say(30)?;
    let (mut ahead, mut behind) = (listen(), listen());
    assert_eq!(ahead.take(speaker.beginning(), 30, 100)?, said);
    assert_eq!(behind.take(speaker.beginning(), 10, 10)?, said[..10]);
    ahead.bus.reread(speaker.lane, speaker.beginning())?;
    assert_eq!(behind.take(said[9].position(), 20, 100)?, said[10..]);
    assert_eq!(ahead.take(speaker.beginning(), 30, 100)?, said);
    Ok(())
}

/// What nobody knows to be published is offered again when a reign begins, and what was committed unheard is too.
fn a_reign_that_begins_loses_nothing(wire: Wire) -> Result<(), Failed> {
    let (mut speaker, listen) = wire.begin()?;
    let mut said = speaker.say(5)?;
    let unheard: Vec<_> = (6..9).map(|seq| row(speaker.lead.generation, seq)).collect();
    speaker.store.commit(&Batch { lead: speaker.lead, log: unheard.clone(), ..Batch::default() })?;
    said.extend(unheard);
    (speaker.lead.commits, speaker.lead.head) = (speaker.lead.commits + 1, 8);
    for published in [2, 0] {
        let head = Position { generation: speaker.lead.generation, seq: 8 };
        speaker.bus.begin(&Beginning { head, published, cursors: vec![] })?;
    }
    said.extend(speaker.say(3)?);
    speaker.published();
    assert_eq!(listen().take(speaker.beginning(), 11, 100)?, said);
    Ok(())
}

fn publishing_again_loses_nothing(wire: Wire) -> Result<(), Failed> {
    let (mut speaker, listen) = wire.begin()?;
    let mut said = speaker.say(6)?;
    speaker.bus.publish(&said[2..]);
    speaker.bus.publish(&said);
    speaker.bus.publish(&[]);
    assert_eq!(listen().take(speaker.beginning(), 6, 100)?, said);
    said.extend(speaker.say(3)?);
    assert_eq!(listen().take(speaker.beginning(), 9, 2)?, said);
    Ok(())
}

fn a_newer_generation_follows(wire: Wire) -> Result<(), Failed> {
    let (mut speaker, listen) = wire.begin()?;
    let mut said = speaker.say(4)?;
    let newer = speaker.lead.generation + 10;
    speaker.published();
    begin(&mut *speaker.bus, newer)?;
    said.extend(speaker.say_in(newer, 1, 3)?);
    let mut listener = listen();
    for page in [1, 2, 100] {
        assert_eq!(listener.take(speaker.beginning(), 7, page)?, said, "in pages of {page}");
    }
    assert_eq!(listener.take(Position { generation: newer, seq: 1 }, 2, 100)?, said[5..]);
    assert_eq!(listener.take(Position { generation: newer - 1, seq: 99 }, 3, 100)?, said[4..]);
    Ok(())
}

fn reading_again_disturbs_nothing(wire: Wire) -> Result<(), Failed> {
    let (mut speaker, listen) = wire.begin()?;
    let said = speaker.say(12)?;
    let mut listener = listen();
    listener.take(speaker.beginning(), 12, 100)?;
    listener.bus.reread(speaker.lane, said[3].position())?;
    assert_eq!(listener.take(said[3].position(), 8, 3)?, said[4..]);
    Ok(())
}
