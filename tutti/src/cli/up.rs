//! `tutti up`: opens the shop and keeps it open until Ctrl-C, SIGTERM, or the end of stdin.

use super::{args::UpArgs, world};
use crate::{
    failure::Failure,
    interrupt::interrupted,
    screen::{Screen, Tone},
    shop::{Options, SERVICES, Shop},
};
use runtime::telemetry::{self, Settings, Telemetry};
use serde_json::json;
use std::path::Path;
use tokio::sync::oneshot;

/// Opens the shop, says where it is once it is ready, and closes it in an orderly way when asked to.
pub(super) async fn run(args: UpArgs, screen: &Screen) -> Result<(), Failure> {
    let telemetry = started()?;
    let (data, until_stdin_ends) = (args.data.clone(), args.until_stdin_ends);
    let mut shop =
        Shop::open(options(args, telemetry.clone())?).await.map_err(|error| Failure::Unusable(error.to_string()))?;
    welcome(&format!("http://{}", shop.address()), &data, screen)?;
    let asked_to = async {
        tokio::select! {
            () = interrupted() => {}
            () = stdin_ends(), if until_stdin_ends => {}
        }
    };
    tokio::select! {
        () = asked_to => {
            if screen.terminal { screen.say("\nClosing: what was begun is finished first. Ctrl-C again ends it at once; nothing accepted is lost.")?; }
            tokio::select! {
                closed = shop.close() => closed.map_err(|error| Failure::NotSo(error.to_string())),
                () = interrupted() => Err(Failure::Interrupted),
            }
        }
        why = shop.ended() => Err(Failure::NotSo(format!("the shop ended by itself: {why}"))),
    }
}

/// The log, metrics and spans of this process. They end last, with what was not exported yet.
fn started() -> Result<Telemetry, Failure> {
    let settings = Settings::from_env().map_err(|error| Failure::Usage(error.to_string()))?;
    telemetry::start(&SERVICES, &settings).map_err(|error| Failure::Usage(error.to_string()))
}

fn options(args: UpArgs, telemetry: Telemetry) -> Result<Options, Failure> {
    let patch = world::nested(&args.world)?;
    let faults = ::world::Faults::default().patched(&patch);
    let faults = faults.map_err(|error| Failure::Usage(format!("--world {error}")))?;
    let UpArgs { data, listen, order_deadline, pick_up, .. } = args;
    Ok(Options { data, listen, order_deadline, pick_up, faults, telemetry })
}

/// For machines one line of JSON, which is also how the demo learns that its shop is ready.
fn welcome(url: &str, data: &Path, screen: &Screen) -> Result<(), Failure> {
    if screen.json {
        return screen.say(json!({ "url": url, "data": data }));
    }
    let strong = |text: &str| screen.paint(Tone::Strong, text);
    let at = if url == "http://127.0.0.1:8080" { String::new() } else { format!(" --url {url}") };
    // As it was called, so that the line can be copied.
    let tutti = std::env::args().next().unwrap_or_else(|| "tutti".into());
    screen.say(format!(
        "{}\n  API            {url}\n  documentation  {url}/openapi.json, {url}/choreography\n  data           {}\n\n\
         In a second terminal:\n  {tutti}{at} order place TEA-001:2 --wait settled\n  {tutti}{at} world set gateway.fail=0.5 carrier.collects=false   break something\n\n\
         Ctrl-C closes it. Start it again on the same data, and orders in flight go on.",
        strong("The shop is open."),
        data.display()
    ))
}

/// Resolves when whoever started this process closes its stdin, or is gone. A thread of its own waits for that: a read
/// of stdin cannot be given up, and must not keep the process from ending otherwise.
async fn stdin_ends() {
    let (ends, ended) = oneshot::channel();
    std::thread::spawn(move || {
        // An error is an end too; and nobody listens only when the process is ending anyway.
        let read = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        _ = ends.send(read);
    });
    _ = ended.await;
}
