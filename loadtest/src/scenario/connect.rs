//! `connect`: how many full connects a server takes in a second: upgrade, token, presence, welcome.
//!
//! Sessions are begun before the clock starts. Without a rate the connects are closed-loop: each lane
//! opens the next connection when its last one is up. With a rate they are due at times of their own,
//! and latencies count from there.

use std::sync::Arc;
use std::time::Duration;

use protocol::frame::Purpose;
use serde::{Deserialize, Serialize};

use super::act::act;
use super::cast::{self, Doors};
use super::idle::{enter, stay};
use super::{Part, SHARE_MAX, Stretch, divide, ratio};
use crate::Error;
use crate::fleet::moment;
use crate::fleet::worker::Worker;
use crate::measure::{Latencies, Relation, Tally};
use crate::report::{Report, Unit};
use crate::target::{Setting, Stage};

/// Options of `connect`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// How many connections.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub connections: u64,
    /// Connections a second; as fast as the server takes them when absent.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub rate: Option<u64>,
    /// Connections that are being opened at a time, without a rate.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..))]
    pub lanes: u64,
    /// Open the panel's connection instead of the launcher's.
    #[arg(long)]
    pub full: bool,
    /// Worker processes; as many as the sockets need when absent.
    #[arg(long, default_value_t = 1)]
    pub workers: u64,
}

/// One worker's connections.
#[derive(Serialize, Deserialize)]
pub struct Share {
    setting: Setting,
    stretch: Stretch,
    rate: Option<u64>,
    lanes: u64,
    purpose: Purpose,
}

/// Runs the scenario.
///
/// # Errors
/// It could not be set up. Connections that fail are in the report.
pub async fn run(stage: &Stage, options: &Options) -> Result<Report, Error> {
    stage.consent(options.connections)?;
    let stretches = divide(options.connections, SHARE_MAX, options.workers, 1);
    let lanes = options.lanes.div_ceil(stretches.len() as u64);
    let part = |(index, stretch): (u64, &Stretch)| {
        Part::Connect(Share {
            setting: stage.setting(index),
            stretch: *stretch,
            rate: options.rate,
            lanes,
            purpose: if options.full {
                Purpose::Full
            } else {
                Purpose::Launcher
            },
        })
    };
    let parts: Vec<Part> = (0..).zip(&stretches).map(part).collect();
    let acted = act(stage, "connect", &parts, |_| ()).await?;
    let mut latencies = Latencies::default();
    for outcome in acted.outcomes::<Latencies>()? {
        latencies.add_all(&outcome);
    }
    let mut report = acted.report("connect", stage);
    for tally in [Tally::Connected, Tally::Failed, Tally::Lost] {
        report.count(tally.name(), acted.counts.of(tally));
    }
    let connected = acted.counts.of(Tally::Connected);
    report.figure(
        "connect_rate",
        ratio(connected, acted.seconds),
        Unit::PerSecond,
    );
    report.latency("connect", latencies);
    acted.tell_usage(&mut report);
    if let Some((before, after)) = acted.usage {
        let busy = after.cpu_seconds - before.cpu_seconds;
        let each = busy * 1e6 / (connected as f64).max(1.0);
        report.figure("server_cpu_us_per_connect", each, Unit::Us);
    }
    report.series = acted.monitor.samples.rates(&[Tally::Connected]);
    report.expect("connected", Relation::Exactly, options.connections as f64);
    report.expect_none(Tally::Failed.name());
    Ok(report)
}

/// The worker's side.
///
/// # Errors
/// Sessions cannot be had.
pub async fn play(share: Share, mut worker: Worker) -> Result<Latencies, Error> {
    let doors = Doors::find(&share.setting).await?;
    let world = worker.world.clone();
    let session =
        async |index| cast::visitor(&world, &share.setting, &doors, index, share.purpose).await;
    let visitors = cast::each(share.stretch.range(), session).await?;
    let cue = worker.ready().await?;
    let visitors: Vec<_> = share.stretch.range().zip(visitors).collect();
    let waiting = Arc::new(std::sync::Mutex::new(visitors.into_iter()));
    let mut lanes = Vec::new();
    for _ in 0..share.lanes.min(share.stretch.count.max(1)) {
        let (world, waiting) = (world.clone(), waiting.clone());
        let (tallies, meter) = (worker.tallies.clone(), worker.delivery.clone());
        lanes.push(worker.world.tracker.spawn(async move {
            loop {
                let next = waiting.lock().expect("nobody panics with this lock").next();
                let Some((index, visitor)) = next else { return };
                let mut due = moment::now().max(cue.at);
                if let Some(rate) = share.rate {
                    due = cue.at + Duration::from_micros(index * 1_000_000 / rate);
                }
                moment::wait(&world, due).await;
                let entered = enter(visitor, &tallies).await;
                if let Some(visitor) = entered {
                    meter.add(moment::now().saturating_sub(due));
                    let tallies = tallies.clone();
                    world
                        .tracker
                        .spawn(async move { stay(visitor, &tallies).await });
                }
            }
        }));
    }
    for lane in lanes {
        lane.await.expect("a lane does not panic");
    }
    worker.ready().await?;
    Ok(worker.delivery.taken())
}
