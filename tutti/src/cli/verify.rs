//! `tutti verify`: the invariants, held against a data directory or a running shop.

use super::args::VerifyArgs;
use crate::{
    client::Client,
    failure::Failure,
    invariants::{self, Deployed, Progress, Report, SERVICES},
    screen::Screen,
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::path::Path;
use tokio::runtime::Handle;

/// Verifies what was asked for, prints the report, and fails if an invariant is violated.
pub(super) async fn run(args: &VerifyArgs, shop: &Client, screen: &Screen) -> Result<(), Failure> {
    let report: Report = match &args.data {
        _ if args.deployed => tokio::task::block_in_place(|| deployed(args, screen))?,
        Some(data) => tokio::task::block_in_place(|| directory(data, screen))?,
        None => shop.get(&["verify"], &[]).await?,
    };
    if screen.json {
        let document = serde_json::to_value(&report);
        screen
            .document(&document.map_err(|error| Failure::NotSo(format!("the report cannot be written: {error}")))?)?;
    } else {
        screen.say(report.render(screen))?;
    }
    match report.violated() {
        0 => Ok(()),
        count => Err(Failure::NotSo(format!("{count} violations of the invariants"))),
    }
}

/// Holds a data directory against the invariants.
///
/// # Errors
/// When the directory is no shop's or cannot be read.
pub(crate) fn directory(data: &Path, screen: &Screen) -> Result<Report, Failure> {
    let bar = Bar::new(screen);
    let report = invariants::verify_dir(data, &bar);
    bar.0.finish_and_clear();
    report.map_err(|error| Failure::Unusable(format!("--data {error}")))
}

/// Holds the databases that the environment names against the invariants.
fn deployed(args: &VerifyArgs, screen: &Screen) -> Result<Report, Failure> {
    let mut databases = [const { String::new() }; SERVICES.len()];
    for (url, service) in databases.iter_mut().zip(SERVICES) {
        let setting = format!("{}_DATABASE_URL", service.to_uppercase());
        let missing = || Failure::Usage(format!("--deployed needs {setting}: the URL of the database of {service}"));
        *url = std::env::var(&setting).map_err(|_| missing())?;
    }
    let bar = Bar::new(screen);
    let shop = Deployed { databases, world: args.world_url.clone() };
    let report = invariants::verify_deployed(&shop, &Handle::current(), &bar);
    bar.0.finish_and_clear();
    report.map_err(|error| Failure::Unusable(error.to_string()))
}

/// Shows on a terminal how far the verification is.
struct Bar(ProgressBar);

impl Bar {
    fn new(screen: &Screen) -> Bar {
        let target = if screen.terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("  {prefix:20} {bar:40} {pos}/{len}") {
            bar.set_style(style);
        }
        Bar(bar)
    }
}

impl Progress for Bar {
    fn begin(&self, part: &str, rows: u64) {
        self.0.set_prefix(part.to_owned());
        self.0.set_position(0);
        self.0.set_length(rows);
    }
    fn done(&self, rows: u64) {
        self.0.inc(rows);
    }
}
