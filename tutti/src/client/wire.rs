//! The API's answers as far as the command line reads them. A newer shop may say more: unknown fields are let through.

use crate::time::At;
use serde::Deserialize;

/// `GET /orders/{id}`.
#[derive(Clone, Debug, Deserialize)]
pub struct Order {
    /// Its id, which is its trace id too.
    pub order_id: String,
    /// Whose it is.
    #[serde(default)]
    pub customer_id: String,
    /// pending, confirmed, completed or cancelled.
    pub state: String,
    /// Whether nothing more will happen.
    #[serde(default)]
    pub settled: bool,
    /// Why it was cancelled.
    #[serde(default)]
    pub reason: Option<String>,
    /// What it costs.
    #[serde(default)]
    pub total: Option<Money>,
    /// When it was placed.
    #[serde(default)]
    pub placed_at: Option<At>,
    /// While it is open: what it waits for.
    #[serde(default)]
    pub waiting_for: Option<Waiting>,
}

/// An amount in minor units of a currency.
#[derive(Clone, Debug, Deserialize)]
pub struct Money {
    /// Cents, where the currency has them.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: String,
}

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.amount_minor < 0 { "-" } else { "" };
        let minor = self.amount_minor.unsigned_abs();
        write!(f, "{sign}{}.{:02} {}", minor / 100, minor % 100, self.currency)
    }
}

/// What an open order waits for.
#[derive(Clone, Debug, Deserialize)]
pub struct Waiting {
    /// Who has to say it.
    pub service: String,
    /// What has to be said.
    pub event: String,
    /// Since when.
    #[serde(default)]
    pub since: Option<At>,
    /// Until when, where a timer bounds it.
    #[serde(default)]
    pub until: Option<At>,
}

/// `GET /orders/{id}/events`.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Events {
    /// What was said, over all services.
    pub items: Vec<Event>,
    /// Effects and timers asked for and not answered yet.
    #[serde(default)]
    pub open: Vec<Asked>,
}

/// One event.
#[derive(Clone, Debug, Deserialize)]
pub struct Event {
    /// When it was committed.
    pub at: At,
    /// Who said it.
    pub service: String,
    /// What was said.
    #[serde(rename = "type")]
    pub name: String,
    /// What it is about.
    #[serde(default)]
    pub key: String,
    /// Its id, unique within its service.
    #[serde(default)]
    pub id: String,
    /// What caused it: `<service>/<id>` of an event, perhaps ` via <effect>#<attempts>`, or `command <name>`.
    #[serde(default)]
    pub causation_id: Option<String>,
    /// What it says; personal data is sealed.
    #[serde(default)]
    pub data: serde_json::Value,
}

/// An effect or timer asked for and not answered yet.
#[derive(Clone, Debug, Deserialize)]
pub struct Asked {
    /// Whose it is.
    pub service: String,
    /// Its name.
    pub name: String,
    /// When it is tried next, or when the timer fires.
    #[serde(default)]
    pub due: Option<At>,
    /// Why it can never succeed.
    #[serde(default)]
    pub stuck: Option<String>,
}

/// A page of a list.
#[derive(Clone, Debug, Deserialize)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next one begins.
    #[serde(default)]
    pub next: Option<String>,
}

/// The stock of one SKU.
#[derive(Clone, Debug, Deserialize)]
pub struct Stock {
    /// Which.
    pub sku: String,
    /// Units in the warehouse.
    pub on_hand: i64,
    /// Of these, promised to orders.
    pub reserved: i64,
    /// Of these, free.
    pub available: i64,
    /// Units that ever arrived.
    pub replenished: i64,
}

/// `GET /health/ready`.
#[derive(Clone, Debug, Deserialize)]
pub struct Readiness {
    /// Whether every service can do its work.
    pub ready: bool,
    /// Each service.
    pub services: Vec<ServiceReadiness>,
}

/// How one service is.
#[derive(Clone, Debug, Deserialize)]
pub struct ServiceReadiness {
    /// Its name.
    pub service: String,
    /// What holds it up.
    #[serde(default)]
    pub why: Option<String>,
}

impl std::fmt::Display for Readiness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let held_up = self.services.iter().filter_map(|one| Some((&one.service, one.why.as_ref()?)));
        let held_up: Vec<String> = held_up.map(|(service, why)| format!("{service}: {why}")).collect();
        f.write_str(&if self.ready { "ready".to_owned() } else { format!("not ready ({})", held_up.join("; ")) })
    }
}
