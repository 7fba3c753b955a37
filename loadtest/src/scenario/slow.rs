//! `slow`: a room in which one of a hundred stops reading. Does it cost those who read anything?
//!
//! Rounds with and without stalled followers take turns, so that whatever else happens on the machine
//! happens to both.

use super::room::{self, By};
use crate::Error;
use crate::measure::{Latencies, Relation, Tally};
use crate::report::{Report, Unit};
use crate::target::Stage;

/// Options of `slow`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// How many follow.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(10..))]
    pub followers: u64,
    /// How many of 100 stop reading.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=50))]
    pub percent: u64,
    /// Messages a second.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    pub rate: u64,
    /// How long each round is.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..))]
    pub seconds: u64,
    /// Rounds of each kind.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..))]
    pub rounds: u64,
    /// Bytes of a message: large ones fill the buffers on the way soon.
    #[arg(long, default_value_t = 8_000, value_parser = clap::value_parser!(u64).range(64..=16_000))]
    pub message_bytes: u64,
}

/// Runs the scenario.
///
/// # Errors
/// It could not be set up.
pub async fn run(stage: &Stage, options: &Options) -> Result<Report, Error> {
    let stalled = (options.followers * options.percent / 100).max(1);
    let room = room::Options {
        followers: options.followers,
        by: By::Agents,
        rate: options.rate,
        seconds: options.seconds,
        message_bytes: options.message_bytes,
        workers: 1,
    };
    let mut report = Report::new("slow", stage.seed, stage.urls.clone());
    let (mut alone, mut beside) = (Latencies::default(), Latencies::default());
    let (mut missing, mut lost) = (0, 0);
    let mut grown = [0.0_f64; 2];
    // The first rounds make room that the later ones find: where there are several, memory counts from the second on.
    let new_rounds = u64::from(options.rounds > 1);
    for round in 0..options.rounds {
        for (kind, count) in [0, stalled].into_iter().enumerate() {
            let measured = Box::pin(room::measure(stage, &room, count)).await?;
            let into = if kind == 0 { &mut alone } else { &mut beside };
            into.add_all(&measured.delivery);
            missing += measured.missing;
            lost += measured.acted.counts.of(Tally::Lost);
            report.broke(measured.broken);
            if let Some((before, after)) = measured.acted.usage
                && round >= new_rounds
            {
                grown[kind] += after.memory_bytes as f64 - before.memory_bytes as f64;
            }
        }
    }
    report.count("followers", options.followers);
    report.count("stalled", stalled);
    report.count("missing", missing);
    report.count("lost_connections", lost);
    let p99 = |latencies: &Latencies| latencies.figures().p99_us as f64;
    report.figure(
        "p99_ratio",
        p99(&beside) / p99(&alone).max(1.0),
        Unit::Ratio,
    );
    if stage.server_pid.is_some() {
        let more = (grown[1] - grown[0]) / (stalled * (options.rounds - new_rounds)) as f64;
        report.figure("bytes_per_stalled", more.round(), Unit::Bytes);
    }
    report.latency("beside_stalled", beside);
    report.latency("alone", alone);
    report.expect_none("missing");
    report.expect("lost_connections", Relation::Exactly, 0.0);
    Ok(report)
}
