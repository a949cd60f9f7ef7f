//! One service as a process of its own: its store is PostgreSQL, its bus Kafka, its settings come from the environment.
//!
//! A service's `main` only says what is its own: [`main`] with its decisions, its performers and its routes.

mod arguments;
mod env;
mod probe;
mod serve;
mod settings;
mod start;

pub use env::Env;
pub use probe::is_alive;

use crate::{
    Clock, Engine, Handle, Keyring, Parts, Performer, PostgresKeyring, Read, Shared, StoreError,
    bus::kafka::KafkaBus,
    host::{self, Running},
    http,
    interrupt::interrupted,
    store::{Database, PostgresRead, PostgresStore},
    telemetry::{self, Telemetry},
};
use arguments::Asked;
use axum::Router;
use choreography::{Service, Topic};
use serve::{Listening, Servers};
use settings::Settings;
use std::{cell::OnceCell, fmt::Display, process::ExitCode, sync::Arc, time::Duration};
use tokio::sync::mpsc;
use utoipa_axum::router::OpenApiRouter;

/// Counts builds that fold differently; an older one never takes the lead back.
pub const BUILD: u64 = 1;
/// How long the engine may take to finish what waits when the process ends.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// How long whatever still blocks a thread may take after that.
const THREADS_WITHIN: Duration = Duration::from_secs(1);

/// Why a process does not start, or has ended. Each names what is wrong and what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting cannot be used.
    #[error("{0}")]
    Setting(String),
    /// What a setting names cannot be used: an address of this machine, a topic, a database.
    #[error("{0}")]
    Unusable(String),
    /// It ran, and cannot go on.
    #[error("{0}")]
    Ended(String),
}

impl StartError {
    /// A setting cannot be used.
    pub fn setting(why: impl Display) -> StartError {
        StartError::Setting(why.to_string())
    }

    /// What a setting names cannot be used.
    pub fn unusable(why: impl Display) -> StartError {
        StartError::Unusable(why.to_string())
    }

    /// The exit code, as all programs here have it.
    fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            StartError::Ended(_) => 1,
            StartError::Setting(_) => 2,
            StartError::Unusable(_) => 4,
        })
    }
}

/// What a service is wired with.
pub struct Site {
    /// Its settings.
    pub env: Env,
    /// The database's clock.
    pub clock: Arc<dyn Clock>,
    keyring: OnceCell<Arc<PostgresKeyring>>,
}

impl Site {
    /// The keys of customers. The process does not start to work before they can be reached.
    ///
    /// # Errors
    /// When `KEYRING_DATABASE_URL` is not set, or no URL of a database.
    pub fn keyring(&self) -> Result<Arc<dyn Keyring>, StartError> {
        let url = self.env.text("KEYRING_DATABASE_URL", "postgres://keyring:PASSWORD@127.0.0.1:5432/keyring")?;
        let opened = PostgresKeyring::new(&url, &tokio::runtime::Handle::current()).map_err(StartError::setting)?;
        Ok(self.keyring.get_or_init(|| opened).clone())
    }
}

/// What is a service's own: its decisions, who performs its effects, and its routes.
pub struct Wired<T: Topic> {
    service: Service<T>,
    performers: Vec<Box<dyn Performer>>,
    routes: Box<dyn FnOnce(&Handle) -> OpenApiRouter>,
}

impl<T: Topic> Wired<T> {
    /// A service that asks the world for nothing and has no routes.
    #[must_use]
    pub fn new(service: Service<T>) -> Wired<T> {
        Wired { service, performers: vec![], routes: Box::new(|_| OpenApiRouter::new()) }
    }

    /// With one performer for each effect that it asks for.
    #[must_use]
    pub fn performed_by(self, performers: Vec<Box<dyn Performer>>) -> Wired<T> {
        Wired { performers, ..self }
    }

    /// With routes. They are made inside the async runtime, before the service begins.
    #[must_use]
    pub fn serving(self, routes: impl FnOnce(&Handle) -> OpenApiRouter + 'static) -> Wired<T> {
        Wired { routes: Box::new(routes), ..self }
    }
}

/// Runs the service of topic `T` until it is asked to end, and gives the process's exit code.
pub fn main<T: Topic>(wire: impl FnOnce(&Site) -> Result<Wired<T>, StartError>) -> ExitCode {
    let asked = match arguments::read(std::env::args().skip(1)) {
        Ok(Asked::Help) => {
            println!("{}", arguments::help(T::NAME));
            return ExitCode::SUCCESS;
        }
        Ok(asked) => asked,
        Err(why) => return failed(T::NAME, &StartError::Setting(why)),
    };
    let tokio = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(tokio) => tokio,
        Err(error) => return failed(T::NAME, &StartError::unusable(format!("no thread can be started: {error}"))),
    };
    let code = tokio.block_on(async {
        match asked {
            Asked::Health => probe::own_health(&Env::of_process()).await,
            _ => run(wire).await,
        }
    });
    tokio.shutdown_timeout(THREADS_WITHIN);
    code
}

fn failed(service: &str, error: &StartError) -> ExitCode {
    eprintln!("{service}: {error}");
    error.code()
}

