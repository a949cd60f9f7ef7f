//! A process that asks another one on this machine how it is: for the health checks of containers that hold nothing but
//! this program.

use super::{Env, failed, settings::public};
use crate::remote;
use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    process::ExitCode,
    time::Duration,
};

/// A container's own check gives up later than this.
const ANSWERS_WITHIN: Duration = Duration::from_secs(3);

/// 0 if the service that runs here with these settings is ready.
pub(super) async fn own_health(env: &Env) -> ExitCode {
    let listen = match public(env) {
        Ok(listen) => listen,
        Err(error) => return failed("--health", &error),
    };
    match answers_well(listen, "/health/ready").await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// Asks `GET /health/live` of the process that listens there on this machine.
///
/// # Errors
/// When it does not answer, or not well: says why.
pub async fn is_alive(listen: SocketAddr) -> Result<(), String> {
    answers_well(listen, "/health/live").await
}

async fn answers_well(listen: SocketAddr, path: &str) -> Result<(), String> {
    let url = format!("http://{}{path}", within_reach(listen));
    let http = remote::client(ANSWERS_WITHIN)?;
    let answer = http.get(&url).send().await.map_err(|error| format!("{url} does not answer: {error}"))?;
    if answer.status().is_success() {
        return Ok(());
    }
    let status = answer.status();
    let why = answer.text().await.unwrap_or_default();
    Err(format!("{url} answers {status}: {}", why.trim()))
}

/// "Any address" is one to listen on, not one to connect to.
fn within_reach(mut listen: SocketAddr) -> SocketAddr {
    if listen.ip().is_unspecified() {
        listen.set_ip(if listen.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    listen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_to_listen_on_becomes_one_to_connect_to() {
        for (listen, reached) in
            [("0.0.0.0:8080", "127.0.0.1:8080"), ("[::]:1", "[::1]:1"), ("10.0.0.7:1", "10.0.0.7:1")]
        {
            assert_eq!(within_reach(listen.parse().unwrap()).to_string(), reached);
        }
    }

    #[tokio::test]
    async fn nobody_there_and_a_bad_answer_are_told_apart() {
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap();
        let routes = axum::Router::new().route("/health/live", axum::routing::get(async || "alive"));
        let serving = tokio::spawn(async move { axum::serve(server, routes).await });
        assert_eq!(is_alive(address).await, Ok(()));
        let why = answers_well(address, "/health/ready").await.unwrap_err();
        assert!(why.contains("/health/ready answers 404"), "{why}");
        serving.abort();
        assert!(serving.await.unwrap_err().is_cancelled());
        let why = is_alive(address).await.unwrap_err();
        assert!(why.contains("/health/live does not answer"), "{why}");
    }
}
