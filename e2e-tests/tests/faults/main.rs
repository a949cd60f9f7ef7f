//! The deployed shop under faults: its services and the real servers are killed, paused and restarted under load, and
//! each service ends once at every failpoint. Afterwards nothing is lost, nothing happened twice, every invariant holds.
//!
//! Needs what `distributed` needs, with no other shop on those servers, and `TUTTI_SERVERS`: a command that understands
//! `kill NAME`, `start NAME`, `pause NAME` and `resume NAME` for `postgres`, `kafka` and `registry`.

#![allow(clippy::unwrap_used, reason = "clippy knows tests by their attribute, and helpers have none")]

mod brokers;
mod deployed;
mod failpoints;
mod processes;
mod real_servers;
mod rebuilding;
mod servers_fail;
mod topics;

#[path = "../distributed/ports.rs"]
mod ports;
#[allow(dead_code, reason = "shared with the tests of the distributed shop, which use all of it")]
#[path = "../distributed/process.rs"]
mod process;
#[allow(dead_code, reason = "shared with the tests of the distributed shop, which use all of it")]
#[path = "../distributed/servers.rs"]
mod servers;
#[allow(dead_code, reason = "shared with the tests of the distributed shop, which use all of it")]
#[path = "../distributed/site.rs"]
mod site;

#[allow(dead_code, reason = "shared with the tests of the shop in one process, which use all of it")]
#[path = "../shop/audit.rs"]
mod audit;
#[allow(dead_code, reason = "shared with the tests of the shop in one process, which use all of it")]
#[path = "../shop/client.rs"]
mod client;
#[allow(dead_code, reason = "shared with the tests of the shop in one process, which use all of it")]
#[path = "../shop/customers.rs"]
mod customers;
#[path = "../shop/dice.rs"]
mod dice;
#[allow(dead_code, reason = "shared with the tests of the shop in one process, which use all of it")]
#[path = "../shop/request.rs"]
mod request;
#[path = "../shop/wait.rs"]
mod wait;
