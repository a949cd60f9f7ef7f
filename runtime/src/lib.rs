//! The engine that makes decisions durable: the door, the stores behind it, the bus, the work runner, parking.
//!
//! Read [`door`] first: everything that can make a service act passes there. [`engine`] collects its batches, [`store`]
//! and [`bus`] are the ports below, [`adapter`] the port to the outside world, [`handle`] what an API sees.

pub mod adapter;
mod agenda;
pub mod bus;
pub mod clock;
pub mod conformance;
pub mod door;
mod draft;
pub mod engine;
pub mod failpoint;
mod fold;
pub mod handle;
pub mod host;
pub mod http;
pub mod incoming;
pub mod intake;
pub mod interrupt;
pub mod keyring;
mod lanes;
pub mod perform;
pub mod process;
pub mod pulse;
pub mod record;
pub mod recover;
pub mod reign;
pub mod remote;
pub mod republish;
pub mod secret;
pub mod skip;
pub mod store;
pub mod telemetry;
pub mod trace;

pub use adapter::{Adapter, Outcome};
pub use clock::{Clock, DatabaseClock, Micros, SystemClock, from_rfc3339, rfc3339};
pub use draft::{MAX_BATCH, MAX_BODY, MAX_KEY, Passed};
pub use engine::{Engine, Parts, Step};
pub use handle::{Handle, Health, Rejected, Settled, Shared, Status, Versioned, Watch};
pub use keyring::{FileKeyring, KeyError, Keyring, PostgresKeyring};
pub use perform::{Performer, performer};
pub use record::{Cause, EventId, Foreign, LogRow, ParkedRow, Position, Record, WorkRow};
pub use store::{Read, Store, StoreError};
pub use trace::{TraceId, Traceparent};
