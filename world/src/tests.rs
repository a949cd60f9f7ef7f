//! The world as a whole: its settings, and what a killed process leaves behind.

use crate::{
    OpenError, World,
    gateway::{Answer, Capture},
    testing::{Scene, options},
};
use runtime::clock::SystemClock;
use serde_json::json;
use std::{
    collections::BTreeSet,
    env,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::Arc,
};

/// Set in the process that is to be killed.
const FOLDER: &str = "WORLD_TEST_FOLDER";

fn capture(key: &str) -> Capture {
    Capture { order_id: key.into(), amount_minor: 1, currency: "EUR".into(), token: "tok_ok".into() }
}

#[tokio::test]
async fn changed_faults_last_until_the_next_start() {
    let scene = Scene::new(json!({"post": {"fail": 0.5}}));
    let changed = scene.world.set(&json!({"post": {"fail": 1.0}})).expect("set");
    assert_eq!(scene.world.faults(), changed);
    assert!(scene.world.set(&json!({"post": {"fail": 0.1, "delay_ms": -1}})).is_err());
    assert_eq!(scene.world.faults(), changed, "nothing of a refused patch is kept");
    let Scene { folder, world, .. } = scene;
    drop(world);
    assert_eq!(Scene::at(folder, json!({"post": {"fail": 0.5}})).world.faults().post.fail, 0.5);
}

#[tokio::test]
async fn a_wrong_option_or_directory_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a directory");
    let open = |folder: &std::path::Path, faults| {
        World::open(folder, &options(faults), Arc::new(SystemClock), |_| async { Ok(()) }).map(drop)
    };
    let refused = open(folder.path(), json!({"carrier": {"fail": 2.0}})).expect_err("a share of 2").to_string();
    assert!(refused.contains("carrier.fail"), "{refused}");
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("a file");
    assert!(matches!(open(&file.join("below"), json!({})), Err(OpenError::Directory { .. })));
    std::fs::write(folder.path().join("carrier.db"), "no database, though long enough to look at twice")
        .expect("a file");
    assert!(matches!(open(folder.path(), json!({})), Err(OpenError::File { .. })));
}

#[test]
fn without_an_async_runtime_the_world_does_not_open() {
    let folder = tempfile::tempdir().expect("a directory");
    let world = World::open(folder.path(), &options(json!({})), Arc::new(SystemClock), |_| async { Ok(()) });
    assert!(matches!(world, Err(OpenError::NoRuntime(_))));
}

/// What [`a_killed_process_loses_nothing_it_has_answered`] starts in a process of its own, and kills.
async fn take_money_until_killed(folder: String) {
    let world = World::open(folder.as_ref(), &options(json!({})), Arc::new(SystemClock), |_| async { Ok(()) });
    let world = world.expect("a world");
    let one = async |lane: usize| {
        for number in 0_u64.. {
            let key = format!("{lane}/{number}");
            world.gateway.capture(&key, capture(&key)).await.expect("an answer");
            println!("answered {key}");
        }
    };
    tokio::join!(one(0), one(1), one(2), one(3));
}

#[tokio::test]
async fn a_killed_process_loses_nothing_it_has_answered() {
    // This same test, started again with a folder to work in, is the process that gets killed.
    if let Ok(folder) = env::var(FOLDER) {
        return take_money_until_killed(folder).await;
    }
    let folder = tempfile::tempdir().expect("a directory");
    let mut child = Command::new(env::current_exe().expect("this program"))
        .args(["--exact", "tests::a_killed_process_loses_nothing_it_has_answered", "--nocapture"])
        .env(FOLDER, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child");
    let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let answers = lines.map_while(Result::ok).filter_map(|line| {
        // The test harness writes the test's name before the first answer, on the same line.
        line.split_once("answered ").map(|(_, key)| key.to_owned())
    });
    let mut answered = BTreeSet::new();
    for key in answers {
        answered.insert(key);
        if answered.len() == 300 {
            child.kill().expect("killed");
        }
    }
    child.wait().expect("its end");
    assert!(answered.len() >= 300);
    let scene = Scene::at(folder, json!({}));
    for key in answered {
        let found = scene.world.gateway.find(&key).await;
        assert!(matches!(found, Ok(Some(Answer::Succeeded { .. }))), "{key}: {found:?}");
    }
}
