//! One order's timeline across all services: who said what, when, why, and what is still to come.

use crate::{
    client::{Event, Events, Order},
    screen::{Screen, Tone},
    table::{Cell, Table},
    time::{At, span},
};
use runtime::Cause;
use serde_json::Value;

/// Events of an undo, or of something refused.
const GOES_BACK: [&str; 8] =
    ["Failed", "Cancelled", "CancellationRequested", "Released", "Voided", "Refund", "Undo", "Rejected"];

/// How an event is meant. `ShipmentReleased` is the one release that goes forward.
#[must_use]
pub fn tone_of(event: &str) -> Tone {
    match event {
        "OrderConfirmed" | "OrderCompleted" | "OrderUndone" => Tone::Good,
        "ShipmentReleased" => Tone::Plain,
        _ if GOES_BACK.iter().any(|word| event.contains(word)) => Tone::Notable,
        _ => Tone::Plain,
    }
}

/// What was said; mails and text messages differ by what they tell.
#[must_use]
pub fn name_of(event: &Event) -> String {
    match event.data.get("template").and_then(Value::as_str) {
        Some(template) => format!("{}({template})", event.name),
        None => event.name.clone(),
    }
}

/// Why `event` was said, in words: the event that caused it, and the effect or timer it went through.
#[must_use]
pub fn cause_of(event: &Event, all: &[Event]) -> String {
    let text = event.causation_id.as_deref().unwrap_or_default();
    let Ok(cause) = text.parse::<Cause>() else { return text.to_owned() };
    let Some(id) = &cause.event else { return text.to_owned() };
    let known = all.iter().find(|e| id.strip_prefix(&e.service).and_then(|rest| rest.strip_prefix('/')) == Some(&e.id));
    let because = known.map_or(id.as_str(), |event| &event.name);
    match (&cause.via, cause.attempts) {
        (None, _) => because.to_owned(),
        (Some(via), 0 | 1) => format!("{because}, {via}"),
        (Some(via), attempts) => format!("{because}, {via} ({attempts} attempts)"),
    }
}

/// The whole timeline as a table, and below it how the order stands.
#[must_use]
pub fn render(order: &Order, events: &Events, now: At, screen: &Screen) -> String {
    let mut text = format!("{}\n\n{}\n", heading(order, screen), table(events, screen));
    if !events.open.is_empty() {
        text += &format!("\n{}\n", open(events, now, screen));
    }
    text + "\n" + &standing(order, events, now, screen)
}

fn heading(order: &Order, screen: &Screen) -> String {
    let total = order.total.as_ref().map(|total| format!(", {total}")).unwrap_or_default();
    let customer = &order.customer_id;
    format!("{} of {customer}{total}", screen.paint(Tone::Strong, &format!("order {}", order.order_id)))
}

fn table(events: &Events, screen: &Screen) -> String {
    let mut table = Table::new(&["time (UTC)", "after", "service", "event", "because of"]).numbers(&[1]);
    let mut before = None;
    for event in &events.items {
        table.row(row(event, before, &events.items));
        before = Some(event.at);
    }
    table.render(screen)
}

/// One line of a timeline that grows while a person watches.
#[must_use]
pub fn line(event: &Event, before: Option<At>, all: &[Event], screen: &Screen) -> String {
    let after = before.map_or(String::new(), |before| format!("+{}", span(event.at.since(before))));
    let name = screen.paint(tone_of(&event.name), &format!("{:<30}", name_of(event)));
    let because = screen.paint(Tone::Faint, &cause_of(event, all));
    format!("{}  {after:>8}  {:<9}  {name}  {because}", event.at, event.service).trim_end().to_owned()
}

fn row(event: &Event, before: Option<At>, all: &[Event]) -> Vec<Cell> {
    let after = before.map_or(String::new(), |before| format!("+{}", span(event.at.since(before))));
    vec![
        event.at.to_string().into(),
        Cell::toned(Tone::Faint, after),
        event.service.clone().into(),
        Cell::toned(tone_of(&event.name), name_of(event)),
        Cell::toned(Tone::Faint, cause_of(event, all)),
    ]
}

fn open(events: &Events, now: At, screen: &Screen) -> String {
    let mut table = Table::new(&["under way", "service", "due", "note"]);
    for asked in &events.open {
        let due = asked.due.map(|due| if due > now { format!("in {}", span(due.since(now))) } else { "now".into() });
        let note = asked.stuck.as_ref().map(|why| format!("stuck: {why}"));
        let note = Cell::toned(Tone::Bad, note.unwrap_or_default());
        table.row(vec![asked.name.clone().into(), asked.service.clone().into(), due.unwrap_or_default().into(), note]);
    }
    table.render(screen)
}

/// How the order stands, in one line: its ending, or what it waits for, since when and until when.
#[must_use]
pub fn standing(order: &Order, events: &Events, now: At, screen: &Screen) -> String {
    let took = events.items.first().zip(events.items.last()).map(|(first, last)| last.at.since(first.at));
    let took = took.map(|took| format!(" after {}", span(took))).unwrap_or_default();
    match (&order.waiting_for, order.settled) {
        (_, true) => screen.paint(Tone::Good, &format!("{}{took}", ending(order))),
        (None, false) => format!("{}; nothing says what it waits for", order.state),
        (Some(waiting), false) => {
            let since = waiting.since.map(|at| format!(" since {at} ({})", span(now.since(at))));
            let until = waiting.until.map(|at| format!(", until {at}"));
            let what = format!("{} of {}", waiting.event, waiting.service);
            let state = screen.paint(Tone::Notable, &order.state);
            format!("{state}, waits for {what}{}{}", since.unwrap_or_default(), until.unwrap_or_default())
        }
    }
}

/// How a settled order ended, or its state while it is open.
#[must_use]
pub fn ending(order: &Order) -> String {
    match (order.settled, order.state.as_str(), &order.reason) {
        (true, "cancelled", Some(reason)) => format!("cancelled ({reason}), everything undone"),
        (false, state, Some(reason)) => format!("{state} ({reason}), not yet undone"),
        (_, state, _) => state.to_owned(),
    }
}

/// How an order's state is meant.
#[must_use]
pub fn tone_of_state(order: &Order) -> Tone {
    match (order.settled, order.state.as_str()) {
        (true, "completed") => Tone::Good,
        (_, "cancelled") => Tone::Notable,
        _ => Tone::Plain,
    }
}
