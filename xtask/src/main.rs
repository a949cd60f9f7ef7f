//! What CI and contributors run: `cargo xtask <task>`.

mod bench;
mod generated;
mod lints;
mod openapi;
mod simulate;

use clap::{Parser, Subcommand};
use generated::Mode;
use std::process::ExitCode;

/// What CI and contributors run.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Xtask {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Write docs/choreography.md from the types of the decisions
    Choreography {
        /// Write nothing; fail when it is stale
        #[arg(long)]
        check: bool,
    },
    /// Write docs/openapi.json as a shop serves it
    Openapi {
        /// Write nothing; fail when it is stale
        #[arg(long)]
        check: bool,
    },
    /// Look for what no compiler finds: stale links and commands, folders without a purpose
    CiLints,
    /// Play simulated histories of the shop, as `--seeds 0..1000`, and hold them against its invariants
    #[command(disable_help_flag = true)]
    Simulate {
        /// The simulation's own arguments; `--help` lists them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Plant known defects in a copy of the sources and show in how many simulated histories each is found
    #[command(disable_help_flag = true)]
    Defects {
        /// Its own arguments; `--help` lists them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Measure how fast the embedded shop is, with the machine's floor beside it
    Bench(bench::Args),
}

fn main() -> ExitCode {
    let done = match Xtask::parse().task {
        Task::Choreography { check } => generated::choreography(Mode::of(check)),
        Task::Openapi { check } => generated::openapi(Mode::of(check)),
        Task::CiLints => lints::run(),
        Task::Simulate { args } => simulate::run(&args),
        Task::Defects { args } => simulate::defects(&args),
        Task::Bench(args) => bench::run(args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}
