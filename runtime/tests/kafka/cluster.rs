//! A corner of the real cluster for one test: topics and subjects of its own, gone when it ends.

use runtime::bus::kafka::{
    Settings, registration,
    topics::{self, Layout},
};
use shared_events::catalog::SchemaFile;
use std::{
    ops::Deref,
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::runtime::Runtime;

/// What the tests' services say: the bus does not look into a datum, but it must know its schema.
pub const CONTRACT: &[SchemaFile] = &[
    SchemaFile {
        topic: "left",
        name: "Said",
        version: 1,
        text: r#"{"type":"record","name":"Said","namespace":"test.left","fields":[{"name":"key","type":"string"}]}"#,
    },
    SchemaFile {
        topic: "left",
        name: "Said",
        version: 2,
        text: r#"{"type":"record","name":"Said","namespace":"test.left","fields":[{"name":"key","type":"string"},{"name":"more","type":"string","default":""}]}"#,
    },
    SchemaFile {
        topic: "left",
        name: "Told",
        version: 1,
        text: r#"{"type":"record","name":"Told","namespace":"test.left","fields":[{"name":"key","type":"string"}]}"#,
    },
];

pub static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

pub fn layout() -> Layout {
    Layout { partitions: 1, replication: 1, min_in_sync: 1, retention: Duration::from_secs(3600) }
}

/// Topics and subjects under a prefix that nobody else has.
pub struct Corner {
    settings: Settings,
    services: Vec<&'static str>,
}

impl Deref for Corner {
    type Target = Settings;
    fn deref(&self) -> &Settings {
        &self.settings
    }
}

/// Settings for the real servers, with nothing there yet; none where no servers are given.
pub fn settings() -> Option<Settings> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let address = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (Some(brokers), Some(registry)) = (address("KAFKA_BOOTSTRAP_SERVERS"), address("SCHEMA_REGISTRY_URL")) else {
        eprintln!("skipped: set KAFKA_BOOTSTRAP_SERVERS and SCHEMA_REGISTRY_URL to the addresses of real servers");
        return None;
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let prefix = format!("test-{now}-{}-{count}.", std::process::id());
    let settings = Settings::new(&brokers, &registry, RUNTIME.handle().clone());
    Some(Settings { prefix, contract: CONTRACT, ..settings })
}

/// A corner with the topics of these services and the schemas of all.
pub fn corner(services: &[&'static str]) -> Option<Corner> {
    corner_for(services, CONTRACT)
}

/// The same with other schemas.
pub fn corner_for(services: &[&'static str], contract: &'static [SchemaFile]) -> Option<Corner> {
    let settings = Settings { contract, ..settings()? };
    let corner = Corner { settings, services: services.to_vec() };
    RUNTIME.block_on(topics::create(&corner, services, &layout())).unwrap();
    // A registry that all tests ask at once may be slow to answer.
    eventually("the contract is registered", || RUNTIME.block_on(registration::register(&corner, false)).is_ok());
    Some(corner)
}

impl Corner {
    pub fn of(settings: Settings, services: &[&'static str]) -> Corner {
        Corner { settings, services: services.to_vec() }
    }

    /// Takes the topic of a service away.
    pub fn delete_topic(&self, service: &str) {
        let admin: AdminClient<_> = ClientConfig::new().set("bootstrap.servers", &self.brokers).create().unwrap();
        let topic = self.topic(service);
        let gone = RUNTIME.block_on(admin.delete_topics(&[&topic], &AdminOptions::new())).unwrap();
        drop(gone); // one that was not there is gone too
        eventually("the topic is gone", || {
            let metadata = admin.inner().fetch_metadata(None, Duration::from_secs(5)).unwrap();
            !metadata.topics().iter().any(|found| found.name() == topic)
        });
    }

    pub fn create_topics(&self) {
        RUNTIME.block_on(topics::create(self, &self.services, &layout())).unwrap();
    }
}

use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions},
    client::DefaultClientContext,
};

impl Drop for Corner {
    fn drop(&mut self) {
        let admin: AdminClient<DefaultClientContext> =
            ClientConfig::new().set("bootstrap.servers", &self.brokers).create().unwrap();
        let topics: Vec<_> = self.services.iter().map(|service| self.topic(service)).collect();
        let names: Vec<_> = topics.iter().map(String::as_str).collect();
        // What cannot be deleted now lies there under a name that nobody else has.
        _ = RUNTIME.block_on(admin.delete_topics(&names, &AdminOptions::new()));
        RUNTIME.block_on(delete_subjects(&self.registry, &self.prefix));
    }
}

async fn delete_subjects(registry: &str, prefix: &str) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let Ok(answer) = http.get(format!("{registry}/subjects")).send().await else { return };
    let subjects: Vec<String> = answer.json().await.unwrap_or_default();
    for subject in subjects.iter().filter(|subject| subject.starts_with(prefix)) {
        for query in ["", "?permanent=true"] {
            _ = http.delete(format!("{registry}/subjects/{subject}{query}")).send().await;
        }
    }
}

/// Waits until something holds, for as long as a slow machine may take.
#[track_caller]
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "it never came about that {what}");
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_millis(5));
    }
}
