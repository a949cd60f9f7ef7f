//! Where the services are, as the environment names them.

use runtime::remote::{BadSetting, ServerUrl, UrlSetting};
use std::{net::SocketAddr, time::Duration};

/// The services behind the edge.
pub const SERVICES: [&str; 5] = crate::shop::SERVICES;
/// The simulated outside world, whose books and faults a shop for trying out shows.
pub const WORLD: &str = "world";

/// How long a service may take to begin its answer; a wait that the request asks for comes on top. Longer than any
/// service waits for its own store, so that it is the service that says what is wrong.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

const fn url(name: &'static str, example: &'static str) -> UrlSetting {
    UrlSetting { name, scheme: "http", example }
}

/// Public and admin address of each of [`SERVICES`], in that order. The examples are the defaults.
const ADDRESSES: [(UrlSetting, UrlSetting); 5] = [
    (url("ORDER_URL", "http://order:8080"), url("ORDER_ADMIN_URL", "http://order:8081")),
    (url("INVENTORY_URL", "http://inventory:8080"), url("INVENTORY_ADMIN_URL", "http://inventory:8081")),
    (url("PAYMENT_URL", "http://payment:8080"), url("PAYMENT_ADMIN_URL", "http://payment:8081")),
    (url("SHIPPING_URL", "http://shipping:8080"), url("SHIPPING_ADMIN_URL", "http://shipping:8081")),
    (url("EMAIL_URL", "http://email:8080"), url("EMAIL_ADMIN_URL", "http://email:8081")),
];
const WORLD_ADDRESS: UrlSetting = url("WORLD_URL", "http://world:8080");

/// Everything that the edge must be told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where each of [`SERVICES`] and [`WORLD`] answers customers.
    pub public: Vec<(&'static str, ServerUrl)>,
    /// Where each of [`SERVICES`] answers operators.
    pub admin: Vec<(&'static str, ServerUrl)>,
    /// How long a service may take to begin its answer, and to go on with it.
    pub answer_within: Duration,
}

impl Settings {
    /// The addresses that the environment holds; what it does not name is where the deployment in `deploy/` has it.
    ///
    /// # Errors
    /// Names the first setting that is no address of a server.
    pub fn from_env(listen: SocketAddr) -> Result<Settings, BadSetting> {
        let (mut public, mut admin) = (vec![], vec![]);
        for (service, (public_setting, admin_setting)) in SERVICES.into_iter().zip(ADDRESSES) {
            public.push((service, address(&public_setting)?));
            admin.push((service, address(&admin_setting)?));
        }
        public.push((WORLD, address(&WORLD_ADDRESS)?));
        Ok(Settings { listen, public, admin, answer_within: ANSWER_WITHIN })
    }
}

fn address(setting: &UrlSetting) -> Result<ServerUrl, BadSetting> {
    // What is set and is no text is an error below, and not the default.
    let url = match std::env::var_os(setting.name) {
        None => setting.parse(setting.example)?,
        Some(_) => setting.from_env()?,
    };
    if url.has_credentials_or_path() {
        return Err(setting.bad("names more than a host and a port".into()));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_has_settings_of_its_own_name() {
        for (service, (public, admin)) in SERVICES.into_iter().zip(ADDRESSES) {
            let upper = service.to_uppercase();
            assert_eq!((public.name, admin.name), (&*format!("{upper}_URL"), &*format!("{upper}_ADMIN_URL")));
            let examples = (format!("http://{service}:8080"), format!("http://{service}:8081"));
            assert_eq!((public.example, admin.example), (&*examples.0, &*examples.1));
        }
    }
}
