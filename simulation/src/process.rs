//! One simulated process: a shipped engine on simulated ports.

use crate::{
    bus::{EmbeddedBus, Reads, Sight, TopicBus, Topics},
    life::Life,
    plan::SERVICES,
    sim::{Sim, named},
    store::{Lock, SimRead, SimStore},
    watch::Watch,
    world::{SimCarrier, SimGateway, SimKeyring, SimPost, World},
};
use choreography::{Service, Topic};
use email::mail::Mailer;
use payment::gateway::PaymentGateway;
use runtime::{
    Engine, Handle, Keyring, Micros, Parts, Performer, Shared, Step,
    bus::{Bus, LogHub},
    intake::Intake,
    performer,
    store::MemoryStore,
};
use shipping::carrier::ParcelCarrier;
use std::{sync::Arc, time::Duration};
use tutti::invariants::SERVICES as NAMES;

/// How long a call to the outside world may take before nobody knows how it ended.
const CALL_WITHIN: Duration = Duration::from_secs(2);

/// What processes are made of, beside what each has for itself.
pub struct Site {
    /// The history.
    pub sim: Arc<Sim>,
    /// The outside world.
    pub world: World,
    /// Sees every commit.
    pub watch: Arc<Watch>,
    /// The stores.
    pub stores: [MemoryStore; SERVICES],
    /// Who leads on each.
    pub locks: [Lock; SERVICES],
    /// The newest build of each service that was ever started.
    pub builds: [u64; SERVICES],
    /// The topics, where the log is not the topic.
    pub topics: Arc<Topics>,
    /// The logs as the bus, where it is.
    pub hub: Option<(Arc<LogHub>, Sight)>,
    /// Where processes that start now read on.
    pub reads: Reads,
}

/// An engine without its type.
trait Steps {
    fn step(&mut self) -> Step;
}

impl<T: Topic> Steps for Engine<T> {
    fn step(&mut self) -> Step {
        Engine::step(self)
    }
}

/// What a process works on, and as which build.
#[derive(Clone)]
pub struct On {
    /// The store.
    pub store: MemoryStore,
    /// Who leads on it.
    pub lock: Lock,
    /// As in [`Parts`].
    pub build: u64,
}

/// A process at work.
pub struct Process {
    /// Its life.
    pub life: Arc<Life>,
    /// Its service's handle.
    pub handle: Handle,
    /// When it has something to do next, in microseconds of the history.
    pub ready_at: Micros,
    engine: Box<dyn Steps>,
    intake: Arc<Intake>,
}

impl Process {
    /// Starts a process of a service.
    ///
    /// # Errors
    /// When the service does not hold together.
    pub fn start(site: &Site, life: Arc<Life>, on: On) -> Result<Process, String> {
        let (world, own) = (&site.world, || life.clone());
        let clock = site.sim.clock_of(life.service);
        let keyring: Arc<dyn Keyring> = Arc::new(SimKeyring(site.sim.clone()));
        match NAMES[life.service] {
            "order" => Self::of(site, own(), on, order::service(), vec![]),
            "inventory" => Self::of(site, own(), on, inventory::service(), vec![]),
            "payment" => {
                let gateway = Arc::new(SimGateway::new(world.clone(), own()));
                let gateway = || PaymentGateway::new(gateway.clone(), keyring.clone(), CALL_WITHIN);
                let performers = vec![
                    performer::<payment::domain::Charge>(gateway(), clock.clone()),
                    performer::<payment::domain::Refund>(gateway(), clock.clone()),
                ];
                Self::of(site, own(), on, payment::service(), performers)
            }
            "shipping" => {
                let carrier = Arc::new(SimCarrier::new(world.clone(), own()));
                let carrier = || ParcelCarrier::new(carrier.clone(), keyring.clone(), CALL_WITHIN);
                let performers = vec![
                    performer::<shipping::domain::BookLabel>(carrier(), clock.clone()),
                    performer::<shipping::domain::HandOver>(carrier(), clock.clone()),
                    performer::<shipping::domain::CancelLabel>(carrier(), clock.clone()),
                ];
                Self::of(site, own(), on, shipping::service(site.sim.plan.pick_up), performers)
            }
            _ => {
                let post = Arc::new(SimPost::new(world.clone(), own()));
                let mailer = || Mailer::new(post.clone(), keyring.clone(), CALL_WITHIN).map_err(|e| e.to_string());
                let performers = vec![
                    performer::<email::domain::SendMail>(mailer()?, clock.clone()),
                    performer::<email::domain::SendSms>(mailer()?, clock.clone()),
                ];
                Self::of(site, own(), on, email::service(), performers)
            }
        }
    }

    fn of<T: Topic>(
        site: &Site,
        life: Arc<Life>,
        on: On,
        service: Service<T>,
        performers: Vec<Box<dyn Performer>>,
    ) -> Result<Process, String> {
        let (sim, On { store, lock, build }) = (&site.sim, on);
        let shared = Shared::new(T::NAME, Arc::new(SimRead::new(store.clone(), sim.clone(), life.service)));
        let intake = shared.intake.clone();
        let bus: Box<dyn Bus> = match &site.hub {
            None => Box::new(TopicBus::new(sim.clone(), life.clone(), site.topics.clone(), store.clone(), site.reads)),
            Some((hub, sight)) => {
                let inner = hub.connect(T::NAME, &service.sources(), intake.bell());
                Box::new(EmbeddedBus::new(inner, sim.clone(), life.clone(), sight.clone(), site.watch.clone()))
            }
        };
        let store = SimStore::new(store, lock, sim.clone(), life.clone(), Some(site.watch.clone()));
        let parts = Parts {
            service,
            store: Box::new(store),
            bus,
            performers,
            clock: sim.clock_of(life.service),
            shared: shared.clone(),
            owner: named(&life),
            build,
        };
        let engine = Box::new(Engine::new(parts).map_err(|e| e.to_string())?);
        let ready_at = sim.now();
        Ok(Process { life, handle: Handle::new(shared), ready_at, engine, intake })
    }

    /// What its service is called.
    #[must_use]
    pub fn service(&self) -> usize {
        self.life.service
    }

    /// Does what there is to do now.
    pub fn step(&mut self) -> Step {
        self.engine.step()
    }

    /// Whether something came for it since it was last asked.
    #[must_use]
    pub fn has_news(&self) -> bool {
        self.intake.bell().has_rung()
    }

    /// There may be news.
    pub fn ring(&self) {
        self.intake.bell().ring();
    }

    /// Where commands, answers and wishes wait.
    #[must_use]
    pub fn intake(&self) -> &Arc<Intake> {
        &self.intake
    }
}
