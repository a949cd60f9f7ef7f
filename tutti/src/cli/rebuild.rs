//! `tutti republish`, `recover` and `skip`: what an operator does after a broker or a database was lost.

use super::{
    args::{RecoverArgs, RepublishArgs, SkipArgs},
    deployed::{Connected, Deployed, service},
    setting::optional,
};
use crate::{failure::Failure, screen::Screen, shop::SERVICES};
use choreography::{Service, Topic};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use runtime::{
    Clock, Position, SystemClock,
    recover::{self, RecoverError, Recovered},
    republish::{self, Lacking, RepublishError},
    skip::{self, Skip, SkipError},
    store::{Database, MemoryStore, Read},
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// As the services count their builds; a job never takes the lead from a newer one.
const BUILD: u64 = 1;
/// As `tutti up` has it.
const PICK_UP_S: u64 = 24 * 3600;

/// `tutti republish`.
pub(super) fn republish(args: &RepublishArgs, screen: &Screen) -> Result<(), Failure> {
    let deployed = Deployed::of_the_environment("publish")?;
    let services = match &args.service {
        Some(name) => vec![service(name)?],
        None => SERVICES.to_vec(),
    };
    // Every setting is looked at before anything is done.
    let databases = services.iter().map(|name| deployed.database(name, args.service.is_some()));
    let databases = databases.collect::<Result<Vec<_>, _>>()?;
    let mut told = vec![];
    for (name, database) in services.into_iter().zip(databases) {
        let lacking = republish_one(&deployed, name, database, args.dry_run, screen)?;
        told.push(tell_lacking(name, lacking, args.dry_run, screen)?);
    }
    if screen.json { screen.document(&json!({ "dry_run": args.dry_run, "services": told })) } else { Ok(()) }
}

fn republish_one(
    deployed: &Deployed,
    name: &'static str,
    database: Database,
    dry_run: bool,
    screen: &Screen,
) -> Result<Option<Lacking>, Failure> {
    let bar = bar(name, screen);
    let progress = |done, of| show(&bar, done, of);
    let Connected { store, read, mut bus, bell } = deployed.connect(name, &[name], database)?;
    let done = if dry_run {
        republish::lacking(name, &*read, &mut *bus, &bell, &progress)
    } else {
        let parts = republish::Parts { service: name, store, read, bus, bell, build: BUILD };
        republish::republish(parts, &progress)
    };
    bar.finish_and_clear();
    done.map_err(|error| match error {
        RepublishError::Store(_) | RepublishError::Bus(_) | RepublishError::HeldUp(_) => {
            Failure::Away(format!("{name}: {error}"))
        }
        refused => Failure::NotSo(refused.to_string()),
    })
}

fn tell_lacking(name: &str, lacking: Option<Lacking>, dry_run: bool, screen: &Screen) -> Result<Value, Failure> {
    let events = lacking.map_or(0, |lacking| lacking.events);
    let after = lacking.map(|lacking| shown(lacking.after));
    if !screen.json {
        screen.say(match (&after, dry_run) {
            (None, _) => format!("{name}: its topic lacks nothing."),
            (Some(after), true) => format!("{name}: {events} events behind {after} would be published again."),
            (Some(after), false) => format!("{name}: {events} events behind {after} are published again."),
        })?;
    }
    Ok(json!({ "service": name, "lacks": lacking.is_some(), "after": after, "events": events }))
}

/// `tutti recover`.
pub(super) fn recover(args: &RecoverArgs, screen: &Screen) -> Result<(), Failure> {
    let deployed = Deployed::of_the_environment("recover")?;
    let name = service(&args.service)?;
    let database = deployed.database(name, true)?;
    let job = Job { deployed, database, dry_run: args.dry_run, screen };
    let recovered = match name {
        "order" => job.recover(order::service()),
        "inventory" => job.recover(inventory::service()),
        "payment" => job.recover(payment::service()),
        "shipping" => job.recover(shipping::service(pick_up()?)),
        "email" => job.recover(email::service()),
        other => Err(Failure::Usage(format!("nothing is known of a service `{other}`"))),
    }?;
    tell_recovered(name, &recovered, args.dry_run, screen)
}

fn pick_up() -> Result<Duration, Failure> {
    let seconds = optional("PICK_UP_S").map_or(Ok(PICK_UP_S), |text| {
        text.parse().map_err(|_| Failure::Usage(format!("PICK_UP_S is `{text}`; give a number of seconds")))
    });
    Ok(Duration::from_secs(seconds?))
}

struct Job<'j> {
    deployed: Deployed,
    database: Database,
    dry_run: bool,
    screen: &'j Screen,
}

