//! `drain`: a full server is asked to end. Is everybody told when to return, are the times spread evenly,
//! does the server end in good order, does everybody come back, and how evenly?
//!
//! With `--own` the tool ends its own node and starts it again; with `--server-pid` it only asks that
//! process to end, and whoever runs it starts it again.

use std::sync::Arc;
use std::time::Duration;

use protocol::frame::Purpose;
use protocol::news::{AgentNews, VisitorNews};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

use super::cast::{self, Doors};
use super::idle::enter;
use super::{Part, SHARE_MAX, Stretch, divide};
use crate::Error;
use crate::client::{Client, News};
use crate::fleet::worker::{Worker, note};
use crate::fleet::{Fleet, moment};
use crate::measure::{Latencies, Meter, Relation, Tallies, Tally};
use crate::node::own::Own;
use crate::progress::Monitor;
use crate::report::{Report, Unit};
use crate::target::{Setting, Stage};

/// How long the server may take to end.
const STOP_MAX: Duration = Duration::from_secs(60);

/// How long a visitor tries to come back.
const RETURN_MAX: Duration = Duration::from_secs(60);

/// The first and the longest pause between tries, as the documentation wants them.
const PAUSE_MS: (u64, u64) = (1_000, 30_000);

/// Milliseconds over which the rate of returns is taken.
const BIN_MS: u64 = 500;

/// A peak is that of the server where an even rate has so many in [`BIN_MS`]; that of a few is their own luck.
const EVEN_MIN: f64 = 40.0;

/// The highest rate that planned returns may have, by an even one.
const PEAK_MAX: f64 = 1.5;

/// Options of `drain`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// How many visitors.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..))]
    pub visitors: u64,
    /// Worker processes; as many as the sockets need when absent.
    #[arg(long, default_value_t = 1)]
    pub workers: u64,
}

/// One worker's visitors.
#[derive(Serialize, Deserialize)]
pub struct Share {
    setting: Setting,
    stretch: Stretch,
}

/// What a worker found out.
#[derive(Default, Serialize, Deserialize)]
pub struct Outcome {
    /// When they were told to return, in milliseconds since the signal.
    returns_ms: Vec<u64>,
    /// When they were connected again, in milliseconds since the signal.
    backs_ms: Vec<u64>,
    /// From losing the connection to having it again.
    gap: Latencies,
}

impl Outcome {
    /// Takes in another worker's.
    fn add(&mut self, other: Self) {
        self.returns_ms.extend(other.returns_ms);
        self.backs_ms.extend(other.backs_ms);
        self.gap.add_all(&other.gap);
    }
}

/// Runs the scenario.
///
/// # Errors
/// It could not be set up, or the server did not end.
pub async fn run(stage: &mut Stage, options: &Options) -> Result<Report, Error> {
    let mut own = stage.own.take();
    if own.is_none() && stage.server_pid.is_none() {
        let text = "drain needs --own or --own-nodes, or --server-pid of the target";
        return Err(Error::Usage(text.to_owned()));
    }
    stage.consent(options.visitors)?;
    let world = &stage.world;
    let stretches = divide(options.visitors, SHARE_MAX, options.workers, 1);
    let part = |(index, stretch): (u64, &Stretch)| {
        Part::Drain(Share {
            setting: stage.setting(index),
            stretch: *stretch,
        })
    };
    let parts: Vec<Part> = (0..).zip(&stretches).map(part).collect();
    let mut fleet = Fleet::start(world, &parts).await?;
    let mut monitor = Monitor::new(world, "drain", fleet.watcher());
    monitor.during("setting up", fleet.ready()).await?;
    let started = moment::now();
    fleet.go().await?;
    let ending = end(stage, own.as_mut());
    let end_seconds = monitor.during("draining", ending).await?;
    monitor.during("coming back", fleet.ready()).await?;
    let seconds = (moment::now() - started).as_secs_f64();
    fleet.go().await?;
    let (outcomes, notes) = fleet.outcomes::<Outcome>(world).await?;
    let mut sum = Outcome::default();
    outcomes.into_iter().for_each(|outcome| sum.add(outcome));
    let mut report = Report::new("drain", stage.seed, stage.urls.clone());
    report.notes = notes;
    report.count("visitors", options.visitors);
    report.count("told", sum.returns_ms.len() as u64);
    report.count("back", sum.backs_ms.len() as u64);
    if let Some(end_seconds) = end_seconds {
        report.figure("end_seconds", end_seconds, Unit::Seconds);
    }
    report.figure("all_back_seconds", seconds, Unit::Seconds);
    tell_spread(&mut report, &mut sum);
    report.latency("gap", sum.gap);
    report.series = monitor.samples.rates(&[Tally::Reconnected]);
    report.expect("told", Relation::Exactly, options.visitors as f64);
    report.expect("back", Relation::Exactly, options.visitors as f64);
    stage.own = own;
    Ok(report)
}

/// Tells how evenly returns were planned, and how evenly everybody came back.
fn tell_spread(report: &mut Report, sum: &mut Outcome) {
    if let Some((window, peak)) = spread(&mut sum.returns_ms) {
        report.figure("return_window_seconds", window, Unit::Seconds);
        report.figure("peak_over_even", peak, Unit::Ratio);
        let even = sum.returns_ms.len() as f64 * BIN_MS as f64 / (window * 1_000.0);
        if even >= EVEN_MIN {
            report.expect("peak_over_even", Relation::AtMost, PEAK_MAX);
        }
    }
    if let Some((window, peak)) = spread(&mut sum.backs_ms) {
        report.figure("back_window_seconds", window, Unit::Seconds);
        report.figure("back_peak_over_even", peak, Unit::Ratio);
    }
}

