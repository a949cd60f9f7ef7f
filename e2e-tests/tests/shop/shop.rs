//! One shop over its starts, stops and kills: a process of its own on a data directory of its own.

use crate::{client::Client, program::tutti};
use serde_json::Value;
use std::{
    fs::{self, File},
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// How long a start may take, also after a kill in the middle of everything.
const OPENS_WITHIN: Duration = Duration::from_secs(60);
/// How long requests under way may hold up an orderly end (10 s), and some time for everything else.
const ENDS_WITHIN: Duration = Duration::from_secs(20);

/// A shop.
pub struct Shop {
    /// Speaks to it; follows it to its new address after a restart.
    pub client: Client,
    folder: TempDir,
    options: Vec<String>,
    /// Environment variables of its own.
    settings: Vec<(&'static str, String)>,
    process: Option<Child>,
}

impl Shop {
    /// Opens a shop on a new data directory.
    pub async fn open(options: &[&str]) -> Shop {
        Shop::open_with(options, &[]).await
    }

    /// Opens a shop with environment variables of its own.
    pub async fn open_with(options: &[&str], settings: &[(&'static str, &str)]) -> Shop {
        let mut shop = Shop {
            client: Client::default(),
            folder: tempfile::tempdir().unwrap(),
            options: options.iter().map(ToString::to_string).collect(),
            settings: settings.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
            process: None,
        };
        shop.start().await;
        shop
    }

    /// Its data directory.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Everything it wrote to its log so far, over all starts.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// Starts it on its data directory, at any free port, and waits until it is ready.
    pub async fn start(&mut self) {
        self.spawn();
        let stdout = self.process.as_mut().unwrap().stdout.take().unwrap();
        let mut line = String::new();
        let read = tokio::time::timeout(OPENS_WITHIN, BufReader::new(stdout).read_line(&mut line)).await;
        let ready: Result<Value, _> = serde_json::from_str(&line);
        let ready = ready.unwrap_or_else(|_| panic!("the shop does not open ({read:?}): {}", self.log()));
        self.client.moved_to(ready["url"].as_str().unwrap());
    }

    /// Starts it with other options.
    pub async fn start_with(&mut self, options: &[&str]) {
        self.options = options.iter().map(ToString::to_string).collect();
        self.start().await;
    }

    /// Starts the process, and does not wait for it.
    pub fn spawn(&mut self) {
        assert!(self.process.is_none(), "it runs already");
        let log = File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        // Its end of our pipe closes with us, however we end, so that no shop outlives its test.
        let mut command = tutti(&["--json", "up", "--until-stdin-ends", "--listen", "127.0.0.1:0", "--data"]);
        command.arg(self.data()).args(&self.options).env("TUTTI_LOG", "debug").stdin(Stdio::piped()).stderr(log);
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        self.process = Some(command.spawn().unwrap());
    }

    /// The running process.
    pub fn pid(&self) -> u32 {
        self.process.as_ref().unwrap().id().unwrap()
    }

    /// SIGKILL: nothing gets a chance to tidy up.
    pub async fn kill(&mut self) {
        self.client.moved_away();
        self.process.take().unwrap().kill().await.unwrap();
    }

    /// SIGTERM, and how it ended.
    pub async fn terminate(&mut self) -> ExitStatus {
        // The standard library sends SIGKILL only; every shell has a kill of its own.
        let signal = format!("kill -TERM {}", self.pid());
        assert!(Command::new("sh").args(["-c", &signal]).status().await.unwrap().success());
        let mut process = self.process.take().unwrap();
        // Waiting closes the pipe, which would ask it to end once more, by another way.
        let _open = process.stdin.take();
        let ended = tokio::time::timeout(ENDS_WITHIN, process.wait()).await;
        self.client.moved_away();
        ended.unwrap_or_else(|_| panic!("it does not end within {ENDS_WITHIN:?}: {}", self.log())).unwrap()
    }

    /// Ends it in an orderly way.
    pub async fn close(&mut self) {
        let status = self.terminate().await;
        assert!(status.success(), "{status}: {}", self.log());
    }
}
