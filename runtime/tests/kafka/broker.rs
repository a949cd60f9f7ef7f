//! A broker that dies in the midst of it. Run alone, because every other test needs the broker alive.

use crate::{
    cluster::{corner, eventually},
    wire::{Listener, Speaker, assert_in_order, on_topic, seqs},
};
use runtime::bus::Bus;
use std::{process::Command, time::Instant};

/// How to end a broker without warning, and how to start it again.
fn commands() -> Option<[String; 2]> {
    let commands = ["KAFKA_KILL", "KAFKA_START"].map(|name| std::env::var(name).ok());
    if let [Some(kill), Some(start)] = commands {
        return Some([kill, start]);
    }
    eprintln!("skipped: set KAFKA_KILL and KAFKA_START to shell commands that kill a broker and start it again");
    None
}

#[track_caller]
fn run(command: &str) {
    assert!(Command::new("sh").args(["-c", command]).status().unwrap().success(), "{command}");
}

#[test]
fn while_a_broker_is_killed_again_and_again_nothing_is_lost_and_nothing_overtakes() {
    let (Some([kill, start]), Some(corner)) = (commands(), corner(&["left", "desk"])) else { return };
    let mut speaker = Speaker::begin(&corner);
    let mut listener = Listener::begin(&corner);
    let mut said = 0;
    for _ in 0..3 {
        // Given a service that speaks, when the broker dies with rows under way,
        (0..20).for_each(|_| speaker.say(250));
        run(&kill);
        (0..20).for_each(|_| speaker.say(250));
        said += 10_000;
        assert!(speaker.held_up().contains("wait to be published"));
        // then it goes on when the broker is back, and so does a reader.
        run(&start);
        let back = Instant::now();
        speaker.all_published();
        println!("published {:?} after the broker was started", back.elapsed());
    }
    let taken = listener.take(said);
    assert_eq!(seqs(&taken), (1..=said as u64).collect::<Vec<_>>());
    assert_in_order(&on_topic(&corner), said as u64);
    eventually("nothing is held up", || speaker.bus.published().held_up.is_none());
}
