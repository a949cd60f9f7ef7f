//! The first walk along the logs: what each row tells about its order, its article and its log.

use super::{
    causes::ONE_TRACE,
    cut::shown,
    facts::{Facts, Order, Sum, bit_of, hash_of, place_of},
    findings::Findings,
    inputs::SAID_IN_ORDER,
    logs::READABLE,
    said::Said,
};
use choreography::Topic;
use runtime::{LogRow, Position, Traceparent};
use shared_events::{Template, email, inventory, order, payment, shipping};

/// Where a row stands in the evidence.
#[derive(Clone, Copy)]
pub(super) struct Standing {
    pub service: usize,
    /// It counts as a consequence.
    pub marked: bool,
    /// Everybody has taken it.
    pub taken: bool,
    /// Since where in order's log customers are told; nothing if nobody was ever told anything.
    pub told_since: Option<Position>,
}

/// What an event's body tells, beyond that it was said.
pub(super) trait Learn: Topic {
    fn learn(&self, order: &mut Order, row: &LogRow, standing: Standing);
    /// What it tells about the stock.
    fn stock(&self) -> Option<&inventory::Event> {
        None
    }
}

/// Learns from one row.
pub(super) fn learn<T: Learn>(facts: &mut Facts, findings: &mut Findings, row: &LogRow, standing: Standing) {
    facts.events += 1;
    let event = T::decode(&row.name, row.schema, &row.body).and_then(|event| match event.key() == row.key {
        true => Ok(event),
        false => Err(format!("the datum of {} is about something else than its row", row.name)),
    });
    findings.judged(&READABLE, &row.key, event.as_ref().err().cloned(), || shown(standing.service, row));
    if let Some(event) = event.as_ref().ok().and_then(Learn::stock) {
        facts.shelves.take(event, row, findings);
    }
    let said = Said::named(T::NAME, &row.name);
    if said.is_some() || T::NAME == email::Event::NAME {
        let order = facts.order(&row.key);
        note(order, findings, row, said, standing);
        if let Ok(event) = event {
            event.learn(order, row, standing);
        }
    }
}

fn note(order: &mut Order, findings: &mut Findings, row: &LogRow, said: Option<Said>, standing: Standing) {
    order.rows = order.rows.saturating_add(1);
    order.moving |= !standing.taken;
    let trace = row.trace.parse::<Traceparent>().map(|parent| u128::from_be_bytes(parent.trace_id.0));
    let broken = match trace {
        Err(why) => Some(why),
        Ok(trace) if order.trace != 0 && order.trace != trace => {
            Some(format!("{} stands in another trace than what was said before", row.name))
        }
        Ok(trace) => {
            order.trace = trace;
            None
        }
    };
    findings.judged(&ONE_TRACE, &row.key, broken, || shown(standing.service, row));
    let Some(said) = said else { return };
    findings.judged(&SAID_IN_ORDER, &row.key, said.objection(order.said), || shown(standing.service, row));
    if order.said.insert(said) {
        order.twice.insert(said);
    }
    if standing.marked {
        order.marked.insert(said);
    }
}

impl Learn for order::Event {
    fn learn(&self, order: &mut Order, row: &LogRow, standing: Standing) {
        let mut mail = |template| {
            let bit = 1 << place_of(template);
            order.mail.caused |= bit;
            if standing.taken && standing.told_since.is_some_and(|since| row.position() >= since) {
                order.mail.due |= bit;
            }
        };
        match self {
            order::Event::OrderPlaced(e) => {
                order.total = Sum::of(&e.total());
                order.ordered = hash_of(&e.lines);
            }
            order::Event::OrderConfirmed(_) => mail(Template::Confirmed),
            order::Event::OrderCancellationRequested(_) => mail(Template::CancellationRequested),
            order::Event::OrderDispatched(e) if e.cancel_was_asked => mail(Template::TooLateToCancel),
            order::Event::OrderDispatched(_) => mail(Template::Dispatched),
            order::Event::OrderCompleted(_) => mail(Template::Delivered),
            order::Event::OrderCancelled(e) => {
                mail(Template::Cancelled);
                order.closed_at_cancel = e.closed.iter().fold(0, |bits, by| bits | bit_of(*by));
            }
            order::Event::OrderUndoProgressed(e) if standing.marked => order.closed_later |= bit_of(e.participant),
            order::Event::OrderUndoProgressed(_) => {}
            order::Event::OrderUndone(_) => mail(Template::Undone),
        }
    }
}

impl Learn for inventory::Event {
    fn learn(&self, order: &mut Order, _: &LogRow, _: Standing) {
        match self {
            inventory::Event::StockReserved(e) => order.held = hash_of(&e.lines),
            inventory::Event::StockReleased(e) => order.released = hash_of(&e.lines),
            inventory::Event::StockDeducted(e) => order.deducted = hash_of(&e.lines),
            inventory::Event::StockReservationFailed(_)
            | inventory::Event::StockReplenished(_)
            | inventory::Event::LowStockWarning(_) => {}
        }
    }

    fn stock(&self) -> Option<&inventory::Event> {
        Some(self)
    }
}

impl Learn for payment::Event {
    fn learn(&self, order: &mut Order, _: &LogRow, _: Standing) {
        match self {
            payment::Event::PaymentCompleted(e) => order.paid = Sum::of(&e.total),
            payment::Event::PaymentRefunded(e) => order.repaid = Sum::of(&e.amount),
            payment::Event::PaymentRequested(_)
            | payment::Event::PaymentFailed(_)
            | payment::Event::PaymentVoided(_)
            | payment::Event::PaymentRefundRequested(_) => {}
        }
    }
}

impl Learn for shipping::Event {
    /// That they were said is all that counts.
    fn learn(&self, _: &mut Order, _: &LogRow, _: Standing) {}
}

impl Learn for email::Event {
    fn learn(&self, order: &mut Order, _: &LogRow, standing: Standing) {
        let mail = &mut order.mail;
        let (channel, template) = match self {
            email::Event::EmailSent(e) => (0, e.template),
            email::Event::SmsSent(e) => (1, e.template),
            email::Event::EmailFailed(e) => {
                mail.failed |= 1 << place_of(e.template);
                return;
            }
            email::Event::SmsFailed(_) => return,
        };
        mail.sent[channel] |= 1 << place_of(template);
        if standing.marked {
            mail.sent_marked[channel] |= 1 << place_of(template);
        }
    }
}
