//! Each service as a process of its own, on real servers: PostgreSQL, Kafka, a schema registry, a mail server.
//!
//! Helpers: [`servers`] is a corner of the real servers for one test, [`process`] runs one program, [`site`] the whole
//! shop, [`books`] reads what the outside world has noted.

#![allow(clippy::unwrap_used, reason = "clippy knows tests by their attribute, and helpers have none")]

mod books;
mod endings;
mod ports;
mod process;
mod replay;
mod replicas;
mod servers;
mod site;
mod start;
mod tracing;
mod versions;

#[allow(dead_code, reason = "shared with the tests of the shop in one process, which use all of it")]
#[path = "../shop/client.rs"]
mod client;
#[allow(dead_code, reason = "shared with the tests of the shop in one process, which use all of it")]
#[path = "../shop/kept.rs"]
mod kept;
#[allow(dead_code, reason = "shared with the tests of the shop in one process, which use all of it")]
#[path = "../shop/request.rs"]
mod request;
#[allow(dead_code, reason = "shared with the tests of the shop in one process, which use all of it")]
#[path = "../shop/traces.rs"]
mod traces;
#[path = "../shop/wait.rs"]
mod wait;
