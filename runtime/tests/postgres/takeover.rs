//! How fast another process leads when the leader is killed or paused. The times are printed; what is asserted is only
//! that it happens, and what the one that lost the lead then says.

use crate::{
    process::{Answer, Line, Process, play},
    server::{Fresh, Server, run},
};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio_postgres::Client;

/// Nothing is measured against it but that the test ends.
const DEADLINE: Duration = Duration::from_secs(60);

/// Waits until another reign than `epoch` has begun. Returns it, and where its process is.
fn await_reign_after(client: &Client, epoch: i64) -> (i64, String) {
    let until = Instant::now() + DEADLINE;
    loop {
        let row = run(client.query_one("SELECT epoch, owner FROM lead", &[])).unwrap();
        if row.get::<_, i64>(0) > epoch {
            return (row.get(0), row.get(1));
        }
        assert!(Instant::now() < until, "nobody takes over");
    }
}

/// Offers a command to a process until it leads and has carried it out.
fn await_done(address: SocketAddr, key: &str, n: u64) {
    let (mut line, until) = (Line::default(), Instant::now() + DEADLINE);
    loop {
        match line.offer(address, key, n) {
            Answer::Done => return,
            Answer::Led(_) | Answer::Unknown => assert!(Instant::now() < until, "it never leads"),
            Answer::Failed(why) => panic!("{why}"),
        }
    }
}

/// Three processes, the one that leads first.
fn processes(test: &str, fresh: &Fresh) -> Vec<Process> {
    let mut processes: Vec<_> = (0..3).map(|_| Process::start(test, &fresh.url())).collect();
    let leader = await_reign_after(&fresh.connect(), 0).1;
    processes.sort_by_key(|process| process.address.to_string() != leader);
    processes
}

#[test]
fn when_the_leader_is_killed_another_process_leads() {
    const TEST: &str = "takeover::when_the_leader_is_killed_another_process_leads";
    play();
    let Some(server) = Server::of_the_environment() else { return };
    let fresh = server.fresh();
    let mut standing = processes(TEST, &fresh);
    let client = fresh.connect();
    await_done(standing[0].address, "a", 1);
    for n in 2..=6 {
        let (epoch, since) = (await_reign_after(&client, 0).0, Instant::now());
        drop(standing.remove(0));
        let (_, leader) = await_reign_after(&client, epoch);
        let leads = since.elapsed();
        standing.sort_by_key(|process| process.address.to_string() != leader);
        await_done(standing[0].address, "a", n);
        println!("another process leads {leads:?} after the leader was killed, answers after {:?}", since.elapsed());
        standing.push(Process::start(TEST, &fresh.url()));
    }
}

#[test]
fn when_the_leader_is_paused_another_process_leads_and_the_paused_one_then_stands_by() {
    const TEST: &str = "takeover::when_the_leader_is_paused_another_process_leads_and_the_paused_one_then_stands_by";
    play();
    let Some(server) = Server::of_the_environment() else { return };
    let fresh = server.fresh();
    let processes = processes(TEST, &fresh);
    let client = fresh.connect();
    let (epoch, _) = await_reign_after(&client, 0);
    let since = Instant::now();
    processes[0].signal("STOP");
    let (next, leader) = await_reign_after(&client, epoch);
    println!("led by another process {:?} after the leader was paused", since.elapsed());
    processes[0].signal("CONT");
    // It thinks that it still leads; its next commit tells it better.
    let until = Instant::now() + DEADLINE;
    let told = loop {
        match Line::default().offer(processes[0].address, "a", 1) {
            Answer::Led(owner) => break owner.to_string(),
            Answer::Unknown => assert!(Instant::now() < until, "it does not answer"),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(told, leader);
    await_done(told.parse().unwrap(), "a", 1);
    assert_eq!(await_reign_after(&client, 0).0, next, "nobody else took over");
}
