//! The ways in which a person or a supervisor asks a process to end.

/// Resolves on Ctrl-C, and where there is such a thing on SIGTERM.
pub async fn interrupted() {
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => never_if_deaf(pressed).await,
        () = terminated() => {}
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut signal) => _ = signal.recv().await,
        Err(error) => never_if_deaf(Err(error)).await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}

/// A process that cannot hear signals goes on; it is ended by them all the same, only less gently.
async fn never_if_deaf(heard: std::io::Result<()>) {
    if let Err(error) = heard {
        tracing::warn!(%error, "cannot listen for signals");
        std::future::pending::<()>().await;
    }
}
