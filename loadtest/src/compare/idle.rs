//! What visitors cost who are just there. All three arms hold theirs at the same time, so that memory and
//! processor time are measured in the same moments.

use std::time::Duration;

use futures_util::future::try_join_all;
use world::World;

use super::arm::{Arm, Which, settle, usages};
use super::crowd::{Crowd, Plan};
use super::{Compared, expect, report};
use crate::Error;
use crate::measure::{Relation, Tally};
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
    let mut memory = Compared::cost("bytes_per_visitor", Unit::Bytes).aims(
        Which::Naive,
        Which::Switchboard,
        Relation::AtLeast,
        20.0,
    );
    let mut cpu = Compared::cost("cpu_us_per_visitor_second", Unit::Us).aims(
        Which::Switchboard,
        Which::Tuned,
        Relation::AtMost,
        1.2,
    );
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
    let (mut before, mut opened) = (Vec::new(), Vec::new());
    for (arm, crowd) in arms.iter().zip(&mut crowds) {
        before.push(arm.usage()?);
        crowd.open().await?;
        opened.push(arm.usage()?);
    }
    let beats = |crowds: &[Crowd]| -> Vec<u64> {
        let all = crowds.iter().map(|crowd| crowd.counts().of(Tally::Beats));
        all.collect()
    };
    // Who is just there begins where all is done for who has just come.
    let begun = settle(world, &arms).await?;
    let beats_before = beats(&crowds);
    let hold = Duration::from_secs(options.hold_s);
    world.clock.sleep(hold).await;
    let held = usages(&arms)?;
    let beats = beats(&crowds);
    let count = options.visitors as f64;
    for (index, arm) in arms.iter().enumerate() {
        let grown = held[index]
            .memory_bytes
            .saturating_sub(before[index].memory_bytes);
        memory.add(arm.which, grown as f64 / count);
        let busy = held[index].cpu_seconds - begun[index].cpu_seconds;
        cpu.add(arm.which, busy * 1e6 / hold.as_secs_f64().max(1.0) / count);
    }
    let mut report = report("compare idle", seed, &arms, &[memory, cpu]);
    report.count("visitors", options.visitors);
    for (index, arm) in arms.iter().enumerate() {
        let name = arm.which.name();
        let settled = begun[index].cpu_seconds - opened[index].cpu_seconds;
        let key = format!("{name}_cpu_us_per_visitor_settling");
        report.figure(&key, settled * 1e6 / count, Unit::Us);
        let beats = beats[index] - beats_before[index];
        report.count(&format!("{name}_beats"), beats);
    }
    let lost = crowds.iter().map(|crowd| crowd.counts().of(Tally::Lost));
    expect(&mut report, "lost_connections", lost.sum(), 0);
    for crowd in crowds {
        crowd.leave().await?;
    }
    Ok(report)
}
