//! A process that asks another one on this machine how it is: for the health checks of containers that hold nothing but
//! this program.

use super::{Env, failed, settings::own_address};
use crate::remote;
use std::{net::SocketAddr, process::ExitCode, time::Duration};

/// A container's own check gives up later than this.
const ANSWERS_WITHIN: Duration = Duration::from_secs(3);

pub(super) async fn own_health(env: &Env) -> ExitCode {
    match own_address(env) {
        Ok(address) => is_ready(address).await,
        Err(error) => failed("--health", &error),
    }
}

/// Asks `GET /health/ready` at an address of this machine, says what it answers, and gives the exit code: 0 if it is
/// ready.
pub async fn is_ready(address: SocketAddr) -> ExitCode {
    let url = format!("http://{address}/health/ready");
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

fn not_ready(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::FAILURE
}
