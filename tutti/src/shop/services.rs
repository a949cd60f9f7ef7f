//! The five services on the embedded parts: an SQLite file each, and the logs themselves as the bus.

use super::{DataDir, Options, StartError, standing::refuse_older_files};
use choreography::{Service, Topic};
use email::mail::Mailer;
use inventory::opening::Opening;
use payment::gateway::PaymentGateway;
use runtime::{
    Clock, Engine, Handle, Keyring, Parts, Performer, Shared, SystemClock,
    bus::LogHub,
    host::{self, Running},
    performer,
    process::BUILD,
    pulse::Pulse,
    store::{Read, SqliteRead, SqliteStore},
    telemetry::Telemetry,
};
use shipping::carrier::ParcelCarrier;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::sync::mpsc;
use world::World;

/// How long a call to the outside world may take before nobody knows how it ended.
const CALL_WITHIN: Duration = Duration::from_secs(2);
/// The services of the shop.
pub const SERVICES: [&str; 5] = ["order", "inventory", "payment", "shipping", "email"];

/// The running services.
pub(super) struct Services {
    running: Vec<Running>,
    handles: Vec<Handle>,
}

/// A service whose files are open, and which does not run yet.
struct Opened {
    store: SqliteStore,
    shared: Arc<Shared>,
}

struct Wiring<'w> {
    data: &'w DataDir,
    hub: LogHub,
    stores: Vec<(&'static str, Arc<dyn Read>)>,
    clock: Arc<dyn Clock>,
    telemetry: &'w Telemetry,
}

impl Wiring<'_> {
    /// Opens a service's file; its log joins the bus before anybody connects.
    fn open(&mut self, name: &'static str) -> Result<Opened, StartError> {
        let path = self.data.file(&format!("{name}.db"));
        let unusable = |e: runtime::StoreError| StartError::Data(e.to_string());
        let store = SqliteStore::open(&path, self.clock.now() / 1000).map_err(unusable)?;
        let read = Arc::new(SqliteRead::open(&path).map_err(unusable)?);
        self.hub.add(name, read.clone());
        self.stores.push((name, read.clone()));
        Ok(Opened { store, shared: Shared::traced(name, read, self.telemetry.spans(name)) })
    }
}

struct Starting {
    hub: Arc<LogHub>,
    clock: Arc<dyn Clock>,
    owner: String,
    ending: mpsc::UnboundedSender<String>,
    services: Services,
}

impl Starting {
    fn start<T: Topic>(
        &mut self,
        service: Service<T>,
        opened: Opened,
        performers: Vec<Box<dyn Performer>>,
    ) -> Result<(), StartError> {
        let Opened { store, shared } = opened;
        let bus = self.hub.connect(T::NAME, &service.sources(), shared.intake.bell());
        self.services.handles.push(Handle::new(shared.clone()));
        let parts = Parts {
            service,
            store: Box::new(store),
            bus: Box::new(bus),
            performers,
            clock: self.clock.clone(),
            shared,
            owner: self.owner.clone(),
            build: BUILD,
        };
        let engine = Engine::new(parts).map_err(|e| StartError::Part(e.to_string()))?;
        let running = host::start(engine, self.ending.clone())
            .map_err(|e| StartError::Part(format!("{} does not start: {e}", T::NAME)))?;
        self.services.running.push(running);
        Ok(())
    }
}

impl Services {
    pub fn start(
        data: &DataDir,
        options: &Options,
        world: &World,
        keyring: Arc<dyn Keyring>,
        address: SocketAddr,
        ending: mpsc::UnboundedSender<String>,
    ) -> Result<Services, StartError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let mut wiring = Wiring {
            data,
            hub: LogHub::default(),
            stores: vec![],
            clock: clock.clone(),
            telemetry: &options.telemetry,
        };
        let [order, inventory, payment, shipping, email] = SERVICES.map(|name| wiring.open(name));
        refuse_older_files(&wiring.stores)?;
        let services = Services { running: vec![], handles: vec![] };
        let mut starting =
            Starting { hub: Arc::new(wiring.hub), clock: clock.clone(), owner: address.to_string(), ending, services };

        let gateway = Arc::new(world.gateway.clone());
        let gateway = || PaymentGateway::new(gateway.clone(), keyring.clone(), CALL_WITHIN);
        let carrier = Arc::new(world.carrier.clone());
        let carrier = || ParcelCarrier::new(carrier.clone(), keyring.clone(), CALL_WITHIN);
        let post = Arc::new(world.post.clone());
        let mailer = || {
            Mailer::new(post.clone(), keyring.clone(), CALL_WITHIN)
                .map_err(|e| StartError::Part(format!("a mail template is wrong: {e}")))
        };

        starting.start(order::service(), order?, vec![])?;
        starting.start(inventory::service(), inventory?, vec![])?;
        let performers = vec![
            performer::<payment::domain::Charge>(gateway(), clock.clone()),
            performer::<payment::domain::Refund>(gateway(), clock.clone()),
        ];
        starting.start(payment::service(), payment?, performers)?;
        let performers = vec![
            performer::<shipping::domain::BookLabel>(carrier(), clock.clone()),
            performer::<shipping::domain::HandOver>(carrier(), clock.clone()),
            performer::<shipping::domain::CancelLabel>(carrier(), clock.clone()),
        ];
        starting.start(shipping::service(options.pick_up), shipping?, performers)?;
        let performers = vec![
            performer::<email::domain::SendMail>(mailer()?, clock.clone()),
            performer::<email::domain::SendSms>(mailer()?, clock),
        ];
        starting.start(email::service(), email?, performers)?;
        Ok(starting.services)
    }

    pub fn handles(&self) -> Vec<Handle> {
        self.handles.clone()
    }

    pub fn handle(&self, service: &str) -> Result<Handle, StartError> {
        let found = self.handles.iter().find(|handle| handle.service() == service);
        found.cloned().ok_or_else(|| StartError::Part(format!("no service `{service}` runs here")))
    }

    /// Waits until each has begun, so that nothing is said before every reader knows where to begin.
    pub async fn begun(&self) -> Result<(), StartError> {
        for handle in &self.handles {
            handle.begun().await.map_err(|why| StartError::Part(format!("{}: {why}", handle.service())))?;
        }
        Ok(())
    }

    /// Brings in the stock that a shop opens with, once.
    pub async fn open_stock(&self, opening: &Opening) -> Result<(), StartError> {
        let brought = opening.bring_in(&self.handle("inventory")?).await;
        brought.map_err(|why| StartError::Part(format!("the opening stock is not accepted: {why:?}")))
    }

    pub fn watchdog(&self) -> Vec<(&'static str, Arc<Pulse>)> {
        self.running.iter().map(Running::watched).collect()
    }

    /// Stops them all: no more commands, what waits is finished.
    pub fn stop(self) -> Result<(), String> {
        let failed: Vec<String> = self.running.into_iter().filter_map(|running| running.stop().err()).collect();
        if failed.is_empty() { Ok(()) } else { Err(failed.join("; ")) }
    }
}
