//! What every service process is told.

use super::{Env, StartError};
use crate::bus::kafka;
use std::net::SocketAddr;
use tokio::runtime::Handle;

const DATABASE_URL: (&str, &str) = ("DATABASE_URL", "postgres://order:PASSWORD@127.0.0.1:5432/order");
const BROKERS: (&str, &str) = ("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092");
const REGISTRY: (&str, &str) = ("SCHEMA_REGISTRY_URL", "http://127.0.0.1:8081");

/// Where a process listens, and where its parts are.
pub(super) struct Settings {
    /// The public address.
    pub listen: SocketAddr,
    /// The address for operators.
    pub admin: SocketAddr,
    /// Where other replicas reach the public address.
    pub advertise: String,
    /// The service's own database.
    pub database: String,
    /// Brokers, registry, and the prefix of all topics.
    pub kafka: kafka::Settings,
}

impl Settings {
    pub fn read(env: &Env) -> Result<Settings, StartError> {
        let listen = public(env)?;
        let text = |(name, example): (&str, &str)| env.text(name, example);
        let kafka = kafka::Settings::new(&text(BROKERS)?, &text(REGISTRY)?, Handle::current());
        let prefix = env.optional("KAFKA_TOPIC_PREFIX").unwrap_or_default();
        Ok(Settings {
            listen,
            admin: env.listen("ADMIN_LISTEN", "0.0.0.0:8081")?,
            advertise: advertised(env, listen)?,
            database: text(DATABASE_URL)?,
            kafka: kafka::Settings { prefix, ..kafka },
        })
    }
}

/// Where customers' requests come in.
pub(super) fn public(env: &Env) -> Result<SocketAddr, StartError> {
    env.listen("LISTEN", "0.0.0.0:8080")
}

fn advertised(env: &Env, listen: SocketAddr) -> Result<String, StartError> {
    let usual = || format!("{}:{}", host_name(env), listen.port());
    let address = env.optional("ADVERTISE").unwrap_or_else(usual);
    let fits = |(host, port): (&str, &str)| !host.is_empty() && port.parse::<u16>().is_ok();
    match address.rsplit_once(':').is_some_and(fits) && !address.contains(['/', '@', ' ']) {
        true => Ok(address),
        false => Err(StartError::setting(format!(
            "ADVERTISE is `{address}`; write host:port where other replicas reach this one, as order-0.order:8080"
        ))),
    }
}

/// Containers are told their name in `HOSTNAME`; elsewhere Linux knows it.
fn host_name(env: &Env) -> String {
    let of_the_system = || std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = env.optional("HOSTNAME").or_else(of_the_system).map(|name| name.trim().to_owned());
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| "localhost".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPLETE: [(&str, &str); 4] = [
        ("DATABASE_URL", "postgres://order:secret@there/order"),
        ("KAFKA_BOOTSTRAP_SERVERS", "there:9092"),
        ("SCHEMA_REGISTRY_URL", "http://there:8081"),
        ("HOSTNAME", "order-0"),
    ];

    fn env(more: &[(&'static str, &'static str)]) -> Env {
        let all: Vec<_> = more.iter().chain(&COMPLETE).copied().collect();
        Env::of(move |asked| all.iter().find(|(name, _)| *name == asked).map(|(_, value)| (*value).to_owned()))
    }

    #[tokio::test]
    async fn what_is_left_out_has_its_usual_value() {
        let settings = Settings::read(&env(&[])).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((settings.listen.to_string(), settings.admin.port()), ("0.0.0.0:8080".into(), 8081));
        assert_eq!((&*settings.advertise, &*settings.kafka.topic("order")), ("order-0:8080", "order.events"));
    }

    #[tokio::test]
    async fn what_is_wrong_is_named_and_no_password_shows() {
        for (name, value, said) in [
            ("DATABASE_URL", "", "DATABASE_URL is not set; write for example postgres://"),
            ("KAFKA_BOOTSTRAP_SERVERS", "", "KAFKA_BOOTSTRAP_SERVERS is not set"),
            ("SCHEMA_REGISTRY_URL", "", "SCHEMA_REGISTRY_URL is not set"),
            ("LISTEN", "here", "LISTEN is `here`"),
            ("ADMIN_LISTEN", "8081", "ADMIN_LISTEN is `8081`"),
            ("ADVERTISE", "http://order-0:8080", "ADVERTISE is `http://order-0:8080`; write host:port"),
            ("ADVERTISE", "order-0", "ADVERTISE is `order-0`"),
        ] {
            let error = Settings::read(&env(&[(name, value)])).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.starts_with(said) && !error.contains("secret"), "{error}");
        }
    }
}
