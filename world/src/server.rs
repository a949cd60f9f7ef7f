//! The outside world as a server of its own: what the program `world` runs.

pub mod args;

use crate::{BadFault, OpenError, Options, World, api, carrier::webhook::Webhook, post::mailpit::Mailpit};
use args::Args;
use axum::{Router, http::header, routing::get};
use runtime::{SystemClock, interrupt::interrupted};
use std::{
    fs::{self, File, TryLockError},
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use utoipa::OpenApi;

/// How long requests under way may take when the server stops.
const DRAIN_WITHIN: Duration = Duration::from_secs(10);
/// Held by the process that uses the directory.
const LOCK: &str = "world.lock";

/// Why the server does not start, or did not end well. Each names what is wrong and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// A setting cannot be used.
    #[error("{0}")]
    Setting(String),
    /// A file, directory or address on this machine cannot be used.
    #[error("{0}")]
    Unusable(String),
}

impl From<BadFault> for ServerError {
    fn from(bad: BadFault) -> ServerError {
        ServerError::Setting(format!("--world {bad}"))
    }
}

impl From<OpenError> for ServerError {
    fn from(error: OpenError) -> ServerError {
        ServerError::Unusable(error.to_string())
    }
}

#[derive(OpenApi)]
#[openapi(info(
    title = "The outside world of a tutti shop",
    description = "A simulated payment gateway, carrier and SMS centre, each with a durable book, and faults to set.",
    license(name = "Apache-2.0", identifier = "Apache-2.0")
))]
struct Document;

/// An open server.
pub struct Server {
    address: SocketAddr,
    serving: JoinHandle<std::io::Result<()>>,
    closing: watch::Sender<bool>,
    _lock: File,
}

impl Server {
    /// Opens the books and listens.
    ///
    /// # Errors
    /// Says which setting, file or address cannot be used.
    pub async fn open(args: &Args) -> Result<Server, ServerError> {
        let clock = Arc::new(SystemClock);
        let webhook = Webhook::new(&args.webhook_url()?, args.webhook_secret()?, clock.clone());
        let webhook = Arc::new(webhook.map_err(ServerError::Unusable)?);
        let (faults, mail_api) = (args.faults()?, args.mail_api_url()?);
        let lock = lock(&args.data)?;
        let receive = move |report| {
            let webhook = Arc::clone(&webhook);
            async move { webhook.deliver(report).await }
        };
        let mut world = World::open(&args.data, &Options { faults, ..Options::default() }, clock, receive)?;
        if let Some(url) = mail_api {
            world = world.with_mails_of(Mailpit::new(url).map_err(ServerError::Unusable)?);
        }
        let cannot =
            |cause| ServerError::Unusable(format!("cannot listen on {}: {cause}; give another --listen", args.listen));
        let listener = TcpListener::bind(args.listen).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let (closing, closed) = watch::channel(false);
        let serving = tokio::spawn(serve(listener, router(world), closed));
        Ok(Server { address, serving, closing, _lock: lock })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the process is asked to end, and then finishes what is under way.
    ///
    /// # Errors
    /// When it can no longer listen.
    pub async fn run(mut self) -> Result<(), ServerError> {
        let ended = tokio::select! {
            () = interrupted() => None,
            ended = &mut self.serving => Some(ended),
        };
        // Nobody listens to this if it has ended by itself.
        _ = self.closing.send(true);
        let ended = match ended {
            Some(ended) => Ok(ended),
            None => tokio::time::timeout(DRAIN_WITHIN, self.serving).await,
        };
        match ended {
            Ok(Ok(Ok(()))) | Err(_) => Ok(()), // whoever never ends a request does not keep the server open
            Ok(Ok(Err(error))) => Err(ServerError::Unusable(format!("cannot serve any more: {error}"))),
            Ok(Err(error)) => Err(ServerError::Unusable(format!("the server broke: {error}"))),
        }
    }
}

/// All routes, and their description.
fn router(world: World) -> Router {
    let (routes, mut document) = api::with_calls(world).split_for_parts();
    document.merge(Document::openapi());
    document.info = Document::openapi().info;
    let document: Arc<str> = document.to_pretty_json().unwrap_or_default().into();
    let described = move || async move { ([(header::CONTENT_TYPE, "application/json")], document.to_string()) };
    let routes = routes.route("/openapi.json", get(described)).route("/health/live", get(async || "alive\n"));
    runtime::http::finish(routes)
}

async fn serve(listener: TcpListener, router: Router, mut closing: watch::Receiver<bool>) -> std::io::Result<()> {
    let closed = async move {
        // When the sender is gone, so is the server.
        _ = closing.wait_for(|closing| *closing).await;
    };
    axum::serve(listener, router).with_graceful_shutdown(closed).await
}

/// Two processes on the same books would each trust what they have in memory.
fn lock(folder: &Path) -> Result<File, ServerError> {
    let unusable = |why: String| ServerError::Unusable(format!("cannot use the directory {}: {why}", folder.display()));
    fs::create_dir_all(folder).map_err(|cause| unusable(format!("{cause}; choose another with --data")))?;
    let lock = File::create(folder.join(LOCK)).map_err(|cause| unusable(cause.to_string()))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(unusable("another world uses it; choose another with --data".into())),
        Err(TryLockError::Error(cause)) => Err(unusable(cause.to_string())),
    }
}
