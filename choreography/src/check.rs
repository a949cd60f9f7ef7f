//! What the types cannot say about a service, and about all services together.

use crate::{Declared, MapRow, Origin, Service, ServiceMap, Topic, Undo};
use std::{collections::BTreeSet, fmt};

/// What is wrong with the choreography, one finding a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckError(pub Vec<String>);

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.join("\n"))
    }
}
impl std::error::Error for CheckError {}

/// Each finding once, however many decisions share it.
fn ok_if_empty(mut found: Vec<String>) -> Result<(), CheckError> {
    let mut seen = BTreeSet::new();
    found.retain(|finding| seen.insert(finding.clone()));
    if found.is_empty() { Ok(()) } else { Err(CheckError(found)) }
}

impl<T: Topic> Service<T> {
    /// Every own event is said by somebody, every effect and timer has a taker and every effect its undo, only commands
    /// are refused, no input is decided twice. A test in every service calls it, and every start does.
    ///
    /// # Errors
    /// Lists everything that is wrong.
    pub fn check(&self) -> Result<(), CheckError> {
        let map = self.map();
        let said: BTreeSet<_> = map.rows.iter().flat_map(|row| row.declared.events.iter().copied()).collect();
        let mut found = vec![];
        found
            .extend(T::EVENTS.iter().filter(|e| !said.contains(*e)).map(|e| format!("{}: {e} is never said", T::NAME)));
        for (index, row) in map.rows.iter().enumerate() {
            if map.rows[..index].iter().any(|earlier| earlier.origin == row.origin) {
                found.push(format!("{}: {} is decided twice", T::NAME, row.origin));
            }
            if row.declared.refuses && !matches!(row.origin, Origin::Command(_)) {
                found.push(format!("{}: {} has no caller to refuse", T::NAME, row.origin));
            }
            found
                .extend(without_taker(&map, row).map(|name| format!("{}: nobody takes the answer of {name}", T::NAME)));
            found.extend(
                without_undo(&map, &row.declared)
                    .map(|name| format!("{}: nothing asks for {name}, which is to undo", T::NAME)),
            );
        }
        ok_if_empty(found)
    }
}

fn without_taker<'m>(map: &'m ServiceMap, row: &'m MapRow) -> impl Iterator<Item = &'static str> + 'm {
    let asked = row.declared.effects.iter().map(|name| Origin::Effect(name));
    let asked = asked.chain(row.declared.timers.iter().map(|name| Origin::Timer(name)));
    asked.filter(|origin| map.rows.iter().all(|r| r.origin != *origin)).map(|origin| origin.name())
}

fn without_undo<'m>(map: &'m ServiceMap, declared: &'m Declared) -> impl Iterator<Item = &'static str> + 'm {
    declared.undo.iter().filter_map(|(_, undo)| match undo {
        Undo::By(name) if !map.rows.iter().any(|row| row.declared.effects.contains(name)) => Some(*name),
        _ => None,
    })
}

/// Who takes part in the saga: what the types of a single service cannot say.
#[derive(Clone, Debug)]
pub struct Saga {
    /// The service that owns the outcome.
    pub owner: &'static str,
    /// The one event that triggers every compensation.
    pub undo: &'static str,
    /// Who must answer it, and how.
    pub participants: &'static [Participant],
    /// Events that are for readers outside the choreography.
    pub for_outside: &'static [&'static str],
}

/// A service that takes a step which must be undone.
#[derive(Clone, Copy, Debug)]
pub struct Participant {
    /// Its name.
    pub service: &'static str,
    /// The events of which exactly one answers every undo.
    pub closing: &'static [&'static str],
}

/// Over all services: every event has a reader or is listed as for outside, everything read is said, and every service
/// whose events others build on answers the undo with a closing event that the owner reads.
///
/// # Errors
/// Lists everything that is wrong.
pub fn check_all(services: &[ServiceMap], saga: &Saga) -> Result<(), CheckError> {
    let mut found = vec![];
    found.extend(events_without_reader(services, saga));
    found.extend(reactions_to_nothing(services));
    found.extend(services.iter().flat_map(|service| missing_undo(services, service, saga)));
    ok_if_empty(found)
}

fn read_by_others<'s>(services: &'s [ServiceMap], service: &'s ServiceMap, event: &'s str) -> bool {
    services.iter().any(|reader| reader.service != service.service && reader.reads(service.service, event))
}

fn events_without_reader(services: &[ServiceMap], saga: &Saga) -> Vec<String> {
    let said = services.iter().flat_map(|s| s.events.iter().map(move |e| (s, *e)));
    let unread = said.filter(|(s, e)| !saga.for_outside.contains(e) && !services.iter().any(|r| r.reads(s.service, e)));
    unread.map(|(s, e)| format!("{e} of {} is read by nobody and not listed as for outside", s.service)).collect()
}

fn reactions_to_nothing(services: &[ServiceMap]) -> Vec<String> {
    let read = services.iter().flat_map(|s| s.rows.iter().map(move |row| (s.service, row.origin)));
    let dangling = read.filter_map(|(service, origin)| match origin {
        Origin::Event { topic, name } => {
            let said = services.iter().any(|s| s.service == topic && s.events.contains(&name));
            (!said).then(|| format!("{service} waits for {name} of {topic}, which nobody says"))
        }
        _ => None,
    });
    dangling.collect()
}

fn missing_undo(services: &[ServiceMap], service: &ServiceMap, saga: &Saga) -> Vec<String> {
    let builds_on_it = service.events.iter().any(|event| read_by_others(services, service, event));
    if service.service == saga.owner || !builds_on_it {
        return vec![];
    }
    let Some(participant) = saga.participants.iter().find(|p| p.service == service.service) else {
        return vec![format!("others build on {}, which has no closing event", service.service)];
    };
    let mut found = vec![];
    if !service.reads(saga.owner, saga.undo) {
        found.push(format!("{} does not undo its step: it does not read {}", service.service, saga.undo));
    }
    let owner = services.iter().find(|s| s.service == saga.owner);
    for closing in participant.closing {
        let said = service.events.contains(closing);
        if !said || !owner.is_some_and(|owner| owner.reads(service.service, closing)) {
            found.push(format!(
                "{closing} should close the undo of {}, but is not said or not read by {}",
                service.service, saga.owner
            ));
        }
    }
    found
}

impl Origin {
    /// The input's name without its kind.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Origin::Event { name, .. } | Origin::Command(name) | Origin::Effect(name) | Origin::Timer(name) => name,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Event { name, .. } => write!(f, "{name}"),
            Origin::Command(name) => write!(f, "command {name}"),
            Origin::Effect(name) => write!(f, "answer of {name}"),
            Origin::Timer(name) => write!(f, "timer {name}"),
        }
    }
}
