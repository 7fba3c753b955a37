//! What visitors cost who are just there. All three arms hold theirs at the same time, so that memory and
//! processor time are measured in the same moments.

use std::time::Duration;

use futures_util::future::try_join_all;
use world::World;

use super::arm::Arm;
use super::crowd::{Crowd, Plan};
use super::{Compared, expect, report};
use crate::Error;
use crate::measure::Tally;
use crate::report::{Report, Unit};

/// Options of `compare idle`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Visitors of each server.
    #[arg(long, default_value_t = 4_000, value_parser = clap::value_parser!(u64).range(1..=19_000))]
    pub visitors: u64,
    /// How long they stay: one beat of everybody by default.
    #[arg(long, default_value_t = 25)]
    pub hold_s: u64,
    /// Connections that are being opened at a time.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..))]
    pub lanes: u64,
}

pub(super) async fn run(world: &World, options: &Options, seed: u64) -> Result<Report, Error> {
    let arms = Arm::start_all(world, seed).await?;
    let mut memory = Compared::new("bytes_per_visitor", Unit::Bytes);
    let mut cpu = Compared::new("cpu_us_per_visitor_second", Unit::Us);
    let gathering = arms.iter().map(|arm| {
        let plan = Plan {
            who: arm.visitors(),
            count: options.visitors,
            follows: Vec::new(),
            lanes: options.lanes,
            index: 0,
        };
        Crowd::gather(world, arm, plan)
    });
    let mut crowds = try_join_all(gathering).await?;
    let mut before = Vec::new();
    for (arm, crowd) in arms.iter().zip(&mut crowds) {
        before.push(arm.usage()?);
        crowd.open().await?;
    }
    let hold = Duration::from_secs(options.hold_s);
    let begun = usages(&arms)?;
    world.clock.sleep(hold).await;
    let held = usages(&arms)?;
    for (index, arm) in arms.iter().enumerate() {
        let count = options.visitors as f64;
        let grown = held[index]
            .memory_bytes
            .saturating_sub(before[index].memory_bytes);
        memory.add(arm.which, grown as f64 / count);
        let busy = held[index].cpu_seconds - begun[index].cpu_seconds;
        cpu.add(arm.which, busy * 1e6 / hold.as_secs_f64().max(1.0) / count);
    }
    let mut report = report("compare idle", seed, &arms, &[memory, cpu]);
    report.count("visitors", options.visitors);
    let sum = |tally| crowds.iter().map(|crowd| crowd.counts().of(tally)).sum();
    report.count("beats", sum(Tally::Beats));
    expect(&mut report, "lost_connections", sum(Tally::Lost), 0);
    for crowd in crowds {
        crowd.leave().await?;
    }
    Ok(report)
}

fn usages(arms: &[Arm]) -> Result<Vec<crate::process::Usage>, Error> {
    arms.iter().map(Arm::usage).collect()
}
