//! `tutti stock list|replenish`: the warehouse.

use super::{args::StockCommand, order::fresh};
use crate::{
    client::{Client, Page, Stock},
    failure::Failure,
    screen::{Screen, Tone},
    table::{Cell, Table},
};
use serde_json::{Value, json};

/// Does what was asked about the stock.
pub(super) async fn run(what: StockCommand, shop: &Client, screen: &Screen) -> Result<(), Failure> {
    match what {
        StockCommand::List => list(shop, screen).await,
        StockCommand::Replenish { sku, quantity, key } => {
            let key = key.map_or_else(|| fresh("delivery"), Ok)?;
            replenish(&sku, quantity, &key, shop, screen).await
        }
    }
}

async fn list(shop: &Client, screen: &Screen) -> Result<(), Failure> {
    if screen.json {
        return screen.document(&shop.get(&["stock"], &[]).await?);
    }
    let stock: Page<Stock> = shop.get(&["stock"], &[]).await?;
    let mut table = Table::new(&["sku", "on hand", "reserved", "available", "replenished"]).numbers(&[1, 2, 3, 4]);
    for Stock { sku, on_hand, reserved, available, replenished } in stock.items {
        let tone = if available == 0 { Tone::Notable } else { Tone::Plain };
        let numbers = [on_hand, reserved].map(|n| Cell::from(n.to_string()));
        let mut row = vec![Cell::from(sku)];
        row.extend(numbers);
        row.extend([Cell::toned(tone, available.to_string()), replenished.to_string().into()]);
        table.row(row);
    }
    screen.say(table.render(screen))
}

async fn replenish(sku: &str, quantity: i64, key: &str, shop: &Client, screen: &Screen) -> Result<(), Failure> {
    let body = json!({ "quantity": quantity });
    let answer: Value = shop.post(&["stock", sku, "replenishments"], Some(key), &body).await?;
    if screen.json {
        return screen.document(&answer);
    }
    screen.say(format!("{quantity} {sku} brought in (key {key})."))
}
