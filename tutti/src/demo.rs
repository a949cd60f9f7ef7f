//! `tutti demo`: starts a shop of its own, plays every ending and every race through its HTTP API, then a burst with a
//! real kill in the middle, and verifies it all.
//!
//! What is played is data ([`acts`] and [`mix`]); one small engine plays it (`play`, `burst`). With `--against` it plays in
//! a shop that is running already (`against`).

pub mod acts;
mod against;
mod burst;
mod child;
mod endings;
pub mod mix;
mod play;
pub mod scenario;
mod shown;
mod stage;

use crate::{
    cli::{args::DemoArgs, verify},
    client::Client,
    failure::Failure,
    interrupt::interrupted,
    invariants::Report,
    screen::{Screen, Tone},
    time::span,
};
use burst::Middle;
use child::Child;
use endings::Burst;
use play::Played;
use serde_json::json;
use stage::Stage;
use std::{path::Path, time::Instant};
use tempfile::TempDir;

/// Short waits, so that a deadline can be watched: they hold while the acts are played.
const FOR_THE_ACTS: &[&str] = &[
    "--order-deadline=5s",
    "--pick-up=3s",
    "--world=gateway.slow_ms=1500",
    "--world=gateway.unknown_ms=1500",
    "--world=carrier.transit_ms=1000",
];
/// In the burst no order may run into its deadline only because the machine is slow.
const FOR_THE_BURST: &[&str] = &["--order-deadline=5m", "--pick-up=5m", "--world=gateway.slow_ms=1500"];

/// Everything the demo found out.
struct Outcome {
    played: Vec<Played>,
    burst: Burst,
    /// None where the shop cannot be held against the invariants from outside.
    report: Option<Report>,
    /// What could not be looked at, and why.
    not_checked: Vec<String>,
}

/// Plays the demo, in a shop of its own unless the arguments name another one.
///
/// # Errors
/// When an order did not end as it should, an invariant is violated, or the shop could not be run or reached.
pub async fn run(args: &DemoArgs, screen: &Screen) -> Result<(), Failure> {
    match &args.against {
        Some(url) => against::run(url, args, screen).await,
        None => in_a_shop_of_its_own(args, screen).await,
    }
}

/// Plays the demo. Its data directory is deleted at the end, unless something went wrong or the person wants to keep it.
async fn in_a_shop_of_its_own(args: &DemoArgs, screen: &Screen) -> Result<(), Failure> {
    let began = Instant::now();
    let folder = tempfile::Builder::new().prefix("tutti-demo-").tempdir();
    let folder = folder.map_err(|error| Failure::Unusable(format!("cannot make a temporary directory: {error}")))?;
    let stage = Stage::new(*screen);
    let mut child = Child::new(folder.path());
    let outcome = tokio::select! {
        outcome = whole(&mut child, args.orders, &stage) => outcome,
        () = interrupted() => Err(Failure::Interrupted),
    };
    child.kill().await;
    stage.clear();
    let verdict = outcome.and_then(|outcome| conclude(&outcome, began, NEXT, screen));
    let failed = matches!(&verdict, Err(failure) if !matches!(failure, Failure::Interrupted | Failure::Unread));
    clean_up(folder, args.keep || failed, screen)?;
    verdict
}

async fn whole(child: &mut Child, orders: u32, stage: &Stage) -> Result<Outcome, Failure> {
    let shop = child.start(FOR_THE_ACTS).await?;
    stage.say(&format!("A shop of its own is open at {}, in {}.", shop.url(), child.data().display()))?;
    let mut played = vec![];
    for act in acts::ACTS {
        played.extend(play::act(act, act.scenarios.iter(), &shop, stage).await?);
    }
    child.stop().await?;
    let shop = child.start(FOR_THE_BURST).await?;
    let burst = burst::play(orders, Middle::Kill(child), &shop, stage).await?;
    tell_endings(&burst, stage)?;
    child.stop().await?;
    let report = tokio::task::block_in_place(|| verify::directory(child.data(), &stage.screen))?;
    Ok(Outcome { played, burst, report: Some(report), not_checked: vec![] })
}

fn tell_endings(burst: &Burst, stage: &Stage) -> Result<(), Failure> {
    let heading = stage.screen.paint(Tone::Strong, "How they ended");
    stage.say(&format!("\n{heading}\n{}", burst.render(&stage.screen)))
}

fn conclude(outcome: &Outcome, began: Instant, next: &str, screen: &Screen) -> Result<(), Failure> {
    let Outcome { played, burst, report, not_checked } = outcome;
    let violated = report.as_ref().map_or(0, Report::violated);
    let bad = played.iter().filter(|played| played.problem.is_some()).count() + burst.wrong();
    if screen.json {
        let document = json!({ "scenarios": played, "burst": burst, "verify": report, "not_checked": not_checked,
                "ok": bad == 0 && violated == 0 });
        screen.document(&document)?;
    } else {
        tell_findings(report.as_ref(), not_checked, screen)?;
    }
    let took = span(began.elapsed());
    match (bad, violated) {
        (0, 0) if screen.json => Ok(()),
        (0, 0) => screen.say(format!(
            "{}{next}",
            screen.paint(Tone::Good, &format!("Every order ended as it should. {took} in all."))
        )),
        (bad, violations) => {
            Err(Failure::NotSo(format!("{bad} orders did not end as they should, {violations} invariants violated")))
        }
    }
}

fn tell_findings(report: Option<&Report>, not_checked: &[String], screen: &Screen) -> Result<(), Failure> {
    if let Some(report) = report {
        screen.say(format!("\n{}\n{}\n", screen.paint(Tone::Strong, "What verify says"), report.render(screen)))?;
    }
    if !not_checked.is_empty() {
        screen.say(format!("\n{}", screen.paint(Tone::Strong, "Not checked here")))?;
        not_checked.iter().try_for_each(|what| screen.say(format!("  {what}")))?;
        screen.say("")?;
    }
    Ok(())
}

const NEXT: &str = "

Now try it yourself:
  tutti up                                     a shop that stays; kill -9 it whenever you like
  tutti order place TEA-001:2 --wait settled   in a second terminal
  tutti world set carrier.collects=false       break it, then `tutti order watch ORDER_ID`
  tutti map                                    who reacts to what";

fn clean_up(folder: TempDir, keep: bool, screen: &Screen) -> Result<(), Failure> {
    if keep {
        let path = folder.keep();
        return tell_kept(&path, screen);
    }
    let path = folder.path().display().to_string();
    folder.close().map_err(|error| Failure::Unusable(format!("cannot delete {path}: {error}")))
}

fn tell_kept(path: &Path, screen: &Screen) -> Result<(), Failure> {
    if screen.json {
        eprintln!("{}", json!({ "kept": path }));
        return Ok(());
    }
    let path = path.display();
    screen.say(format!(
        "\nKept: {path}/data (look into it with `tutti up --data {path}/data`), and the shop's log {path}/shop.log"
    ))
}

/// The client of a shop on this machine.
fn client(url: &str) -> Result<Client, Failure> {
    Client::new(url).map_err(|error| Failure::Unusable(format!("the shop told a strange address: {error}")))
}
