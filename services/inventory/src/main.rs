//! The inventory service as a process of its own.

use inventory::{
    api::{self, InventoryApi},
    opening::Opening,
};
use runtime::process::{self, Site, StartError, Wired};
use shared_events::inventory::Event;
use std::process::ExitCode;

fn main() -> ExitCode {
    process::main(wire)
}

fn wire(_: &Site) -> Result<Wired<Event>, StartError> {
    let opening = Opening::built_in().map_err(StartError::unusable)?;
    Ok(Wired::new(inventory::service()).serving(move |handle| {
        let api = InventoryApi::new(handle.clone(), opening.skus().cloned());
        tokio::spawn(opening.bring_in_once_leading(handle.clone()));
        api::router(api)
    }))
}
