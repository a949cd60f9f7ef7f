//! What the tests share: a world in a directory of its own, whose reports a test can read.

use crate::{Options, Report, World};
use runtime::clock::{Clock, Micros, SystemClock};
use std::{
    fs,
    future::Future,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::sync::mpsc;

/// A clock that stands still until a test moves it.
pub(crate) struct HandClock(AtomicI64);

impl HandClock {
    pub(crate) fn new() -> Arc<HandClock> {
        Arc::new(HandClock(AtomicI64::new(1_000_000_000)))
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_micros()).expect("short"), Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Micros {
        self.0.load(Ordering::SeqCst)
    }
}

pub(crate) fn options(faults: serde_json::Value) -> Options {
    Options { faults: serde_json::from_value(faults).expect("valid faults"), seed: 7 }
}

/// A world whose reports are all accepted and can be read here.
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) reports: mpsc::UnboundedReceiver<Report>,
    pub(crate) folder: TempDir,
}

impl Scene {
    pub(crate) fn new(faults: serde_json::Value) -> Scene {
        Scene::at(tempfile::tempdir().expect("a directory"), faults)
    }

    /// The world that `folder` holds.
    pub(crate) fn at(folder: TempDir, faults: serde_json::Value) -> Scene {
        let (accept, reports) = mpsc::unbounded_channel();
        let receive = move |report| {
            let accepted = accept.send(report).map_err(|gone| gone.to_string());
            async move { accepted }
        };
        let world = World::open(folder.path(), &options(faults), Arc::new(SystemClock), receive).expect("a world");
        Scene { world, reports, folder }
    }

    pub(crate) async fn report(&mut self) -> Report {
        soon(self.reports.recv()).await.expect("a report")
    }
}

/// Fails instead of waiting for ever.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("it should have happened by now")
}

/// Waits until a condition holds.
pub(crate) async fn until<F: Future<Output = bool>>(mut condition: impl FnMut() -> F) {
    soon(async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

/// What a crash at this moment would leave on the disk.
pub(crate) fn crash_image(folder: &Path) -> TempDir {
    let image = tempfile::tempdir().expect("a directory");
    for file in fs::read_dir(folder).expect("a listing") {
        let file = file.expect("a file");
        // The shared-memory index does not survive its processes; SQLite makes a new one from the write-ahead log.
        if !file.path().to_string_lossy().ends_with("-shm") {
            fs::copy(file.path(), image.path().join(file.file_name())).expect("a copy");
        }
    }
    image
}
