//! The carrier's reports and how they are sent: like a webhook, again and again until they are accepted.

use super::desk::{Due, Yard};
use crate::writer::Writer;
use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{runtime::Handle, time::error::Elapsed};

/// How long the receiver may take for one report.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where parcels come through; which one depends on the parcel.
const PLACES: [&str; 8] = ["Hamburg", "Leipzig", "Köln", "Nürnberg", "Liège", "Rotterdam", "Wien", "Poznań"];

/// A report about a parcel. It may come repeatedly and in any order; its id tells which report it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The carrier's own id of this report.
    pub report_id: String,
    /// The order in the parcel.
    pub order_id: String,
    /// The parcel's label.
    pub label: String,
    /// What it tells.
    pub kind: ReportKind,
}

/// What a report tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReportKind {
    /// The carrier has collected the parcel.
    Dispatched,
    /// It came through a place.
    Tracking {
        /// The place.
        place: String,
    },
    /// It was delivered.
    Delivered,
}

/// The reports of every parcel, in the order in which they happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Dispatched,
    Tracking,
    Delivered,
}

impl Stage {
    pub(super) const ALL: [Stage; 3] = [Stage::Dispatched, Stage::Tracking, Stage::Delivered];

    /// This stage as one bit of a set.
    pub(super) fn bit(self) -> u8 {
        1 << self as u8
    }

    pub(super) fn report(self, id: i64, order_id: &str, label: &str) -> Report {
        let place = PLACES.get(usize::try_from(id).unwrap_or(0) % PLACES.len()).copied().unwrap_or_default();
        let (suffix, kind) = match self {
            Stage::Dispatched => ("dispatched", ReportKind::Dispatched),
            Stage::Tracking => ("tracking-1", ReportKind::Tracking { place: place.to_owned() }),
            Stage::Delivered => ("delivered", ReportKind::Delivered),
        };
        let report_id = format!("{label}-{suffix}");
        Report { report_id, order_id: order_id.to_owned(), label: label.to_owned(), kind }
    }
}

/// Where reports go. An error means that it was not accepted and must come again.
pub(crate) type Receiver = Arc<dyn Fn(Report) -> Receiving + Send + Sync>;
/// The receiver at work.
pub(crate) type Receiving = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// Sends reports without holding up the writer, and brings the result back to it.
pub(super) struct Sender {
    runtime: Handle,
    receiver: Receiver,
    yard: Weak<Writer<Yard>>,
    on_their_way: Arc<AtomicUsize>,
}

impl Sender {
    pub(super) fn new(runtime: Handle, receiver: Receiver, yard: Weak<Writer<Yard>>) -> Sender {
        Sender { runtime, receiver, yard, on_their_way: Arc::default() }
    }

    /// How many reports have not come back from the receiver.
    pub(super) fn on_their_way(&self) -> usize {
        self.on_their_way.load(Ordering::Acquire)
    }

    /// Sends one report; whatever happens to the receiver, the yard hears of it once.
    pub(super) fn send(&self, due: Due, report: Report) {
        let Some(yard) = self.yard.upgrade() else { return };
        self.on_their_way.fetch_add(1, Ordering::AcqRel);
        let on_their_way = Arc::clone(&self.on_their_way);
        let mut sent = Sent { yard, on_their_way, due, report: Some(report.clone()), accepted: false };
        let receiver = Arc::clone(&self.receiver);
        self.runtime.spawn(async move {
            let result = tokio::time::timeout(PATIENCE, receiver(report)).await;
            sent.came_back(result);
        });
    }
}

/// A report on its way. Dropping it tells the yard how it went, also when the receiver panicked.
struct Sent {
    yard: Arc<Writer<Yard>>,
    on_their_way: Arc<AtomicUsize>,
    due: Due,
    report: Option<Report>,
    accepted: bool,
}

impl Sent {
    fn came_back(&mut self, result: Result<Result<(), String>, Elapsed>) {
        let refused = match result {
            Ok(Ok(())) => None,
            Ok(Err(reason)) => Some(reason),
            Err(_) => Some(format!("no answer within {} s", PATIENCE.as_secs())),
        };
        self.accepted = refused.is_none();
        if let Some(reason) = refused {
            tracing::debug!(reason, attempt = self.due.attempt, "a report was not accepted; it will come again");
        }
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        // Counted here and not in the job below, which never runs if its batch fails before its turn.
        self.on_their_way.fetch_sub(1, Ordering::AcqRel);
        let (due, accepted) = (self.due, self.accepted);
        let Some(report) = self.report.take() else { return };
        // How many are on their way is bounded by the yard, so this needs no room of its own.
        self.yard.post(move |book, yard| {
            yard.sent(book, due, report, accepted)?;
            Ok(Box::new(|| {}))
        });
    }
}
