//! The shipping service as a process of its own.

use runtime::{
    performer,
    process::{self, Env, Site, StartError, Wired},
};
use shared_events::shipping::Event;
use shipping::{
    api::{self, ShippingApi},
    carrier::{
        ParcelCarrier, TIMEOUT,
        http::{CARRIER_URL, HttpCarrier},
    },
    domain::{BookLabel, CancelLabel, HandOver},
    signature::{WebhookSecret, WebhookSecrets},
};
use std::{process::ExitCode, sync::Arc, time::Duration};

/// How long the carrier may take to collect a parcel, unless `PICK_UP_S` says otherwise.
const PICK_UP: Duration = Duration::from_secs(24 * 3600);

fn main() -> ExitCode {
    process::main(wire)
}

fn wire(site: &Site) -> Result<Wired<Event>, StartError> {
    let pick_up = site.env.seconds("PICK_UP_S", PICK_UP)?;
    let carrier = HttpCarrier::new(site.env.url(&CARRIER_URL)?, TIMEOUT).map_err(StartError::unusable)?;
    let (carrier, keyring, clock) = (Arc::new(carrier), site.keyring()?, site.clock.clone());
    let secrets = secrets(&site.env)?;
    let adapter = || ParcelCarrier::new(carrier.clone(), keyring.clone(), TIMEOUT);
    let performers = vec![
        performer::<BookLabel>(adapter(), clock.clone()),
        performer::<HandOver>(adapter(), clock.clone()),
        performer::<CancelLabel>(adapter(), clock.clone()),
    ];
    let routes = |handle: &_| api::router(ShippingApi::new(Clone::clone(handle), secrets, clock));
    Ok(Wired::new(shipping::service(pick_up)).performed_by(performers).serving(routes))
}

/// While the carrier changes its secret, both are taken.
fn secrets(env: &Env) -> Result<WebhookSecrets, StartError> {
    let parse = |name, value: &str| WebhookSecret::parse(name, value).map_err(StartError::setting);
    let current = env.text("CARRIER_WEBHOOK_SECRET", "what `openssl rand -hex 32` prints")?;
    let previous = env.optional("CARRIER_WEBHOOK_SECRET_BEFORE");
    Ok(WebhookSecrets {
        current: parse("CARRIER_WEBHOOK_SECRET", &current)?,
        previous: previous.map(|value| parse("CARRIER_WEBHOOK_SECRET_BEFORE", &value)).transpose()?,
    })
}