async fn run<T: Topic>(wire: impl FnOnce(&Site) -> Result<Wired<T>, StartError>) -> ExitCode {
    let settings = telemetry::Settings::from_env();
    let telemetry = match settings.and_then(|settings| telemetry::start(&[T::NAME], &settings)) {
        Ok(telemetry) => telemetry,
        Err(error) => return failed(T::NAME, &StartError::setting(error)),
    };
    let ended = match Process::open(Env::of_process(), wire, &telemetry).await {
        Ok(process) => process.run(&telemetry).await,
        Err(error) => Err(error),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(service = T::NAME, %error, "the process ends");
            error.code()
        }
    }
}

/// A process that is put together: it listens, and its engine does not run yet.
struct Process<T: Topic> {
    engine: Engine<T>,
    shared: Arc<Shared>,
    needs: start::Needs,
    servers: Servers,
}

impl<T: Topic> Process<T> {
    async fn open(
        env: Env,
        wire: impl FnOnce(&Site) -> Result<Wired<T>, StartError>,
        telemetry: &Telemetry,
    ) -> Result<Process<T>, StartError> {
        let settings = Settings::read(&env)?;
        let database = Database::new(&settings.database, tokio::runtime::Handle::current());
        let database = database.map_err(StartError::setting)?;
        let store = PostgresStore::new(database.clone());
        let site = Site { env, clock: store.clock(), keyring: OnceCell::new() };
        let Wired { service, performers, routes } = wire(&site)?;
        let public = Listening::open("LISTEN", settings.listen).await?;
        let admin = Listening::open("ADMIN_LISTEN", settings.admin).await?;
        let (listens, operators) = (public.address()?, admin.address()?);
        let read: Arc<dyn Read> = Arc::new(PostgresRead::new(database));
        let shared = Shared::traced(T::NAME, read.clone(), telemetry.spans(T::NAME));
        let handle = Handle::new(shared.clone());
        let sources = service.sources();
        let bus = KafkaBus::connect(&settings.kafka, T::NAME, &sources, read, shared.intake.bell());
        let parts = Parts {
            service,
            store: Box::new(store),
            bus: Box::new(bus.map_err(StartError::setting)?),
            performers,
            clock: site.clock,
            shared: shared.clone(),
            owner: settings.advertised(listens.port()),
            build: BUILD,
        };
        let engine = Engine::new(parts).map_err(StartError::unusable)?;
        let routes = public_routes(routes(&handle), &handle).map_err(StartError::unusable)?;
        tracing::info!(service = T::NAME, %listens, %operators, "listening");
        let servers = Servers::start([(public, routes), (admin, http::admin(handle))]);
        let topics = std::iter::once(T::NAME).chain(sources).collect();
        let needs = start::Needs { kafka: settings.kafka, topics, keyring: site.keyring.into_inner() };
        Ok(Process { engine, shared, needs, servers })
    }

    /// Starts the engine once what it needs is there, and ends when it is asked to or cannot go on.
    async fn run(self, telemetry: &Telemetry) -> Result<(), StartError> {
        let Process { engine, shared, needs, mut servers } = self;
        let handle = Handle::new(shared.clone());
        let mut asked_to_end = std::pin::pin!(interrupted());
        tokio::select! {
            there = needs.are_there(&shared) => there?,
            () = &mut asked_to_end => {
                servers.close().await;
                return Ok(());
            }
            why = servers.broken() => return Err(StartError::Ended(why)),
        }
        let (ending, mut ended) = mpsc::unbounded_channel();
        let running = host::start(engine, ending.clone()).map_err(StartError::unusable)?;
        tokio::spawn(host::watch_over(vec![running.watched()], ending));
        let following = telemetry.follow(vec![handle.clone()]);
        let why = tokio::select! {
            () = &mut asked_to_end => None,
            why = ended.recv() => Some(why.unwrap_or_else(|| "the service has stopped".into())),
            why = servers.broken() => Some(why),
        };
        tracing::info!(service = T::NAME, "closing: what was begun is finished first");
        handle.end_watches();
        servers.close().await;
        following.abort();
        let stopped = stop(running).await;
        match why {
            Some(why) => Err(StartError::Ended(why)),
            None => stopped.map_err(StartError::Ended),
        }
    }
}

/// Ends the engine, which finishes what waits. One that does not end in time is left behind: whatever it had not
/// committed comes again at the next start.
async fn stop(running: Running) -> Result<(), String> {
    let stopping = tokio::task::spawn_blocking(move || running.stop());
    match tokio::time::timeout(STOP_WITHIN, stopping).await {
        Ok(Ok(stopped)) => stopped,
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("the engine did not stop within {} s", STOP_WITHIN.as_secs())),
    }
}

/// The service's own routes, which a standby forwards; its health; and their description.
fn public_routes(routes: OpenApiRouter, handle: &Handle) -> Result<Router, String> {
    let (routes, document) = routes.split_for_parts();
    let document: Arc<str> = document.to_pretty_json().map_err(|error| error.to_string())?.into();
    let described = move || {
        let document = document.to_string();
        async move { ([(axum::http::header::CONTENT_TYPE, "application/json")], document) }
    };
    let routes = http::forwarding(routes, handle.clone())?;
    let routes = routes.merge(http::health(handle.clone()));
    Ok(http::finish(routes.route("/openapi.json", axum::routing::get(described))))
}

impl From<StoreError> for StartError {
    /// What is merely away is waited for and never gets here.
    fn from(error: StoreError) -> StartError {
        StartError::Unusable(error.to_string())
    }
}
