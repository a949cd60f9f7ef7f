//! The load: orders over HTTP against a shop in this process, and what each round cost.

use super::{floor, line::Line};
use runtime::{Position, Read, telemetry::Telemetry};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    fmt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tutti::shop::{Options, Shop};

/// Requests under way at a time.
const CALLERS: usize = 256;
/// How long a round may take to settle before it counts as failed.
const SETTLES_WITHIN: Duration = Duration::from_secs(120);
/// OrderPlaced, OrderConfirmed, OrderDispatched, OrderCompleted.
const SAID_PER_ORDER: usize = 4;
const SKUS: [&str; 4] = ["TEA-001", "TEA-002", "TEA-003", "TEA-004"];

/// What is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mix {
    /// Every SKU equally.
    Uniform,
    /// One SKU in nine of ten orders.
    OneSku,
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mix::Uniform => "uniform",
            Mix::OneSku => "one SKU",
        })
    }
}

impl Mix {
    fn sku(self, n: usize, skus: &[String]) -> &str {
        match self {
            Mix::OneSku if !n.is_multiple_of(10) => &skus[0],
            _ => &skus[n / 10 % skus.len()],
        }
    }
}

/// What one round took.
pub struct Round {
    orders: f64,
    seconds: f64,
    cpu_seconds: f64,
    statements: f64,
    commits: f64,
}

impl Round {
    pub fn orders_per_second(&self) -> f64 {
        self.orders / self.seconds
    }
    pub fn cpu_us_per_order(&self) -> f64 {
        self.cpu_seconds * 1e6 / self.orders
    }
    pub fn statements_per_order(&self) -> f64 {
        self.statements / self.orders
    }
    pub fn commits_per_order(&self) -> f64 {
        self.commits / self.orders
    }
}

/// Times, to be asked for quantiles.
pub struct Latency(Vec<Duration>);

impl Latency {
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a quantile of a few hundred times"
    )]
    pub fn quantile_ms(&self, quantile: f64) -> f64 {
        let index = (self.0.len().saturating_sub(1) as f64 * quantile).round() as usize;
        self.0.get(index).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
    }
}

/// An open shop under measurement.
pub struct Bench {
    shop: Shop,
    url: String,
    http: reqwest::Client,
    log: Arc<dyn Read>,
    skus: Vec<String>,
}

fn text(error: impl fmt::Display) -> String {
    error.to_string()
}

/// One unit of a SKU, paid with a card that works.
fn order(customer: &str, sku: &str) -> Value {
    json!({
        "customer_id": customer, "email": "ada@example.com",
        "lines": [{"sku": sku, "quantity": 1}],
        "shipping_address": {
            "name": "Ada Lovelace", "street": "Unter den Linden 1", "city": "Berlin", "postal_code": "10117", "country": "DE"
        },
        "payment_token": "tok_ok",
    })
}

impl Bench {
    /// Opens a shop whose carrier is as fast as can be, with enough in stock.
    pub async fn open(folder: &Path) -> Result<Bench, String> {
        runtime::telemetry::recorder()?;
        let faults =
            world::Faults::default().patched(&json!({"carrier": {"pick_up_ms": 0, "transit_ms": 0}})).map_err(text)?;
        let options = Options {
            data: folder.join("shop"),
            listen: ([127, 0, 0, 1], 0).into(),
            order_deadline: Duration::from_secs(900),
            pick_up: Duration::from_secs(86_400),
            faults,
            telemetry: Telemetry::default(),
        };
        let shop = Shop::open(options).await.map_err(text)?;
        let url = format!("http://{}", shop.address());
        let order = shop.handles().into_iter().find(|handle| handle.service() == "order").ok_or("no order service")?;
        let bench = Bench {
            url,
            http: reqwest::Client::new(),
            log: order.reader(),
            skus: SKUS.map(str::to_owned).into(),
            shop,
        };
        for sku in &bench.skus {
            let url = format!("{}/stock/{sku}/replenishments", bench.url);
            let answer = bench
                .http
                .post(url)
                .header("Idempotency-Key", format!("bench-{sku}"))
                .json(&json!({"quantity": 1_000_000}))
                .send()
                .await;
            answer.and_then(reqwest::Response::error_for_status).map_err(text)?;
        }
        Ok(bench)
    }

    pub async fn close(self) -> Result<(), String> {
        self.shop.close().await
    }

