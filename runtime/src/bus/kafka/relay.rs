//! The relay: a service's own log onto its topic, as a contiguous ascending run.
//!
//! Before the first row of a reign, and whenever the topic turns out to have gone back, the relay looks at what the topic
//! has, and publishes from there: a topic that was created anew, or lost its end, is filled again from the log, through
//! all generations of it.
//!
//! Committed rows go from the engine's thread straight to the producer. A thread of the relay's own takes delivery
//! reports, and reads from the log whatever the producer could not take at once: after a start, after an error, when its
//! queue was full. On any delivery error everything under way is thrown away and a new producer begins behind the last
//! row that was confirmed: rows may be repeated, never overtaken.

mod reports;

pub(super) use reports::Deliveries;

use super::{Settings, headers, peek, schemas::Schemas};
use crate::{
    bus::{Beginning, Published},
    failpoint,
    record::{LogRow, Position},
    republish,
    store::Read,
};
use rdkafka::{
    error::{KafkaError, RDKafkaErrorCode},
    producer::{BaseProducer, BaseRecord, Producer},
};
use reports::Reports;
use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// Rows read from the log at once.
const PAGE: usize = 1024;
/// How long the relay's thread takes delivery reports before it looks around.
const REPORTS_FOR: Duration = Duration::from_millis(50);
/// The same while rows wait in the log for room in the producer's queue.
const MAKE_ROOM_FOR: Duration = Duration::from_millis(5);
/// The pause before a new producer, and before a schema or a log that is away is asked for again.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(500);
/// Rows under way for so long without any news are worth mentioning.
const SILENT_FOR: Duration = Duration::from_secs(10);
/// What is under way when the bus is closed gets so long to arrive; the rest is in the log.
const FLUSH_WITHIN: Duration = Duration::from_secs(2);

type Sender = BaseProducer<Deliveries>;

#[derive(Default)]
struct State {
    /// Counts reigns.
    reigns: u64,
    /// Whether it was seen what the topic has; before that nothing is sent.
    looked: bool,
    /// Everything behind this row is wanted again, whatever the topic seems to have.
    again: Option<Position>,
    /// The generation that is being published: the log's present one, but for a topic that lacks older ones.
    generation: i64,
    /// The last row that is known to be committed.
    told: Position,
    /// The last row that the producer was given.
    handed: u64,
    /// The last row that is known to be on the topic.
    confirmed: u64,
    /// Whether the broker has a row of this producer. Only then it knows where the producer is, and takes nothing that
    /// leaves one out: from a producer that is new to it, it takes any row as the first.
    known: bool,
    /// Whether the thread reads the log; until it has caught up, rows are only noted.
    behind: bool,
    sender: Option<Arc<Sender>>,
    reports: Arc<Reports>,
    /// Producers of reigns and runs that are over. To drop one may take a moment.
    retired: Vec<Arc<Sender>>,
    /// Why rows wait.
    trouble: Option<String>,
    /// When something was confirmed last, or there was nothing to confirm.
    moved: Option<Instant>,
    /// The bus is closed; what is under way gets until then.
    closing: Option<Instant>,
}

impl State {
    /// Whether the producer's first row is under way, and no other may be yet.
    fn waits_to_be_known(&self) -> bool {
        !self.known && self.handed > self.confirmed
    }

    /// Nothing is left to do.
    fn is_at_rest(&self) -> bool {
        self.retired.is_empty() && !self.behind && self.handed == self.confirmed
    }

    fn at(&self, seq: u64) -> Position {
        Position { generation: self.generation, seq }
    }

    /// Nothing more is sent before the topic was looked at.
    fn must_look(&mut self) {
        self.retired.extend(self.sender.take());
        (self.looked, self.behind) = (false, true);
    }
}

/// A service's own events on their way out.
pub(super) struct Relay {
    desk: Arc<Desk>,
    thread: Option<JoinHandle<()>>,
}

