//! The payment service as a process of its own.

use payment::{
    domain::{Charge, Refund},
    gateway::{
        PaymentGateway, TIMEOUT,
        http::{HttpGateway, PAYMENT_GATEWAY_URL},
    },
};
use runtime::{
    performer,
    process::{self, Site, StartError, Wired},
};
use shared_events::payment::Event;
use std::{process::ExitCode, sync::Arc};

fn main() -> ExitCode {
    process::main(wire)
}

fn wire(site: &Site) -> Result<Wired<Event>, StartError> {
    let gateway = HttpGateway::new(site.env.url(&PAYMENT_GATEWAY_URL)?, TIMEOUT).map_err(StartError::unusable)?;
    let (gateway, keyring) = (Arc::new(gateway), site.keyring()?);
    let adapter = || PaymentGateway::new(gateway.clone(), keyring.clone(), TIMEOUT);
    Ok(Wired::new(payment::service()).performed_by(vec![
        performer::<Charge>(adapter(), site.clock.clone()),
        performer::<Refund>(adapter(), site.clock.clone()),
    ]))
}
