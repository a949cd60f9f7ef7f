//! Requests over HTTP as anybody can send them, through the services' own routes: placing, looking, cancelling, booking
//! in a delivery, and the carrier's signed reports.

use crate::records::split;
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, Response, StatusCode},
};
use order::catalogue::Catalogue;
use runtime::{
    Clock, Handle, Keyring, Micros, Shared, http, keyring::KeyAnswer, secret::ShopSecret, store::MemoryStore,
};
use shared_events::CustomerKey;
use shipping::signature::{WebhookSecret, WebhookSecrets};
use std::{future::ready, sync::Arc, time::Duration};
use tokio::runtime::Runtime;
use tower::ServiceExt;

/// When all this happens, in microseconds since 1970.
pub const NOW: Micros = 1_700_000_000_000_000;
/// What the carrier signs with.
pub const SECRET: &str = "a secret that is long enough";
/// No answer to nonsense is longer.
const LONGEST_ANSWER: usize = 64 * 1024;
/// In the runtime's own time, which passes only while nothing else can happen.
const PATIENCE: Duration = Duration::from_secs(60);

struct Stands;

impl Clock for Stands {
    fn now(&self) -> Micros {
        NOW
    }
}

struct OneKey;

impl Keyring for OneKey {
    fn make_or_get<'a>(&'a self, _: &'a str) -> KeyAnswer<'a> {
        Box::pin(ready(Ok(CustomerKey::from_bytes([7; 32]))))
    }
    fn get<'a>(&'a self, customer: &'a str) -> KeyAnswer<'a> {
        self.make_or_get(customer)
    }
}

/// The routes of services that nobody runs: a command that is good waits for ever.
pub struct Routes {
    routes: Router,
    tokio: Runtime,
}

impl Routes {
    /// The routes of all services that have some.
    ///
    /// # Errors
    /// When something of it cannot be had.
    pub fn new() -> Result<Routes, String> {
        let tokio = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let handle = |service| Handle::new(Shared::new(service, Arc::new(MemoryStore::new(1))));
        let current = WebhookSecret::parse("CARRIER_WEBHOOK_SECRET", SECRET).map_err(|why| why.to_string())?;
        let secrets = WebhookSecrets { current, previous: None };
        let catalogue = Catalogue::built_in().map_err(|why| why.to_string())?;
        let sold = ["TEA-001".to_owned()];
        let secret = ShopSecret::from_bytes([3; 32]);
        let deadline = Duration::from_secs(900);
        let orders =
            order::api::OrderApi::new(handle("order"), secret, Arc::new(OneKey), Arc::new(catalogue), deadline);
        let stock = inventory::api::InventoryApi::new(handle("inventory"), sold);
        let parcels = shipping::api::ShippingApi::new(handle("shipping"), secrets, Arc::new(Stands));
        let routes = order::api::router(orders)
            .merge(inventory::api::router(stock))
            .merge(shipping::api::router(parcels))
            .split_for_parts()
            .0;
        Ok(Routes { routes: http::finish(routes), tokio: tokio.map_err(|why| why.to_string())? })
    }

    /// Sends a request: a line of method and path, lines of headers as `<name>: <value>`, an empty line, and the body.
    /// Whether it is one that is carried out: it is answered well, or not at all, because a service would have to act.
    ///
    /// # Panics
    /// When the answer blames the service, or is longer than anybody wants to know.
    pub fn send(&self, bytes: &[u8]) -> bool {
        let Some(request) = request(bytes) else { return false };
        self.tokio.block_on(async {
            let answer = self.routes.clone().oneshot(request);
            let Ok(Ok(answer)) = tokio::time::timeout(PATIENCE, answer).await else { return true };
            checked(answer).await.is_success()
        })
    }
}

async fn checked(answer: Response<Body>) -> StatusCode {
    let status = answer.status();
    assert!(!status.is_server_error() || status == StatusCode::SERVICE_UNAVAILABLE, "{status}");
    assert!(to_bytes(answer.into_body(), LONGEST_ANSWER).await.is_ok(), "{status} with a very long answer");
    status
}

fn request(bytes: &[u8]) -> Option<Request<Body>> {
    let (head, body) = split(bytes);
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = lines.next()?;
    let space = first.iter().position(|byte| *byte == b' ')?;
    let mut request = Request::builder().method(&first[..space]).uri(&first[space + 1..]);
    for line in lines {
        let colon = line.windows(2).position(|pair| pair == b": ")?;
        request = request.header(&line[..colon], &line[colon + 2..]);
    }
    request.body(Body::from(body.to_vec())).ok()
}