/// What the engine's thread and the relay's share.
pub(super) struct Desk {
    service: &'static str,
    topic: String,
    settings: Settings,
    log: Arc<dyn Read>,
    state: Mutex<State>,
    changed: Condvar,
}

impl Desk {
    pub fn new(service: &'static str, settings: &Settings, log: Arc<dyn Read>) -> Arc<Desk> {
        Arc::new(Desk {
            service,
            topic: settings.topic(service),
            settings: settings.clone(),
            log,
            state: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    /// Something that rows wait for may be there.
    pub fn news(&self) {
        self.changed.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives rows to the producer, as far as they follow and it has room. False when the thread must go on.
    fn hand(&self, state: &mut State, schemas: &Arc<Schemas>, rows: &[Arc<LogRow>]) -> bool {
        let Some(sender) = state.sender.clone() else { return false };
        let mut framed = vec![];
        for row in rows.iter().filter(|row| row.generation == state.generation) {
            if row.seq <= state.handed {
                continue;
            }
            if row.seq != state.handed + 1 {
                return false;
            }
            if state.waits_to_be_known() {
                return false;
            }
            let id = match schemas.id_of(self.service, &row.name, row.schema) {
                Ok(id) => id,
                Err(why) => {
                    state.trouble = why.or(state.trouble.take());
                    return false;
                }
            };
            headers::frame(id, &row.body, &mut framed);
            if let Err(why) = self.send(&sender, row, &framed) {
                state.trouble = why.or(state.trouble.take());
                return false;
            }
            state.handed = row.seq;
        }
        true
    }

    /// An error without a reason means that there is no room just now, or that the reports will tell.
    fn send(&self, sender: &Sender, row: &LogRow, framed: &[u8]) -> Result<(), Option<String>> {
        let seq = usize::try_from(row.seq).map_err(|e| Some(e.to_string()))?;
        // It bears the time of sending, not the event's: retention goes by it, and what is published late or again must
        // stay as long as anything else.
        let record = BaseRecord::with_opaque_to(&self.topic, seq)
            .partition(i32::from(row.lane))
            .key(row.key.as_str())
            .payload(framed)
            .headers(headers::of_row(self.service, row));
        match sender.send(record) {
            Ok(()) => {
                failpoint::reached("relay.sent");
                Ok(())
            }
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull | RDKafkaErrorCode::Fatal), _)) => Err(None),
            Err((error, _)) => Err(Some(format!("row {seq} cannot be sent to {}: {error}", self.topic))),
        }
    }

    fn begin_run(&self, state: &mut State) -> Result<(), String> {
        // A topic that was looked at begins anew as far as places on it go.
        let before = if state.sender.is_some() { state.reports.offset() } else { -1 };
        let reports = Reports::behind(state.confirmed, before);
        let sender = self.settings.producer(Deliveries(reports.clone()));
        let sender = sender.map_err(|e| format!("no producer can be made for {}: {e}", self.topic))?;
        state.retired.extend(state.sender.replace(Arc::new(sender)));
        (state.reports, state.handed, state.known) = (reports, state.confirmed, false);
        Ok(())
    }
}

impl Relay {
    /// Starts the relay's thread; it sends nothing before a reign begins.
    pub fn start(desk: Arc<Desk>, schemas: Arc<Schemas>) -> std::io::Result<Relay> {
        let (shared, name) = (desk.clone(), format!("{}-relay", desk.service));
        let thread = std::thread::Builder::new().name(name).spawn(move || run(&shared, &schemas))?;
        Ok(Relay { desk, thread: Some(thread) })
    }

    /// A reign begins: whatever an earlier one had under way is dropped, and sent again from the log.
    pub fn begin(&self, beginning: &Beginning) {
        let mut state = self.desk.state();
        state.reigns += 1;
        state.generation = beginning.head.generation;
        (state.told, state.confirmed, state.handed) = (beginning.head, beginning.published, beginning.published);
        state.must_look();
        (state.again, state.trouble, state.moved) = (None, None, Some(Instant::now()));
        // Nothing that an earlier reign had under way counts.
        state.reports = Arc::default();
        self.desk.changed.notify_one();
    }

