//! What CI and contributors run: `cargo xtask <task>`.

mod bench;
mod generated;
mod lints;
mod openapi;

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
    /// Measure how fast the embedded shop is, with the machine's floor beside it
    Bench(bench::Args),
}

fn main() -> ExitCode {
    let done = match Xtask::parse().task {
        Task::Choreography { check } => generated::choreography(Mode::of(check)),
        Task::Openapi { check } => generated::openapi(Mode::of(check)),
        Task::CiLints => lints::run(),
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
