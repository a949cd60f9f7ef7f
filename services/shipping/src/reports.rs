//! What the carrier reports, in any order and repeated: the parcel is out, it was seen somewhere, it has arrived.

use crate::domain::Shipment;
use choreography::{Input, Key, Origin, cannot_happen, one_of};
use shared_events::{
    OrderId,
    shipping::{Event, ShipmentCancellationRejected, ShipmentDelivered, ShipmentDispatched, TrackingUpdated},
};

/// One report of the carrier, which calls back as a webhook does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The order.
    pub order_id: OrderId,
    /// The carrier's own id of the report.
    pub report_id: String,
    /// What it says.
    pub kind: ReportKind,
}

/// What a report says. Each kind says as well that the parcel is out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReportKind {
    /// The carrier has collected the parcel.
    Dispatched,
    /// The parcel was seen.
    Tracking {
        /// Where.
        place: String,
    },
    /// The parcel has arrived.
    Delivered,
}

impl Input for Report {
    const ORIGIN: Origin = Origin::Command("Report");
    fn key(&self) -> Key {
        self.order_id.clone()
    }
}

/// The carrier has the parcel; whoever asked to cancel hears that it was too late.
pub type Collected = (ShipmentDispatched, Option<ShipmentCancellationRejected>);

pub(crate) fn collected(order_id: &str, asked: bool) -> Collected {
    let order_id = order_id.to_owned();
    let rejected = asked.then(|| ShipmentCancellationRejected { order_id: order_id.clone() });
    (ShipmentDispatched { order_id }, rejected)
}

/// What a report tells beyond that the parcel is out.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// It was seen.
    Seen(TrackingUpdated),
    /// It has arrived.
    Arrived(ShipmentDelivered),
}
one_of!(News: Event { Seen(TrackingUpdated), Arrived(ShipmentDelivered) });

/// What a report leads to.
#[derive(Clone, Debug, PartialEq)]
pub enum Reported {
    /// It is the first sign that the parcel is out.
    Out((Collected, Option<News>)),
    /// The parcel was known to be out; perhaps there is news.
    Known(Option<News>),
}
one_of!(Reported: Event { Out((Collected, Option<News>)), Known(Option<News>) });

/// Passes on what the carrier reports, each piece of news once.
#[must_use]
pub fn report(report: &Report, shipment: &Shipment) -> Reported {
    match shipment {
        Shipment::Released { .. } => Reported::Out((collected(&report.order_id, false), report.news())),
        Shipment::Cancelling { asked } => Reported::Out((collected(&report.order_id, *asked), report.news())),
        Shipment::Dispatched { seen } => Reported::Known(report.news().filter(|news| !news.repeats(seen))),
        Shipment::Delivered => Reported::Known(None), // over
        other => cannot_happen(other, report.name()),
    }
}

impl Report {
    fn news(&self) -> Option<News> {
        let (order_id, report_id) = (self.order_id.clone(), self.report_id.clone());
        match &self.kind {
            ReportKind::Dispatched => None,
            ReportKind::Tracking { place } => {
                Some(News::Seen(TrackingUpdated { order_id, report_id, place: place.clone() }))
            }
            ReportKind::Delivered => Some(News::Arrived(ShipmentDelivered { order_id, report_id })),
        }
    }

    fn name(&self) -> &'static str {
        match self.kind {
            ReportKind::Dispatched => "Report(dispatched)",
            ReportKind::Tracking { .. } => "Report(tracking)",
            ReportKind::Delivered => "Report(delivered)",
        }
    }
}

impl News {
    fn repeats(&self, seen: &std::collections::BTreeSet<String>) -> bool {
        matches!(self, News::Seen(update) if seen.contains(&update.report_id))
    }
}
