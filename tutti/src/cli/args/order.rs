//! What can be done with orders.

use super::parse_key;
use crate::{client::Milestone, time::parse_span};
use clap::{Args, Subcommand};
use std::time::Duration;

/// `tutti order …`.
#[derive(Debug, Subcommand)]
pub enum OrderCommand {
    /// Place an order
    #[command(after_help = PLACE_EXAMPLES)]
    Place(Box<PlaceArgs>),
    /// Show an order's timeline across all services, and what it waits for
    #[command(after_help = "Example:\n  tutti order show 0af7651916cd43dd8448eb211c80319c")]
    Show {
        /// The order
        order_id: String,
    },
    /// List orders
    #[command(
        after_help = "Examples:\n  tutti order list --state pending\n  tutti order list --customer c-42 --limit 5"
    )]
    List(ListArgs),
    /// Follow an order until nothing more will happen to it
    #[command(after_help = "Example:\n  tutti order watch 0af7651916cd43dd8448eb211c80319c")]
    Watch {
        /// The order
        order_id: String,
        /// How long to follow it
        #[arg(long, value_name = "SPAN", value_parser = parse_span, default_value = "15m")]
        timeout: Duration,
    },
    /// Ask for an order to be cancelled
    #[command(
        after_help = "A cancellation can come too late: then the parcel is out, and the answer says so.\n\nExample:\n  tutti order cancel 0af7651916cd43dd8448eb211c80319c --reason \"ordered twice\""
    )]
    Cancel {
        /// The order
        order_id: String,
        /// Why
        #[arg(long, default_value = "changed my mind")]
        reason: String,
    },
}

const PLACE_EXAMPLES: &str = "\
Examples:
  tutti order place                                     one TEA-001, paid with a card that works
  tutti order place TEA-001:2 CUP-001 --wait settled
  tutti order place --token tok_declined --wait settled
  tutti order place --country XX                        a country that the carrier does not serve

Cards that behave: tok_ok, tok_declined, tok_insufficient_funds, tok_slow, tok_flaky, tok_timeout_then_success, tok_unknown.
The same --key with the same order gives the same order again, never a second one.";

/// `tutti order place`.
#[derive(Debug, Args)]
pub struct PlaceArgs {
    /// What, and how many of it
    #[arg(value_name = "SKU[:QUANTITY]", default_value = "TEA-001", value_parser = parse_line)]
    pub lines: Vec<(String, i64)>,
    /// Who orders [default: a new customer]
    #[arg(long)]
    pub customer: Option<String>,
    /// Makes repeating this command harmless [default: a new one]
    #[arg(long, value_name = "IDEMPOTENCY_KEY", value_parser = parse_key)]
    pub key: Option<String>,
    /// How to pay
    #[arg(long, default_value = "tok_ok")]
    pub token: String,
    /// Where mails go
    #[arg(long, default_value = "ada@example.com")]
    pub email: String,
    /// Where text messages go [default: none are sent]
    #[arg(long)]
    pub phone: Option<String>,
    /// To whom it is sent
    #[arg(long, default_value = "Ada Lovelace")]
    pub name: String,
    /// Street and number
    #[arg(long, default_value = "Unter den Linden 1")]
    pub street: String,
    /// City
    #[arg(long, default_value = "Berlin")]
    pub city: String,
    /// Postal code
    #[arg(long, default_value = "10117")]
    pub postal_code: String,
    /// Country, by its two letters
    #[arg(long, default_value = "DE")]
    pub country: String,
    /// Wait until the order has got there
    #[arg(long, value_enum)]
    pub wait: Option<Milestone>,
    /// How long to wait
    #[arg(long, value_name = "SPAN", value_parser = parse_span, default_value = "60s")]
    pub timeout: Duration,
}

/// `tutti order list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only this customer's
    #[arg(long)]
    pub customer: Option<String>,
    /// Only those in this state
    #[arg(long, value_parser = ["pending", "confirmed", "completed", "cancelled"])]
    pub state: Option<String>,
    /// How many at most
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
    /// Where to go on, as the list before said
    #[arg(long)]
    pub after: Option<String>,
}

fn parse_line(text: &str) -> Result<(String, i64), String> {
    let (sku, quantity) = text.split_once(':').unwrap_or((text, "1"));
    match quantity.parse() {
        Ok(quantity) if quantity > 0 && !sku.is_empty() => Ok((sku.to_owned(), quantity)),
        _ => Err("write a SKU and how many of it, for example TEA-001:2".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_sku_and_a_quantity() {
        assert_eq!(parse_line("TEA-001:2"), Ok(("TEA-001".into(), 2)));
        assert_eq!(parse_line("TEA-001"), Ok(("TEA-001".into(), 1)));
        for text in ["", ":2", "TEA-001:", "TEA-001:0", "TEA-001:-1", "TEA-001:two", "TEA-001:99999999999999999999"] {
            assert!(parse_line(text).is_err(), "{text}");
        }
    }
}