impl Job<'_> {
    fn recover<T: Topic>(self, service: Service<T>) -> Result<Recovered, Failure> {
        let bar = bar(T::NAME, self.screen);
        let progress = |done, of| show(&bar, done, of);
        let topics: Vec<_> = service.sources().into_iter().chain([T::NAME]).collect();
        let blank = self.database.is_blank().map_err(|error| Failure::Away(error.to_string()))?;
        let Connected { store, read, mut bus, bell } = self.deployed.connect(T::NAME, &topics, self.database)?;
        let done = if self.dry_run {
            let read: Arc<dyn Read> = if blank { Arc::new(MemoryStore::new(0)) } else { read };
            recover::plan(T::NAME, &*read, &mut *bus, &bell, &progress)
        } else {
            let clock = Arc::new(SystemClock);
            recover::recover(recover::Parts { service, store, read, bus, bell, clock, build: BUILD }, &progress)
        };
        bar.finish_and_clear();
        done.map_err(|error| match error {
            RecoverError::Store(_) | RecoverError::Bus(_) => Failure::Away(format!("{}: {error}", T::NAME)),
            refused => Failure::NotSo(refused.to_string()),
        })
    }
}

fn tell_recovered(name: &str, recovered: &Recovered, dry_run: bool, screen: &Screen) -> Result<(), Failure> {
    let Recovered { from, to, events, open_work, parked, generation, doubts } = recovered;
    if screen.json {
        return screen.document(&json!({
            "service": name, "dry_run": dry_run, "from": shown(*from), "to": shown(*to), "events": events,
            "open_work": open_work, "parked": parked, "generation": generation, "doubts": doubts,
        }));
    }
    if *events == 0 {
        return screen.say(format!("{name}: its database lacks nothing that its topic has."));
    }
    let (from, to) = (shown(*from), shown(*to));
    if dry_run {
        return screen
            .say(format!("{name}: its database ends at {from}, its topic at {to}: {events} events would be taken."));
    }
    screen.say(format!("{name}: {events} events behind {from} up to {to} are taken from its topic."))?;
    screen.say(format!("Open again: {open_work} effects and timers. Set aside: {parked} records."))?;
    doubts.iter().try_for_each(|doubt| screen.say(format!("Taken as it stands: {doubt}")))?;
    screen.say(format!("Start {name}; what is open is asked for by its key, and never called first."))
}

/// `tutti skip`.
pub(super) fn skip(args: &SkipArgs, screen: &Screen) -> Result<(), Failure> {
    let deployed = Deployed::of_the_environment("skip")?;
    let (name, source) = (service(&args.service)?, service(&args.source)?);
    let database = deployed.database(name, true)?;
    let Connected { store, read, bus, bell } = deployed.connect(name, &[source], database)?;
    let parts = skip::Parts { service: name, source, store, read, bus, bell, build: BUILD };
    let skip = Skip { source: source.to_owned(), seq: args.seq, reason: args.reason.clone() };
    let record = skip::skip(parts, &skip, SystemClock.now(), args.dry_run).map_err(|error| match error {
        SkipError::Reason => Failure::Usage(format!("--reason: {error}")),
        SkipError::Store(_) | SkipError::Bus(_) => Failure::Away(error.to_string()),
        refused => Failure::NotSo(refused.to_string()),
    })?;
    if screen.json {
        return screen
            .document(&json!({ "service": name, "record": record, "reason": args.reason, "dry_run": args.dry_run }));
    }
    screen.say(if args.dry_run {
        format!("{record} is missing and could be skipped; {name} would go on behind it.")
    } else {
        format!("{record} is given up; {name} goes on behind it. That is recorded among what is parked.")
    })
}

/// An event as people see it; the beginning of a log where there is none.
fn shown(at: Position) -> String {
    if at == Position::default() { "the beginning".to_owned() } else { format!("{}.0.{}", at.generation, at.seq) }
}

fn bar(name: &str, screen: &Screen) -> ProgressBar {
    let target = if screen.terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(None, target);
    if let Ok(style) = ProgressStyle::with_template("  {prefix:20} {bar:40} {pos}/{len} {eta}") {
        bar.set_style(style);
    }
    bar.set_prefix(name.to_owned());
    bar
}

fn show(bar: &ProgressBar, done: u64, of: u64) {
    bar.set_length(of);
    bar.set_position(done);
}
