//! A corner of the real servers for one test: databases, roles, topics and subjects of its own, gone when it ends.

use crate::wait::until;
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions},
    client::DefaultClientContext,
};
use runtime::{
    bus::kafka::{
        Settings, registration,
        topics::{self, Layout},
    },
    store::{Database, PostgresRead, postgres::provision},
};
use std::{
    env,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::runtime::Handle;
use tokio_postgres::{Config, NoTls};
use tutti::shop::SERVICES;

/// All who have a database.
const OWNERS: [&str; 6] = ["order", "inventory", "payment", "shipping", "email", "keyring"];
const PASSWORD: &str = "only-tests-know";
const NEEDED: [&str; 5] =
    ["DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS", "SCHEMA_REGISTRY_URL", "SMTP_URL", "MAIL_API_URL"];

/// The corner.
pub struct Servers {
    /// The administrator's URL, without a database.
    admin: String,
    pub kafka: Settings,
    pub smtp: String,
    pub mail_api: String,
    name: String,
}

impl Servers {
    /// Nothing where the environment names no servers.
    pub async fn of_the_environment() -> Option<Servers> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let [Some(admin), Some(brokers), Some(registry), Some(smtp), Some(mail_api)] =
            NEEDED.map(|name| env::var(name).ok())
        else {
            eprintln!(
                "skipped: set {} to the addresses of real servers, and run `cargo test -p e2e-tests --test distributed` \
                 again",
                NEEDED.join(", ")
            );
            return None;
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let name = format!("tutti_e2e_{now}_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let kafka = Settings::new(&brokers, &registry, Handle::current());
        let kafka = Settings { prefix: format!("{name}."), ..kafka };
        let servers = Servers { admin, kafka, smtp, mail_api, name };
        servers.furnish().await;
        Some(servers)
    }

    async fn furnish(&self) {
        for owner in OWNERS {
            let (admin, name) = (format!("{}/postgres", self.admin), self.database(owner));
            let provisioned =
                tokio::task::spawn_blocking(move || provision(&admin, &name, PASSWORD, Handle::current()));
            provisioned.await.unwrap().unwrap();
        }
        self.create_topics().await;
        // A registry that has just come back, or has much to do, may not answer at once.
        until("the schemas are registered", || async { registration::register(&self.kafka, false).await.ok() }).await;
    }

    /// Creates what topics there are not, as safe as the brokers allow; one that was just deleted may still be going.
    pub async fn create_topics(&self) {
        let (replication, min_in_sync) = if self.brokers() < 3 { (1, 1) } else { (3, 2) };
        let retention = Duration::from_secs(3600);
        let layout = Layout { partitions: topics::PARTITIONS, replication, min_in_sync, retention };
        until("the topics are there", || async { topics::create(&self.kafka, &SERVICES, &layout).await.ok() }).await;
    }

    /// Deletes them, with everything on them, as if the brokers had lost it.
    #[allow(dead_code, reason = "shared with tests that lose nothing")]
    pub async fn delete_topics(&self) {
        let names = SERVICES.map(|service| self.kafka.topic(service));
        let names = names.each_ref().map(|name| name.as_str());
        for deleted in kafka_admin(&self.kafka).delete_topics(&names, &AdminOptions::new()).await.unwrap() {
            deleted.unwrap();
        }
    }

    /// A database as if it had just been made.
    #[allow(dead_code, reason = "shared with tests that lose nothing")]
    pub async fn empty_database(&self, owner: &str) {
        let name = self.database(owner);
        self.as_admin(&[format!("DROP DATABASE {name} WITH (FORCE)"), format!("CREATE DATABASE {name} OWNER {name}")])
            .await;
    }

    /// Keeps a copy of a database that nobody uses just now.
    #[allow(dead_code, reason = "shared with tests that lose nothing")]
    pub async fn back_up(&self, owner: &str) {
        let name = self.database(owner);
        self.as_admin(&[format!("CREATE DATABASE {name}_backup TEMPLATE {name} OWNER {name}")]).await;
    }

    /// Puts the copy in its place.
    #[allow(dead_code, reason = "shared with tests that lose nothing")]
    pub async fn restore(&self, owner: &str) {
        let name = self.database(owner);
        let renamed = format!("ALTER DATABASE {name}_backup RENAME TO {name}");
        self.as_admin(&[format!("DROP DATABASE {name} WITH (FORCE)"), renamed]).await;
    }

    /// One after the other, because none of them may be in a transaction. Sessions of a process that was killed may
    /// still be ending.
    async fn as_admin(&self, statements: &[String]) {
        let admin: Config = format!("{}/postgres", self.admin).parse().unwrap();
        let (client, connection) = admin.connect(NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        for statement in statements {
            until(statement, || async { client.batch_execute(statement).await.ok() }).await;
        }
        drop(client);
        connection.await.unwrap().unwrap();
    }

    /// How many brokers there are.
    pub fn brokers(&self) -> usize {
        self.kafka.brokers.split(',').count()
    }

    /// The database of a service or the keyring, and the role that owns it.
    fn database(&self, owner: &str) -> String {
        format!("{}_{owner}", self.name)
    }

    /// Its owner's URL of a database.
    pub fn url(&self, owner: &str) -> String {
        self.url_with(owner, PASSWORD)
    }

    pub fn url_with(&self, owner: &str, password: &str) -> String {
        let (_, server) = self.admin.rsplit_once('@').unwrap();
        let name = self.database(owner);
        format!("postgres://{name}:{password}@{server}/{name}")
    }

    /// Reads a service's database.
    pub fn read(&self, service: &str) -> PostgresRead {
        PostgresRead::new(Database::new(&self.url(service), Handle::current()).unwrap())
    }
}

fn kafka_admin(settings: &Settings) -> AdminClient<DefaultClientContext> {
    ClientConfig::new().set("bootstrap.servers", &settings.brokers).create().unwrap()
}

impl Drop for Servers {
    /// What cannot be deleted now lies there under a name that nobody else has.
    fn drop(&mut self) {
        let (admin, kafka) = (format!("{}/postgres", self.admin), self.kafka.clone());
        let names: Vec<String> = OWNERS.iter().map(|owner| self.database(owner)).collect();
        let tidying = std::thread::spawn(move || {
            let tokio = tokio::runtime::Runtime::new().unwrap();
            tokio.block_on(async {
                let (client, connection) = admin.parse::<Config>().unwrap().connect(NoTls).await.unwrap();
                tokio::spawn(connection);
                for name in names {
                    for statement in ["DROP DATABASE IF EXISTS {} WITH (FORCE)", "DROP ROLE IF EXISTS {}"] {
                        client.batch_execute(&statement.replace("{}", &name)).await.unwrap();
                    }
                }
                let topics: Vec<_> = SERVICES.iter().map(|service| kafka.topic(service)).collect();
                let topics: Vec<_> = topics.iter().map(String::as_str).collect();
                drop(kafka_admin(&kafka).delete_topics(&topics, &AdminOptions::new()).await);
                delete_subjects(&kafka).await;
            });
        });
        if tidying.join().is_err() {
            eprintln!("not everything under {} is gone from the servers", self.name);
        }
    }
}

async fn delete_subjects(Settings { registry, prefix, .. }: &Settings) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http.get(format!("{registry}/subjects")).send().await.unwrap();
    let subjects: Vec<String> = answer.json().await.unwrap_or_default();
    for subject in subjects.iter().filter(|subject| subject.starts_with(prefix)) {
        for query in ["", "?permanent=true"] {
            drop(http.delete(format!("{registry}/subjects/{subject}{query}")).send().await);
        }
    }
}
