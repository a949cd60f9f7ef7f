//! The shop's one HTTP address: the services' own routes, the outside world's books, and what spans all services.

mod operations;
mod timeline;

pub(crate) use timeline::no_such_sku;

use axum::{Router, extract::State, http::header, response::IntoResponse, routing::get};
use inventory::{api::InventoryApi, opening::Opening};
use order::{api::OrderApi, catalogue::Catalogue};
use runtime::{Handle, Keyring, secret::ShopSecret};
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::sync::Mutex;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};
use world::World;

/// What the routes need.
pub struct Parts {
    /// The running services.
    pub handles: Vec<Handle>,
    /// The simulated outside world.
    pub world: World,
    /// Makes order ids.
    pub secret: ShopSecret,
    /// Seals personal data.
    pub keyring: Arc<dyn Keyring>,
    /// What is sold.
    pub catalogue: Arc<Catalogue>,
    /// What there can be stock of.
    pub opening: Opening,
    /// How long an order may take to be confirmed.
    pub deadline: Duration,
    /// The data directory, to be held against the invariants.
    pub data: PathBuf,
}

/// What spans all services.
#[derive(Clone)]
struct Edge {
    handles: Arc<Vec<Handle>>,
    openapi: Arc<str>,
    data: Arc<PathBuf>,
    verifying: Arc<Mutex<()>>,
}

#[derive(OpenApi)]
#[openapi(info(
    title = "tutti",
    description = "A shop whose order processing nobody conducts. Errors are RFC 9457 problem details that name the field.",
    license(name = "Apache-2.0", identifier = "Apache-2.0")
))]
struct Document;

/// All routes of the shop in one process.
///
/// # Panics
/// Never: a service that is not among the handles only lacks its routes.
pub fn router(parts: &Parts) -> Router {
    let handle = |name: &str| parts.handles.iter().find(|handle| handle.service() == name).cloned();
    let mut routes = OpenApiRouter::with_openapi(Document::openapi()).merge(world::api::router(parts.world.clone()));
    if let Some(handle) = handle("order") {
        let (secret, keyring, catalogue) = (parts.secret.clone(), parts.keyring.clone(), parts.catalogue.clone());
        routes = routes.merge(order::api::router(OrderApi::new(handle, secret, keyring, catalogue, parts.deadline)));
    }
    if let Some(handle) = handle("inventory") {
        let sold = parts.opening.skus().cloned();
        routes = routes.merge(inventory::api::router(InventoryApi::new(handle, sold)));
    }
    let edge = OpenApiRouter::new()
        .routes(routes!(timeline::of_order))
        .routes(routes!(timeline::of_sku))
        .routes(routes!(operations::live))
        .routes(routes!(operations::ready))
        .routes(routes!(operations::metrics))
        .routes(routes!(operations::choreography))
        .routes(routes!(operations::verify));
    let (edge, described) = edge.split_for_parts();
    let (router, mut document) = routes.split_for_parts();
    document.merge(described);
    let openapi = document.to_pretty_json().unwrap_or_default().into();
    let handles = Arc::new(parts.handles.clone());
    let state = Edge { handles, openapi, data: Arc::new(parts.data.clone()), verifying: Arc::default() };
    let edge = edge.route("/openapi.json", get(serve_openapi)).with_state(state);
    runtime::http::finish(router.merge(edge))
}

async fn serve_openapi(State(edge): State<Edge>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], edge.openapi.to_string())
}
