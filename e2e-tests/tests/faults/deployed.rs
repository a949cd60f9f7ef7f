//! The whole shop behind its one address, and what must be true of it when all is over.

use crate::{
    audit,
    client::Client,
    customers::Accepted,
    process::{Process, program},
    site::Site,
    wait::until,
};
use serde_json::{Value, json};
use std::process::Stdio;
use tokio::process::Command;
use tutti::shop::SERVICES;

/// Where the edge finds each service, and where its database is.
const ADDRESSES: [(&str, &str, &str, &str); 5] = [
    ("order", "ORDER_URL", "ORDER_ADMIN_URL", "ORDER_DATABASE_URL"),
    ("inventory", "INVENTORY_URL", "INVENTORY_ADMIN_URL", "INVENTORY_DATABASE_URL"),
    ("payment", "PAYMENT_URL", "PAYMENT_ADMIN_URL", "PAYMENT_DATABASE_URL"),
    ("shipping", "SHIPPING_URL", "SHIPPING_ADMIN_URL", "SHIPPING_DATABASE_URL"),
    ("email", "EMAIL_URL", "EMAIL_ADMIN_URL", "EMAIL_DATABASE_URL"),
];

/// The shop: five services, the outside world, the edge.
pub struct Deployed {
    edge: Process,
    pub site: Site,
}

impl Deployed {
    /// A shop that does not run yet; nothing where there are no servers for it.
    pub async fn new(settings: &[(&'static str, &str)]) -> Option<Deployed> {
        let site = Site::new(settings).await?;
        // Whatever an earlier shop has sent is nobody's here.
        let emptied = reqwest::Client::new().delete(format!("{}/api/v1/messages", site.servers.mail_api)).send().await;
        assert!(emptied.unwrap().status().is_success());
        let url = |address| format!("http://{address}");
        let mut upstreams = vec![("WORLD_URL", url(site.world.listen))];
        for (service, public, admin, _) in ADDRESSES {
            upstreams.extend([(public, url(site[service].listen)), (admin, url(site[service].admin_listen))]);
        }
        let edge = Process::new("edge", site.folder(), upstreams);
        Some(Deployed { edge, site })
    }

    /// Starts everybody, with an outside world that fails now and then and loses some of its answers.
    pub async fn open(&mut self) {
        self.site.open().await;
        self.edge.start();
        self.edge.ready().await;
        let restless = json!({
            "gateway": { "slow_ms": 300, "unknown_ms": 800, "fail": 0.05, "lose_answer": 0.02 },
            "carrier": { "fail": 0.05, "lose_answer": 0.02, "pick_up_ms": 40, "transit_ms": 150, "repeat_reports": 0.2,
                "shuffle_reports": true },
        });
        self.client().world(&restless).await;
    }

    /// Speaks to the shop's one address.
    pub fn client(&self) -> Client {
        self.edge.client.clone()
    }

    /// Waits until a service is not ready, and gives why.
    pub async fn held_up(&self, service: &str) -> String {
        let client = &self.site[service].client;
        until(&format!("{service} is held up"), || async {
            let answer = client.try_send(client.request(reqwest::Method::GET, "/health/ready")).await.ok()?;
            (answer.status == 503).then_some(answer.body)
        })
        .await
    }

    /// Waits until a service has said more, and its topic has it.
    pub async fn says_more(&self, service: &str) {
        let head = self.site[service].status().await["head"].as_u64().unwrap();
        until(&format!("{service} says more"), || async {
            let published = self.site[service].status().await["published"].as_u64().unwrap();
            (published >= head + 20).then_some(())
        })
        .await;
    }

    /// Waits until everybody is ready again.
    pub async fn ready(&self) {
        for service in self.site.services.values() {
            service.ready().await;
        }
    }

    /// Everything that was accepted is there and right, by what customers see; and by what the databases hold, too.
    pub async fn all_is_right(&self, accepted: &[Accepted]) {
        audit::all_is_right(&self.client(), accepted).await;
        self.invariants_hold().await;
    }

    /// Every invariant holds once nothing moves any more.
    pub async fn invariants_hold(&self) -> Value {
        let report = until("the shop is at rest", || async {
            let report = self.verified().await;
            assert_eq!(report["violations"], json!([]), "{report:#}");
            (report["at_rest"] == true).then_some(report)
        })
        .await;
        for name in SERVICES {
            let service = &self.site[name];
            until(&format!("{name} has published everything"), || async {
                let status = service.status().await;
                (status["published"] == status["head"]).then_some(())
            })
            .await;
        }
        // Row by row, each topic has what its service's log has.
        let topics = self.job(&["republish", "--dry-run", "--json"]).await;
        for topic in topics["services"].as_array().unwrap() {
            assert_eq!(topic["lacks"], false, "{topic}");
        }
        report
    }

    /// Waits until a topic has all that a service has committed, whose process is gone: another one publishes it.
    pub async fn published_by(&self, service: &'static str) {
        self.job(&["republish", "--service", service, "--json"]).await;
    }

    /// What `tutti verify` says.
    async fn verified(&self) -> Value {
        let output = self.tutti(&["verify", "--deployed", "--json"]).output().await.unwrap();
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("no report: {}", String::from_utf8_lossy(&output.stderr)))
    }

    /// Runs a job of the command line, which must succeed, and gives what it prints.
    pub async fn job(&self, args: &[&str]) -> Value {
        let output = self.tutti(args).output().await.unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "tutti {args:?}: {}: {told}", output.status);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("tutti {args:?} prints no JSON: {told}"))
    }

    /// The command line, with the settings of an operator of this shop.
    fn tutti(&self, args: &[&str]) -> Command {
        let mut tutti = program("tutti");
        tutti.args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
        tutti.env("WORLD_URL", format!("http://{}", self.site.world.listen));
        let kafka = &self.site.servers.kafka;
        tutti.env("KAFKA_BOOTSTRAP_SERVERS", &kafka.brokers).env("SCHEMA_REGISTRY_URL", &kafka.registry);
        tutti.env("KAFKA_TOPIC_PREFIX", &kafka.prefix);
        for (service, _, _, database) in ADDRESSES {
            tutti.env(database, self.site.servers.url(service));
        }
        tutti
    }
}
