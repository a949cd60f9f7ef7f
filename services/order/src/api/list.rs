//! `GET /orders`: newest first, a page at a time.

use super::{
    OrderApi,
    view::{OrderView, state_words},
};
use crate::{
    domain::{Order, PublicState},
    listing::{CustomerOrder, PlacedOrder},
    request::check_customer_id,
};
use axum::extract::State;
use choreography::Key;
use runtime::{
    Versioned,
    http::{Json, Problem, Query},
};
use serde::{Deserialize, Serialize};
use shared_events::OrderId;
use utoipa::{IntoParams, ToSchema};

/// So many orders are looked at for one page at most; a page of what is rare may be short and still have a next one.
const LOOKED_AT: usize = 1000;
/// So many rows are read at once.
const ROWS: usize = 100;

/// Which orders to list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Only those of this customer.
    #[param(example = "c-42")]
    customer_id: Option<String>,
    /// Only those in this state.
    #[param(schema_with = state_words)]
    state: Option<PublicState>,
    /// How many at most; 50 if not given.
    #[param(minimum = 1, maximum = 200, example = 50)]
    limit: Option<usize>,
    /// Where to go on: `next` of the page before.
    after: Option<String>,
}

/// One page of orders.
#[derive(Serialize, ToSchema)]
pub(super) struct Page {
    /// The orders, newest first.
    items: Vec<OrderView>,
    /// Send it as `after` for the next page; null at the end. A page may be short, even empty, and still have a next.
    #[schema(example = "09223370267983730129-5f0c6e1b9a4d4c0f8e2b7a6d3c1e9f80")]
    next: Option<String>,
}

/// List orders, newest first.
#[utoipa::path(
    get, path = "/orders", tag = "orders", params(Filter),
    responses(
        (status = 200, description = "One page.", body = Page),
        (status = 400, description = "A parameter is wrong.", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "The service is at fault; its log says why.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now; see Retry-After.", body = Problem, content_type = "application/problem+json",
            headers(("Retry-After" = u64, description = "Seconds."))),
    )
)]
pub(super) async fn list_orders(
    State(api): State<OrderApi>,
    Query(filter): Query<Filter>,
) -> Result<Json<Page>, Problem> {
    let limit = filter.limit.unwrap_or(50);
    if !(1..=200).contains(&limit) {
        return Err(Problem::invalid("limit", "must be at least 1 and at most 200"));
    }
    if let Some(customer_id) = &filter.customer_id {
        check_customer_id("customer_id", customer_id)?;
    }
    let after = filter.after.as_deref().map(place_of).transpose()?;
    api.page(&filter, limit, after).await.map(Json)
}

/// Where an order stands in any list, and its id. The place is the same in its customer's list and in the list of all.
type Row = (Key, OrderId);

impl OrderApi {
    async fn page(&self, filter: &Filter, limit: usize, mut after: Option<Key>) -> Result<Page, Problem> {
        let mut items = vec![];
        for _ in 0..LOOKED_AT / ROWS {
            let rows = self.rows(filter.customer_id.as_deref(), after.as_deref()).await?;
            let is_last = rows.len() < ROWS;
            for (place, order_id) in rows {
                if items.len() == limit {
                    return Ok(Page { items, next: after.as_deref().map(cursor) });
                }
                items.extend(self.listed(&order_id, filter.state).await?);
                after = Some(place);
            }
            if is_last {
                return Ok(Page { items, next: None });
            }
        }
        Ok(Page { items, next: after.as_deref().map(cursor) })
    }

    async fn rows(&self, customer_id: Option<&str>, after: Option<&str>) -> Result<Vec<Row>, Problem> {
        let Some(customer_id) = customer_id else {
            let rows: Vec<(Key, PlacedOrder)> = self.handle.scan("", after, ROWS).await?;
            return Ok(rows.into_iter().map(|(place, listed)| (place, listed.order_id)).collect());
        };
        let prefix = CustomerOrder::prefix(customer_id);
        let after = after.map(|place| format!("{prefix}{place}"));
        let rows: Vec<(Key, CustomerOrder)> = self.handle.scan(&prefix, after.as_deref(), ROWS).await?;
        let place = |key: Key| key.strip_prefix(&prefix).unwrap_or_default().to_owned();
        Ok(rows.into_iter().map(|(key, listed)| (place(key), listed.order_id)).collect())
    }

    async fn listed(&self, order_id: &str, wanted: Option<PublicState>) -> Result<Option<OrderView>, Problem> {
        let found: Option<Versioned<Order>> = self.handle.state(order_id).await?;
        let fits = |found: &Versioned<Order>| wanted.is_none() || found.state.public_state() == wanted;
        Ok(found.filter(fits).as_ref().and_then(OrderView::of))
    }
}

/// A place as clients carry it: nothing in it needs escaping in a URL.
fn cursor(place: &str) -> String {
    place.replace('/', "-")
}

fn place_of(cursor: &str) -> Result<Key, Problem> {
    let parts = cursor.split_once('-').filter(|(at, order_id)| {
        at.len() == 20 && at.bytes().all(|b| b.is_ascii_digit()) && order_id.parse::<runtime::TraceId>().is_ok()
    });
    let wrong = || Problem::invalid("after", "must be `next` of the page before, unchanged");
    parts.map(|(at, order_id)| format!("{at}/{order_id}")).ok_or_else(wrong)
}
