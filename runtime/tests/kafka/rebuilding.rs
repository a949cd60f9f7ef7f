//! After a broker or a database was lost, on real servers.

use crate::{
    cluster::{Corner, corner, corner_for, eventually},
    engine::{left_says, until},
    server::{Fresh, Server},
    support::{
        clock::TestClock,
        desk::{Desk, Sessions},
        service::{self, Act},
    },
    wire::{LANE, Listener, Speaker, assert_in_order, at, on_topic, seqs},
};
use runtime::{
    Position, Read, Step, Store,
    bus::{Bus, BusAway, kafka::KafkaBus},
    recover::{self, Recovered},
    republish::{self, Lacking},
};
use shared_events::catalog::SchemaFile;
use std::{cmp::Ordering, sync::Arc, time::Duration};

#[test]
fn a_topic_created_anew_under_load_is_filled_again_and_its_reader_goes_on() {
    let Some(corner) = corner(&["left", "desk"]) else { return };
    let mut speaker = Speaker::begin(&corner);
    let mut listener = Listener::begin(&corner);
    // Given a reader that has read some of what was said,
    speaker.say(1000);
    let mut taken = seqs(&listener.take(1000));
    speaker.say(1000);
    speaker.all_published();
    // when the topic is deleted and created anew while the service speaks on,
    corner.delete_topic("left");
    speaker.say(300);
    corner.create_topics();
    speaker.say(300);
    // then everything comes, once each and in order,
    eventually("everything is taken", || {
        let after = at(taken.len() as u64);
        match listener.bus.fetch(LANE, after, 500) {
            Ok(fetched) => {
                for seq in seqs(&fetched.records) {
                    match seq.cmp(&(taken.len() as u64 + 1)) {
                        Ordering::Less => {}
                        Ordering::Equal => taken.push(seq),
                        // It stands at a gap, as an engine does, and reads on from before it.
                        Ordering::Greater => listener.bus.reread(LANE, at(taken.len() as u64)).unwrap(),
                    }
                }
            }
            Err(BusAway(_)) => listener.bell.wait(Some(Duration::from_millis(100))),
        }
        taken.len() == 2600
    });
    assert!(taken.iter().copied().eq(1..=2600));
    // and the topic has all of it for those to come.
    speaker.all_published();
    let mut there = on_topic(&corner);
    there.sort_unstable();
    there.dedup();
    assert!(there.iter().copied().eq(1..=2600));
}

#[test]
fn a_topic_created_anew_while_its_service_is_at_rest_is_filled_again() {
    let Some(corner) = corner(&["left", "desk"]) else { return };
    let mut speaker = Speaker::begin(&corner);
    speaker.say(500);
    speaker.all_published();
    corner.delete_topic("left");
    corner.create_topics();
    eventually("it is filled", || {
        // An engine looks as soon as the bell rings.
        _ = speaker.bus.published();
        on_topic(&corner).len() >= 500
    });
    assert_in_order(&on_topic(&corner), 500);
}

#[test]
fn a_job_fills_the_topic_of_a_service_that_does_not_run() {
    let Some(corner) = corner(&["left", "desk"]) else { return };
    let mut speaker = Speaker::begin(&corner);
    speaker.say(700);
    speaker.all_published();
    let store = speaker.store();
    drop(speaker);
    corner.delete_topic("left");
    corner.create_topics();
    let job = || {
        let (read, bell) = (Arc::new(store.clone()), Arc::default());
        let bus = Box::new(KafkaBus::connect(&corner, "left", &["left"], read.clone(), &bell).unwrap());
        let parts = republish::Parts { service: "left", store: Box::new(store.clone()), read, bus, bell, build: 1 };
        republish::republish(parts, &|_, _| {}).unwrap()
    };
    assert_eq!(job(), Some(Lacking { after: Position::default(), events: 700 }));
    assert_in_order(&on_topic(&corner), 700);
    assert_eq!(job(), None);
}

const CONTRACT: &[SchemaFile] = &[
    SchemaFile {
        topic: "left",
        name: "Told",
        version: 1,
        text: r#"{"type":"record","name":"Told","namespace":"test.left","fields":[]}"#,
    },
    SchemaFile {
        topic: "desk",
        name: "Noted",
        version: 1,
        text: r#"{"type":"record","name":"Noted","namespace":"test.desk","fields":[]}"#,
    },
    SchemaFile {
        topic: "desk",
        name: "Answered",
        version: 1,
        text: r#"{"type":"record","name":"Answered","namespace":"test.desk","fields":[]}"#,
    },
];

