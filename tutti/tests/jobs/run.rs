//! Runs the program with these settings and no others.

use serde_json::Value;
use std::{
    fmt,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit code {}\n{}{}", self.code, self.stdout, self.stderr)
    }
}

pub fn tutti(args: &[&str], settings: &[(String, String)]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tutti"));
    command.args(args).env_clear().envs(settings.iter().map(|(name, value)| (name, value)));
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

impl Ran {
    /// The document that a job printed which did what it should.
    pub fn document(&self) -> Value {
        assert_eq!(self.code, 0, "{self}");
        serde_json::from_str(&self.stdout).unwrap()
    }

    /// It ended with this exit code and named all of this.
    pub fn refused(&self, code: i32, named: &[&str]) {
        assert_eq!(self.code, code, "{self}");
        named.iter().for_each(|part| assert!(self.stderr.contains(part), "`{part}` is not named: {self}"));
    }
}

pub fn setting(name: &str, value: impl Into<String>) -> (String, String) {
    (name.to_owned(), value.into())
}

/// The address of a real server; `None`, and said so, where the environment has none.
pub fn address(name: &str) -> Option<String> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty());
    if value.is_none() {
        eprintln!(
            "skipped: set {name} to the address of a real server, and run `cargo test -p tutti --test jobs` again"
        );
    }
    value
}

/// A name that nobody else has.
pub fn unique(what: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_micros();
    format!("test_{now}_{}_{}_{what}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}
