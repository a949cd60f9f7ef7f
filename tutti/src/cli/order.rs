//! `tutti order place|list|cancel`: what a customer can do. Looking at one order is in `order_show`.

use super::{
    args::{ListArgs, OrderCommand, PlaceArgs},
    order_show,
};
use crate::{
    client::{Client, Milestone, Order, Page},
    failure::Failure,
    screen::{Screen, Tone},
    table::{Cell, Table},
    timeline,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// Does what was asked about orders.
pub(super) async fn run(what: OrderCommand, shop: &Client, screen: &Screen) -> Result<(), Failure> {
    match what {
        OrderCommand::Place(args) => place(&args, shop, screen).await,
        OrderCommand::Show { order_id } => order_show::show(&order_id, shop, screen).await,
        OrderCommand::List(args) => list(args, shop, screen).await,
        OrderCommand::Watch { order_id, timeout } => order_show::watch(&order_id, timeout, shop, screen).await,
        OrderCommand::Cancel { order_id, reason } => cancel(&order_id, &reason, shop, screen).await,
    }
}

/// What `POST /orders` answers.
#[derive(Deserialize)]
struct Placed {
    order_id: String,
}

async fn place(args: &PlaceArgs, shop: &Client, screen: &Screen) -> Result<(), Failure> {
    let customer = args.customer.clone().map_or_else(|| fresh("c"), Ok)?;
    let key = args.key.clone().map_or_else(|| fresh("key"), Ok)?;
    let placed: Placed = shop.post(&["orders"], Some(&key), &request(args, &customer)).await?;
    let id = placed.order_id.as_str();
    let order = match args.wait {
        Some(milestone) => shop.wait(id, milestone, args.timeout).await?,
        None => shop.order(id).await?,
    };
    tell_placed(&order, &customer, &key, screen)?;
    judge(&order, args.wait, args.timeout)
}

fn tell_placed(order: &Order, customer: &str, key: &str, screen: &Screen) -> Result<(), Failure> {
    let (id, total) = (&order.order_id, order.total.as_ref().map(ToString::to_string).unwrap_or_default());
    if screen.json {
        let (state, settled, reason) = (&order.state, order.settled, &order.reason);
        return screen.document(&json!({ "order_id": id, "customer_id": customer, "idempotency_key": key,
            "state": state, "settled": settled, "reason": reason }));
    }
    let lines = [("order", id.as_str()), ("customer", customer), ("key", key), ("total", total.as_str())];
    for (name, value) in lines {
        screen.say(format!("{} {value}", screen.paint(Tone::Faint, &format!("{name:<10}"))))?;
    }
    let state = screen.paint(timeline::tone_of_state(order), &timeline::ending(order));
    screen.say(format!("{} {state}", screen.paint(Tone::Faint, "state     ")))?;
    if order.settled { Ok(()) } else { screen.say(format!("\nFollow it:  tutti order watch {id}")) }
}

/// A script that waits for *confirmed* wants to know by the exit code whether it is.
fn judge(order: &Order, wait: Option<Milestone>, timeout: std::time::Duration) -> Result<(), Failure> {
    let Some(milestone) = wait else { return Ok(()) };
    let (id, ending, name) = (&order.order_id, timeline::ending(order), milestone.name());
    if !milestone.is_reached_by(order) {
        let waited = crate::time::span(timeout);
        return Err(Failure::NotSo(format!(
            "order {id} is not {name} after {waited}, but {ending}; wait longer with --timeout"
        )));
    }
    let failed = milestone == Milestone::Confirmed && order.state == "cancelled";
    if failed { Err(Failure::NotSo(format!("order {id} was not confirmed: {ending}"))) } else { Ok(()) }
}

fn request(args: &PlaceArgs, customer: &str) -> Value {
    let lines: Vec<Value> = args.lines.iter().map(|(sku, n)| json!({ "sku": sku, "quantity": n })).collect();
    let address = json!({ "name": args.name, "street": args.street, "city": args.city,
        "postal_code": args.postal_code, "country": args.country });
    let mut body = json!({ "customer_id": customer, "email": args.email, "lines": lines,
        "shipping_address": address, "payment_token": args.token });
    if let Some(phone) = &args.phone {
        body["phone"] = json!(phone);
    }
    body
}

async fn list(args: ListArgs, shop: &Client, screen: &Screen) -> Result<(), Failure> {
    let filters = [("customer_id", args.customer), ("state", args.state), ("after", args.after)];
    let mut query: Vec<(&str, String)> = filters.into_iter().filter_map(|(name, v)| Some((name, v?))).collect();
    query.push(("limit", args.limit.to_string()));
    if screen.json {
        return screen.document(&shop.get(&["orders"], &query).await?);
    }
    let page: Page<Order> = shop.get(&["orders"], &query).await?;
    let mut table = Table::new(&["order", "customer", "placed", "total", "state"]).numbers(&[3]);
    page.items.iter().for_each(|order| table.row(row(order)));
    screen.say(table.render(screen))?;
    page.next.map_or(Ok(()), |next| screen.say(format!("\nThere are more:  tutti order list --after {next}")))
}

fn row(order: &Order) -> Vec<Cell> {
    vec![
        order.order_id.clone().into(),
        order.customer_id.clone().into(),
        order.placed_at.map(|at| at.to_string()).unwrap_or_default().into(),
        order.total.as_ref().map(ToString::to_string).unwrap_or_default().into(),
        Cell::toned(timeline::tone_of_state(order), timeline::ending(order)),
    ]
}

async fn cancel(id: &str, reason: &str, shop: &Client, screen: &Screen) -> Result<(), Failure> {
    let answer: Value = shop.post(&["orders", id, "cancellation"], None, &json!({ "reason": reason })).await?;
    if screen.json {
        return screen.document(&answer);
    }
    screen.say(format!("The cancellation of order {id} is accepted.\nFollow it:  tutti order watch {id}"))
}

/// A new name that nobody else has: `<prefix>-` and 16 hex digits.
///
/// # Errors
/// When the machine has no randomness to give.
pub(crate) fn fresh(prefix: &str) -> Result<String, Failure> {
    let number =
        getrandom::u64().map_err(|error| Failure::Unusable(format!("no randomness on this machine: {error}")))?;
    Ok(format!("{prefix}-{number:016x}"))
}
