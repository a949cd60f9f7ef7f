//! `cargo xtask bench`: how fast the embedded shop is, with the machine's floor beside it, in one run.
//!
//! Figures are only printed when every order of a round ended as it should. Rates of two variants are compared as the
//! median ratio of interleaved rounds (A B B A), because machines are noisy and ratios are less so.

mod floor;
mod line;
mod load;

use indicatif::ProgressBar;
use load::{Bench, Mix, Round};
use serde_json::{Value, json};
use std::{path::Path, time::Duration};

/// How long the shop has nothing to do before its memory at rest is looked at.
const REST: Duration = Duration::from_secs(12);

/// What to measure, and how much of it.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Args {
    /// Orders in each round at saturation
    #[arg(long, default_value_t = 20_000)]
    orders: usize,
    /// Orders placed one after the other for the idle latency
    #[arg(long, default_value_t = 200)]
    latency: usize,
    /// A small run that fails only on counts and ratios, never on wall-clock times
    #[arg(long)]
    short: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs it all.
///
/// # Errors
/// When an order did not end as it should, or a count is out of bounds.
pub fn run(args: Args) -> Result<(), String> {
    let tokio = tokio::runtime::Runtime::new().map_err(|e| e.to_string())?;
    let args = if args.short { Args { orders: 3_000, latency: 40, ..args } } else { args };
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let result = tokio.block_on(measure(args, folder.path()))?;
    if args.json {
        println!("{result:#}");
    } else {
        print_table(&result);
    }
    check_counts(&result)
}

async fn measure(args: Args, folder: &Path) -> Result<Value, String> {
    let rounds = [Mix::Uniform, Mix::OneSku, Mix::OneSku, Mix::Uniform];
    let bar = ProgressBar::new(rounds.len() as u64 + 3).with_message("fsync floor");
    let fsync = floor::fsyncs_per_second(folder, Duration::from_secs(1)).map_err(|e| e.to_string())?;
    bar.inc(1);
    let bench = Bench::open(folder).await?;
    bar.set_message("idle latency");
    let latency = bench.idle_latency(args.latency).await?;
    bar.inc(1);
    let mut done: Vec<(Mix, Round)> = vec![];
    for mix in rounds {
        bar.set_message(format!("saturation, {mix}"));
        done.push((mix, bench.saturate(mix, args.orders).await?));
        bar.inc(1);
    }
    let busy = floor::resident_mb();
    bar.set_message("rest");
    tokio::time::sleep(REST).await;
    let rested = floor::resident_mb();
    bar.inc(1);
    bar.finish_and_clear();
    bench.close().await?;
    let of = |mix: Mix, figure: fn(&Round) -> f64| {
        median(done.iter().filter(|(m, _)| *m == mix).map(|(_, r)| figure(r)).collect())
    };
    let rate = of(Mix::Uniform, Round::orders_per_second);
    Ok(json!({
        "orders_per_round": args.orders,
        "fsyncs_per_second": fsync,
        "settled_orders_per_second": rate,
        "cpu_us_per_order": of(Mix::Uniform, Round::cpu_us_per_order),
        "statements_per_order": of(Mix::Uniform, Round::statements_per_order),
        "commits_per_order": of(Mix::Uniform, Round::commits_per_order),
        "one_sku_to_uniform": of(Mix::OneSku, Round::orders_per_second) / rate,
        "idle_ms_p50": latency.quantile_ms(0.5),
        "idle_ms_p99": latency.quantile_ms(0.99),
        "resident_mb": busy,
        "resident_at_rest_mb": rested,
    }))
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    match figures.len() {
        0 => f64::NAN,
        even if even % 2 == 0 => f64::midpoint(figures[middle - 1], figures[middle]),
        _ => figures[middle],
    }
}

fn print_table(result: &Value) {
    let rows = [
        ("settled orders per second, at saturation, over HTTP", "settled_orders_per_second"),
        ("CPU per order, load generator included (us)", "cpu_us_per_order"),
        ("SQL statements per order", "statements_per_order"),
        ("commits per order", "commits_per_order"),
        ("90 % of orders on one SKU, to uniform", "one_sku_to_uniform"),
        ("idle: order to confirmed, p50 (ms)", "idle_ms_p50"),
        ("idle: order to confirmed, p99 (ms)", "idle_ms_p99"),
        ("floor: fsyncs per second of this disk", "fsyncs_per_second"),
        ("memory after it all, load generator included (MB)", "resident_mb"),
        ("memory at rest (MB)", "resident_at_rest_mb"),
    ];
    for (label, field) in rows {
        println!("{label:<55} {:>10.2}", result[field].as_f64().unwrap_or(f64::NAN));
    }
}

/// What must hold on any machine: batches form under load, and a hot SKU does not serialise the shop.
fn check_counts(result: &Value) -> Result<(), String> {
    let at_most = |field: &str, bound: f64| match result[field].as_f64() {
        Some(figure) if figure <= bound => Ok(()),
        figure => Err(format!("{field} is {figure:?}, which must be at most {bound}")),
    };
    at_most("commits_per_order", 1.5)?;
    match result["one_sku_to_uniform"].as_f64() {
        Some(ratio) if ratio >= 0.5 => Ok(()),
        ratio => Err(format!("one_sku_to_uniform is {ratio:?}, which must be at least 0.5")),
    }
}
