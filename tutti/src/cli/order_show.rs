//! `tutti order show` and `tutti order watch`: one order's timeline, as it is and as it grows.

use crate::{
    client::{Client, ClientError, Events, Milestone, Order},
    failure::Failure,
    screen::Screen,
    time::{At, span},
    timeline,
};
use serde_json::{Value, json};
use std::time::Duration;

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
    let mut told = 0;
    let tell = |events: &Events| {
        let lines: Result<(), Failure> = (told..events.items.len()).try_for_each(|n| tell_one(events, n, screen));
        told = told.max(events.items.len());
        lines
    };
    let (order, events) = follow(shop, id, timeout, tell).await?;
    if order.settled {
        return if screen.json { Ok(()) } else { screen.say(format!("\n{}", timeline::standing(&order, &events, At::now(), screen))) };
    }
    let standing = timeline::standing(&order, &events, At::now(), &Screen::plain());
    Err(Failure::NotSo(format!("order {id} is not settled after {}: {standing}", span(timeout))))
}

fn tell_one(events: &Events, number: usize, screen: &Screen) -> Result<(), Failure> {
    let Some(event) = events.items.get(number) else { return Ok(()) };
    if screen.json {
        let cause = timeline::cause_of(event, &events.items);
        return screen.say(json!({ "service": event.service, "type": event.name, "id": event.id, "cause": cause, "data": event.data }));
    }
    let before = number.checked_sub(1).and_then(|n| events.items.get(n)).map(|event| event.at);
    screen.say(timeline::line(event, before, &events.items, screen))
}

/// Follows an order until it is settled, at most for `within`; `tell` gets all events so far each time they were read.
///
/// # Errors
/// When the shop does not answer, or when `tell` fails.
pub(crate) async fn follow<F>(shop: &Client, id: &str, within: Duration, mut tell: F) -> Result<(Order, Events), Failure>
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
    let events: Result<Events, ClientError> = shop.events(id).await;
    let events = events?;
    tell(&events)?;
    Ok((order, events))
}
