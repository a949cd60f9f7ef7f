//! `GET /products`.

use super::OrderApi;
use crate::catalogue::Product;
use axum::extract::State;
use runtime::http::Json;
use serde::Serialize;
use utoipa::ToSchema;

/// What the shop sells.
#[derive(Serialize, ToSchema)]
pub(super) struct Products {
    /// The articles, by SKU.
    items: Vec<ProductView>,
}

/// One article.
#[derive(Serialize, ToSchema)]
pub(super) struct ProductView {
    /// Names it in an order's lines.
    #[schema(example = "TEA-001")]
    sku: String,
    /// What people call it.
    #[schema(example = "Assam, 250 g")]
    name: String,
    /// What one costs now, in the currency's smallest unit.
    #[schema(example = 1295)]
    unit_price_minor: i64,
    /// ISO 4217.
    #[schema(example = "EUR")]
    currency: String,
}

impl From<&Product> for ProductView {
    fn from(product: &Product) -> ProductView {
        let Product { sku, name, unit_price_minor, currency } = product.clone();
        ProductView { sku, name, unit_price_minor, currency }
    }
}

/// List what the shop sells, with its prices. How much of it there is, `GET /stock` tells.
#[utoipa::path(
    get, path = "/products", tag = "products",
    responses((status = 200, description = "All articles.", body = Products))
)]
pub(super) async fn list_products(State(api): State<OrderApi>) -> Json<Products> {
    Json(Products { items: api.catalogue.products().map(ProductView::from).collect() })
}
