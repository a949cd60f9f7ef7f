//! A thousand mixed orders from many clients at once, with the whole shop really killed and started again in the middle,
//! or whatever else is to happen there.

use super::{
    FOR_THE_BURST,
    child::Child,
    endings::{self, Burst},
    mix::{self, Kind},
    stage::Stage,
};
use crate::{
    cli::order::fresh,
    client::{Client, ClientError, Milestone, Order, Page, Stock},
    failure::Failure,
    screen::Tone,
    time::span,
};
use indicatif::ProgressBar;
use serde_json::{Value, json};
use std::{
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{sync::watch, task::JoinSet};

/// Customers who order at the same time.
const CLIENTS: usize = 32;
/// How long a customer tries to get through before giving up, over a kill and a restart.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long all orders together may take to settle.
const SETTLED_WITHIN: Duration = Duration::from_secs(60);
/// The same for a shop of other people's, which may have more to do.
const ELSEWHERE_SETTLED_WITHIN: Duration = Duration::from_secs(300);
/// A poll that met a process that was away is repeated after this.
const ASK_AGAIN: Duration = Duration::from_millis(400);

/// What happens in the middle of the burst.
pub(super) enum Middle<'a> {
    /// The demo's own shop is killed, and started again.
    Kill(&'a mut Child),
    /// This command of the person's is run.
    Command(&'a str),
    /// Nothing.
    Calm,
}

impl Middle<'_> {
    fn title(&self, orders: usize) -> String {
        match self {
            Middle::Kill(_) => format!("{orders} orders at once, and the shop is killed in the middle"),
            Middle::Command(command) => format!("{orders} orders at once, and in the middle: {command}"),
            Middle::Calm => format!("{orders} orders at once"),
        }
    }

    fn settled_within(&self) -> Duration {
        if matches!(self, Middle::Kill(_)) { SETTLED_WITHIN } else { ELSEWHERE_SETTLED_WITHIN }
    }
}

/// One order of the burst: its kind, its key, its body; and its id once the shop has taken it.
struct Ask {
    kind: &'static Kind,
    customer: String,
    key: String,
    body: Value,
}

/// What all customers share.
struct Crowd {
    shop: Client,
    asks: Vec<Ask>,
    next: AtomicUsize,
    retried: AtomicUsize,
    accepted: watch::Sender<usize>,
    bar: ProgressBar,
}

/// Plays the burst: orders placed over whatever happens in the middle, all settled, all counted.
pub(super) async fn play(orders: u32, middle: Middle<'_>, shop: &Client, stage: &Stage) -> Result<Burst, Failure> {
    let orders = usize::try_from(orders).unwrap_or(usize::MAX);
    stage.say(&format!("\n{}", stage.screen.paint(Tone::Strong, &middle.title(orders))))?;
    let settled_within = middle.settled_within();
    let crowd = Arc::new(Crowd::new(shop, orders, stage).await?);
    let began = Instant::now();
    let ids = tokio::try_join!(place_all(&crowd), in_the_middle(&crowd, middle, stage))?.0;
    let placed = began.elapsed();
    stage.say(&format!("     all {orders} accepted after {}", span(placed)))?;
    let ended = settle_all(&crowd, &ids, settled_within, stage).await?;
    let settled = began.elapsed();
    stage.say(&format!("     all {orders} settled after {}", span(settled)))?;
    Ok(Burst {
        orders,
        rows: endings::count(crowd.asks.iter().map(|ask| ask.kind).zip(&ended)),
        problems: one_order_per_key(&crowd, &ids).await?,
        placed_in_ms: placed.as_millis(),
        settled_in_ms: settled.as_millis(),
        retried: crowd.retried.load(Ordering::Relaxed),
    })
}

impl Crowd {
    async fn new(shop: &Client, orders: usize, stage: &Stage) -> Result<Crowd, Failure> {
        let stock: Page<Stock> = shop.get(&["stock"], &[]).await?;
        let available = |sku: &str| stock.items.iter().find(|row| row.sku == sku).map_or(0, |row| row.available);
        let run = fresh("burst")?;
        let ask = |number: usize| {
            let (kind, customer) = (mix::kind_of(number), format!("{run}-{}", number % 100));
            let body = kind.request.body(&customer, available);
            Ask { kind, customer, key: format!("{run}-{number}"), body }
        };
        Ok(Crowd {
            shop: shop.clone(),
            asks: (0..orders).map(ask).collect(),
            next: AtomicUsize::new(0),
            retried: AtomicUsize::new(0),
            accepted: watch::Sender::new(0),
            bar: stage.bar("accepted", orders as u64),
        })
    }

    /// Sends one request until it is answered, as a customer's client would: over refused connections, lost answers
    /// and a busy shop, always under the same key.
    async fn insist(&self, path: &[&str], key: Option<&str>, body: &Value) -> Result<Value, ClientError> {
        let until = Instant::now() + PATIENCE;
        let mut pause = Duration::from_millis(50);
        loop {
            let error = match self.shop.post(path, key, body).await {
                Err(error) if error.is_transient() && Instant::now() < until => error,
                answered => return answered,
            };
            self.retried.fetch_add(1, Ordering::Relaxed);
            let told = if let ClientError::Refused { retry_after, .. } = &error { *retry_after } else { None };
            tokio::time::sleep(told.unwrap_or(pause)).await;
            pause = (pause * 2).min(Duration::from_millis(400));
        }
    }

    /// One customer after the other, until all orders are taken: (number, order id).
    async fn customer(&self) -> Result<Vec<(usize, String)>, ClientError> {
        let mut placed = vec![];
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(ask) = self.asks.get(number) else { return Ok(placed) };
            let answer = self.insist(&["orders"], Some(&ask.key), &ask.body).await?;
            let id = answer["order_id"].as_str().unwrap_or_default().to_owned();
            if ask.kind.cancels {
                self.cancel(&id).await?;
            }
            placed.push((number, id));
            self.accepted.send_modify(|accepted| *accepted += 1);
            self.bar.inc(1);
        }
    }

    async fn cancel(&self, id: &str) -> Result<(), ClientError> {
        let body = json!({ "reason": "changed my mind" });
        match self.insist(&["orders", id, "cancellation"], None, &body).await {
            Err(error) if error.status() != Some(409) => Err(error),
            _ => Ok(()),
        }
    }
}

