//! The engine that plays an act: every scenario is a customer of its own, and all of them come at once.

use super::{
    scenario::{Act, Ending, Request, Scenario, Step},
    stage::Stage,
};
use crate::{
    cli::{order, order_show, world},
    client::{Client, ClientError, Event, Events, Milestone, Order, Page, Stock},
    failure::Failure,
    screen::{Screen, Tone},
    time::span,
    timeline,
};
use indicatif::ProgressBar;
use serde::Serialize;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{task::JoinSet, time::Instant};

/// No single step may take longer; the longest of them wait for a deadline of a few seconds.
const STEP_WITHIN: Duration = Duration::from_secs(20);
/// How often events are read again while one is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A scenario that was played.
#[derive(Debug, Serialize)]
pub(super) struct Played {
    pub(super) name: &'static str,
    pub(super) orders: Vec<String>,
    /// What was not as it should be.
    pub(super) problem: Option<String>,
}

/// Plays all scenarios of an act at once and shows each as it ends.
pub(super) async fn act(act: &'static Act, shop: &Client, stage: &Stage) -> Result<Vec<Played>, Failure> {
    stage.say(&format!("\n{}", stage.screen.paint(Tone::Strong, act.title)))?;
    change_world(shop, act.broken).await?;
    let mut running = JoinSet::new();
    for scenario in act.scenarios {
        let (shop, line) = (shop.clone(), stage.spinner(scenario.name));
        running.spawn(async move { Player::new(shop, line).play(scenario).await });
    }
    let mut played = vec![];
    while let Some(ended) = running.join_next().await {
        let (one, shown) = ended.map_err(|error| Failure::NotSo(format!("a scenario broke down: {error}")))?;
        stage.say(&shown.render(&one, &stage.screen))?;
        played.push(one);
    }
    change_world(shop, act.mended).await?;
    Ok(played)
}

/// Breaks or mends something.
async fn change_world(shop: &Client, settings: &[&str]) -> Result<(), Failure> {
    if settings.is_empty() {
        return Ok(());
    }
    let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
    let _: Value = shop.patch(&["world"], &world::nested(&settings)?).await?;
    Ok(())
}

/// What the audience gets to see of a scenario.
struct Shown {
    shows: &'static str,
    timelines: Vec<(Option<Order>, Events)>,
}

