//! `GET /stock`.

use super::InventoryApi;
use crate::domain::Stock;
use axum::extract::State;
use choreography::Key;
use runtime::http::{Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

/// Rows read at once.
const ROWS: usize = 500;

/// The stock of the whole shop.
#[derive(Serialize, ToSchema)]
pub(super) struct StockList {
    /// The stock of each SKU that was ever delivered, by SKU.
    items: Vec<StockView>,
}

/// The stock of one SKU.
#[derive(Serialize, ToSchema)]
pub(super) struct StockView {
    /// What.
    #[schema(example = "TEA-001")]
    sku: String,
    /// Units in the house, also those that orders hold.
    #[schema(example = 1000)]
    on_hand: i64,
    /// Units that orders hold.
    #[schema(example = 4)]
    reserved: i64,
    /// Units that may still be ordered: `on_hand` less `reserved`.
    #[schema(example = 996)]
    available: i64,
    /// Units ever delivered.
    #[schema(example = 1010)]
    replenished: i64,
}

impl StockView {
    pub(super) fn of(sku: Key, stock: &Stock) -> StockView {
        let Stock { on_hand, reserved, replenished, warned: _ } = *stock;
        StockView { sku, on_hand, reserved, available: stock.available(), replenished }
    }
}

/// Show how much there is of everything.
#[utoipa::path(
    get, path = "/stock", tag = "stock",
    responses(
        (status = 200, description = "The stock of each SKU.", body = StockList),
        (status = 500, description = "The service is at fault; its log says why.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now; see Retry-After.", body = Problem, content_type = "application/problem+json",
            headers(("Retry-After" = u64, description = "Seconds."))),
    )
)]
pub(super) async fn list_stock(State(api): State<InventoryApi>) -> Result<Json<StockList>, Problem> {
    let mut items: Vec<StockView> = vec![];
    // Only what is sold can be delivered, so the catalogue bounds the list; the rows are read in short transactions.
    loop {
        let after = items.last().map(|item| item.sku.clone());
        let rows = api.handle.scan::<Stock>("", after.as_deref(), ROWS).await?;
        let is_last = rows.len() < ROWS;
        items.extend(rows.into_iter().map(|(sku, stock)| StockView::of(sku, &stock)));
        if is_last {
            return Ok(Json(StockList { items }));
        }
    }
}
