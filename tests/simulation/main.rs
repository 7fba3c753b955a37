//! The simulation: real nodes and real clients on a simulated network, bus, store, clock and randomness. One
//! seed decides everything, so what fails once fails again.
//!
//! `make sim` runs more seeds; `SWITCHBOARD_SIM_SEED=n` runs one and tells what happened, with `SWITCHBOARD_SIM_SEEDS` so
//! many from there on.

mod check;
mod erasure;
mod found;
mod node;
mod person;
mod plan;
mod rights;
mod run;
mod screen;
mod shop;
mod trace;

use std::sync::atomic::{AtomicU64, Ordering};

use plan::Plan;
use run::Outcome;
use shop::Shop;

/// Seeds of a run without wishes.
const SEED_COUNT: u64 = 60;

/// Runs a plan, and makes it smaller while it still fails.
fn shrink(shop: &Shop, plan: Plan, files: &std::path::Path) -> (Plan, Outcome) {
    let mut plan = plan;
    let mut outcome = run::run(shop, &plan, files);
    let mut size = plan.steps.len().div_ceil(2).max(1);
    loop {
        let mut is_smaller = false;
        let mut start = 0;
        while start < plan.steps.len() {
            let mut steps = plan.steps.clone();
            let end = (start + size).min(steps.len());
            steps.drain(start..end);
            let smaller = plan.with(steps);
            let tried = run::run(shop, &smaller, files);
            if tried.findings.is_empty() {
                start = end;
            } else {
                (plan, outcome) = (smaller, tried);
                is_smaller = true;
            }
        }
        if size == 1 && !is_smaller {
            return (plan, outcome);
        }
        if !is_smaller || size > plan.steps.len() {
            size = (size / 2).max(1);
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "which seeds to run is asked for where the test is started"
)]
fn wish(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn files() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory can be made")
}

fn failure(shop: &Shop, seed: u64, files: &std::path::Path) -> String {
    let (plan, outcome) = shrink(shop, Plan::of(seed), files);
    let findings = outcome.findings.join("\n  ");
    let told = outcome.told.join("\n  ");
    format!("{plan}finds\n  {findings}\nafter\n  {told}")
}

#[test]
fn everybody_is_shown_what_is_stored_and_what_was_acknowledged_is() {
    let (first, count) = match wish("SWITCHBOARD_SIM_SEED") {
        Some(seed) => (seed, wish("SWITCHBOARD_SIM_SEEDS").unwrap_or(1)),
        None => (1, wish("SWITCHBOARD_SIM_SEEDS").unwrap_or(SEED_COUNT)),
    };
    let next = AtomicU64::new(first);
    let (turns, entries) = (AtomicU64::new(0), AtomicU64::new(0));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let (shop, files) = (Shop::open(), files());
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count {
                        return;
                    }
                    let outcome = run::run(&shop, &Plan::of(seed), files.path());
                    if !outcome.findings.is_empty() {
                        // Others need not begin.
                        next.store(first + count, Ordering::Relaxed);
                        panic!("{}", failure(&shop, seed, files.path()));
                    }
                    turns.fetch_add(outcome.turn_count, Ordering::Relaxed);
                    let stored = u64::try_from(outcome.entry_count).expect("few entries");
                    entries.fetch_add(stored, Ordering::Relaxed);
                }
            });
        }
    });
    println!("{count} seeds, {turns:?} turns of tasks, {entries:?} entries");
}

#[test]
fn a_seed_always_gives_the_same_run() {
    let (shop, files) = (Shop::open(), files());
    for seed in 1..=4 {
        let [one, other] = [(); 2].map(|()| run::run(&shop, &Plan::of(seed), files.path()));
        assert_eq!(one.told, other.told, "seed {seed}");
        assert_eq!(one.hash, other.hash, "seed {seed}");
    }
}
