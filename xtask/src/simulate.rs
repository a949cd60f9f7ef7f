//! `cargo xtask simulate` and `cargo xtask defects`: the deterministic simulation, in a process of its own.
//! It is not linked in here, so that its virtual clock is in no other program.

use std::process::Command;

/// Plays simulated histories, optimised: the same build as CI's demo and measurements, several times as fast as one
/// for development; `args` are the simulation's own, see `--help`.
///
/// # Errors
/// When it cannot be built, or something broke.
pub fn run(args: &[String]) -> Result<(), String> {
    cargo(&["run", "--quiet", "--release", "--package", "simulation", "--bin", "simulation", "--"], args)
}

/// Plants defects one after the other and shows in how many histories each is found.
///
/// # Errors
/// When one is not found, or nothing can be built.
pub fn defects(args: &[String]) -> Result<(), String> {
    cargo(&["run", "--quiet", "--package", "simulation", "--bin", "defects", "--"], args)
}

fn cargo(run: &[&str], args: &[String]) -> Result<(), String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let status = Command::new(cargo).args(run).args(args).status().map_err(|e| format!("cargo does not start: {e}"))?;
    if status.success() { Ok(()) } else { Err("something broke, see above".into()) }
}
