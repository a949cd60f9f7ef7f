//! The engine that plays an act: every scenario is a customer of its own, and all of them come at once.

use super::{
    scenario::{Act, Ending, Request, Scenario, Step},
    shown::Shown,
    stage::Stage,
};
use crate::{
    cli::{order, order_show, world},
    client::{Client, ClientError, Events, Milestone, Order, Page, Problem, Stock},
    failure::Failure,
    screen::Tone,
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

/// Plays these scenarios of an act at once and shows each as it ends.
pub(super) async fn act(
    act: &Act,
    scenarios: impl Iterator<Item = &'static Scenario>,
    shop: &Client,
    stage: &Stage,
) -> Result<Vec<Played>, Failure> {
    stage.say(&format!("\n{}", stage.screen.paint(Tone::Strong, act.title)))?;
    change_world(shop, act.broken).await?;
    let mut running = JoinSet::new();
    for scenario in scenarios {
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
pub(super) async fn change_world(shop: &Client, settings: &[&str]) -> Result<(), Failure> {
    if settings.is_empty() {
        return Ok(());
    }
    let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
    let _: Value = shop.patch(&["world"], &world::nested(&settings)?).await?;
    Ok(())
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
    notes: Vec<String>,
    /// How often the warehouse had warned before the story began: the shop may be an old one.
    warned_before: usize,
}

impl Player {
    fn new(shop: Client, line: ProgressBar) -> Player {
        Player { shop, line, orders: vec![], notes: vec![], warned_before: 0 }
    }

    async fn play(mut self, scenario: &'static Scenario) -> (Played, Shown) {
        let mut verdict = self.begin(scenario).await;
        for step in scenario.steps {
            if verdict.is_err() {
                break;
            }
            let done = tokio::time::timeout(STEP_WITHIN, self.step(scenario.name, *step)).await;
            verdict = done.unwrap_or_else(|_| Err(format!("{step:?} took more than {}", span(STEP_WITHIN))));
        }
        let timelines = self.timelines().await;
        self.line.finish_and_clear();
        let orders = self.orders.into_iter().map(|order| order.id).collect();
        (
            Played { name: scenario.name, orders, problem: verdict.err() },
            Shown { shows: scenario.shows, timelines, notes: self.notes },
        )
    }

    async fn begin(&mut self, scenario: &Scenario) -> Result<(), String> {
        let warned = |step: &Step| if let Step::Warned(sku, _) = step { Some(*sku) } else { None };
        if let Some(sku) = scenario.steps.iter().find_map(warned) {
            self.warned_before = self.warnings(sku).await?;
        }
        Ok(())
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

    async fn repeat(&mut self) -> Result<(), String> {
        let order = self.current()?;
        let again = self.post(&order.key, &order.body).await.map_err(text)?;
        if again != order.id {
            return Err(format!("the same request made a second order: {again}"));
        }
        self.notes.push("the same request again: the same order".into());
        Ok(())
    }

    async fn repeat_changed(&mut self) -> Result<(), String> {
        let order = self.current()?;
        let mut body = order.body.clone();
        body["lines"][0]["quantity"] = json!(9);
        let answer = self.post(&order.key, &body).await;
        match answer {
            Err(ClientError::Refused { status: 422, problem, .. }) => {
                self.notes.push(format!("another request under the same key: 422, {}", detail(&problem)));
                Ok(())
            }
            Err(error) => Err(format!("expected 422, got: {error}")),
            Ok(id) => Err(format!("another request under the same key was accepted as {id}")),
        }
    }

    async fn awaits(&self, milestone: Milestone) -> Result<(), String> {
        let id = &self.current()?.id;
        let order = self.shop.wait(id, milestone, STEP_WITHIN).await.map_err(text)?;
        if milestone.is_reached_by(&order) { Ok(()) } else { Err(format!("is not {} in time", milestone.name())) }
    }

    async fn cancel(&mut self, allowed: &[u16]) -> Result<(), String> {
        let id = &self.current()?.id;
        let body = json!({ "reason": "changed my mind" });
        let answer: Result<Value, ClientError> = self.shop.post(&["orders", id, "cancellation"], None, &body).await;
        let (status, said) = match &answer {
            Ok(_) => (202, "the shop tries".to_owned()),
            Err(ClientError::Refused { status, problem, .. }) => (*status, detail(problem)),
            Err(error) => return Err(error.to_string()),
        };
        if !allowed.contains(&status) {
            return Err(format!("the cancellation was answered {status}, not {allowed:?}: {said}"));
        }
        self.notes.push(format!("the customer cancels: {status}, {said}"));
        Ok(())
    }

    async fn replenish(&mut self, sku: &str, quantity: i64) -> Result<(), String> {
        let key = order::fresh("delivery").map_err(|error| error.to_string())?;
        let body = json!({ "quantity": quantity });
        let answer: Result<Value, _> = self.shop.post(&["stock", sku, "replenishments"], Some(&key), &body).await;
        answer.map_err(text)?;
        self.notes.push(format!("{quantity} {sku} come in between the two orders"));
        Ok(())
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

    async fn warned(&mut self, sku: &str, times: usize) -> Result<(), String> {
        let got = self.warnings(sku).await?.saturating_sub(self.warned_before);
        if got != times {
            return Err(format!("{got} warnings about {sku} instead of {times}"));
        }
        self.notes.push(format!("LowStockWarning of {sku}, over both orders: {times}"));
        Ok(())
    }

    /// How often the warehouse has ever warned of this SKU running low.
    async fn warnings(&self, sku: &str) -> Result<usize, String> {
        let said: Events = self.shop.get(&["stock", sku, "events"], &[]).await.map_err(text)?;
        Ok(said.items.iter().filter(|event| event.name == "LowStockWarning").count())
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

/// What a problem says, on one line.
fn detail(problem: &Problem) -> String {
    problem.detail.clone().unwrap_or_else(|| problem.title.clone())
}

fn text(error: ClientError) -> String {
    error.to_string()
}