impl Shown {
    fn render(&self, played: &Played, screen: &Screen) -> String {
        let verdict = match &played.problem {
            None => screen.paint(Tone::Good, "ok  "),
            Some(_) => screen.paint(Tone::Bad, "FAIL"),
        };
        let mut text = format!("{verdict} {}: {}", screen.paint(Tone::Strong, played.name), self.shows);
        for (order, events) in &self.timelines {
            text += &chain(order.as_ref(), &events.items, screen);
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

/// The order that the story is about at the moment.
struct Current {
    id: String,
    key: String,
    body: Value,
}

struct Player {
    shop: Client,
    line: ProgressBar,
    orders: Vec<Current>,
}

impl Player {
    fn new(shop: Client, line: ProgressBar) -> Player {
        Player { shop, line, orders: vec![] }
    }

    async fn play(mut self, scenario: &'static Scenario) -> (Played, Shown) {
        let mut verdict = Ok(());
        for step in scenario.steps {
            let done = tokio::time::timeout(STEP_WITHIN, self.step(scenario.name, *step)).await;
            verdict = done.unwrap_or_else(|_| Err(format!("{step:?} took more than {}", span(STEP_WITHIN))));
            if verdict.is_err() {
                break;
            }
        }
        let timelines = self.timelines().await;
        self.line.finish_and_clear();
        let orders = self.orders.into_iter().map(|order| order.id).collect();
        (Played { name: scenario.name, orders, problem: verdict.err() }, Shown { shows: scenario.shows, timelines })
    }

    async fn step(&mut self, name: &str, step: Step) -> Result<(), String> {
        match step {
            Step::Place(request) => self.place(name, &request).await,
            Step::Repeat => self.repeat().await,
            Step::RepeatChanged => self.repeat_changed().await,
            Step::Awaits(milestone) => self.awaits(milestone).await,
            Step::Hears(event) => self.until_said(&[event]).await,
            Step::Cancel => self.cancel(&[202]).await,
            Step::CancelTooLate => self.cancel(&[409]).await,
            Step::CancelAtRisk => self.cancel(&[202, 409]).await,
            Step::Replenish(sku, quantity) => self.replenish(sku, quantity).await,
            Step::World(settings) => change_world(&self.shop, settings).await.map_err(|error| error.to_string()),
            Step::Ends(ending) => self.ends(ending).await,
            Step::Said(events) => self.until_said(events).await,
            Step::NeverSaid(events) => self.never_said(events).await,
            Step::Warned(sku, times) => self.warned(sku, times).await,
        }
    }

    fn current(&self) -> Result<&Current, String> {
        self.orders.last().ok_or_else(|| "no order was placed yet".to_owned())
    }

    async fn place(&mut self, name: &str, request: &Request) -> Result<(), String> {
        let stock: Page<Stock> = self.shop.get(&["stock"], &[]).await.map_err(text)?;
        let available = |sku: &str| stock.items.iter().find(|row| row.sku == sku).map_or(0, |row| row.available);
        let customer = format!("demo-{}", name.replace(' ', "-"));
        let key = order::fresh("demo").map_err(|error| error.to_string())?;
        let body = request.body(&customer, available);
        let id = self.post(&key, &body).await.map_err(text)?;
        self.orders.push(Current { id, key, body });
        Ok(())
    }

    async fn post(&self, key: &str, body: &Value) -> Result<String, ClientError> {
        let answer: Value = self.shop.post(&["orders"], Some(key), body).await?;
        Ok(answer["order_id"].as_str().unwrap_or_default().to_owned())
    }

    async fn repeat(&self) -> Result<(), String> {
        let order = self.current()?;
        let again = self.post(&order.key, &order.body).await.map_err(text)?;
        if again == order.id { Ok(()) } else { Err(format!("the same request made a second order: {again}")) }
    }

    async fn repeat_changed(&self) -> Result<(), String> {
        let order = self.current()?;
        let mut body = order.body.clone();
        body["lines"][0]["quantity"] = json!(9);
        let answer = self.post(&order.key, &body).await;
        match answer {
            Err(ClientError::Refused { status: 422, .. }) => Ok(()),
            Err(error) => Err(format!("expected 422, got: {error}")),
            Ok(id) => Err(format!("another request under the same key was accepted as {id}")),
        }
    }

    async fn awaits(&self, milestone: Milestone) -> Result<(), String> {
        let id = &self.current()?.id;
        let order = self.shop.wait(id, milestone, STEP_WITHIN).await.map_err(text)?;
        if milestone.is_reached_by(&order) { Ok(()) } else { Err(format!("is not {} in time", milestone.name())) }
    }

    async fn cancel(&self, allowed: &[u16]) -> Result<(), String> {
        let id = &self.current()?.id;
        let body = json!({ "reason": "changed my mind" });
        let answer: Result<Value, ClientError> = self.shop.post(&["orders", id, "cancellation"], None, &body).await;
        let status = match &answer {
            Ok(_) => 202,
            Err(error) => error.status().ok_or_else(|| error.to_string())?,
        };
        if allowed.contains(&status) {
            Ok(())
        } else {
            Err(format!("cancelling was answered {status}, not {allowed:?}"))
        }
    }

    async fn replenish(&self, sku: &str, quantity: i64) -> Result<(), String> {
        let key = order::fresh("delivery").map_err(|error| error.to_string())?;
        let body = json!({ "quantity": quantity });
        let answer: Result<Value, _> = self.shop.post(&["stock", sku, "replenishments"], Some(&key), &body).await;
        answer.map(drop).map_err(text)
    }

    async fn ends(&self, ending: Ending) -> Result<(), String> {
        let id = &self.current()?.id;
        let line = self.line.clone();
        let tell = move |events: &Events| {
            line.set_message(
                events.items.iter().rev().take(4).rev().map(timeline::name_of).collect::<Vec<_>>().join(" "),
            );
            Ok(())
        };
        let (order, _) =
            order_show::follow(&self.shop, id, STEP_WITHIN, tell).await.map_err(|error| error.to_string())?;
        let got = timeline::ending(&order);
        if ending.fits(&order) { Ok(()) } else { Err(format!("order {id} should be {ending}, but is {got}")) }
    }

    /// Mails and the warehouse may be a moment later than the order's own end.
    async fn until_said(&self, events: &[&str]) -> Result<(), String> {
        let id = &self.current()?.id;
        let until = Instant::now() + STEP_WITHIN / 2;
        loop {
            let said = self.shop.events(id).await.map_err(text)?;
            let missing: Vec<&&str> = events.iter().filter(|name| !has(&said, name)).collect();
            if missing.is_empty() {
                return Ok(());
            }
            if Instant::now() > until {
                return Err(format!("order {id}: nobody said {missing:?}"));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn never_said(&self, events: &[&str]) -> Result<(), String> {
        let id = &self.current()?.id;
        let said = self.shop.events(id).await.map_err(text)?;
        let wrong: Vec<&&str> = events.iter().filter(|name| has(&said, name)).collect();
        if wrong.is_empty() { Ok(()) } else { Err(format!("order {id}: somebody said {wrong:?}")) }
    }

    async fn warned(&self, sku: &str, times: usize) -> Result<(), String> {
        let said: Events = self.shop.get(&["stock", sku, "events"], &[]).await.map_err(text)?;
        let got = said.items.iter().filter(|event| event.name == "LowStockWarning").count();
        if got == times { Ok(()) } else { Err(format!("{got} warnings about {sku} instead of {times}")) }
    }

    async fn timelines(&self) -> Vec<(Option<Order>, Events)> {
        let mut timelines = vec![];
        for order in &self.orders {
            // The verdict has said what is wrong; here a gap only shows less.
            let events = self.shop.events(&order.id).await.unwrap_or_default();
            timelines.push((self.shop.order(&order.id).await.ok(), events));
        }
        timelines
    }
}

fn has(events: &Events, name: &str) -> bool {
    events.items.iter().any(|event| event.name == name)
}

fn text(error: ClientError) -> String {
    error.to_string()
}
