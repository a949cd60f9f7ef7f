//! Documents that are written from the code, and kept in the repository so that people can read them without building.

use std::path::{Path, PathBuf};
use tutti::{
    map,
    saga::{self, SAGA},
};

/// What to do with a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Write it.
    Write,
    /// Only see whether it is what would be written.
    Check,
}

impl Mode {
    /// As the command line says it.
    pub fn of(check: bool) -> Mode {
        if check { Mode::Check } else { Mode::Write }
    }
}

/// The folder of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// `docs/choreography.md`. Written only for a choreography that holds.
pub fn choreography(mode: Mode) -> Result<(), String> {
    saga::check().map_err(|found| format!("the choreography does not hold:\n{found}"))?;
    let text = map::markdown(&map::services(), &SAGA)?;
    bring("docs/choreography.md", &text, mode, "cargo xtask choreography")
}

/// `docs/openapi.json`.
pub fn openapi(mode: Mode) -> Result<(), String> {
    bring("docs/openapi.json", &crate::openapi::served()?, mode, "cargo xtask openapi")
}

/// Writes a document, or says that it is stale.
fn bring(path: &str, text: &str, mode: Mode, command: &str) -> Result<(), String> {
    let file = root().join(path);
    if mode == Mode::Write {
        return std::fs::write(&file, text).map_err(|error| format!("{path}: {error}"));
    }
    let there = std::fs::read_to_string(&file).map_err(|error| format!("{path}: {error}; run `{command}`"))?;
    match there.lines().zip(text.lines()).position(|(there, now)| there != now) {
        None if there == text => Ok(()),
        at => {
            let line = at.unwrap_or_else(|| there.lines().count().min(text.lines().count())) + 1;
            Err(format!("{path} is stale from line {line} on; run `{command}` and commit it"))
        }
    }
}
