//! Ports that nobody uses.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    process,
    sync::atomic::{AtomicU16, Ordering},
};

/// Below those that the system gives to clients, so that no connection takes one while its server is restarted.
const FIRST: u16 = 24_000;
const COUNT: u16 = 8_000;

/// An address that is free now, and that no other test of this process gets.
pub fn free() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Where this process begins to look, other processes probably do not.
    let start = u16::try_from(process::id() % u32::from(COUNT)).unwrap();
    loop {
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, FIRST + (start + next) % COUNT));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}
