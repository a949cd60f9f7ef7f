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

pub(super) async fn own_health(env: &Env) -> ExitCode {
    match public(env) {
        Ok(address) => is_ready(address).await,
        Err(error) => failed("--health", &error),
    }
}

/// Asks `GET /health/ready` of whoever listens there on this machine, says what holds it up, and gives the exit code: 0
/// if it is ready.
pub async fn is_ready(listens: SocketAddr) -> ExitCode {
    let url = format!("http://{}/health/ready", reachable(listens));
    let asking = async {
        let http = remote::client(ANSWERS_WITHIN)?;
        let answer = http.get(&url).send().await.map_err(|error| format!("{url} does not answer: {error}"))?;
        let ready = answer.status().is_success();
        Ok::<_, String>((ready, answer.text().await.unwrap_or_default()))
    };
    match asking.await {
        Ok((true, _)) => ExitCode::SUCCESS,
        Ok((false, why)) => not_ready(why.trim()),
        Err(why) => not_ready(&why),
    }
}

/// "Any address" is one to listen on, not one to connect to.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    address
}

fn not_ready(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::reachable;

    #[test]
    fn any_address_is_asked_at_the_loopback_one() {
        for (listens, asked) in [("0.0.0.0:1", "127.0.0.1:1"), ("[::]:1", "[::1]:1"), ("10.0.0.7:1", "10.0.0.7:1")] {
            assert_eq!(reachable(listens.parse().unwrap()).to_string(), asked);
        }
    }
}
