//! `tutti databases create`.

use crate::run::{Ran, address, setting, tutti, unique};
use std::sync::LazyLock;
use tokio_postgres::{Client, Config, NoTls, config::Host};

const NEEDED: [&str; 6] = ["ORDER", "INVENTORY", "PAYMENT", "SHIPPING", "EMAIL", "KEYRING"];

static TOKIO: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| tokio::runtime::Runtime::new().unwrap());

/// Accounts that are gone when the test ends.
struct Accounts {
    admin: Config,
    names: Vec<String>,
}

impl Accounts {
    fn of_the_environment() -> Option<Accounts> {
        let admin: Config = address("DATABASE_URL")?.parse().unwrap();
        Some(Accounts { admin, names: NEEDED.iter().map(|name| unique(&name.to_lowercase())).collect() })
    }

    fn url(&self, user: &str, password: &str, database: &str) -> String {
        let Host::Tcp(host) = &self.admin.get_hosts()[0] else { panic!("DATABASE_URL must name a host") };
        let port = self.admin.get_ports().first().copied().unwrap_or(5432);
        format!("postgres://{user}:{password}@{host}:{port}/{database}")
    }

    fn admin_url(&self) -> String {
        let password = String::from_utf8(self.admin.get_password().unwrap_or_default().to_vec()).unwrap();
        self.url(self.admin.get_user().unwrap_or("postgres"), &password, "postgres")
    }

    fn create(&self, password: &str) -> Ran {
        let mut settings: Vec<_> = NEEDED
            .iter()
            .zip(&self.names)
            .map(|(service, name)| setting(&format!("{service}_DATABASE_URL"), self.url(name, password, name)))
            .collect();
        settings.push(setting("ADMIN_DATABASE_URL", self.admin_url()));
        tutti(&["--json", "databases", "create"], &settings)
    }
}

impl Drop for Accounts {
    fn drop(&mut self) {
        let client = connect(&self.admin_url()).unwrap();
        for name in &self.names {
            for statement in ["DROP DATABASE IF EXISTS", "DROP ROLE IF EXISTS"] {
                TOKIO.block_on(client.batch_execute(&format!("{statement} \"{name}\""))).unwrap();
            }
        }
    }
}

fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = TOKIO.block_on(tokio_postgres::connect(url, NoTls))?;
    TOKIO.spawn(connection);
    Ok(client)
}

#[test]
fn each_service_gets_a_database_that_it_alone_reaches() {
    let Some(accounts) = Accounts::of_the_environment() else { return };
    let made = accounts.create("first").document();
    let named: Vec<&str> =
        made["databases"].as_array().unwrap().iter().map(|one| one["database"].as_str().unwrap()).collect();
    assert_eq!(named, accounts.names);
    for user in &accounts.names {
        for database in &accounts.names {
            let reached = connect(&accounts.url(user, "first", database)).is_ok();
            assert_eq!(reached, user == database, "{user} at {database}");
        }
    }
}

#[test]
fn creating_again_changes_nothing_but_the_password() {
    let Some(accounts) = Accounts::of_the_environment() else { return };
    accounts.create("first").document();
    let order = &accounts.names[0];
    let client = connect(&accounts.url(order, "first", order)).unwrap();
    TOKIO.block_on(client.batch_execute("CREATE TABLE kept (it int)")).unwrap();
    accounts.create("second").document();
    assert!(connect(&accounts.url(order, "first", order)).is_err());
    let client = connect(&accounts.url(order, "second", order)).unwrap();
    TOKIO.block_on(client.batch_execute("SELECT it FROM kept")).unwrap();
}

fn settings(change: impl Fn(&str) -> Option<String>) -> Vec<(String, String)> {
    let names = NEEDED.iter().chain(&["ADMIN"]);
    let url = |name: &&&str| Some(setting(&format!("{name}_DATABASE_URL"), change(name)?));
    names.filter_map(|name| url(&name)).collect()
}

/// Nobody listens at port 1.
fn at_nobody(name: &str) -> String {
    let name = name.to_lowercase();
    format!("postgres://{name}:hunter2@127.0.0.1:1/{name}")
}

#[test]
fn a_setting_that_cannot_be_used_is_named_before_anything_is_made() {
    let run = |change: &dyn Fn(&str) -> Option<String>| tutti(&["databases", "create"], &settings(change));
    let without = |missing: &'static str| run(&move |name| (name != missing).then(|| at_nobody(name)));
    without("ADMIN").refused(2, &["ADMIN_DATABASE_URL is not set", "postgres://"]);
    without("KEYRING").refused(2, &["KEYRING_DATABASE_URL is not set"]);
    let shared = run(&|name| Some(at_nobody(if name == "EMAIL" { "ORDER" } else { name })));
    shared.refused(2, &["EMAIL_DATABASE_URL and ORDER_DATABASE_URL both name the database order"]);
    let other = run(&|name| Some(at_nobody(name).replace(":1/payment", ":1/shop")));
    other.refused(2, &["PAYMENT_DATABASE_URL", "the same name"]);
    for ran in [shared, other] {
        assert!(!ran.to_string().contains("hunter2"), "{ran}");
    }
}

#[test]
fn a_server_that_is_away_has_an_exit_code_of_its_own() {
    let ran = tutti(&["databases", "create"], &settings(|name| Some(at_nobody(name))));
    ran.refused(3, &["away", "127.0.0.1:1"]);
}
