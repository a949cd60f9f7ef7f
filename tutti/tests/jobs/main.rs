//! The jobs that prepare a deployment, as a person or a script meets them: the real binary, its output and its exit code,
//! against the real servers that the environment names. Where it names none, that is said, and nothing is tested.

#![allow(clippy::unwrap_used, reason = "clippy knows tests by their attribute, and helpers have none")]

mod databases;
mod run;
mod schemas;
mod topics;
