//! `idle`: many visitors who are just there. Measures how fast they connect and what each costs.

use std::sync::Arc;
use std::time::Duration;

use protocol::frame::Purpose;
use protocol::news::VisitorNews;
use serde::{Deserialize, Serialize};

use super::cast::{self, Doors};
use super::{Part, SHARE_MAX, Stretch, divide, ratio};
use crate::Error;
use crate::client::{Client, News};
use crate::fleet::worker::{Worker, note};
use crate::fleet::{Fleet, moment};
use crate::measure::{Relation, Tallies, Tally};
use crate::progress::Monitor;
use crate::report::{Report, Unit};
use crate::target::{Setting, Stage};

/// Options of `idle`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// How many visitors.
    #[arg(long, default_value_t = 1_000)]
    pub visitors: u64,
    /// New connections a second, at most.
    #[arg(long, default_value_t = 1_000)]
    pub connect_rate: u64,
    /// How long they stay after the last one has come.
    #[arg(long, default_value_t = 30)]
    pub hold_s: u64,
    /// Open the panel's connection instead of the launcher's.
    #[arg(long)]
    pub full: bool,
    /// Worker processes; as many as the sockets need when absent.
    #[arg(long, default_value_t = 1)]
    pub workers: u64,
}

/// One worker's part of the crowd.
#[derive(Serialize, Deserialize)]
pub struct Share {
    setting: Setting,
    stretch: Stretch,
    visitors: u64,
    rate: u64,
    purpose: Purpose,
}

/// Runs the scenario.
///
/// # Errors
/// It could not be set up. Visitors who fail or are lost are in the report.
pub async fn run(stage: &Stage, options: &Options) -> Result<Report, Error> {
    stage.consent(options.visitors)?;
    let world = &stage.world;
    let purpose = match options.full {
        true => Purpose::Full,
        false => Purpose::Launcher,
    };
    let stretches = divide(options.visitors, SHARE_MAX, options.workers, 1);
    let part = |(index, stretch): (u64, &Stretch)| {
        Part::Idle(Share {
            setting: stage.setting(index),
            stretch: *stretch,
            visitors: options.visitors,
            rate: options.connect_rate.max(1),
            purpose,
        })
    };
    let parts: Vec<Part> = (0..).zip(&stretches).map(part).collect();
    let mut fleet = Fleet::start(world, &parts).await?;
    let mut monitor = Monitor::new(world, "idle", fleet.watcher());
    monitor.during("sessions", fleet.ready()).await?;
    let before = stage.usage()?;
    let started = moment::now();
    fleet.go().await?;
    monitor.during("connecting", fleet.ready()).await?;
    let connect_seconds = (moment::now() - started).as_secs_f64();
    let begun = stage.usage()?;
    let hold = Duration::from_secs(options.hold_s);
    monitor.during("holding", world.clock.sleep(hold)).await;
    let held = stage.usage()?;
    let counts = monitor.counts();
    fleet.go().await?;
    let (_, notes) = fleet.outcomes::<()>(world).await?;

    let mut report = Report::new("idle", stage.seed, stage.urls.clone());
    report.notes = notes;
    report.count("visitors", options.visitors);
    for tally in [Tally::Connected, Tally::Failed, Tally::Lost, Tally::Beats] {
        report.count(tally.name(), counts.of(tally));
    }
    let connected = counts.of(Tally::Connected);
    report.figure("connect_seconds", connect_seconds, Unit::Seconds);
    report.figure(
        "connect_rate",
        ratio(connected, connect_seconds),
        Unit::PerSecond,
    );
    if let (Some(before), Some(begun), Some(held)) = (before, begun, held) {
        report.figure(
            "server_memory_before_bytes",
            before.memory_bytes as f64,
            Unit::Bytes,
        );
        let grown = held.memory_bytes.saturating_sub(before.memory_bytes);
        let each = ratio(grown, connected as f64).round();
        report.figure("bytes_per_connection", each, Unit::Bytes);
        let busy = held.cpu_seconds - begun.cpu_seconds;
        let percent = busy / hold.as_secs_f64().max(1.0) * 100.0;
        report.figure("idle_cpu_percent", percent, Unit::Percent);
    }
    report.server(held);
    report.series = monitor.samples.rates(&[Tally::Connected, Tally::Beats]);
    report.expect("connected", Relation::Exactly, options.visitors as f64);
    report.expect_none(Tally::Failed.name());
    report.expect_none(Tally::Lost.name());
    Ok(report)
}

/// The worker's side: sessions, then connections at a steady rate, then nothing but beats.
///
/// # Errors
/// Sessions cannot be had.
pub async fn play(share: Share, mut worker: Worker) -> Result<(), Error> {
    let doors = Doors::find(&share.setting).await?;
    let world = worker.world.clone();
    let session =
        async |index| cast::visitor(&world, &share.setting, &doors, index, share.purpose).await;
    let visitors = cast::each(share.stretch.range(), session).await?;
    let cue = worker.ready().await?;
    let mut connecting = Vec::new();
    for (index, visitor) in share.stretch.range().zip(visitors) {
        let due = cue.at + Duration::from_micros(index * 1_000_000 / share.rate);
        moment::wait(&world, due).await;
        let tallies = worker.tallies.clone();
        let (come, came) = tokio::sync::oneshot::channel();
        connecting.push(came);
        world.tracker.spawn(async move {
            let entered = enter(visitor, &tallies).await;
            // Nobody waits any more where the run is being given up.
            let _ = come.send(());
            if let Some(visitor) = entered {
                stay(visitor, &tallies).await;
            }
        });
    }
    for came in connecting {
        // A visitor who is gone has come and failed.
        let _ = came.await;
    }
    worker.ready().await?;
    Ok(())
}

/// Connects; a failure is counted and the first one told.
pub async fn enter(mut client: Client, tallies: &Arc<Tallies>) -> Option<Client> {
    match client.connect().await {
        Ok(_) => {
            tallies.add(Tally::Connected);
            Some(client)
        }
        Err(error) => {
            if tallies.of(Tally::Failed) == 0 {
                note(format!("the first failure: {error}{}", hint(&error)));
            }
            tallies.add(Tally::Failed);
            None
        }
    }
}

/// Stays until the connection is lost.
pub async fn stay(mut client: Client, tallies: &Arc<Tallies>) {
    loop {
        match client.next().await {
            Ok(News::Visitor(VisitorNews::Beat)) => tallies.add(Tally::Beats),
            Ok(News::Visitor(_) | News::Agent(_)) => {}
            Err(error) => {
                if tallies.of(Tally::Lost) == 0 {
                    note(format!("the first loss: {error}"));
                }
                tallies.remove(Tally::Connected);
                tallies.add(Tally::Lost);
                return;
            }
        }
    }
}

/// What to do about a failure that is the server's configuration.
fn hint(error: &Error) -> &'static str {
    match error.code() {
        Some(protocol::rejection::ErrorCode::RateLimited) => {
            " (limits.trusted_addresses of the server exempts a load test's address)"
        }
        Some(_) | None => "",
    }
}
