//! The whole shop: five services and the outside world, each a process.

use crate::{client::Client, process::Process, servers::Servers, wait::until};
use std::{collections::BTreeMap, path::Path};
use tempfile::TempDir;
use tutti::shop::SERVICES;

/// The shop. Its processes end before its databases and topics go.
pub struct Site {
    pub services: BTreeMap<&'static str, Process>,
    pub world: Process,
    folder: TempDir,
    pub servers: Servers,
}

impl Site {
    /// A shop that does not run yet; nothing where there are no servers for it. The settings are added to everybody's.
    pub async fn new(settings: &[(&'static str, &str)]) -> Option<Site> {
        let servers = Servers::of_the_environment().await?;
        let folder = tempfile::tempdir().unwrap();
        let mut world = Process::new("world", folder.path(), vec![]);
        let mut services = BTreeMap::new();
        for name in SERVICES {
            let mut process = service(name, &servers, &world, folder.path());
            settings.iter().for_each(|(name, value)| process.set(name, Some(value)));
            services.insert(name, process);
        }
        let webhook = format!("http://{}/carrier/reports", services["shipping"].listen);
        world.set("WEBHOOK_URL", Some(&webhook));
        world.set("DATA", Some(&folder.path().join("world").display().to_string()));
        world.set("CARRIER_WEBHOOK_SECRET", Some(SECRET));
        world.set("MAIL_API_URL", Some(&servers.mail_api));
        Some(Site { services, world, folder, servers })
    }

    /// Starts everybody, and waits until all are ready and the warehouse has its opening stock.
    pub async fn open(&mut self) {
        self.world.start();
        self.services.values_mut().for_each(Process::start);
        self.world.ready().await;
        for service in self.services.values() {
            service.ready().await;
        }
        let stock = || async { self["inventory"].client.read("/stock").await["items"].as_array().unwrap().len() };
        until("the opening stock is there", || async { (stock().await == 8).then_some(()) }).await;
    }

    /// One more process of a service, with the same settings at addresses of its own. It does not run yet.
    pub fn replica(&self, service_name: &'static str) -> Process {
        service(service_name, &self.servers, &self.world, self.folder.path())
    }

    /// Where logs and the outside world's books are.
    #[allow(dead_code, reason = "shared with tests that put nothing there")]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn process(&mut self, service: &str) -> &mut Process {
        self.services.get_mut(service).unwrap()
    }

    /// Speaks to the service that takes orders.
    pub fn orders(&self) -> Client {
        self["order"].client.clone()
    }

    /// Waits until a service has said this about an order.
    pub async fn said(&self, service: &str, event: &str, id: &str) {
        let admin = &self[service].admin;
        let said = || async { admin.read(&format!("/log/{id}")).await["items"].as_array().unwrap().clone() };
        until(&format!("{event} about {id}"), || async {
            said().await.iter().any(|said| said["type"] == event).then_some(())
        })
        .await;
    }
}

impl std::ops::Index<&str> for Site {
    type Output = Process;
    fn index(&self, service: &str) -> &Process {
        &self.services[service]
    }
}

/// What carrier and shop share.
const SECRET: &str = "a secret that only tests share";

fn service(name: &'static str, servers: &Servers, world: &Process, folder: &Path) -> Process {
    let of_the_world = |part: &str| format!("http://{}/{part}", world.listen);
    let settings = vec![
        ("DATABASE_URL", servers.url(name)),
        ("KEYRING_DATABASE_URL", servers.url("keyring")),
        ("KAFKA_BOOTSTRAP_SERVERS", servers.kafka.brokers.clone()),
        ("SCHEMA_REGISTRY_URL", servers.kafka.registry.clone()),
        ("KAFKA_TOPIC_PREFIX", servers.kafka.prefix.clone()),
        ("SHOP_SECRET", "7e".repeat(32)),
        ("PAYMENT_GATEWAY_URL", of_the_world("gateway")),
        ("CARRIER_URL", of_the_world("carrier")),
        ("SMS_URL", of_the_world("sms")),
        ("SMTP_URL", servers.smtp.clone()),
        ("CARRIER_WEBHOOK_SECRET", SECRET.to_owned()),
        ("TUTTI_LOG", "info,runtime=debug".to_owned()),
    ];
    Process::new(name, folder, settings)
}