    async fn place(&self, key: &str, sku: &str) -> Result<String, String> {
        let order = order("c-1", sku);
        let sent = self
            .http
            .post(format!("{}/orders", self.url))
            .header("Idempotency-Key", key)
            .json(&order)
            .send()
            .await
            .map_err(text)?;
        if sent.status() != 202 {
            return Err(format!("an order was answered {}: {}", sent.status(), sent.text().await.unwrap_or_default()));
        }
        let placed: Value = sent.json().await.map_err(text)?;
        placed["order_id"].as_str().map(str::to_owned).ok_or_else(|| format!("no order id in {placed}"))
    }

    /// Orders one after the other, each followed until it is confirmed.
    pub async fn idle_latency(&self, orders: usize) -> Result<Latency, String> {
        let mut times = vec![];
        for n in 0..orders {
            let start = Instant::now();
            let id = self.place(&format!("idle-{n}"), &self.skus[0]).await?;
            let url = format!("{}/orders/{id}?wait=confirmed&timeout_s=30", self.url);
            let order: Value = self.http.get(url).send().await.map_err(text)?.json().await.map_err(text)?;
            if !matches!(order["state"].as_str(), Some("confirmed" | "completed")) {
                return Err(format!("an order was not confirmed: {order}"));
            }
            times.push(start.elapsed());
            // The next one meets an idle shop again.
            let url = format!("{}/orders/{id}?wait=settled&timeout_s=30", self.url);
            self.http.get(url).send().await.map_err(text)?.error_for_status().map_err(text)?;
        }
        times.sort();
        Ok(Latency(times))
    }

    /// As many orders as go, until the last one is settled.
    pub async fn saturate(&self, mix: Mix, orders: usize) -> Result<Round, String> {
        let (before, from) = (self.counters().await?, self.log.lead().map_err(text)?);
        let (start, cpu) = (Instant::now(), floor::cpu_seconds());
        let next = AtomicUsize::new(0);
        let caller = || async {
            let mut line = Line::to(self.shop.address()).await?;
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= orders {
                    return Ok::<(), String>(());
                }
                let order = order(&format!("c-{}", n % 1000), mix.sku(n, &self.skus)).to_string();
                line.post("/orders", &format!("{}-{n}", from.head), &order).await?;
            }
        };
        let placed = futures::future::try_join_all((0..CALLERS).map(|_| caller()));
        let from_here = Position { generation: from.generation, seq: from.head };
        let settled = self.settled(from_here, orders);
        tokio::try_join!(placed, settled)?;
        let (seconds, cpu_seconds, after) =
            (start.elapsed().as_secs_f64(), floor::cpu_seconds() - cpu, self.counters().await?);
        let grown =
            |name: &str| after.get(name).copied().unwrap_or_default() - before.get(name).copied().unwrap_or_default();
        self.all_completed(from_here, orders).await?;
        #[allow(clippy::cast_precision_loss, reason = "a round has far fewer orders than 2^53")]
        let orders = orders as f64;
        Ok(Round {
            orders,
            seconds,
            cpu_seconds,
            statements: grown("tutti_sql_statements"),
            commits: grown("tutti_commits"),
        })
    }

    /// Waits until the log has grown by what so many completed orders say.
    async fn settled(&self, from: Position, orders: usize) -> Result<(), String> {
        let (deadline, expected) = (Instant::now() + SETTLES_WITHIN, from.seq + (orders * SAID_PER_ORDER) as u64);
        while self.log.lead().map_err(text)?.head < expected {
            if Instant::now() > deadline {
                return Err(format!("not all of {orders} orders settled within {} s", SETTLES_WITHIN.as_secs()));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// The gate: a round counts only if each of its orders was completed.
    async fn all_completed(&self, mut after: Position, orders: usize) -> Result<(), String> {
        let mut completed = 0;
        loop {
            let log = self.log.clone();
            let rows = tokio::task::spawn_blocking(move || log.log_after(0, after, 10_000))
                .await
                .map_err(text)?
                .map_err(text)?;
            let Some(last) = rows.last() else { break };
            after = last.position();
            completed += rows.iter().filter(|row| row.name == "OrderCompleted").count();
        }
        if completed == orders { Ok(()) } else { Err(format!("{completed} of {orders} orders were completed")) }
    }

    /// The shop's own counters, summed over their labels.
    async fn counters(&self) -> Result<HashMap<String, f64>, String> {
        let metrics =
            self.http.get(format!("{}/metrics", self.url)).send().await.map_err(text)?.text().await.map_err(text)?;
        let mut sums = HashMap::new();
        for (name, value) in
            metrics.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.rsplit_once(' '))
        {
            let name = name.split('{').next().unwrap_or(name);
            *sums.entry(name.to_owned()).or_default() += value.parse::<f64>().unwrap_or_default();
        }
        Ok(sums)
    }
}
