//! The choreography of all services, as a table, a Mermaid diagram and JSON. It is read from the types of the decisions.

mod markdown;
mod story;

pub use markdown::markdown;

use crate::{
    screen::{Screen, Tone},
    table::{Cell, Table},
};
use choreography::{MapRow, Origin, ServiceMap};
use serde_json::{Value, json};
use std::time::Duration;

/// The maps of all services, in the order in which an order meets them.
#[must_use]
pub fn services() -> Vec<ServiceMap> {
    vec![
        order::service().map(),
        inventory::service().map(),
        payment::service().map(),
        // How long a parcel may wait changes nothing about who reacts to what.
        shipping::service(Duration::ZERO).map(),
        email::service().map(),
    ]
}

/// One line per decision.
#[must_use]
pub fn table(services: &[ServiceMap], screen: &Screen) -> String {
    let mut table = Table::new(&["service", "on", "says", "asks"]);
    for service in services {
        for row in &service.rows {
            let service = Cell::toned(Tone::Strong, service.service);
            table.row(vec![service, on(row).into(), says(row).into(), asks(row).into()]);
        }
    }
    table.render(screen)
}

fn on(row: &MapRow) -> String {
    match row.origin {
        Origin::Event { name, .. } => name.to_owned(),
        Origin::Command(name) => format!("command {name}"),
        Origin::Effect(name) => format!("answer of {name}"),
        Origin::Timer(name) => format!("timer {name}"),
    }
}

fn says(row: &MapRow) -> String {
    let refuses = row.declared.refuses.then_some("refuses");
    row.declared.events.iter().copied().chain(refuses).collect::<Vec<_>>().join(" | ")
}

fn asks(row: &MapRow) -> String {
    let timers = row.declared.timers.iter().map(|timer| format!("timer {timer}"));
    row.declared.effects.iter().map(ToString::to_string).chain(timers).collect::<Vec<_>>().join(", ")
}

/// A Mermaid flow chart: an arrow for each event, from who says it to who reacts to it.
#[must_use]
pub fn mermaid(services: &[ServiceMap]) -> String {
    let mut text = String::from("flowchart LR\n");
    for service in services {
        text += &format!("  {}([{}])\n", service.service, service.service);
    }
    for (from, reader, events) in arrows(services) {
        text += &format!("  {from} -- \"{}\" --> {reader}\n", events.join("<br>"));
    }
    text.trim_end().to_owned()
}

fn arrows(services: &[ServiceMap]) -> Vec<(&'static str, &'static str, Vec<&'static str>)> {
    let pairs = services.iter().flat_map(|from| services.iter().map(move |reader| (from, reader)));
    pairs
        .filter(|(from, reader)| from.service != reader.service)
        .map(|(from, reader)| {
            let read = from.events.iter().copied().filter(|event| reader.reads(from.service, event));
            (from.service, reader.service, read.collect::<Vec<_>>())
        })
        .filter(|(_, _, events)| !events.is_empty())
        .collect()
}

/// The map for machines, as text.
#[must_use]
pub fn json() -> String {
    document(&services()).to_string()
}

/// The map for machines.
#[must_use]
pub fn document(services: &[ServiceMap]) -> Value {
    let service = |service: &ServiceMap| {
        let decisions: Vec<Value> = service.rows.iter().map(decision).collect();
        json!({ "service": service.service, "events": service.events, "decisions": decisions })
    };
    json!({ "services": services.iter().map(service).collect::<Vec<_>>() })
}

fn decision(row: &MapRow) -> Value {
    let on = match row.origin {
        Origin::Event { topic, name } => json!({ "event": name, "of": topic }),
        Origin::Command(name) => json!({ "command": name }),
        Origin::Effect(name) => json!({ "answer_of": name }),
        Origin::Timer(name) => json!({ "timer": name }),
    };
    let declared = &row.declared;
    json!({ "on": on, "says": declared.events, "effects": declared.effects, "timers": declared.timers, "refuses": declared.refuses })
}
