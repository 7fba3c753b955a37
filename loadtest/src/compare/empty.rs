//! What collecting costs while there is nothing to collect: one signal to one receiver who has nothing
//! waiting, to one server after another. Nobody stores signals, so that it is the way that is measured.

use std::time::Duration;

use world::World;

use super::arm::{Arm, Which};
use super::crowd::due_of;
use super::talk::Speaker;
use super::wire::Wire;
use super::{Compared, order, report};
use crate::Error;
use crate::fleet::moment;
use crate::measure::{Latencies, Relation};
use crate::report::{Report, Unit};
use crate::scenario::plan;

/// How long one signal may take.
const SIGNAL_MAX: Duration = Duration::from_secs(60);

/// Signals that are not counted: connections and caches are new.
const WARM_UP: u64 = 50;

/// Options of `compare empty`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Signals of a turn, to each server.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub signals: u64,
    /// Bytes of a signal's text.
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u64).range(64..=1_000))]
    pub message_bytes: u64,
    /// From one signal to the next, in microseconds.
    #[arg(long, default_value_t = 500)]
    pub gap_us: u64,
    /// Turns: each has a p99 of its own.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    pub turns: u64,
    /// After this nothing more is measured.
    #[arg(long, default_value_t = 40)]
    pub seconds: u64,
}

/// One who types and one who sees it.
struct Pair {
    speaker: Speaker,
    console: Wire,
}

pub(super) async fn run(world: &World, options: &Options, seed: u64) -> Result<Report, Error> {
    let until = moment::now() + Duration::from_secs(options.seconds);
    let arms = Arm::start_all(world, seed).await?;
    let mut pairs = Vec::new();
    for arm in &arms {
        let room = arm.room().await?;
        pairs.push(Pair {
            speaker: Speaker::enter(world, arm, &room).await?,
            console: arm.console(&room).await?,
        });
    }
    for index in 0..WARM_UP {
        for pair in &mut pairs {
            pair.signal(world, options, index).await?;
        }
    }
    let mut p99 = Compared::cost("p99_us", Unit::Us).aims(
        Which::Switchboard,
        Which::Tuned,
        Relation::AtMost,
        1.05,
    );
    let mut p50 = Compared::cost("p50_us", Unit::Us);
    let mut all: [Latencies; Which::ALL.len()] = Default::default();
    for turn in 0..options.turns {
        let mut signals: [Latencies; Which::ALL.len()] = Default::default();
        for index in 0..options.signals {
            if moment::now() >= until {
                break;
            }
            for place in order(turn) {
                let took = pairs[place].signal(world, options, index).await?;
                signals[place].add(took);
                world
                    .clock
                    .sleep(Duration::from_micros(options.gap_us))
                    .await;
            }
        }
        for (which, latencies) in Which::ALL.into_iter().zip(&signals) {
            if latencies.count() > 0 {
                p99.add(which, latencies.at(0.99) as f64);
                p50.add(which, latencies.at(0.5) as f64);
            }
            all[which as usize].add_all(latencies);
        }
    }
    let mut report = report("compare empty", seed, &arms, &[p99, p50]);
    for (which, latencies) in Which::ALL.into_iter().zip(all) {
        report.latency(which.name(), latencies);
    }
    Ok(report)
}

impl Pair {
    /// Types once; says how long it took until the other one saw it.
    async fn signal(
        &mut self,
        world: &World,
        options: &Options,
        index: u64,
    ) -> Result<Duration, Error> {
        let due = moment::now();
        let text = plan::body(index, due, options.message_bytes);
        self.speaker.types(&text).await?;
        let seen = self
            .console
            .until(|text| due_of(text) == Some(rounded(due)));
        let seen = world.clock.timeout(SIGNAL_MAX, seen).await;
        seen.ok_or_else(|| Error::TimedOut("a signal".to_owned()))??;
        let took = moment::now().saturating_sub(due);
        Ok(took)
    }
}

/// A moment as a message tells it.
fn rounded(due: Duration) -> Duration {
    Duration::from_micros(u64::try_from(due.as_micros()).unwrap_or(u64::MAX))
}
