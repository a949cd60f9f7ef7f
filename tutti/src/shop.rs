//! The whole shop in one process: five services on the embedded parts, the outside world simulated, one HTTP address.

mod data;
mod services;
mod standing;

pub use data::DataDir;
pub use services::SERVICES;

use crate::http;
use inventory::opening::Opening;
use runtime::{Handle, SystemClock, secret::ShopSecret, telemetry::Telemetry};
use services::Services;
use shipping::reports::Report;
use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::{net::TcpListener, sync::mpsc, sync::watch, task::JoinHandle};
use world::World;

/// How long requests under way may take when the shop closes.
const DRAIN_WITHIN: Duration = Duration::from_secs(10);

/// How the shop is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where everything is kept.
    pub data: PathBuf,
    /// Where the API listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// How long an order may take to be confirmed.
    pub order_deadline: Duration,
    /// How long the carrier may take to collect a parcel.
    pub pick_up: Duration,
    /// How the outside world behaves from the start.
    pub faults: world::Faults,
    /// Where its spans and metrics go.
    pub telemetry: Telemetry,
}

/// Why the shop cannot be opened. Each names what is wrong and what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory cannot be used.
    #[error("{0}")]
    Data(String),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {cause}; give another one with --listen, or port 0 for any free port")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        cause: std::io::Error,
    },
    /// A part of the shop does not start.
    #[error("{0}")]
    Part(String),
}

/// An open shop.
pub struct Shop {
    address: SocketAddr,
    services: Services,
    server: JoinHandle<std::io::Result<()>>,
    following: JoinHandle<()>,
    closing: watch::Sender<bool>,
    ended: mpsc::UnboundedReceiver<String>,
    _data: DataDir,
}

impl Shop {
    /// Opens everything; the shop takes orders when this returns.
    ///
    /// # Errors
    /// Says what cannot be used and what to do.
    pub async fn open(options: Options) -> Result<Shop, StartError> {
        let listener = TcpListener::bind(options.listen).await;
        let listener = listener.map_err(|cause| StartError::Listen { address: options.listen, cause })?;
        let address = listener.local_addr().map_err(|cause| StartError::Listen { address: options.listen, cause })?;
        let data = DataDir::open(&options.data)?;
        let part = |why: String| StartError::Part(why);
        crate::saga::check().map_err(|e| part(e.to_string()))?;
        runtime::telemetry::recorder().map_err(part)?; // before the first thing is counted
        data.refuse_lost_files()?;
        let secret = ShopSecret::open_or_create(&data.file(data::SECRET)).map_err(|e| part(e.to_string()))?;
        let keyring = runtime::FileKeyring::open(&data.file("keyring.db")).map_err(part)?;
        let shipping = Arc::new(OnceLock::new());
        let world = open_world(&data, &options, shipping.clone())?;
        let (ending, ended) = mpsc::unbounded_channel();
        let services = Services::start(&data, &options, &world, keyring.clone(), address, ending.clone())?;
        _ = shipping.set(services.handle("shipping")?);
        services.begun().await?;
        order::figures::keep(&services.handle("order")?);
        let following = options.telemetry.follow(services.handles());
        let catalogue = Arc::new(order::catalogue::Catalogue::built_in().map_err(|e| part(e.to_string()))?);
        let opening = Opening::built_in().map_err(|e| part(e.to_string()))?;
        services.open_stock(&opening).await?;
        data.note_complete()?;
        let (closing, closed) = watch::channel(false);
        let router = http::router(&http::Parts {
            handles: services.handles(),
            world,
            secret,
            keyring,
            catalogue,
            opening,
            deadline: options.order_deadline,
            data: options.data.clone(),
        });
        let server = tokio::spawn(serve(listener, router, closed));
        tokio::spawn(runtime::host::watch_over(services.watchdog(), ending));
        Ok(Shop { address, services, server, following, closing, ended, _data: data })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The services' handles.
    #[must_use]
    pub fn handles(&self) -> Vec<Handle> {
        self.services.handles()
    }

    /// Resolves with the reason when the shop can no longer go on.
    pub async fn ended(&mut self) -> String {
        self.ended.recv().await.unwrap_or_else(|| "every service has stopped".into())
    }

    /// Takes no more requests, finishes what was begun, and closes the files.
    ///
    /// # Errors
    /// What did not end well.
    pub async fn close(self) -> Result<(), String> {
        // The server is gone already if nobody receives this.
        _ = self.closing.send(true);
        self.handles().iter().for_each(Handle::end_watches);
        let served = tokio::time::timeout(DRAIN_WITHIN, self.server).await;
        self.following.abort();
        let stopped = tokio::task::spawn_blocking(move || self.services.stop()).await.map_err(|e| e.to_string())?;
        match served {
            Ok(Ok(Ok(()))) | Err(_) => stopped, // a client that never ends its request does not keep the shop open
            Ok(Ok(Err(error))) => Err(error.to_string()),
            Ok(Err(error)) => Err(error.to_string()),
        }
    }
}

async fn serve(listener: TcpListener, router: axum::Router, mut closing: watch::Receiver<bool>) -> std::io::Result<()> {
    let closed = async move {
        // When the sender is gone, so is the shop.
        _ = closing.wait_for(|closing| *closing).await;
    };
    axum::serve(listener, router).with_graceful_shutdown(closed).await
}

/// The carrier's webhook leads to shipping, as soon as shipping runs.
fn open_world(data: &DataDir, options: &Options, shipping: Arc<OnceLock<Handle>>) -> Result<World, StartError> {
    let settings = world::Options { faults: options.faults, ..world::Options::default() };
    let receive = move |report: world::Report| {
        let shipping = shipping.get().cloned();
        async move {
            let handle = shipping.ok_or("shipping is not open yet")?;
            let trace = report.order_id.parse().unwrap_or_else(|_| runtime::TraceId::of_text(&report.order_id));
            handle.command(Report::from(report), trace).await.map(|_| ()).map_err(|rejected| format!("{rejected:?}"))
        }
    };
    World::open(&data.file("world"), &settings, Arc::new(SystemClock), receive)
        .map_err(|e| StartError::Part(e.to_string()))
}
