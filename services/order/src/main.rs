//! The order service as a process of its own.

use order::{
    api::{self, OrderApi},
    catalogue::Catalogue,
    figures,
};
use runtime::{
    process::{self, Site, StartError, Wired},
    secret::ShopSecret,
};
use shared_events::order::Event;
use std::{process::ExitCode, sync::Arc, time::Duration};

/// How long an order may take to be confirmed, unless `ORDER_DEADLINE_S` says otherwise.
const DEADLINE: Duration = Duration::from_secs(15 * 60);

fn main() -> ExitCode {
    process::main(wire)
}

fn wire(site: &Site) -> Result<Wired<Event>, StartError> {
    let secret = site.env.text("SHOP_SECRET", "what `openssl rand -hex 32` prints")?;
    let secret = ShopSecret::from_hex("SHOP_SECRET", &secret).map_err(StartError::setting)?;
    let deadline = site.env.seconds("ORDER_DEADLINE_S", DEADLINE)?;
    let catalogue = Arc::new(Catalogue::built_in().map_err(StartError::unusable)?);
    let keyring = site.keyring()?;
    Ok(Wired::new(order::service()).serving(move |handle| {
        figures::keep(handle);
        api::router(OrderApi::new(handle.clone(), secret, keyring, catalogue, deadline))
    }))
}