    /// Looks again at what the topic has, and publishes what it lacks; in any case what is behind `after`, if given.
    pub fn look_again(&self, after: Option<Position>) {
        let mut state = self.desk.state();
        state.must_look();
        state.again = after.or(state.again);
        self.desk.changed.notify_one();
    }

    /// Whether a row was confirmed behind what was the topic's end later: then the topic was created anew, or cut back.
    pub fn has_put_behind(&self, end: i64, asked: Instant) -> bool {
        let state = self.desk.state();
        let confirmed_before = state.moved.is_some_and(|moved| moved < asked);
        state.looked && confirmed_before && state.reports.offset() >= end
    }

    pub fn publish(&self, schemas: &Arc<Schemas>, rows: &[Arc<LogRow>]) {
        let Some(last) = rows.last() else { return };
        let mut state = self.desk.state();
        state.told = state.told.max(last.position());
        if state.behind {
            return; // the thread gets there by itself, and is not to be hurried while it waits for somebody
        }
        if state.handed == state.confirmed {
            state.moved = Some(Instant::now());
        }
        state.behind = !self.desk.hand(&mut state, schemas, rows);
        self.desk.changed.notify_one();
    }

    pub fn published(&self) -> Published {
        let state = self.desk.state();
        let confirmed = state.confirmed.max(state.reports.confirmed());
        let waits = state.at(confirmed) < state.told;
        let until = if state.generation == state.told.generation { confirmed } else { 0 };
        let complaint = || state.reports.complaint();
        let silent = || {
            let since = state.moved.filter(|moved| moved.elapsed() >= SILENT_FOR)?;
            Some(format!("the brokers have confirmed nothing for {} s", since.elapsed().as_secs()))
        };
        let why = if waits { state.trouble.clone().or_else(complaint).or_else(silent) } else { None };
        let held_up = why.map(|why| format!("events wait to be published: {why}"));
        Published { until: Some(until), held_up }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let until = Instant::now() + FLUSH_WITHIN;
        self.desk.state().closing = Some(until);
        self.desk.changed.notify_one();
        let Some(thread) = self.thread.take() else { return };
        // It has a deadline of its own; only a look at the topic may take longer, and nobody waits for that.
        while !thread.is_finished() && Instant::now() < until + REPORTS_FOR {
            std::thread::sleep(MAKE_ROOM_FOR);
        }
    }
}

fn run(desk: &Desk, schemas: &Arc<Schemas>) {
    loop {
        let mut state = desk.state();
        while state.closing.is_none() && state.is_at_rest() {
            state = desk.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.closing.is_some_and(|until| state.is_at_rest() || until <= Instant::now()) {
            return; // what has not arrived is in the log, and sent by the next reign
        }
        let (retired, sender) = (std::mem::take(&mut state.retired), state.sender.clone());
        let (looked, behind) = (state.looked, state.behind && !state.waits_to_be_known());
        drop(state);
        drop(retired);
        if !looked {
            look(desk);
            continue;
        }
        if let Some(sender) = sender {
            sender.poll(if behind { MAKE_ROOM_FOR } else { REPORTS_FOR });
        }
        look_at_reports(desk);
        if behind {
            catch_up(desk, schemas);
        }
    }
}

/// Learns what the topic has, and where publishing goes on.
fn look(desk: &Desk) {
    let reigns = desk.state().reigns;
    let ends = peek::ends(&desk.settings, desk.service, (desk.service, 0)).map_err(|away| away.to_string());
    let first = desk.log.log_after(0, Position::default(), 1).map_err(|error| error.to_string());
    let mut state = desk.state();
    if state.reigns != reigns {
        return;
    }
    let begun = ends.and_then(|peeked| Ok((peeked.ends, first?))).and_then(|(ends, first)| {
        let (confirmed, first) = (state.at(state.confirmed), first.first().map(|row| row.position()));
        let from = republish::goes_on_behind(&ends, first, confirmed).min(state.again.unwrap_or(confirmed));
        // A log of which nothing was ever published lacks nothing.
        if from < confirmed && confirmed.seq > 0 {
            let (service, topic) = (desk.service, &desk.topic);
            tracing::warn!(service, topic, ?from, until = ?state.told, "the topic lacks events; they are published again");
        }
        (state.generation, state.confirmed) = (from.generation, from.seq);
        desk.begin_run(&mut state)
    });
    match begun {
        Ok(()) => {
            (state.looked, state.again, state.trouble) = (true, None, None);
            state.behind = state.at(state.handed) < state.told;
        }
        Err(why) => {
            state.trouble = Some(why);
            drop(desk.changed.wait_timeout_while(state, TRY_AGAIN_AFTER, |state| state.closing.is_none()));
        }
    }
}

/// Takes note of what was confirmed, and begins anew behind it after an error.
fn look_at_reports(desk: &Desk) {
    let mut state = desk.state();
    let confirmed = state.reports.confirmed();
    if confirmed > state.confirmed {
        (state.confirmed, state.moved, state.trouble) = (confirmed, Some(Instant::now()), None);
        state.known = true;
    }
    if state.reports.has_receded() {
        state.must_look();
        return;
    }
    let failed = state.reports.failed();
    let fatal = || state.sender.as_ref()?.client().fatal_error().map(|(_, why)| why);
    let purged = || state.reports.is_purged().then(|| "rows were thrown away".to_owned());
    let Some(why) = failed.or_else(fatal).or_else(purged) else { return };
    if state.trouble.as_ref() != Some(&why) {
        let (service, after) = (desk.service, state.confirmed);
        tracing::warn!(service, why, after, "delivery failed; everything behind is sent again");
    }
    metrics::counter!("tutti.relay.restarts", "service" => desk.service).increment(1);
    state.behind = true;
    state.trouble = Some(why);
    if let Err(why) = desk.begin_run(&mut state) {
        state.trouble = Some(why);
    }
    // What the broker refused once it may refuse again at once.
    drop(desk.changed.wait_timeout_while(state, TRY_AGAIN_AFTER, |state| state.closing.is_none()));
}

/// Gives the producer a page of the log.
fn catch_up(desk: &Desk, schemas: &Arc<Schemas>) {
    let (reigns, at) = {
        let state = desk.state();
        (state.reigns, state.at(state.handed))
    };
    let page = desk.log.log_after(0, at, PAGE);
    let mut state = desk.state();
    if (state.reigns, state.at(state.handed)) != (reigns, at) || !state.looked {
        return; // another reign has begun meanwhile, or the topic has gone back
    }
    let handed = state.handed;
    let went_on = match page {
        Ok(rows) if begins_next(&state, &rows) => begin_next(desk, &mut state, &rows),
        Ok(rows) => desk.hand(&mut state, schemas, &rows),
        Err(error) => {
            state.trouble = Some(error.to_string());
            false
        }
    };
    // The engine adds rows under this lock, so nothing falls between catching up and being told.
    state.behind = state.at(state.handed) < state.told;
    if !went_on && state.handed == handed && state.handed == state.confirmed {
        // Nothing is under way whose delivery could be waited for.
        drop(desk.changed.wait_timeout(state, TRY_AGAIN_AFTER));
    }
}

/// Whether everything of a generation was given, and what comes next is of a later one.
fn begins_next(state: &State, page: &[Arc<LogRow>]) -> bool {
    page.first().map_or(state.told.generation, |row| row.generation) > state.generation
}

/// The next generation begins when the one before is on the topic. False when that takes its time.
fn begin_next(desk: &Desk, state: &mut State, page: &[Arc<LogRow>]) -> bool {
    if state.confirmed < state.handed {
        return false;
    }
    state.generation = page.first().map_or(state.told.generation, |row| row.generation);
    state.confirmed = 0;
    let begun = desk.begin_run(state);
    state.trouble = begun.err();
    state.trouble.is_none()
}
