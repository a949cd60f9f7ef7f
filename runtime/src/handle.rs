//! A running service as its HTTP API and the other parts of its process see it.

mod watch;

pub use watch::Watch;

use crate::{
    incoming::{Incoming, Reply},
    intake::{Intake, TurnedAway, Wish},
    record::{CursorRow, LogRow, ParkedRow, WorkRow},
    store::{Counts, Lead, Read, StoreError},
    telemetry::{Figures, Spans},
    trace::Traceparent,
};
use choreography::{Input, Key, Refused, State};
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::sync::{oneshot, watch as channel};
use watch::Watchers;

/// A caller is not kept waiting longer than this; repeating a command is harmless.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Whether a service can do its work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// It has not begun.
    #[default]
    Starting,
    /// It can.
    Ready,
    /// It serves commands, but something it reads is held up.
    HeldUp(String),
    /// It stands by: it serves reads, and the process at this address takes the commands.
    Standby(String),
    /// It cannot write.
    Away(String),
}

/// What an engine and its handles share.
pub struct Shared {
    /// The queues before the door.
    pub intake: Arc<Intake>,
    service: &'static str,
    read: Arc<dyn Read>,
    health: channel::Sender<Health>,
    watchers: Watchers,
    spans: Spans,
    figures: OnceLock<Arc<dyn Figures>>,
}

impl Shared {
    /// What the engine of `service` shares with its handles, which read through `read`. Its spans go nowhere.
    #[must_use]
    pub fn new(service: &'static str, read: Arc<dyn Read>) -> Arc<Shared> {
        Shared::traced(service, read, Spans::default())
    }

    /// The same, with spans.
    #[must_use]
    pub fn traced(service: &'static str, read: Arc<dyn Read>, spans: Spans) -> Arc<Shared> {
        Arc::new(Shared {
            intake: Arc::default(),
            service,
            read,
            health: channel::Sender::default(),
            watchers: Watchers::default(),
            spans,
            figures: OnceLock::new(),
        })
    }

    pub(crate) fn spans(&self) -> &Spans {
        &self.spans
    }

    pub(crate) fn figures(&self) -> Option<&Arc<dyn Figures>> {
        self.figures.get()
    }

    pub(crate) fn read(&self) -> &dyn Read {
        &*self.read
    }

    /// Returns whether it is another health than before.
    pub(crate) fn set_health(&self, health: Health) -> bool {
        self.health.send_if_modified(|now| {
            let differs = *now != health;
            *now = health;
            differs
        })
    }

    /// Wakes those who watch these keys.
    pub(crate) fn changed<'k>(&self, touched: impl Iterator<Item = &'k Key>) {
        self.watchers.wake(touched);
    }
}

/// Why a command was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejected {
    /// The service refused it.
    Refused(Refused),
    /// Too much waits already; nothing was kept of it.
    Busy {
        /// When to try again.
        retry_after: Duration,
    },
    /// It is poison: nothing happened, and trying again will not help.
    Failed(String),
    /// This process stands by: offer the command to the one at this address. What was offered here before its reign
    /// ended may have been carried out; repeating it is harmless.
    Led(String),
    /// The service is stopping, or cannot write now; the command may still be carried out, and repeating it is harmless.
    Away(String),
}

/// What a command that was accepted did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It was carried out now.
    Changed,
    /// It had been carried out before, or there was nothing to do.
    Unchanged,
}

/// A state with its version.
#[derive(Clone, Debug, PartialEq)]
pub struct Versioned<S> {
    /// The state.
    pub state: S,
    /// How many events are folded into it.
    pub version: u64,
}

/// How a service is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Its name.
    pub service: &'static str,
    /// Whether it can do its work.
    pub health: Health,
    /// Its log's last sequence number.
    pub head: u64,
    /// What waits in its store.
    pub counts: Counts,
}

/// A running service. Clones are the same service.
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
}

