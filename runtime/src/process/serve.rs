//! The two addresses of a process: one for everybody, one for operators.

use super::StartError;
use axum::Router;
use std::{net::SocketAddr, time::Duration};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

/// How long requests under way may take when the process ends.
const DRAIN_WITHIN: Duration = Duration::from_secs(10);

/// An address that is listened on, and not answered yet.
pub(super) struct Listening(TcpListener);

impl Listening {
    pub async fn open(setting: &str, address: SocketAddr) -> Result<Listening, StartError> {
        let opened = TcpListener::bind(address).await;
        opened.map(Listening).map_err(|cause| {
            StartError::Unusable(format!("cannot listen on {address}: {cause}; give another one with {setting}"))
        })
    }

    /// Where it is; the port is the system's choice if none was given.
    pub fn address(&self) -> Result<SocketAddr, StartError> {
        self.0.local_addr().map_err(|cause| StartError::Unusable(cause.to_string()))
    }
}

/// The servers of a process.
pub(super) struct Servers {
    serving: JoinSet<std::io::Result<()>>,
    closing: watch::Sender<bool>,
}

impl Servers {
    pub fn start(addresses: [(Listening, Router); 2]) -> Servers {
        let closing = watch::Sender::new(false);
        let mut serving = JoinSet::new();
        for (listening, router) in addresses {
            let mut closed = closing.subscribe();
            let closed = async move {
                // When the sender is gone, so is the process.
                _ = closed.wait_for(|closing| *closing).await;
            };
            serving.spawn(axum::serve(listening.0, router).with_graceful_shutdown(closed).into_future());
        }
        Servers { serving, closing }
    }

    /// Resolves with the reason when one of them serves no more.
    pub async fn broken(&mut self) -> String {
        match self.serving.join_next().await {
            Some(Ok(Err(error))) => format!("cannot serve any more: {error}"),
            Some(Err(error)) => format!("a server broke: {error}"),
            Some(Ok(Ok(()))) | None => "a server has ended".into(),
        }
    }

    /// Takes no more requests and finishes those under way. A client that never ends its request is left behind.
    pub async fn close(mut self) {
        // Nobody listens to this where both have ended by themselves.
        _ = self.closing.send(true);
        let drained = async { while self.serving.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN_WITHIN, drained).await.is_err() {
            tracing::warn!("requests were still under way after {} s", DRAIN_WITHIN.as_secs());
        }
    }
}
