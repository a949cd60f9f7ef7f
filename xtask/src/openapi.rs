//! The description of the HTTP API, as a shop serves it: asked of a real one in a temporary directory, so that it is
//! what clients get.

use serde_json::Value;
use std::{net::SocketAddr, path::Path, time::Duration};
use tutti::{
    client::Client,
    shop::{Options, Shop},
};

/// The document as text.
///
/// # Errors
/// When the shop cannot be opened, asked or closed.
pub fn served() -> Result<String, String> {
    let tokio = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let document = tokio.block_on(asked(folder.path()))?;
    Ok(format!("{document:#}\n"))
}

async fn asked(data: &Path) -> Result<Value, String> {
    let options = Options {
        data: data.to_owned(),
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        order_deadline: Duration::from_secs(60),
        pick_up: Duration::from_secs(60),
        faults: world::Faults::default(),
        telemetry: runtime::telemetry::Telemetry::default(),
    };
    let shop = Shop::open(options).await.map_err(|error| error.to_string())?;
    let client = Client::new(&format!("http://{}", shop.address()))?;
    let document = client.get(&["openapi.json"], &[]).await.map_err(|error| error.to_string());
    shop.close().await?;
    document
}
