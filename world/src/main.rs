//! Starts the outside world as a server; everything else is in the library, where tests reach it.

use clap::Parser;
use std::{io::IsTerminal, process::ExitCode};
use tracing_subscriber::{EnvFilter, fmt};
use world::server::{Server, ServerError, args::Args};

/// What is logged unless `TUTTI_LOG` says otherwise.
const USUALLY: &str = "info";

fn main() -> ExitCode {
    match log().and_then(|()| run(&Args::parse())) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("world: {error}");
            // As `tutti` has it: 2 where the settings make no sense, 4 where this machine does not offer what they name.
            ExitCode::from(if matches!(error, ServerError::Setting(_)) { 2 } else { 4 })
        }
    }
}

fn run(args: &Args) -> Result<ExitCode, ServerError> {
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let tokio =
        tokio.map_err(|error| ServerError::Unusable(format!("cannot start the threads of this process: {error}")))?;
    tokio.block_on(async {
        if args.health {
            let alive = runtime::process::is_alive(args.listen).await;
            return alive.map(|()| ExitCode::SUCCESS).map_err(ServerError::Unusable);
        }
        let server = Server::open(args).await?;
        println!("The outside world is open: http://{}", server.address());
        server.run().await.map(|()| ExitCode::SUCCESS)
    })
}

/// On stderr: lines for a person on a terminal, JSON otherwise.
fn log() -> Result<(), ServerError> {
    let setting = std::env::var("TUTTI_LOG").unwrap_or_else(|_| USUALLY.to_owned());
    let filter = EnvFilter::try_new(&setting);
    let filter = filter.map_err(|error| {
        ServerError::Setting(format!("TUTTI_LOG={setting}: {error}; write for example info or info,runtime=debug"))
    })?;
    let log = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let person = std::io::stderr().is_terminal();
    let started = if person { log.try_init() } else { log.json().flatten_event(true).try_init() };
    started.map_err(|error| ServerError::Unusable(format!("cannot start the log: {error}")))
}