impl Handle {
    /// A handle to the engine that shares this.
    #[must_use]
    pub fn new(shared: Arc<Shared>) -> Handle {
        Handle { shared }
    }

    /// The service's name.
    #[must_use]
    pub fn service(&self) -> &'static str {
        self.shared.service
    }

    /// Offers a command and waits until it is committed. `trace` is the span that it comes from, or the id of a trace
    /// that begins with it. A process that stands by says at once who leads.
    ///
    /// # Errors
    /// When it was refused, or not accepted now.
    pub async fn command<I: Input>(&self, command: I, trace: impl Into<Traceparent>) -> Result<Settled, Rejected> {
        if let Health::Standby(owner) = self.health() {
            return Err(Rejected::Led(owner));
        }
        let (caller, answered) = oneshot::channel();
        let trace = self.shared.spans.begun(trace.into());
        self.shared.intake.offer(Incoming::command(command, trace, caller)).map_err(
            |turned_away| match turned_away {
                TurnedAway::Full => Rejected::Busy { retry_after: Duration::from_secs(1) },
                TurnedAway::Stopping => Rejected::Away(format!("{} is stopping", self.service())),
            },
        )?;
        match tokio::time::timeout(ANSWER_WITHIN, answered).await {
            Ok(Ok(Reply::Refused(refused))) => Err(Rejected::Refused(refused)),
            Ok(Ok(Reply::Failed(why))) => Err(Rejected::Failed(why)),
            Ok(Ok(Reply::Led(owner))) => Err(Rejected::Led(owner)),
            Ok(Ok(Reply::Unchanged)) => Ok(Settled::Unchanged),
            Ok(Ok(_)) => Ok(Settled::Changed),
            Ok(Err(_)) => Err(Rejected::Away(format!("{} has stopped", self.service()))),
            Err(_) => {
                Err(Rejected::Away(format!("{} does not answer within {} s", self.service(), ANSWER_WITHIN.as_secs())))
            }
        }
    }

    /// Asks something of the reader away from the async threads, because stores block.
    async fn read<R: Send + 'static>(
        &self,
        ask: impl FnOnce(&dyn Read) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        let read = self.shared.read.clone();
        let answer = tokio::task::spawn_blocking(move || ask(&*read)).await;
        answer.map_err(|e| StoreError::Outage(format!("the read was cut off: {e}")))?
    }

    /// The state of kind `S` under a key, if any event ever touched it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn state<S: State>(&self, key: &str) -> Result<Option<Versioned<S>>, StoreError> {
        let (kind, key) = (stored_as::<S>(), key.to_owned());
        let row = self.read(move |read| read.state(&kind, &key)).await?;
        row.map(|row| Ok(Versioned { state: decode::<S>(&row.body)?, version: row.version })).transpose()
    }

    /// States of kind `S` whose key begins with `prefix`, ascending, after a key.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn scan<S: State>(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(Key, S)>, StoreError> {
        let (kind, prefix, after) = (stored_as::<S>(), prefix.to_owned(), after.map(str::to_owned));
        let rows = self.read(move |read| read.scan(&kind, &prefix, after.as_deref(), limit)).await?;
        rows.into_iter().map(|row| Ok((row.key, decode::<S>(&row.body)?))).collect()
    }

    /// All events about one key, in order.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn log_of(&self, key: &str) -> Result<Vec<Arc<LogRow>>, StoreError> {
        let key = key.to_owned();
        self.read(move |read| read.log_of(&key)).await
    }

    /// Open effects and timers whose key is `key` or begins with `key/`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn work_of(&self, key: &str) -> Result<Vec<WorkRow>, StoreError> {
        let key = key.to_owned();
        self.read(move |read| read.work_of(&key)).await
    }

    /// Records that were set aside, in that order, after an id.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn parked_after(&self, id: u64, limit: usize) -> Result<Vec<ParkedRow>, StoreError> {
        self.read(move |read| read.parked_after(id, limit)).await
    }

    /// Watches a key: register first, then read, then wait for a change.
    #[must_use]
    pub fn watch(&self, key: &str) -> Watch {
        Watch::begin(self.shared.clone(), key)
    }

    /// Nobody waits for a change any longer: the process is about to end, and whoever waits is answered with what
    /// there is.
    pub fn end_watches(&self) {
        self.shared.watchers.end();
    }

    /// How the service is.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn status(&self) -> Result<Status, StoreError> {
        let (lead, counts) = self.read(|read| Ok((read.lead()?, read.counts()?))).await?;
        Ok(Status { service: self.service(), health: self.health(), head: lead.head, counts })
    }

    /// How far its log goes, what waits in its store, and how far it has read.
    pub(crate) async fn standing(&self) -> Result<(Lead, Counts, Vec<CursorRow>), StoreError> {
        self.read(|read| Ok((read.lead()?, read.counts()?, read.cursors()?))).await
    }

    /// From now on these are told what is committed. A service has one set of figures: others are not taken any more.
    pub fn keep_figures(&self, figures: Arc<dyn Figures>) {
        // The first ones stay, as the docs say.
        _ = self.shared.figures.set(figures);
    }

    pub(crate) fn figures(&self) -> Option<&Arc<dyn Figures>> {
        self.shared.figures()
    }

    pub(crate) fn spans(&self) -> &Spans {
        &self.shared.spans
    }

    /// Whether it can do its work.
    #[must_use]
    pub fn health(&self) -> Health {
        self.shared.health.borrow().clone()
    }

    /// Waits until it has begun: ready, held up by others, or standing by. Returns why it has not, if it cannot write.
    ///
    /// # Errors
    /// The reason why it cannot write.
    pub async fn begun(&self) -> Result<(), String> {
        let mut health = self.shared.health.subscribe();
        let begun = health.wait_for(|health| *health != Health::Starting).await;
        match begun.map(|health| health.clone()) {
            Ok(Health::Away(why)) => Err(why),
            Ok(_) => Ok(()),
            Err(gone) => Err(gone.to_string()),
        }
    }

    /// Waits until this process leads and takes commands.
    ///
    /// # Errors
    /// When the service is gone.
    pub async fn leads(&self) -> Result<(), String> {
        let mut health = self.shared.health.subscribe();
        let leads = health.wait_for(|health| matches!(health, Health::Ready | Health::HeldUp(_))).await;
        leads.map(drop).map_err(|gone| gone.to_string())
    }

    /// Waits until another process leads.
    ///
    /// # Errors
    /// When the service is gone.
    pub async fn stands_by(&self) -> Result<(), String> {
        let mut health = self.shared.health.subscribe();
        let stands_by = health.wait_for(|health| matches!(health, Health::Standby(_))).await;
        stands_by.map(drop).map_err(|gone| gone.to_string())
    }

    /// Asks the engine to retry or drop what was set aside. Answers what it did, or why not.
    ///
    /// # Errors
    /// When nothing such is set aside, or it stays so.
    pub async fn wish(&self, wish: Wish) -> Result<String, String> {
        if let Health::Standby(owner) = self.health() {
            return Err(format!("the process at {owner} leads: ask there"));
        }
        let replied = self.shared.intake.wish(wish);
        replied.await.map_err(|_| format!("{} has stopped", self.service()))?
    }

    /// The service's log and states, for those who read them in bulk. Calls block.
    #[must_use]
    pub fn reader(&self) -> Arc<dyn Read> {
        self.shared.read.clone()
    }
}

fn stored_as<S: State>() -> String {
    format!("{}.{}", S::KIND, S::SHAPE)
}

fn decode<S: State>(body: &[u8]) -> Result<S, StoreError> {
    S::decode(S::SHAPE, body)
        .map_err(|why| StoreError::Fatal(format!("a state of kind {} cannot be read: {why}", S::KIND)))
}
