//! `tutti reset`: begins anew by deleting a data directory, or the databases and topics of a deployed shop; and nothing
//! that is not one's own.

use super::{
    args::ResetArgs,
    deployed::{Deployed, away},
    setting::optional,
};
use crate::{
    failure::Failure,
    screen::Screen,
    shop::{DataDir, SERVICES},
};
use runtime::{bus::kafka::topics, store::Database};
use serde_json::json;
use std::{
    io::{IsTerminal, Write},
    path::Path,
};
use tokio::runtime::Handle;

/// Deletes the shop, after asking on a terminal.
pub(super) fn run(args: &ResetArgs, screen: &Screen) -> Result<(), Failure> {
    if args.deployed { deployed(args, screen) } else { directory(args, screen) }
}

fn directory(args: &ResetArgs, screen: &Screen) -> Result<(), Failure> {
    let data = &args.data;
    let shown = data.display();
    if !data.exists() {
        return tell(data, false, screen);
    }
    // Taking the directory makes sure that it is a shop's, and that no shop uses it.
    let held = DataDir::open(data).map_err(|error| Failure::Unusable(format!("{error}; nothing was deleted")))?;
    if args.dry_run {
        return tell_dry(&[format!("the directory {shown}")], screen);
    }
    if !args.yes && !confirmed(&format!("{shown} with every order in it"))? {
        return Err(Failure::NotSo("nothing was deleted".into()));
    }
    std::fs::remove_dir_all(data)
        .map_err(|error| Failure::Unusable(format!("--data {shown}: cannot delete it: {error}")))?;
    drop(held);
    tell(data, true, screen)
}

/// Nothing is deleted before every part was found, and no service found to run.
fn deployed(args: &ResetArgs, screen: &Screen) -> Result<(), Failure> {
    let shop = Deployed::of_the_environment("reset")?;
    let databases = SERVICES.map(|service| shop.database(service, false)).into_iter().collect::<Result<Vec<_>, _>>()?;
    let keys = optional("KEYRING_DATABASE_URL").map(|url| Database::new(&url, Handle::current())).transpose();
    let keys = keys.map_err(|error| Failure::Usage(format!("KEYRING_DATABASE_URL: {error}")))?;
    for (service, database) in SERVICES.iter().zip(&databases) {
        database.is_free().map_err(|error| of(service, away(&error)))?;
    }
    let tables =
        SERVICES.iter().zip(&databases).map(|(service, database)| format!("the tables of {service} in {database}"));
    let sealed = keys.iter().map(|keys| format!("the customers' keys in {keys}"));
    let named = SERVICES.iter().map(|service| format!("the topic {}", shop.kafka.topic(service)));
    let named: Vec<_> = tables.chain(sealed).chain(named).collect();
    if args.dry_run {
        return tell_dry(&named, screen);
    }
    if !args.yes && !confirmed(&format!("{}, with every order", named.join(",\n       ")))? {
        return Err(Failure::NotSo("nothing was deleted".into()));
    }
    // Topics last: a service that finds a topic and no log of it refuses to run, so a reset that broke off shows.
    for (service, database) in SERVICES.iter().zip(&databases) {
        database.wipe().map_err(|error| of(service, away(&error)))?;
    }
    keys.iter().try_for_each(|keys| keys.wipe_keys().map_err(|error| away(&error)))?;
    let deleted = Handle::current().block_on(topics::delete(&shop.kafka, &SERVICES));
    deleted.map_err(|error| Failure::Away(format!("{error}; run this again")))?;
    if screen.json {
        return screen.document(&json!({ "deleted": named }));
    }
    screen.say("The shop is deleted. Run `tutti topics create` before it is opened again.")
}

fn of(service: &str, failure: Failure) -> Failure {
    match failure {
        Failure::NotSo(why) => Failure::NotSo(format!("{service}: {why}; nothing was deleted")),
        Failure::Away(why) => Failure::Away(format!("{service}: {why}")),
        other => other,
    }
}

fn confirmed(what: &str) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage("there is nobody to ask; say --yes to delete without asking".into()));
    }
    eprint!("Delete {what}? [y/N] ");
    let read = |error: std::io::Error| Failure::Unusable(format!("cannot read the answer: {error}"));
    std::io::stderr().flush().map_err(read)?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(read)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn tell_dry(named: &[String], screen: &Screen) -> Result<(), Failure> {
    if screen.json {
        return screen.document(&json!({ "dry_run": true, "would_delete": named }));
    }
    screen.say(format!("Would delete:\n  {}", named.join("\n  ")))
}

fn tell(data: &Path, deleted: bool, screen: &Screen) -> Result<(), Failure> {
    if screen.json {
        return screen.document(&json!({ "data": data, "deleted": deleted }));
    }
    let data = data.display();
    screen.say(if deleted { format!("{data} is deleted.") } else { format!("{data} is not there: nothing to delete.") })
}
