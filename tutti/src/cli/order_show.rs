//! `tutti order show` and `tutti order watch`: one order's timeline, as it is and as it grows.

use crate::{
    client::{Client, Event, Events, Milestone, Order},
    failure::Failure,
    screen::Screen,
    time::{At, span},
    timeline,
};
use serde_json::{Value, json};
use std::{collections::HashSet, time::Duration};

/// How often a followed order's events are read again while the server waits for it to settle.
const LOOK_EVERY: Duration = Duration::from_millis(250);

pub(super) async fn show(id: &str, shop: &Client, screen: &Screen) -> Result<(), Failure> {
    if screen.json {
        let order: Value = shop.get(&["orders", id], &[]).await?;
        let events: Value = shop.get(&["orders", id, "events"], &[]).await?;
        return screen.document(&json!({ "order": order, "events": events["items"], "open": events["open"] }));
    }
    let (order, events) = (shop.order(id).await?, shop.events(id).await?);
    screen.say(timeline::render(&order, &events, At::now(), screen))
}

pub(super) async fn watch(id: &str, timeout: Duration, shop: &Client, screen: &Screen) -> Result<(), Failure> {
    let mut told = HashSet::new();
    let (order, events) = follow(shop, id, timeout, |events| tell_new(events, &mut told, screen)).await?;
    let standing = |screen: &Screen| timeline::standing(&order, &events, At::now(), screen);
    match (order.settled, screen.json) {
        (true, true) => Ok(()),
        (true, false) => screen.say(format!("\n{}", standing(screen))),
        (false, _) => {
            let waited = span(timeout);
            Err(Failure::NotSo(format!("order {id} is not settled after {waited}: {}", standing(&Screen::plain()))))
        }
    }
}

/// Tells the events that were not told before. Two services commit at nearly the same time, so a new one is not always
/// the last.
fn tell_new(events: &Events, told: &mut HashSet<String>, screen: &Screen) -> Result<(), Failure> {
    let mut before = None;
    for event in &events.items {
        if told.insert(format!("{}/{}", event.service, event.id)) {
            let cause = timeline::cause_of(event, &events.items);
            let Event { service, name, id, data, .. } = event;
            screen.say(if screen.json {
                json!({ "service": service, "type": name, "id": id, "cause": cause, "data": data }).to_string()
            } else {
                timeline::line(event, before, &events.items, screen)
            })?;
        }
        before = Some(event.at);
    }
    Ok(())
}

/// Follows an order until it is settled, at most for `within`; `tell` gets all events so far each time they were read.
///
/// # Errors
/// When the shop does not answer, or when `tell` fails.
pub(crate) async fn follow<F>(
    shop: &Client,
    id: &str,
    within: Duration,
    mut tell: F,
) -> Result<(Order, Events), Failure>
where
    F: FnMut(&Events) -> Result<(), Failure>,
{
    let mut settled = std::pin::pin!(shop.wait(id, Milestone::Settled, within));
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let order = loop {
        tokio::select! {
            order = &mut settled => break order?,
            _ = look.tick() => tell(&shop.events(id).await?)?,
        }
    };
    let events = shop.events(id).await?;
    tell(&events)?;
    Ok((order, events))
}
