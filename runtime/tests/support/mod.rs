//! A small service and everything around it under the tests' control: clock, bus, world, store; and no threads.

pub mod bus;
pub mod clock;
pub mod desk;
pub mod dice;
pub mod service;
pub mod shaky;
pub mod world;