fn on_postgres(corner: &Corner, database: &Fresh) -> Desk {
    let (store, read) = (database.database(), database.read());
    drop(Store::cursors(&mut database.store())); // makes the tables
    let log: Arc<dyn Read> = read.clone();
    let bus = KafkaBus::connect(corner, "desk", &["left", "right"], log, &Arc::default()).unwrap();
    let open = move || -> (Box<dyn Store>, Arc<dyn Read>) {
        (Box::new(runtime::store::PostgresStore::new(store.clone())), read.clone())
    };
    Desk::on_bus(Sessions::Other(Arc::new(open)), bus)
}

fn recovered(corner: &Corner, database: &Fresh) -> Recovered {
    let (read, bell) = (database.read(), Arc::default());
    let bus = KafkaBus::connect(corner, "desk", &["left", "right", "desk"], read.clone(), &bell).unwrap();
    let parts = recover::Parts {
        service: service::service(),
        store: Box::new(database.store()),
        read,
        bus: Box::new(bus),
        bell,
        clock: Arc::new(TestClock::default()),
        build: 1,
    };
    recover::recover(parts, &|_, _| {}).unwrap()
}

/// Steps until something holds, while the desk's time runs faster than ours.
#[track_caller]
fn go_on(desk: &mut Desk, what: &str, mut holds: impl FnMut(&mut Desk) -> bool) {
    until(desk, what, |desk| {
        desk.clock.turn(20_000);
        holds(desk)
    });
}

#[track_caller]
fn all_published(desk: &mut Desk) {
    go_on(desk, "everything is published", |desk| {
        let lead = desk.read.lead().unwrap();
        lead.published == lead.head
    });
}

#[track_caller]
fn refuses(corner: &Corner, database: &Fresh) {
    let mut desk = on_postgres(corner, database);
    eventually("it refuses to run", || match desk.step() {
        Step::Ended(why) => {
            assert!(why.contains("tutti recover --service desk"), "{why}");
            true
        }
        _ => false,
    });
}

#[test]
fn a_database_that_was_lost_or_is_older_is_rebuilt_from_its_topic() {
    let (Some(corner), Some(server)) = (corner_for(&["left", "right", "desk"], CONTRACT), Server::of_the_environment())
    else {
        return;
    };
    let acts = [("a", Act::NoteAndCook), ("b", Act::Cook), ("c", Act::Note), ("d", Act::NoteAndCook)];
    left_says(&corner, &acts[..3]);
    // Given a service with work under way, and a backup of its database,
    let first = server.fresh();
    let mut desk = on_postgres(&corner, &first);
    go_on(&mut desk, "it is noted", |desk| desk.said().len() == 2);
    all_published(&mut desk);
    drop(desk);
    let backup = server.copy(&first);
    let mut desk = on_postgres(&corner, &first);
    let mut tried = vec![];
    go_on(&mut desk, "both are asked for", |desk| {
        tried.extend(desk.world.take());
        tried.len() == 2
    });
    tried.iter().find(|tried| tried.key == "a/1").unwrap().done("fine");
    go_on(&mut desk, "one is answered", |desk| desk.said().len() == 3);
    left_says(&corner, &acts);
    go_on(&mut desk, "more is said", |desk| desk.said().len() == 4);
    all_published(&mut desk);
    let said = desk.said();
    drop((desk, first));
    // when the database is lost, then it is rebuilt, and goes on with what was open by asking for it.
    let lost = server.fresh();
    refuses(&corner, &lost);
    let rebuilt = recovered(&corner, &lost);
    assert_eq!((rebuilt.events, rebuilt.open_work, rebuilt.doubts.len()), (4, 2, 0));
    let mut desk = on_postgres(&corner, &lost);
    let mut tried = vec![];
    go_on(&mut desk, "the open ones are asked for", |desk| {
        tried.extend(desk.world.take());
        tried.len() == 2
    });
    assert!(tried.iter().all(|tried| tried.ask_first && ["b/2", "d/4"].contains(&&*tried.key)));
    assert_eq!(desk.said(), said);
    tried.iter().for_each(|tried| tried.done("fine"));
    go_on(&mut desk, "both are answered", |desk| desk.said().len() == 6);
    all_published(&mut desk);
    let said = desk.said();
    drop(desk);
    // And the backup is brought up to the same, over the new generation.
    refuses(&corner, &backup);
    let rebuilt = recovered(&corner, &backup);
    assert_eq!((rebuilt.events, rebuilt.open_work, rebuilt.doubts.len()), (4, 0, 0));
    let mut desk = on_postgres(&corner, &backup);
    go_on(&mut desk, "it runs", |desk| desk.health() == runtime::Health::Ready);
    assert_eq!(desk.said(), said);
    assert!(desk.world.take().is_empty(), "nothing was open");
}
