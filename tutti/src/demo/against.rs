//! The demo in a shop that is running already, in one process or in several. The shop stays as it was, but for the
//! orders placed and the goods brought in: how its world behaves is put back, whatever happens meanwhile.

use super::{
    Outcome, acts,
    burst::{self, Middle},
    conclude, play,
    stage::Stage,
    tell_endings,
};
use crate::{
    cli::{args::DemoArgs, order::fresh, world},
    client::{Client, ClientError, Page, Stock},
    failure::Failure,
    interrupt::interrupted,
    invariants::Report,
    screen::Screen,
    time::span,
};
use ::world::Faults;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How long the shop may take to be ready, which includes a deployment that has just been started.
const READY_WITHIN: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How the world behaves while the acts are played: short waits, so that they can be watched. Between processes, on a
/// machine with much to do, a cancellation takes a second or two to reach a charge, which must still be under way.
const FOR_THE_ACTS: &[&str] = &["gateway.slow_ms=4000", "gateway.unknown_ms=1500", "carrier.transit_ms=1000"];
const FOR_THE_BURST: &[&str] = &["gateway.slow_ms=1500"];

/// Plays the demo in the shop at `url`.
pub(super) async fn run(url: &str, args: &DemoArgs, screen: &Screen) -> Result<(), Failure> {
    let began = Instant::now();
    let shop = Client::new(url).map_err(|error| Failure::Usage(format!("--against: {error}")))?;
    let stage = Stage::new(*screen);
    let outcome = played(&shop, args, &stage).await;
    stage.clear();
    outcome.and_then(|outcome| conclude(&outcome, began, "", screen))
}

/// Plays it all, and puts the world back also after a Ctrl-C.
async fn played(shop: &Client, args: &DemoArgs, stage: &Stage) -> Result<Outcome, Failure> {
    let before: Value = tokio::select! {
        before = ready(shop, stage) => before?,
        () = interrupted() => return Err(Failure::Interrupted),
    };
    let outcome = tokio::select! {
        outcome = whole(shop, args, stage) => outcome,
        () = interrupted() => Err(Failure::Interrupted),
    };
    let put_back: Result<Value, ClientError> = shop.patch(&["world"], &before).await;
    match (outcome, put_back) {
        (outcome, Ok(_)) => outcome,
        (outcome, Err(error)) => {
            let why = outcome.err().map(|failure| format!("; before that: {failure}")).unwrap_or_default();
            Err(Failure::NotSo(format!("how the world behaves could not be put back to {before}: {error}{why}")))
        }
    }
}

/// Waits until every service of the shop can do its work, and tells how its world behaves.
async fn ready(shop: &Client, stage: &Stage) -> Result<Value, Failure> {
    let until = Instant::now() + READY_WITHIN;
    loop {
        let found = shop.readiness().await;
        match found {
            Ok(readiness) if readiness.ready => break,
            Err(error) if !error.is_transient() => return Err(error.into()),
            found if Instant::now() >= until => {
                let why = found?;
                return Err(Failure::NotSo(format!(
                    "the shop at {} is {why} after {}",
                    shop.url(),
                    span(READY_WITHIN)
                )));
            }
            _ => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
    stage.say(&format!("The shop at {} is ready.", shop.url()))?;
    Ok(shop.get(&["world"], &[]).await?)
}

async fn whole(shop: &Client, args: &DemoArgs, stage: &Stage) -> Result<Outcome, Failure> {
    replenish(shop, args.orders).await?;
    let mut played = vec![];
    let mut not_checked = vec![];
    circumstances(shop, FOR_THE_ACTS).await?;
    for act in acts::ACTS {
        let (left_out, rest): (Vec<_>, Vec<_>) =
            act.scenarios.iter().partition(|scenario| needs(scenario.name).is_some());
        not_checked.extend(left_out.iter().filter_map(|scenario| Some(without(scenario.name, needs(scenario.name)?))));
        if !rest.is_empty() {
            played.extend(play::act(act, rest.into_iter(), shop, stage).await?);
        }
    }
    circumstances(shop, FOR_THE_BURST).await?;
    let middle = match &args.kill_with {
        Some(command) => Middle::Command(command),
        None => {
            not_checked.push("a crash in the middle of the burst: say with --kill-with how to make one".to_owned());
            Middle::Calm
        }
    };
    let burst = burst::play(args.orders, middle, shop, stage).await?;
    tell_endings(&burst, stage)?;
    let report = verified(shop, &mut not_checked).await?;
    Ok(Outcome { played, burst, report, not_checked })
}

fn needs(scenario: &str) -> Option<&'static str> {
    acts::NEED_SHORT_WAITS.iter().find(|(name, _)| *name == scenario).map(|(_, what)| *what)
}

fn without(scenario: &str, needed: &str) -> String {
    format!("the scenario `{scenario}`: a running shop says for itself {needed}")
}

/// Whatever the world did wrong before, now it does what the acts presume.
async fn circumstances(shop: &Client, settings: &[&str]) -> Result<(), Failure> {
    let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
    let faults = Faults::default().patched(&world::nested(&settings)?);
    let faults = faults.map_err(|error| Failure::NotSo(format!("the demo's own settings of the world: {error}")))?;
    let _: Value = shop.patch(&["world"], &json!(faults)).await?;
    Ok(())
}

/// Brings in what the demo will order and the shop does not have any more.
async fn replenish(shop: &Client, orders: u32) -> Result<(), Failure> {
    let stock: Page<Stock> = shop.get(&["stock"], &[]).await?;
    // At most one of each goes into an order of the burst; tins must be enough to run low, pots few.
    let burst = i64::from(orders) + 100;
    for (sku, needed) in [("TEA-001", burst), ("CUP-001", burst), ("TIN-001", 20), ("POT-RARE", 3)] {
        let available = stock.items.iter().find(|row| row.sku == sku).map_or(0, |row| row.available);
        if available < needed {
            let body = json!({ "quantity": needed - available });
            let key = fresh("delivery")?;
            let _: Value = shop.post(&["stock", sku, "replenishments"], Some(&key), &body).await?;
        }
    }
    Ok(())
}

/// The invariants, where the shop can be held against them over HTTP.
async fn verified(shop: &Client, not_checked: &mut Vec<String>) -> Result<Option<Report>, Failure> {
    match shop.get::<Report>(&["verify"], &[]).await {
        Ok(report) => Ok(Some(report)),
        Err(ClientError::Refused { status: 404 | 501, .. }) => {
            not_checked.push("the invariants: the services of this shop have their logs to themselves".to_owned());
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}