impl Crowd {
    /// The order once it is settled, or as it is when the time is over. A process may still be on its way back.
    async fn settled(&self, id: &str, until: Instant) -> Result<Order, ClientError> {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.shop.wait(id, Milestone::Settled, left).await {
                Err(error) if error.is_transient() && !left.is_zero() => tokio::time::sleep(ASK_AGAIN).await,
                waited => return waited,
            }
        }
    }
}

async fn place_all(crowd: &Arc<Crowd>) -> Result<Vec<String>, Failure> {
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let crowd = Arc::clone(crowd);
        clients.spawn(async move { crowd.customer().await });
    }
    let mut ids = vec![String::new(); crowd.asks.len()];
    while let Some(placed) = clients.join_next().await {
        for (number, id) in placed.map_err(|error| Failure::NotSo(format!("a customer broke down: {error}")))?? {
            if let Some(slot) = ids.get_mut(number) {
                *slot = id;
            }
        }
    }
    crowd.bar.finish_and_clear();
    Ok(ids)
}

async fn in_the_middle(crowd: &Crowd, middle: Middle<'_>, stage: &Stage) -> Result<(), Failure> {
    if matches!(middle, Middle::Calm) {
        return Ok(());
    }
    let placed = crowd.asks.len() * 2 / 5;
    let mut accepted = crowd.accepted.subscribe();
    // The sender lives in `crowd`, so the wait cannot fail before the number is reached.
    _ = accepted.wait_for(|accepted| *accepted >= placed).await;
    let (at, began) = (*accepted.borrow_and_update(), Instant::now());
    match middle {
        Middle::Calm => Ok(()),
        Middle::Kill(child) => {
            child.kill().await;
            stage.say(&format!("     kill -9 after {at} orders; the customers keep trying"))?;
            child.start(FOR_THE_BURST).await?;
            stage.say(&format!("     open again {} after the kill", span(began.elapsed())))
        }
        Middle::Command(command) => {
            stage.say(&format!("     {command}, after {at} orders; the customers keep trying"))?;
            run(command).await?;
            stage.say(&format!("     done after {}", span(began.elapsed())))
        }
    }
}

/// What the command prints goes to stderr: stdout is the demo's.
async fn run(command: &str) -> Result<(), Failure> {
    let mut shell = tokio::process::Command::new("sh");
    shell.args(["-c", command]).stdin(Stdio::null()).stdout(std::io::stderr()).kill_on_drop(true);
    let ended = shell.status().await;
    let ended = ended.map_err(|error| Failure::Unusable(format!("--kill-with: cannot run a shell: {error}")))?;
    if ended.success() { Ok(()) } else { Err(Failure::NotSo(format!("--kill-with: `{command}` failed: {ended}"))) }
}

async fn settle_all(
    crowd: &Arc<Crowd>,
    ids: &[String],
    within: Duration,
    stage: &Stage,
) -> Result<Vec<Order>, Failure> {
    let bar = stage.bar("settled", ids.len() as u64);
    let until = Instant::now() + within;
    let mut ended = Vec::with_capacity(ids.len());
    for some in ids.chunks(CLIENTS) {
        let wait = |id: &String| {
            let (crowd, id) = (Arc::clone(crowd), id.clone());
            tokio::spawn(async move { crowd.settled(&id, until).await })
        };
        // All of them wait at the same time; their answers are taken in the order in which they were placed.
        let waiting: Vec<_> = some.iter().map(wait).collect();
        for order in waiting {
            ended.push(order.await.map_err(|error| Failure::NotSo(format!("a wait broke down: {error}")))??);
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    Ok(ended)
}

/// Each key made one order, and no order is there that nobody placed.
async fn one_order_per_key(crowd: &Crowd, ids: &[String]) -> Result<Vec<String>, Failure> {
    let mut problems = vec![];
    let distinct: std::collections::BTreeSet<&String> = ids.iter().collect();
    if distinct.len() != ids.len() {
        problems.push(format!("{} keys share an order with another", ids.len() - distinct.len()));
    }
    let customers: std::collections::BTreeSet<&String> = crowd.asks.iter().map(|ask| &ask.customer).collect();
    for customer in customers {
        let listed = crowd.shop.orders_of(customer).await?;
        let strangers = listed.iter().filter(|order| !distinct.contains(&order.order_id));
        problems.extend(strangers.map(|order| format!("order {} was placed under no key of its own", order.order_id)));
    }
    Ok(problems)
}
