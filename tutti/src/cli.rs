//! The command line: what it offers ([`args`]), and one file per command.

pub mod args;
mod databases;
mod deployed;
mod edge;
mod map;
pub(crate) mod order;
pub(crate) mod order_show;
mod rebuild;
mod reset;
mod schemas;
mod setting;
mod stock;
mod topics;
mod up;
pub(crate) mod verify;
pub(crate) mod world;

use crate::{client::Client, demo, failure::Failure, screen::Screen};
use args::{Cli, Command, DatabasesCommand};
use clap::{CommandFactory, Parser};
use std::process::ExitCode;

/// Reads the arguments, does what they ask, and tells how it went.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let screen = Screen::detect(cli.json);
    match runtime_of_process().and_then(|tokio| tokio.block_on(run(cli, &screen))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(&screen),
    }
}

fn runtime_of_process() -> Result<tokio::runtime::Runtime, Failure> {
    let built = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    built.map_err(|error| Failure::Unusable(format!("cannot start the threads of this process: {error}")))
}

async fn run(cli: Cli, screen: &Screen) -> Result<(), Failure> {
    let shop = || Client::new(&cli.url).map_err(Failure::Usage);
    match cli.command {
        Command::Up(args) => up::run(args, screen).await,
        Command::Demo(args) => demo::run(&args, screen).await,
        Command::Edge(args) => edge::run(&args, screen).await,
        Command::Databases(DatabasesCommand::Create) => databases::create(screen).await,
        Command::Topics(what) => topics::run(what, screen).await,
        Command::Schemas(what) => schemas::run(what, screen).await,
        Command::Order(what) => order::run(what, &shop()?, screen).await,
        Command::Stock(what) => stock::run(what, &shop()?, screen).await,
        Command::World(what) => world::run(what, &shop()?, screen).await,
        Command::Map { format } => map::run(format, screen),
        Command::Verify(args) => verify::run(&args, &shop()?, screen).await,
        Command::Republish(args) => tokio::task::block_in_place(|| rebuild::republish(&args, screen)),
        Command::Recover(args) => tokio::task::block_in_place(|| rebuild::recover(&args, screen)),
        Command::Skip(args) => tokio::task::block_in_place(|| rebuild::skip(&args, screen)),
        Command::Reset(args) => tokio::task::block_in_place(|| reset::run(&args, screen)),
        Command::Completions { shell } => completions(shell, screen),
    }
}

fn completions(shell: clap_complete::Shell, screen: &Screen) -> Result<(), Failure> {
    let mut script = vec![];
    clap_complete::generate(shell, &mut Cli::command(), "tutti", &mut script);
    screen.say(String::from_utf8_lossy(&script).trim_end())
}
