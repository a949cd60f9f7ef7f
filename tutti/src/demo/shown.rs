//! What the audience gets to see of a scenario: its timelines in a few lines each, and what was told beside them.

use super::play::Played;
use crate::{
    client::{Event, Events, Order},
    screen::{Screen, Tone},
    time::span,
    timeline,
};

/// What the audience gets to see of a scenario.
pub(super) struct Shown {
    pub(super) shows: &'static str,
    pub(super) timelines: Vec<(Option<Order>, Events)>,
    /// What the customer was told, or the warehouse did, beside the order's own events.
    pub(super) notes: Vec<String>,
}

impl Shown {
    pub(super) fn render(&self, played: &Played, screen: &Screen) -> String {
        let verdict = match &played.problem {
            None => screen.paint(Tone::Good, "ok  "),
            Some(_) => screen.paint(Tone::Bad, "FAIL"),
        };
        let mut text = format!("{verdict} {}: {}", screen.paint(Tone::Strong, played.name), self.shows);
        for (order, events) in &self.timelines {
            text += &chain(order.as_ref(), &events.items, screen);
        }
        for note in &self.notes {
            text += &format!("\n     > {note}");
        }
        if let Some(why) = &played.problem {
            text += &format!("\n     {}", screen.paint(Tone::Bad, why));
        }
        text
    }
}

/// A timeline in a few lines: what was said, and how long after the one before.
fn chain(order: Option<&Order>, events: &[Event], screen: &Screen) -> String {
    let mut text = String::from("\n    ");
    let mut column = 4;
    let mut before = None;
    for event in events {
        let after = before.map_or(String::new(), |before| format!("+{} ", span(event.at.since(before))));
        before = Some(event.at);
        let name = timeline::name_of(event);
        let width = after.chars().count() + name.chars().count() + 1;
        if column + width > screen.width {
            text += "\n    ";
            column = 4;
        }
        column += width;
        text +=
            &format!(" {}{}", screen.paint(Tone::Faint, &after), screen.paint(timeline::tone_of(&event.name), &name));
    }
    let ending = order.map(|order| screen.paint(timeline::tone_of_state(order), &timeline::ending(order)));
    text + &ending.map(|ending| format!("\n     = {ending}")).unwrap_or_default()
}
