//! Which rare situations a commit shows.

use super::OrderFacts;
use crate::{counters::Situation, sim::Sim};
use choreography::Topic;
use runtime::{LogRow, store::Batch};
use shared_events::{DeclineReason, NoLabelReason, NotSentReason, email, payment, shipping};
use std::collections::BTreeMap;
use tutti::invariants::SERVICES as NAMES;

/// Counts what a commit of a service shows. The orders know of it already.
pub(super) fn count(sim: &Sim, service: usize, batch: &Batch, orders: &BTreeMap<String, OrderFacts>) {
    for row in &batch.log {
        if let Some(order) = orders.get(&row.key)
            && let Some(situation) = of_row(row, order)
        {
            sim.saw(situation);
        }
    }
    for (name, key) in &batch.work_done {
        let said = |event: &str| batch.log.iter().any(|row| row.key == *key && row.name == event);
        match &**name {
            "deadline" if said("OrderCancelled") => sim.saw(Situation::DeadlineCancels),
            "deadline" => sim.saw(Situation::DeadlineMoot),
            "pick_up" if said("ShipmentCancellationRequested") => sim.saw(Situation::NotCollected),
            _ => {}
        }
    }
    for row in &batch.work_put {
        let paid = orders.get(&row.key).is_some_and(|order| order.has("PaymentCompleted"));
        match (&*row.name, &row.stuck) {
            (_, Some(_)) => sim.saw(Situation::Stuck),
            ("refund", None) if !paid && NAMES[service] == "payment" => sim.saw(Situation::ChargedAfterCancel),
            _ => {}
        }
    }
    for parked in &batch.parked {
        sim.saw(match &*parked.reason {
            _ if parked.source.starts_with("foreign:") => Situation::Foreign,
            why if why.starts_with("behind a parked") => Situation::ParkedBehind,
            _ => Situation::Parked,
        });
    }
}

fn of_row(row: &LogRow, order: &OrderFacts) -> Option<Situation> {
    Some(match &*row.name {
        "OrderCompleted" => Situation::Completed,
        "OrderUndone" => Situation::Undone,
        "PaymentVoided" if !order.has("PaymentRequested") => Situation::CancelBeatsPay,
        "PaymentRefundRequested" if order.has("PaymentCompleted") => Situation::PayBeatsCancel,
        "PaymentRefundRequested" => Situation::UndoInFlight,
        "ShipmentCancelled" if !order.has("ShipmentRequested") => Situation::UndoBeforeStep,
        "ShipmentCancelled" if order.has("ShipmentReleased") => Situation::CalledBack,
        "ShipmentCancellationRequested" if !order.has("ShipmentScheduled") => Situation::UndoWhileBooking,
        "ShipmentCancellationRejected" => Situation::TooLate,
        "StockReservationFailed" => Situation::StockShort,
        "PaymentFailed" => match payment::Event::decode(&row.name, row.schema, &row.body).ok()? {
            payment::Event::PaymentFailed(failed) => match failed.reason {
                DeclineReason::Stale => Situation::Stale,
                DeclineReason::Forgotten => Situation::Forgotten,
                DeclineReason::Declined | DeclineReason::InsufficientFunds => Situation::Declined,
            },
            _ => return None,
        },
        "ShipmentSchedulingFailed" => match shipping::Event::decode(&row.name, row.schema, &row.body).ok()? {
            shipping::Event::ShipmentSchedulingFailed(failed) => match failed.reason {
                NoLabelReason::Stale => Situation::Stale,
                NoLabelReason::Forgotten => Situation::Forgotten,
                NoLabelReason::CountryNotServed | NoLabelReason::AddressRefused => Situation::NoCarrier,
            },
            _ => return None,
        },
        "EmailFailed" => match email::Event::decode(&row.name, row.schema, &row.body).ok()? {
            email::Event::EmailFailed(failed) if failed.reason == NotSentReason::Forgotten => Situation::Forgotten,
            _ => return None,
        },
        _ => return None,
    })
}
