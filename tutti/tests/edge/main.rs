//! The edge in front of stand-ins for the services: what is handed on and how, what happens when a service is away, slow
//! or breaks off, and what must never be reachable.

#![allow(clippy::unwrap_used, reason = "clippy knows tests by their attribute, and helpers have none")]

mod away;
mod handed_on;
mod hidden;
mod opened;
mod put_together;
