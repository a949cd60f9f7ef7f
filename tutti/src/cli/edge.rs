//! `tutti edge`: opens the one address of a shop in several processes, and keeps it open until Ctrl-C or SIGTERM.

use super::args::EdgeArgs;
use crate::{
    edge::{Server, Settings},
    failure::Failure,
    interrupt::interrupted,
    screen::Screen,
};
use runtime::{process, telemetry};
use serde_json::json;

/// Opens the edge, says where it is, and closes it in an orderly way when asked to.
pub(super) async fn run(args: &EdgeArgs, screen: &Screen) -> Result<(), Failure> {
    if args.health {
        return process::is_alive(args.listen).await.map_err(Failure::Away);
    }
    let settings = Settings::from_env(args.listen).map_err(|error| Failure::Usage(error.to_string()))?;
    let watched = telemetry::Settings::from_env().map_err(|error| Failure::Usage(error.to_string()))?;
    let watched = telemetry::start(&["edge"], &watched).map_err(|error| Failure::Usage(error.to_string()))?;
    let following = watched.follow(vec![]);
    let cannot = |error| Failure::Unusable(format!("cannot listen on {}: {error}; give another --listen", args.listen));
    let mut server = Server::open(&settings).await.map_err(cannot)?;
    let url = format!("http://{}", server.address());
    screen.say(if screen.json { json!({ "url": url }).to_string() } else { format!("The edge is open: {url}") })?;
    let ended = tokio::select! {
        () = interrupted() => close(server).await,
        why = server.ended() => Err(Failure::NotSo(format!("the edge ended by itself: {why}"))),
    };
    following.abort();
    ended
}

async fn close(server: Server) -> Result<(), Failure> {
    tokio::select! {
        closed = server.close() => closed.map_err(|error| Failure::NotSo(error.to_string())),
        () = interrupted() => Err(Failure::Interrupted),
    }
}
