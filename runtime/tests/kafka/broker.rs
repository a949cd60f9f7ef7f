//! A broker that dies in the midst of it. Run alone, because every other test needs the broker alive.

use crate::{
    cluster::{corner, eventually},
    wire::{Listener, Speaker, assert_in_order, on_topic, seqs},
};
use runtime::bus::{Bus, BusAway};
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

/// A new topic begins with leader epoch 0, and librdkafka takes what comes with a lower epoch than it knows for an old
/// answer: from a topic of this name it would never fetch again. Sees it whether or not the reader looks in between.
fn is_read_on_when_created_anew(looks_at: fn(&mut Listener)) {
    let (Some([kill, start]), Some(corner)) = (commands(), corner(&["left", "desk"])) else { return };
    let mut speaker = Speaker::begin(&corner);
    let mut listener = Listener::begin(&corner);
    // Given a topic whose leader went and came back,
    speaker.say(10);
    speaker.all_published();
    listener.take(10);
    run(&kill);
    run(&start);
    speaker.say(10);
    speaker.all_published();
    listener.take(10);
    // when it is lost and created anew,
    corner.delete_topic("left");
    corner.create_topics();
    looks_at(&mut listener);
    // then whoever speaks fills it, and whoever listens goes on behind what it had.
    speaker.say(10);
    speaker.all_published();
    assert_eq!(seqs(&listener.take_when_rung(10)), (21..=30).collect::<Vec<_>>());
    listener.follows();
}

#[test]
fn a_topic_that_was_created_anew_after_its_leader_had_changed_is_read_on() {
    is_read_on_when_created_anew(|listener| {
        // At first it may still be gone.
        let created_anew = |away: BusAway| away.0.contains("created anew");
        eventually("the topic is seen to be another", || listener.fetch().is_err_and(created_anew));
    });
}

#[test]
fn a_topic_that_was_created_anew_and_filled_before_anybody_looked_is_read_on() {
    is_read_on_when_created_anew(|_| ());
}