/// Asks the server to end. Nodes of the run's own end all at once, are waited for and started again; says how
/// long their end took.
async fn end(stage: &Stage, own: Option<&mut Own>) -> Result<Option<f64>, Error> {
    if let Some(own) = own {
        let took = own.restart(&stage.world, STOP_MAX).await?;
        return Ok(Some(took.as_secs_f64()));
    }
    let pid = stage.server_pid.and_then(|pid| i32::try_from(pid).ok());
    let pid = pid.and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| Error::Usage("--server-pid is no process".to_owned()))?;
    let sent = kill_process(pid, Signal::TERM);
    sent.map_err(|error| Error::Usage(format!("--server-pid: {error}")))?;
    Ok(None)
}

/// The window of some returns in seconds, and their highest rate over an even one.
fn spread(returns_ms: &mut [u64]) -> Option<(f64, f64)> {
    returns_ms.sort_unstable();
    let (first, last) = (*returns_ms.first()?, *returns_ms.last()?);
    let window_ms = (last - first).max(BIN_MS);
    let mut peak = 0;
    let mut begin = 0;
    for (end, at) in returns_ms.iter().enumerate() {
        while at - returns_ms[begin] >= BIN_MS {
            begin += 1;
        }
        peak = peak.max(end - begin + 1);
    }
    let even = returns_ms.len() as f64 * BIN_MS as f64 / window_ms as f64;
    Some((window_ms as f64 / 1_000.0, peak as f64 / even))
}

/// The worker's side.
///
/// # Errors
/// It could not be set up.
pub async fn play(share: Share, mut worker: Worker) -> Result<Outcome, Error> {
    let doors = Doors::find(&share.setting).await?;
    let world = worker.world.clone();
    let visitor = async |index| {
        let visitor = cast::visitor(&world, &share.setting, &doors, index, Purpose::Launcher);
        Ok(enter(visitor.await?, &worker.tallies).await)
    };
    let visitors = cast::each(share.stretch.range(), visitor).await?;
    let cue = worker.ready().await?;
    let mut tasks = Vec::new();
    for client in visitors.into_iter().flatten() {
        let (tallies, meter) = (worker.tallies.clone(), worker.delivery.clone());
        let passed = pass(client, cue.at, tallies, meter);
        tasks.push(world.tracker.spawn(passed));
    }
    let mut outcome = Outcome::default();
    for task in tasks {
        let (told, back) = task.await.expect("a visitor does not panic");
        outcome.returns_ms.extend(told);
        outcome.backs_ms.extend(back);
    }
    worker.ready().await?;
    outcome.gap = worker.delivery.taken();
    Ok(outcome)
}

/// Stays until the server goes, and comes back when it was told to; says when that was to be, and when it
/// was connected again, both in milliseconds since the signal.
async fn pass(
    mut client: Client,
    started: Duration,
    tallies: Arc<Tallies>,
    meter: Arc<Meter>,
) -> (Option<u64>, Option<u64>) {
    let mut told = None;
    let clock = client.clock().clone();
    loop {
        match client.next().await {
            Ok(
                News::Visitor(VisitorNews::GoingAway(going))
                | News::Agent(AgentNews::GoingAway(going)),
            ) => told = Some((moment::now(), going.return_after_ms)),
            Ok(_) => {}
            Err(_) => break,
        }
    }
    let lost = moment::now();
    tallies.remove(Tally::Connected);
    let mut pause_ms = PAUSE_MS.0;
    if let Some((at, after_ms)) = told {
        moment::wait_by(&clock, at + Duration::from_millis(after_ms)).await;
    }
    let back = loop {
        match client.connect().await {
            Ok(_) => break Some(moment::now()),
            Err(_) if moment::now() - lost < RETURN_MAX => {
                let pause = client.below(pause_ms);
                clock.sleep(Duration::from_millis(pause)).await;
                pause_ms = (pause_ms * 2).min(PAUSE_MS.1);
            }
            Err(error) => {
                note(format!("a visitor did not come back: {error}"));
                break None;
            }
        }
    };
    if let Some(back) = back {
        tallies.add(Tally::Connected);
        tallies.add(Tally::Reconnected);
        meter.add(back - lost);
    }
    let since = |at: Duration| {
        let since = at.saturating_sub(started);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    };
    let planned = told.map(|(at, after_ms)| since(at + Duration::from_millis(after_ms)));
    (planned, back.map(since))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_returns_have_a_peak_near_one_and_a_heap_has_not() {
        let mut even: Vec<u64> = (0..1_000).map(|index| index * 5).collect();
        let (window, peak) = spread(&mut even).expect("there are some");
        assert!(
            (window - 4.995).abs() < 1e-9 && peak < 1.02,
            "{window} {peak}"
        );
        let mut heap: Vec<u64> = (0..1_000).map(|index| index / 2).chain([5_000]).collect();
        let (_, peak) = spread(&mut heap).expect("there are some");
        assert!(peak > 9.0, "{peak}");
        assert_eq!(spread(&mut []), None);
    }
}
