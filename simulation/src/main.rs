//! `simulation`: plays the histories of many seeds, or one of them step by step. `cargo xtask simulate` runs it.

mod many;

use clap::Parser;
use many::Found;
use simulation::{
    counters::Situation,
    fault::Fault,
    plan::{DAY, Narrowed, Plan},
    shrink::shrink,
    stage::{Care, Outcome, play},
};
use std::{collections::BTreeSet, ops::Range, process::ExitCode, time::Duration};

/// Play simulated histories of the shop and hold them against its invariants
#[derive(Debug, Parser)]
struct Args {
    /// Which seeds, as `0..1000`
    #[arg(long, default_value = "0..1000", value_parser = range)]
    seeds: Range<u64>,
    /// Begin no further seed after so many minutes
    #[arg(long)]
    minutes: Option<u64>,
    /// Play one seed only
    #[arg(long)]
    seed: Option<u64>,
    /// Print every event of the one seed
    #[arg(long, requires = "seed")]
    print: bool,
    /// Hold every invariant at every commit
    #[arg(long)]
    every_commit: bool,
    /// Switch faults off, by name
    #[arg(long, value_delimiter = ',')]
    without: Vec<Fault>,
    /// Place only these of the seed's orders, by number
    #[arg(long, value_delimiter = ',')]
    orders: Option<Vec<usize>>,
    /// Show the first violation as it is, without looking for a smaller history
    #[arg(long)]
    no_shrink: bool,
    /// Begin no further seed after so many were found that break something
    #[arg(long)]
    stop_after: Option<usize>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Histories played at a time; as many as there are cores unless given
    #[arg(long)]
    threads: Option<usize>,
}

fn range(text: &str) -> Result<Range<u64>, String> {
    let ends = text.split_once("..").and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
    ends.map(|(from, to)| from..to).ok_or_else(|| format!("`{text}` is no range of seeds; write 0..1000"))
}

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match args.seed {
        Some(seed) => one(seed, &args),
        None => all(&args),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("simulation: {why}");
            ExitCode::FAILURE
        }
    }
}

impl Args {
    fn narrowed(&self) -> Narrowed {
        Narrowed {
            without: self.without.iter().copied().collect(),
            orders: self.orders.as_ref().map(|orders| orders.iter().copied().collect()),
        }
    }
}

/// Plays one seed. Whether nothing broke.
fn one(seed: u64, args: &Args) -> Result<bool, String> {
    let care = Care { keep_lines: args.print, every_commit: args.every_commit };
    let outcome = play(Plan::of(seed, &args.narrowed()), care)?;
    outcome.lines.iter().for_each(|line| println!("{line}"));
    let Outcome { hash, orders, events, took, .. } = &outcome;
    println!(
        "seed {seed}: {orders} orders, {events} events, {:.1} days, history {hash:016x}",
        *took as f64 / DAY as f64
    );
    match &outcome.broken {
        None => Ok(true),
        Some(broken) => {
            println!("{}: {}", broken.invariant, broken.sentence);
            broken.evidence.iter().for_each(|line| println!("    {line}"));
            Ok(false)
        }
    }
}

/// Plays many seeds. Whether nothing broke, and everything was seen.
fn all(args: &Args) -> Result<bool, String> {
    let until = args.minutes.map(|minutes| Duration::from_secs(60 * minutes));
    let care = Care { keep_lines: false, every_commit: args.every_commit };
    let ends = many::Ends { after: until, broken: args.stop_after };
    let found = many::play_all(args.seeds.clone(), &args.narrowed(), care, ends, args.threads, !args.json)?;
    if args.json {
        println!("{:#}", found.json());
    } else {
        print_counters(&found);
        println!("{}", found.summary());
    }
    if let Err(why) = found.all_seen() {
        eprintln!("{why}");
    }
    if let Some(first) = found.broken.first().filter(|_| !args.json) {
        report(first, args)?;
    }
    Ok(found.broken.is_empty() && found.all_seen().is_ok())
}

fn print_counters(found: &Found) {
    for situation in Situation::ALL {
        println!("{:>12}  {}", found.counters.of(*situation), situation.says());
    }
}

/// Shows a broken seed in its smallest form, and how to play it again.
fn report(first: &Outcome, args: &Args) -> Result<(), String> {
    let (narrowed, outcome) = if args.no_shrink {
        (args.narrowed(), first.clone())
    } else {
        shrink(first.seed, args.narrowed(), first.clone())?
    };
    let Some(broken) = &outcome.broken else { return Ok(()) };
    let plan = Plan::of(first.seed, &narrowed);
    println!("\nseed {} breaks {}: {}", first.seed, broken.invariant, broken.sentence);
    broken.evidence.iter().for_each(|line| println!("    {line}"));
    let faults: Vec<_> = plan.faults.iter().map(|fault| fault.as_str()).collect();
    println!("still with {} orders and these faults: {}", plan.orders.len(), faults.join(", "));
    println!("{}", again(first.seed, &narrowed));
    Ok(())
}

fn again(seed: u64, narrowed: &Narrowed) -> String {
    let mut command = format!("cargo xtask simulate --seed {seed} --print");
    if !narrowed.without.is_empty() {
        let names: Vec<_> = narrowed.without.iter().map(|fault| fault.as_str()).collect();
        command += &format!(" --without {}", names.join(","));
    }
    let numbers = |orders: &BTreeSet<usize>| orders.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    if let Some(orders) = &narrowed.orders {
        command += &format!(" --orders {}", numbers(orders));
    }
    command
}
