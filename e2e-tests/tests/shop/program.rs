//! Runs the program once, and tells how it went.

use std::{fmt, path::Path, process::Stdio, time::Duration};
use tokio::process::Command;

/// Every run that is expected to end by itself does so within this.
const ENDS_WITHIN: Duration = Duration::from_secs(30);

/// The program, in an environment without settings of ours.
pub fn tutti(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tutti-under-test"));
    for name in [
        "LISTEN",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "TUTTI_DATA",
        "TUTTI_LISTEN",
        "TUTTI_LOG",
        "TUTTI_URL",
        "NO_COLOR",
        "RUST_LOG",
    ] {
        command.env_remove(name);
    }
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// How a run went.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit code {}\n--- stdout\n{}--- stderr\n{}", self.code, self.stdout, self.stderr)
    }
}

/// Runs a command to its end.
pub async fn run(command: Command) -> Ran {
    run_within(ENDS_WITHIN, command).await
}

/// Runs a command that takes longer than most.
pub async fn run_within(ends_within: Duration, mut command: Command) -> Ran {
    let ended = tokio::time::timeout(ends_within, command.output()).await;
    let output = ended.unwrap_or_else(|_| panic!("{command:?} does not end")).unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap_or_else(|| panic!("{command:?} ended by a signal: {}", output.status));
    Ran { code, stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Tries to open a shop on `data` at any free port; it is expected not to open.
pub async fn up(data: &Path) -> Ran {
    run(tutti(&["up", "--listen", "127.0.0.1:0", "--data", &data.display().to_string()])).await
}

impl Ran {
    /// It said no in an orderly way: with this exit code, naming each of `named`, without a panic.
    pub fn refused(&self, code: i32, named: &[&str]) {
        assert_eq!(self.code, code, "{self}");
        assert!(!self.stderr.contains("panicked") && !self.stderr.contains("RUST_BACKTRACE"), "{self}");
        for part in named {
            assert!(self.stderr.contains(part), "`{part}` is not named: {self}");
        }
    }
}
