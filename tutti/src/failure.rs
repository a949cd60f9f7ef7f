//! Why a command did not do what it was asked to, and the exit code that says so to a script.

use crate::{client::ClientError, screen::Screen};
use serde_json::{Value, json};
use std::process::ExitCode;

/// A command that did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// What was asked about is not so: an order ended otherwise, an invariant is violated, a wait ran out.
    #[error("{0}")]
    NotSo(String),
    /// The arguments or the environment make no sense.
    #[error("{0}")]
    Usage(String),
    /// The shop refused, or could not be reached.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A server that the shop needs cannot be reached.
    #[error("{0}")]
    Away(String),
    /// A directory, a file or an address on this machine cannot be used.
    #[error("{0}")]
    Unusable(String),
    /// The person at the keyboard pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// Whoever read the output has gone, as in `tutti map | head`.
    #[error("nobody reads the output any more")]
    Unread,
}

impl Failure {
    /// The exit code, as `tutti --help` documents it.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Failure::NotSo(_) | Failure::Client(ClientError::Refused { .. } | ClientError::Garbled { .. }) => 1,
            Failure::Usage(_) => 2,
            Failure::Client(ClientError::Unreachable { .. }) | Failure::Away(_) => 3,
            Failure::Unusable(_) => 4,
            Failure::Interrupted => 130,
            Failure::Unread => 141,
        }
    }

    /// Tells the person, or the machine, on stderr; and gives the exit code.
    pub fn report(&self, screen: &Screen) -> ExitCode {
        match self {
            Failure::Unread => {}
            _ if screen.json => eprintln!("{}", self.as_json()),
            _ => eprintln!("{}", screen.error(&self.to_string())),
        }
        ExitCode::from(self.code())
    }

    fn as_json(&self) -> Value {
        let problem = match self {
            Failure::Client(ClientError::Refused { problem, .. }) => problem.raw.clone(),
            _ => Value::Null,
        };
        json!({ "error": self.to_string(), "exit_code": self.code(), "problem": problem })
    }
}
