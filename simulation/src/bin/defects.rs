//! `defects`: plants every defect of `defects/planted.patch` in a copy of the sources, one after the other, and shows in
//! how many histories each is found. A check that cannot fail checks nothing. `cargo xtask defects` runs it.
//!
//! All defects are in one patch, each behind a switch, so that the copy is built once. The shipped sources know nothing
//! of them.

use clap::Parser;
use indicatif::ProgressBar;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

/// What `TUTTI_DEFECT` names when nothing is planted.
const NOTHING: &str = "none";
/// Histories that the copy must play without a violation when nothing is planted.
const SOUND: &str = "0..30";

/// Plant known defects and show that the simulation finds them
#[derive(Debug, Parser)]
struct Args {
    /// Seeds to try for each defect, at most
    #[arg(long, default_value_t = 10_000)]
    seeds: u64,
    /// Go on to the next defect once so many seeds have found one
    #[arg(long, default_value_t = 10)]
    enough: u64,
    /// Only these, by name
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
}

/// How one defect fared.
struct Fared {
    /// How many seeds were played.
    seeds: u64,
    /// Which invariant each seed breaks that breaks one.
    violations: BTreeMap<u64, String>,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("defects: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every defect was found.
fn run(args: &Args) -> Result<bool, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the workspace has no folder")?.to_owned();
    let patch = root.join("simulation/defects/planted.patch");
    let names = names(&fs::read_to_string(&patch).map_err(|e| format!("{}: {e}", patch.display()))?);
    let names: Vec<_> = names.into_iter().filter(|name| args.only.is_empty() || args.only.contains(name)).collect();
    let program = build(&root, &patch)?;
    if !play(&program, NOTHING, SOUND, 1)?.violations.is_empty() {
        return Err("the copy breaks an invariant without any defect".into());
    }
    let bar = ProgressBar::new(names.len() as u64);
    let (mut firsts, mut missed) = (vec![], vec![]);
    for name in &names {
        let mut fared = play(&program, name, &format!("0..{}", args.seeds), args.enough)?;
        fared.keep_those_of_the_defect(&program)?;
        bar.suspend(|| println!("{}", fared.line(name)));
        match fared.violations.keys().next() {
            Some(first) => firsts.push(*first),
            None => missed.push(name.as_str()),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    firsts.sort_unstable();
    let median = firsts.get(firsts.len() / 2).map_or("-".into(), ToString::to_string);
    println!("{} of {} defects found, the first seed that shows one: median {median}", firsts.len(), names.len());
    if !missed.is_empty() {
        println!("not found: {}", missed.join(", "));
    }
    Ok(missed.is_empty())
}

/// The switches in the patch.
fn names(patch: &str) -> BTreeSet<String> {
    let name = |rest: &str| rest.split_once('"').map(|(name, _)| name.to_owned());
    patch.split("choreography::defect(\"").skip(1).filter_map(name).collect()
}

/// Builds the simulation from a copy of the committed sources with the patch in it.
fn build(root: &Path, patch: &Path) -> Result<PathBuf, String> {
    let (folder, tree) = (root.join("target/defects"), root.join("target/defects/tree"));
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    if tree.exists() {
        command("git", root, &["worktree", "remove", "--force", &tree.to_string_lossy()])?;
    }
    command("git", root, &["worktree", "prune"])?;
    command("git", root, &["worktree", "add", "--quiet", "--detach", &tree.to_string_lossy(), "HEAD"])?;
    command("git", &tree, &["apply", "--3way", &patch.to_string_lossy()])
        .map_err(|why| format!("{why}; the sources have changed below the patch: plant the defects anew"))?;
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let target = root.join("target");
    let build = ["build", "--quiet", "--release", "--package", "simulation", "--bin", "simulation", "--target-dir"];
    command(&cargo, &tree, &[&build[..], &[&*target.to_string_lossy()]].concat())?;
    let program = folder.join("simulation");
    // The next build of the sources proper puts its own program where this one was.
    fs::copy(target.join("release/simulation"), &program).map_err(|e| format!("{}: {e}", program.display()))?;
    command("git", root, &["worktree", "remove", "--force", &tree.to_string_lossy()])?;
    Ok(program)
}

fn command(program: &str, folder: &Path, args: &[&str]) -> Result<(), String> {
    let status = Command::new(program).args(args).current_dir(folder).env_remove("CARGO_MANIFEST_DIR").status();
    let status = status.map_err(|e| format!("{program} does not start: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{program} {}` fails", args.join(" "))) }
}

fn play(program: &Path, defect: &str, seeds: &str, enough: u64) -> Result<Fared, String> {
    let enough = enough.to_string();
    let args = ["--seeds", seeds, "--json", "--no-shrink", "--stop-after", &enough];
    let output = Command::new(program).args(args).env("TUTTI_DEFECT", defect).output();
    let output = output.map_err(|e| format!("{}: {e}", program.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let report = serde_json::Deserializer::from_str(&text).into_iter::<Value>().next();
    let report = report.and_then(Result::ok).ok_or_else(|| {
        format!("{defect}: the simulation does not report: {}", String::from_utf8_lossy(&output.stderr))
    })?;
    let violations = report["violations"].as_array().into_iter().flatten();
    let violation = |it: &Value| Some((it["seed"].as_u64()?, it["invariant"].as_str()?.to_owned()));
    Ok(Fared { seeds: report["seeds"].as_u64().unwrap_or(0), violations: violations.filter_map(violation).collect() })
}

impl Fared {
    /// A seed that breaks something without the defect as well shows nothing of it.
    fn keep_those_of_the_defect(&mut self, program: &Path) -> Result<(), String> {
        for seed in self.violations.keys().copied().collect::<Vec<_>>() {
            if !play(program, NOTHING, &format!("{seed}..{}", seed + 1), 1)?.violations.is_empty() {
                self.violations.remove(&seed);
            }
        }
        Ok(())
    }

    fn line(&self, name: &str) -> String {
        let Fared { seeds, violations } = self;
        let first = violations.keys().next().map_or("never".into(), ToString::to_string);
        let mut by: BTreeMap<&str, u64> = BTreeMap::new();
        violations.values().for_each(|invariant| *by.entry(invariant).or_default() += 1);
        let by: Vec<_> = by.iter().map(|(invariant, count)| format!("{invariant} {count}")).collect();
        format!("{name:<38} in {:>3} of {seeds:>6} seeds, first {first:>6}  {}", violations.len(), by.join(", "))
    }
}
