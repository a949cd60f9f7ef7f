//! The demo's shop: a process of its own, so that it can really be killed.

use crate::{client::Client, failure::Failure};
use serde::Deserialize;
use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child as Process, Command},
};

/// How long the shop may take to open, also after a kill in the middle of everything.
const OPENS_WITHIN: Duration = Duration::from_secs(20);
/// How long it may take to close.
const CLOSES_WITHIN: Duration = Duration::from_secs(20);

/// A shop in a process of its own, over its starts, stops and kills.
pub(super) struct Child {
    folder: PathBuf,
    data: PathBuf,
    listen: String,
    running: Option<Process>,
}

/// The first line that `tutti --json up` prints, once it is ready.
#[derive(Deserialize)]
struct Ready {
    url: String,
}

/// A free port that the system gives to no client: one that tries to reach a dead server on a port of that kind can
/// get connected to itself, and keep the server from coming back.
fn quiet_port() -> u16 {
    let first = 20_000 + u16::try_from(std::process::id() % 10_000).unwrap_or_default();
    let free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    (first..32_000).find(free).unwrap_or_default()
}

impl Child {
    pub(super) fn new(folder: &Path) -> Child {
        let listen = format!("127.0.0.1:{}", quiet_port());
        Child { folder: folder.to_owned(), data: folder.join("data"), listen, running: None }
    }

    pub(super) fn data(&self) -> &Path {
        &self.data
    }

    /// Starts the shop, waits until it is ready, and gives a client of it.
    pub(super) async fn start(&mut self, options: &[&str]) -> Result<Client, Failure> {
        let mut process =
            self.command(options)?.spawn().map_err(|error| self.failed(&format!("cannot start: {error}")))?;
        let stdout = process.stdout.take();
        self.running = Some(process);
        let mut line = String::new();
        if let Some(stdout) = stdout {
            let mut reader = BufReader::new(stdout);
            let read = tokio::time::timeout(OPENS_WITHIN, reader.read_line(&mut line)).await;
            let read = read.map_err(|_| self.failed("is not ready in time"))?;
            read.map_err(|error| self.failed(&format!("cannot be heard: {error}")))?;
        }
        let ready: Ready = serde_json::from_str(&line).map_err(|_| self.failed("ended before it was ready"))?;
        self.listen = ready.url.trim_start_matches("http://").to_owned();
        super::client(&ready.url)
    }

    fn command(&self, options: &[&str]) -> Result<Command, Failure> {
        let program = std::env::current_exe();
        let program = program.map_err(|error| self.failed(&format!("cannot be found: {error}")))?;
        let log = File::options().create(true).append(true).open(self.log());
        let log = log.map_err(|error| self.failed(&format!("cannot write its log: {error}")))?;
        let mut command = Command::new(program);
        command.args(["--json", "up", "--until-stdin-ends", "--listen", &self.listen, "--data"]).arg(&self.data);
        command.args(options).env_remove("TUTTI_DATA").env_remove("TUTTI_LISTEN").env_remove("TUTTI_URL");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).kill_on_drop(true);
        Ok(command)
    }

    /// Closes the shop in an orderly way: its stdin ends.
    pub(super) async fn stop(&mut self) -> Result<(), Failure> {
        let Some(mut process) = self.running.take() else { return Ok(()) };
        drop(process.stdin.take());
        let ended = tokio::time::timeout(CLOSES_WITHIN, process.wait()).await;
        let status = ended.map_err(|_| self.failed("does not close in time"))?;
        let status = status.map_err(|error| self.failed(&format!("cannot be waited for: {error}")))?;
        if status.success() { Ok(()) } else { Err(self.failed(&format!("did not close well: {status}"))) }
    }

    /// Kills the process as the kernel would: nothing gets a chance to tidy up.
    pub(super) async fn kill(&mut self) {
        if let Some(mut process) = self.running.take() {
            // An error means that it has ended already, which is what was asked for.
            _ = process.kill().await;
        }
    }

    fn log(&self) -> PathBuf {
        self.folder.join("shop.log")
    }

    /// What went wrong, with the end of the shop's log: the directory may be gone before anybody can look.
    fn failed(&self, what: &str) -> Failure {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        let last: Vec<&str> = log.lines().rev().take(5).collect();
        let last: String = last.iter().rev().map(|line| format!("\n  {line}")).collect();
        Failure::NotSo(format!("the demo's shop {what}{last}"))
    }
}
