//! The shipped recovery of a service, on simulated ports.

use crate::{
    bus::{Reads, TopicBus},
    life::Life,
    process::Site,
    store::SimStore,
};
use choreography::{Service, Topic};
use runtime::{
    bus::Bell,
    recover::{Parts, RecoverError, Recovered},
};
use std::sync::Arc;
use tutti::invariants::SERVICES as NAMES;

/// Rebuilds the store of `life`'s service from its topic, as that process.
///
/// # Errors
/// As [`runtime::recover::recover`].
pub fn recover(site: &Site, life: Arc<Life>) -> Result<Recovered, RecoverError> {
    match NAMES[life.service] {
        "order" => of(site, life, order::service()),
        "inventory" => of(site, life, inventory::service()),
        "payment" => of(site, life, payment::service()),
        "shipping" => of(site, life, shipping::service(site.sim.plan.pick_up)),
        _ => of(site, life, email::service()),
    }
}

fn of<T: Topic>(site: &Site, life: Arc<Life>, service: Service<T>) -> Result<Recovered, RecoverError> {
    let (sim, store, lock) = (&site.sim, &site.stores[life.service], &site.locks[life.service]);
    let bus = TopicBus::new(sim.clone(), life.clone(), site.topics.clone(), store.clone(), Reads::Everything);
    let parts = Parts {
        service,
        // What is written was said before, in an earlier life: nothing of it is news.
        store: Box::new(SimStore::new(store.clone(), lock.clone(), sim.clone(), life.clone(), None)),
        read: Arc::new(store.clone()),
        bus: Box::new(bus),
        bell: Arc::new(Bell::default()),
        clock: sim.clock_of(life.service),
        build: site.builds[life.service],
    };
    runtime::recover::recover(parts, &|_, _| {})
}
