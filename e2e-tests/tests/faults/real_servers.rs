//! The real servers, killed, paused and started again through the command that `TUTTI_SERVERS` names.

use std::env;
use tokio::{
    process::Command,
    sync::{Mutex, MutexGuard},
};

/// One test at a time has the servers.
static TAKEN: Mutex<()> = Mutex::const_new(());

/// The servers, for the test that has them.
pub struct RealServers {
    command: String,
    _taken: MutexGuard<'static, ()>,
}

impl RealServers {
    /// Nothing where nobody can end them.
    pub async fn taken() -> Option<RealServers> {
        let Ok(command) = env::var("TUTTI_SERVERS") else {
            eprintln!(
                "skipped: set TUTTI_SERVERS to a command that understands `kill`, `start`, `pause` and `resume` of \
                 `postgres`, `kafka` and `registry`, and run `cargo test -p e2e-tests --test faults` again"
            );
            return None;
        };
        let servers = RealServers { command, _taken: TAKEN.lock().await };
        // A test that failed may have left one ended or paused.
        for name in ["postgres", "kafka", "registry"] {
            servers.resume(name).await;
            servers.start(name).await;
        }
        Some(servers)
    }

    pub async fn kill(&self, name: &str) {
        self.tell("kill", name).await;
    }

    /// Starts one that was killed, and waits until it answers.
    pub async fn start(&self, name: &str) {
        self.tell("start", name).await;
    }

    pub async fn pause(&self, name: &str) {
        self.tell("pause", name).await;
    }

    pub async fn resume(&self, name: &str) {
        self.tell("resume", name).await;
    }

    async fn tell(&self, verb: &str, name: &str) {
        let line = format!("{} {verb} {name}", self.command);
        let told = Command::new("sh").args(["-c", &line]).output().await.unwrap();
        assert!(told.status.success(), "{line}: {}", String::from_utf8_lossy(&told.stderr));
    }
}
