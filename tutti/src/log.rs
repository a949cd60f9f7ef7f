//! The process's log, on stderr: lines for a person on a terminal, JSON otherwise.

use crate::failure::Failure;
use std::io::IsTerminal;
use tracing_subscriber::{EnvFilter, fmt};

/// What is logged unless `TUTTI_LOG` says otherwise.
const USUALLY: &str = "info";

/// Starts logging. `TUTTI_LOG` sets what is logged, as in `TUTTI_LOG=debug` or `TUTTI_LOG=info,runtime=debug`.
///
/// # Errors
/// When `TUTTI_LOG` cannot be understood.
pub fn start() -> Result<(), Failure> {
    let setting = std::env::var("TUTTI_LOG").unwrap_or_else(|_| USUALLY.to_owned());
    let filter = EnvFilter::try_new(&setting);
    let filter = filter.map_err(|error| {
        Failure::Usage(format!("TUTTI_LOG={setting}: {error}; write for example info or info,runtime=debug"))
    })?;
    let log = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let person = std::io::stderr().is_terminal();
    let started = if person { log.try_init() } else { log.json().flatten_event(true).try_init() };
    started.map_err(|error| Failure::Unusable(format!("cannot start the log: {error}")))
}
