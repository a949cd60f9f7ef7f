//! Right in every order of arrival: the shipped services on the shipped engine, with simulated ports, on virtual time,
//! on one thread, from one seed. Whatever can go wrong between a service and its store, its bus, its clock, its customers
//! and the outside world does go wrong here, and every history is held against the invariants of the shop.
//!
//! [`stage::play`] plays one history; [`plan::Plan`] says what a seed decides; [`fault::Fault`] what can go wrong.

pub mod bus;
pub mod counters;
pub mod customer;
pub mod dice;
pub mod fault;
pub mod history;
pub mod life;
pub mod plan;
pub mod process;
pub mod recovery;
pub mod shrink;
pub mod sim;
pub mod stage;
pub mod store;
pub mod watch;
pub mod world;
