//! The HTTP API of `inventory`: how much there is, and booking in what was delivered.

mod replenish;
mod stock;

use runtime::Handle;
use shared_events::Sku;
use std::{collections::BTreeSet, sync::Arc};
use utoipa_axum::{router::OpenApiRouter, routes};

/// What the API needs. Clones are the same API.
#[derive(Clone)]
pub struct InventoryApi {
    handle: Handle,
    sold: Arc<BTreeSet<Sku>>,
}

impl InventoryApi {
    /// The API of the inventory service behind `handle`; `sold` is every SKU that the shop sells.
    pub fn new(handle: Handle, sold: impl IntoIterator<Item = Sku>) -> InventoryApi {
        InventoryApi { handle, sold: Arc::new(sold.into_iter().collect()) }
    }
}

/// All routes, with their part of the OpenAPI document.
pub fn router(api: InventoryApi) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(stock::list_stock)).routes(routes!(replenish::replenish_stock)).with_state(api)
}
