//! The HTTP API of `shipping`: what the carrier reports.

mod report;

use crate::signature::WebhookSecrets;
use runtime::{Clock, Handle};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

/// What the API needs. Clones are the same API.
#[derive(Clone)]
pub struct ShippingApi {
    handle: Handle,
    secrets: WebhookSecrets,
    clock: Arc<dyn Clock>,
}

impl ShippingApi {
    /// The API of the shipping service behind `handle`; the carrier signs its reports with one of `secrets`.
    #[must_use]
    pub fn new(handle: Handle, secrets: WebhookSecrets, clock: Arc<dyn Clock>) -> ShippingApi {
        ShippingApi { handle, secrets, clock }
    }
}

/// All routes, with their part of the OpenAPI document.
pub fn router(api: ShippingApi) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(report::take_report)).with_state(api)
}
