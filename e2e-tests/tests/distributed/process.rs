//! One program as a process: its settings, its log, its end.

use crate::{client::Client, ports, wait::until};
use serde_json::Value;
use std::{
    fs::{self, File},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tokio::process::{Child, Command};

/// Requests under way may hold up an orderly end for 10 s, and the engine for 10 s more.
const ENDS_WITHIN: Duration = Duration::from_secs(40);

/// A program that runs, or will run again with the same settings at the same addresses.
pub struct Process {
    pub name: &'static str,
    /// Speaks to its public address.
    pub client: Client,
    /// Speaks to its address for operators.
    pub admin: Client,
    pub listen: SocketAddr,
    #[allow(dead_code, reason = "shared with tests that need it nowhere else")]
    pub admin_listen: SocketAddr,
    settings: Vec<(&'static str, String)>,
    log: PathBuf,
    child: Option<Child>,
}

/// The program, in an environment without any settings.
pub fn program(name: &str) -> Command {
    let path = match name {
        "order" => env!("CARGO_BIN_EXE_order-under-test"),
        "inventory" => env!("CARGO_BIN_EXE_inventory-under-test"),
        "payment" => env!("CARGO_BIN_EXE_payment-under-test"),
        "shipping" => env!("CARGO_BIN_EXE_shipping-under-test"),
        "email" => env!("CARGO_BIN_EXE_email-under-test"),
        "edge" | "tutti" => env!("CARGO_BIN_EXE_tutti-under-test"),
        "world" => env!("CARGO_BIN_EXE_world-under-test"),
        other => panic!("{other} is no program"),
    };
    let mut command = Command::new(path);
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
    command
}

impl Process {
    /// A program with these settings, its addresses added. It does not run yet.
    pub fn new(name: &'static str, folder: &Path, settings: Vec<(&'static str, String)>) -> Process {
        let (listen, admin_listen) = (ports::free(), ports::free());
        let (client, admin) = (Client::default(), Client::default());
        client.moved_to(&format!("http://{listen}"));
        admin.moved_to(&format!("http://{admin_listen}"));
        let mut settings = settings;
        settings.extend(
            [("LISTEN", listen), ("ADMIN_LISTEN", admin_listen), ("ADVERTISE", listen)]
                .map(|(n, a)| (n, a.to_string())),
        );
        let log = folder.join(format!("{name}-{}.log", listen.port()));
        Process { name, client, admin, listen, admin_listen, settings, log, child: None }
    }

    /// With a setting changed, or left out.
    pub fn set(&mut self, name: &'static str, value: Option<&str>) {
        self.settings.retain(|(set, _)| *set != name);
        self.settings.extend(value.map(|value| (name, value.to_owned())));
    }

    /// Starts it, and does not wait for it.
    pub fn start(&mut self) {
        assert!(self.child.is_none(), "{} runs already", self.name);
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        let mut command = program(self.name);
        if self.name == "edge" {
            command.arg("edge");
        }
        command.envs(self.settings.iter().map(|(name, value)| (name, value))).stderr(log);
        self.child = Some(command.spawn().unwrap());
    }

    /// Waits until it says that it can do its work.
    pub async fn ready(&self) {
        let get = || self.client.request(reqwest::Method::GET, "/health/ready");
        until(&format!("{} is ready", self.name), || async {
            self.client.try_send(get()).await.ok().filter(|answer| answer.status == 200)
        })
        .await;
    }

    /// What it answers to `GET /status` once it answers at all.
    pub async fn status(&self) -> Value {
        let get = || self.admin.request(reqwest::Method::GET, "/status");
        let what = format!("{} tells how it is", self.name);
        let answered = until(&what, || async { self.admin.try_send(get()).await.ok().filter(|a| a.status == 200) });
        answered.await.expect(200)
    }

    /// SIGKILL: nothing gets a chance to tidy up.
    pub async fn kill(&mut self) {
        self.child.take().unwrap().kill().await.unwrap();
    }

    /// SIGSTOP: it does nothing more, and nobody is told.
    #[allow(dead_code, reason = "shared with tests that pause nothing")]
    pub async fn pause(&self) {
        self.signal("STOP").await;
    }

    /// SIGCONT: it goes on as if no time had passed.
    #[allow(dead_code, reason = "shared with tests that pause nothing")]
    pub async fn resume(&self) {
        self.signal("CONT").await;
    }

    async fn signal(&self, name: &str) {
        let signal = format!("kill -{name} {}", self.child.as_ref().unwrap().id().unwrap());
        assert!(Command::new("sh").args(["-c", &signal]).status().await.unwrap().success());
    }

    /// SIGTERM, and how it ended.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.signal("TERM").await;
        self.ended().await
    }

    /// Waits until it ends by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        self.ended_within(ENDS_WITHIN).await
    }

    /// Waits until something that will happen ends it.
    pub async fn ended_within(&mut self, limit: Duration) -> ExitStatus {
        let mut child = self.child.take().unwrap();
        let ended = tokio::time::timeout(limit, child.wait()).await;
        ended.unwrap_or_else(|_| panic!("{} does not end within {limit:?}: {}", self.name, self.log())).unwrap()
    }

    /// What its own `--health` says.
    pub async fn health(&self) -> bool {
        let mut command = program(self.name);
        command.arg("--health").env("LISTEN", self.listen.to_string()).stderr(Stdio::null());
        command.status().await.unwrap().success()
    }

    /// Everything it wrote to its log so far, over all starts.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    /// A test that fails shows the end of every log.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let last = lines[lines.len().saturating_sub(30)..].join("\n");
            eprintln!("--- {} at {}\n{last}", self.name, self.listen);
        }
    }
}
