//! What waits before the door: one input, where it comes from, and what makes it new.

use crate::{
    record::{Cause, EventId, FOREIGN, Foreign, ParkedRow, Record, SKIPPED, WorkId},
    trace::{TraceId, Traceparent},
};
use choreography::{Input, Key, Origin, Refused, Service, Topic};
use std::any::Any;
use tokio::sync::oneshot;

/// Where an input comes from. This alone tells whether it is new.
#[derive(Clone, Debug)]
pub enum From {
    /// New if it is the next of its lane: `seq == cursor + 1`. Lower was seen; higher means that a record was lost.
    Record(Record),
    /// New if its place on the topic is behind every foreign one seen before.
    Foreign(Foreign),
    /// New while its row is in the work table and was handed out in this reign.
    Work {
        /// The row it answers.
        id: WorkId,
        /// How many attempts it took; 0 for a timer.
        attempts: u32,
    },
    /// New while it is parked, and first of its source and key.
    Parked(ParkedRow),
    /// New as far as the decision cares: the command's key is derived from its idempotency key.
    Caller,
}

/// What there is to decide about.
pub enum Body {
    /// A decoded input.
    Input(Origin, Box<dyn Any + Send>),
    /// An event that this service does not react to: only the cursor moves.
    Skip,
    /// It cannot be decoded, for this reason.
    Unreadable(String),
    /// The world will never perform it, for this reason: a person must look.
    Stuck(String),
    /// A parked record that is dropped on request.
    Discard,
}

/// One input before the door.
pub struct Incoming {
    /// Where it comes from.
    pub from: From,
    /// What it is about.
    pub key: Key,
    /// What there is to decide.
    pub body: Body,
    /// Why it came.
    pub cause: Cause,
    /// The span that it came from.
    pub trace: Traceparent,
    /// Who waits for an answer.
    pub caller: Option<oneshot::Sender<Reply>>,
}

/// What became of an input, once its batch is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It was decided, and what was decided is durable.
    Accepted,
    /// The command was accepted, and there was nothing to say: it had been carried out before.
    Unchanged,
    /// The command was refused.
    Refused(Refused),
    /// The command is poison: nothing happened.
    Failed(String),
    /// It had been taken before.
    Seen,
    /// An earlier record of its lane is missing; not taken.
    Early,
    /// Set aside, for this reason.
    Parked(String),
    /// Its work row stays, for a person to look at.
    Stuck(String),
    /// Not taken, because the process at this address leads.
    Led(String),
}

impl Incoming {
    /// A command with its caller, and the span that it came from.
    pub fn command<I: Input>(command: I, trace: impl Into<Traceparent>, caller: oneshot::Sender<Reply>) -> Incoming {
        Incoming {
            from: From::Caller,
            key: command.key(),
            body: Body::Input(I::ORIGIN, Box::new(command)),
            cause: Cause { event: None, via: Some(I::ORIGIN.name().to_owned()), attempts: 0 },
            trace: trace.into(),
            caller: Some(caller),
        }
    }

    /// A record as the bus hands it over.
    pub fn record<T: Topic>(service: &Service<T>, record: Record) -> Incoming {
        let (body, cause, trace) = read(service, &record);
        Incoming { key: record.row.key.clone(), from: From::Record(record), body, cause, trace, caller: None }
    }

    /// A record that is nobody's event: nothing can be decided about it, so it is set aside.
    pub fn foreign(foreign: Foreign) -> Incoming {
        let key = foreign.key();
        let cause = Cause { event: None, via: Some(key.clone()), attempts: 0 };
        let (body, trace) = (Body::Unreadable(foreign.why.clone()), TraceId::of_text(&key).into());
        Incoming { from: From::Foreign(foreign), key, body, cause, trace, caller: None }
    }

    /// A parked record, to be decided again or dropped.
    pub fn parked<T: Topic>(service: &Service<T>, parked: ParkedRow, discard: bool) -> Incoming {
        let source = service.sources().into_iter().find(|source| *source == parked.source);
        let (body, cause, trace) = match source {
            Some(source) if !discard => read(service, &Record::new(source, parked.row.clone())),
            None if !discard && parked.source.starts_with(FOREIGN) => {
                let trace = TraceId::of_text(&parked.row.key).into();
                let why = "it is nobody's event; it can only be discarded";
                (Body::Unreadable(why.into()), cause_of(&parked.source, parked.row.id()), trace)
            }
            None if !discard && parked.source.starts_with(SKIPPED) => {
                let trace = TraceId::of_text(&parked.row.key).into();
                let why = "it was lost, and passed over; this only records it, and can be discarded";
                (Body::Unreadable(why.into()), cause_of(&parked.source, parked.row.id()), trace)
            }
            _ => {
                (Body::Discard, cause_of(&parked.source, parked.row.id()), trace_of(&parked.row.trace, &parked.row.key))
            }
        };
        Incoming { key: parked.row.key.clone(), from: From::Parked(parked), body, cause, trace, caller: None }
    }

    /// The input's name for logs and metrics.
    #[must_use]
    pub fn name(&self) -> &str {
        match (&self.from, &self.body) {
            (From::Record(record), _) => &record.row.name,
            (From::Foreign(_), _) => "foreign",
            (From::Parked(parked), _) => &parked.row.name,
            (From::Work { id, .. }, _) => &id.0,
            (From::Caller, Body::Input(origin, _)) => origin.name(),
            (From::Caller, _) => "command",
        }
    }
}

fn read<T: Topic>(service: &Service<T>, record: &Record) -> (Body, Cause, Traceparent) {
    let row = &record.row;
    let trace = trace_of(&row.trace, &row.key);
    let Some(reaction) = service.reaction_to_event(record.source, &row.name) else {
        return (Body::Skip, Cause::default(), trace); // most records are skipped, and nothing comes of them
    };
    let body = match &record.poison {
        Some(why) => Body::Unreadable(why.clone()),
        None => match (reaction.decode)(row.schema, &row.body) {
            Ok(input) => Body::Input(reaction.origin, input),
            Err(why) => Body::Unreadable(why),
        },
    };
    (body, cause_of(record.source, row.id()), trace)
}

fn cause_of(source: &str, id: EventId) -> Cause {
    Cause { event: Some(format!("{source}/{id}")), via: None, attempts: 0 }
}

/// A record whose trace cannot be read gets a trace of its own; it is not worth parking an order for.
pub(crate) fn trace_of(trace: &str, key: &str) -> Traceparent {
    trace.parse().unwrap_or_else(|_| TraceId::of_text(key).into())
}
