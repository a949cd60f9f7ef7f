//! `tutti reset`: begins anew by deleting a data directory, and nothing that is not one.

use super::args::ResetArgs;
use crate::{failure::Failure, screen::Screen, shop::DataDir};
use serde_json::json;
use std::{
    io::{IsTerminal, Write},
    path::Path,
};

/// Deletes the directory, after asking on a terminal.
pub(super) fn run(args: &ResetArgs, screen: &Screen) -> Result<(), Failure> {
    let data = &args.data;
    let shown = data.display();
    if !data.exists() {
        return tell(data, false, screen);
    }
    // Taking the directory makes sure that it is a shop's, and that no shop uses it.
    let held = DataDir::open(data).map_err(|error| Failure::Unusable(format!("{error}; nothing was deleted")))?;
    if !args.yes && !confirmed(data)? {
        return Err(Failure::NotSo("nothing was deleted".into()));
    }
    std::fs::remove_dir_all(data)
        .map_err(|error| Failure::Unusable(format!("--data {shown}: cannot delete it: {error}")))?;
    drop(held);
    tell(data, true, screen)
}

fn confirmed(data: &Path) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage("there is nobody to ask; say --yes to delete without asking".into()));
    }
    eprint!("Delete {} with every order in it? [y/N] ", data.display());
    let read = |error: std::io::Error| Failure::Unusable(format!("cannot read the answer: {error}"));
    std::io::stderr().flush().map_err(read)?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(read)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn tell(data: &Path, deleted: bool, screen: &Screen) -> Result<(), Failure> {
    if screen.json {
        return screen.document(&json!({ "data": data, "deleted": deleted }));
    }
    let data = data.display();
    screen.say(if deleted { format!("{data} is deleted.") } else { format!("{data} is not there: nothing to delete.") })
}
