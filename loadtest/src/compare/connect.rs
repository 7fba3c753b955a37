//! Full connects a second: each turn a crowd of new visitors connects to one server after another, as fast
//! as it takes them. Nobody hangs up before the end, so that the memory of each connection is new to the server, as
//! on a node that fills up: one that is given back is worth a lot to a server that takes much for each.

use std::time::Duration;

use world::World;

use super::arm::{Arm, Which};
use super::crowd::{Crowd, Plan};
use super::{Compared, expect, goes_on, order, report};
use crate::Error;
use crate::fleet::moment;
use crate::measure::{Relation, Tally};
use crate::report::{Report, Unit};

/// Connections to each server: a process may open 20,000 files.
const CONNECTIONS_MAX: u64 = 19_000;

/// From the end of an opening to the next one: what a server still does for who has come is over.
const REST: Duration = Duration::from_millis(700);

/// Options of `compare connect`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Visitors who connect to each server in a turn, and stay.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..=CONNECTIONS_MAX))]
    pub connections: u64,
    /// Connections that are being opened at a time.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..))]
    pub lanes: u64,
    /// Turns.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    pub turns: u64,
    /// After this no turn begins.
    #[arg(long, default_value_t = 32)]
    pub seconds: u64,
}

pub(super) async fn run(world: &World, options: &Options, seed: u64) -> Result<Report, Error> {
    if options.connections * options.turns > CONNECTIONS_MAX {
        let text = format!("all turns together: {CONNECTIONS_MAX} connections to each server");
        return Err(Error::Usage(text));
    }
    let until = moment::now() + Duration::from_secs(options.seconds);
    let arms = Arm::start_all(world, seed).await?;
    let mut rate = Compared::gain("connects_per_second", Unit::PerSecond).aims(
        Which::Switchboard,
        Which::Naive,
        Relation::AtLeast,
        2.0,
    );
    let mut cpu = Compared::cost("cpu_us_per_connect", Unit::Us);
    let mut client = Compared::cost("client_cpu_us_per_connect", Unit::Us);
    let mut crowds = Vec::new();
    let mut turn = 0;
    while goes_on(turn, options.turns, until) {
        for index in order(turn) {
            let arm = &arms[index];
            let plan = Plan {
                who: arm.visitors(),
                count: options.connections,
                follows: Vec::new(),
                lanes: options.lanes,
                index: turn,
            };
            let mut crowd = Crowd::gather(world, arm, plan).await?;
            let before = arm.usage()?;
            let (opened, seconds) = crowd.open().await?;
            let after = arm.usage()?;
            let count = opened.connected as f64;
            rate.add(arm.which, count / seconds.max(f64::MIN_POSITIVE));
            let busy = after.cpu_seconds - before.cpu_seconds;
            cpu.add(arm.which, busy * 1e6 / count.max(1.0));
            let busy = opened.busy.as_secs_f64();
            client.add(arm.which, busy * 1e6 / count.max(1.0));
            crowds.push(crowd);
            world.clock.sleep(REST).await;
        }
        turn += 1;
    }
    let lost = crowds.iter().map(|crowd| crowd.counts().of(Tally::Lost));
    let lost: u64 = lost.sum();
    for crowd in crowds {
        crowd.leave().await?;
    }
    let mut report = report("compare connect", seed, &arms, &[rate, cpu, client]);
    report.count("connections", options.connections);
    report.count("turns_made", turn);
    expect(&mut report, "lost_connections", lost, 0);
    Ok(report)
}
