//! What a delivery costs while many wait for every receiver: in one room many messages are said at the same
//! moment.

use std::time::Duration;

use futures_util::future::try_join_all;
use world::World;

use super::arm::{Arm, Which};
use super::room::gather;
use super::talk::Talk;
use super::{Compared, expect, goes_on, order, report};
use crate::Error;
use crate::fleet::moment;
use crate::measure::Relation;
use crate::report::{Report, Unit};

/// From the cue to the burst.
const LEAD: Duration = Duration::from_millis(50);

/// How long a burst may take.
const BURST_MAX: Duration = Duration::from_secs(20);

/// Options of `compare burst`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Who follow, at each server.
    #[arg(long, default_value_t = 6_000, value_parser = clap::value_parser!(u64).range(1..=19_000))]
    pub followers: u64,
    /// Messages of a burst.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    pub messages: u64,
    /// Bytes of a message.
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u64).range(64..=16_000))]
    pub message_bytes: u64,
    /// Turns: bursts at each server.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    pub turns: u64,
    /// After this no turn begins.
    #[arg(long, default_value_t = 38)]
    pub seconds: u64,
}

pub(super) async fn run(world: &World, options: &Options, seed: u64) -> Result<Report, Error> {
    let until = moment::now() + Duration::from_secs(options.seconds);
    let arms = Arm::start_all(world, seed).await?;
    let halls = arms.iter().map(|arm| gather(world, arm, options.followers));
    let mut halls = try_join_all(halls).await?;
    let mut cpu = Compared::cost("cpu_us_per_delivery", Unit::Us).aims(
        Which::Tuned,
        Which::Switchboard,
        Relation::AtLeast,
        5.0,
    );
    let mut together = Compared::gain("messages_per_read", Unit::Ratio);
    let (mut turn, mut missing) = (0, 0);
    while goes_on(turn, options.turns, until) {
        for index in order(turn) {
            let (arm, (crowd, speaker)) = (&arms[index], &mut halls[index]);
            crowd
                .listen(options.messages, moment::now() + BURST_MAX)
                .await?;
            let before = arm.usage()?;
            let talk = Talk {
                started: moment::now() + LEAD,
                gap: Duration::ZERO,
                count: options.messages,
                message_bytes: options.message_bytes,
            };
            speaker.say_all(&talk).await?;
            let heard = crowd.heard().await?;
            let after = arm.usage()?;
            let delivered = heard.delivered as f64;
            let busy = after.cpu_seconds - before.cpu_seconds;
            cpu.add(arm.which, busy * 1e6 / delivered.max(1.0));
            together.add(arm.which, delivered / (heard.reads as f64).max(1.0));
            missing += options.messages * options.followers - heard.delivered;
        }
        turn += 1;
    }
    let mut report = report("compare burst", seed, &arms, &[cpu, together]);
    report.count("followers", options.followers);
    report.count("messages", options.messages);
    report.count("turns_made", turn);
    expect(&mut report, "missing", missing, 0);
    for (crowd, _) in halls {
        crowd.leave().await?;
    }
    Ok(report)
}
