//! Deliveries a second in one room: each turn every server is tried at a rate of its own, until the highest
//! is found that it bears with 99 of 100 deliveries within half a second.

use std::time::Duration;

use futures_util::future::try_join_all;
use world::World;

use super::arm::{Arm, Which};
use super::climb::Climb;
use super::crowd::{Crowd, Plan};
use super::talk::{Speaker, Talk};
use super::{Compared, goes_on, order, report};
use crate::Error;
use crate::fleet::moment;
use crate::measure::Relation;
use crate::report::{Report, Unit};

/// From the cue to the first message.
const LEAD: Duration = Duration::from_millis(100);

/// How long after the last message a try waits for deliveries.
const DRAIN: Duration = Duration::from_secs(4);

/// Messages of a try, at least.
const MESSAGES_MIN: u64 = 4;

/// Tries whose median is a server's rate: its best.
const BEST: usize = 3;

/// Options of `compare room`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Who follow, at each server.
    #[arg(long, default_value_t = 15_000, value_parser = clap::value_parser!(u64).range(1..=19_000))]
    pub followers: u64,
    /// Bytes of a message.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(64..=16_000))]
    pub message_bytes: u64,
    /// Milliseconds of a try.
    #[arg(long, default_value_t = 1_200, value_parser = clap::value_parser!(u64).range(100..))]
    pub try_ms: u64,
    /// Deliveries a second of the first try.
    #[arg(long, default_value_t = 40_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub first: u64,
    /// What 99 of 100 deliveries must be within, in milliseconds.
    #[arg(long, default_value_t = 500)]
    pub p99_ms: u64,
    /// Turns: tries of each server.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u64).range(1..))]
    pub turns: u64,
    /// After this no turn begins.
    #[arg(long, default_value_t = 34)]
    pub seconds: u64,
}

/// A server with its room.
struct Hall {
    crowd: Crowd,
    speaker: Speaker,
    climb: Climb,
    /// Deliveries a second of the tries that were borne.
    borne: Vec<f64>,
    cpu_us: Vec<f64>,
}

/// What became of a try.
struct Try {
    is_borne: bool,
    /// Deliveries a second, from the first message to the last delivery.
    rate: f64,
    /// Processor time of the server for each.
    cpu_us: f64,
}

pub(super) async fn run(world: &World, options: &Options, seed: u64) -> Result<Report, Error> {
    let until = moment::now() + Duration::from_secs(options.seconds);
    let arms = Arm::start_all(world, seed).await?;
    let halls = arms.iter().map(|arm| hall(world, arm, options));
    let mut halls = try_join_all(halls).await?;
    let mut turn = 0;
    while goes_on(turn, options.turns, until) {
        for index in order(turn) {
            let hall = &mut halls[index];
            let rate = hall.climb.next();
            let tried = hall.try_rate(&arms[index], options, rate).await?;
            hall.climb.tried(rate, tried.is_borne);
            if tried.is_borne {
                hall.borne.push(tried.rate);
                hall.cpu_us.push(tried.cpu_us);
            }
        }
        turn += 1;
    }
    let mut rate = Compared::gain("deliveries_per_second", Unit::PerSecond).aims(
        Which::Switchboard,
        Which::Tuned,
        Relation::AtLeast,
        1.6,
    );
    let mut cpu = Compared::cost("cpu_us_per_delivery", Unit::Us);
    for (which, mut hall) in Which::ALL.into_iter().zip(halls) {
        let best = hall.best();
        rate.turns[which as usize] = best.iter().map(|(rate, _)| *rate).collect();
        cpu.turns[which as usize] = best.iter().map(|(_, cpu)| *cpu).collect();
        hall.crowd.leave().await?;
    }
    let mut report = report("compare room", seed, &arms, &[rate, cpu]);
    report.count("followers", options.followers);
    report.count("turns_made", turn);
    Ok(report)
}

async fn hall(world: &World, arm: &Arm, options: &Options) -> Result<Hall, Error> {
    let (crowd, speaker) = gather(world, arm, options.followers).await?;
    Ok(Hall {
        crowd,
        speaker,
        climb: Climb::new(options.first as f64),
        borne: Vec::new(),
        cpu_us: Vec::new(),
    })
}

/// A room with all its followers, and the one who speaks there.
pub(super) async fn gather(
    world: &World,
    arm: &Arm,
    followers: u64,
) -> Result<(Crowd, Speaker), Error> {
    let room = arm.room().await?;
    let plan = Plan {
        who: arm.followers(&room),
        count: followers,
        follows: vec![room.conversation_id],
        lanes: 32,
        // An address has some 28,000 ports, whichever server they lead to.
        index: arm.which as u64,
    };
    let mut crowd = Crowd::gather(world, arm, plan).await?;
    crowd.open().await?;
    Ok((crowd, Speaker::enter(world, arm, &room).await?))
}

impl Hall {
    async fn try_rate(&mut self, arm: &Arm, options: &Options, rate: f64) -> Result<Try, Error> {
        let gap = Duration::from_secs_f64(options.followers as f64 / rate);
        let window = Duration::from_millis(options.try_ms);
        let count = u64::try_from(window.as_nanos() / gap.as_nanos().max(1)).unwrap_or(0);
        let talk = Talk {
            started: moment::now() + LEAD,
            gap,
            count: count.max(MESSAGES_MIN),
            message_bytes: options.message_bytes,
        };
        let over = talk.at(talk.count);
        self.crowd.listen(talk.count, over + DRAIN).await?;
        let before = arm.usage()?;
        self.speaker.say_all(&talk).await?;
        let heard = self.crowd.heard().await?;
        let after = arm.usage()?;
        let expected = talk.count * options.followers;
        let took = heard.last.max(over).saturating_sub(talk.started);
        let busy = after.cpu_seconds - before.cpu_seconds;
        let p99_ms = heard.latencies.at(0.99) / 1_000;
        Ok(Try {
            is_borne: heard.delivered == expected && p99_ms < options.p99_ms,
            rate: heard.delivered as f64 / took.as_secs_f64().max(f64::MIN_POSITIVE),
            cpu_us: busy * 1e6 / (heard.delivered as f64).max(1.0),
        })
    }

    /// The best tries that were borne, with the processor time of each delivery.
    fn best(&mut self) -> Vec<(f64, f64)> {
        let mut tries: Vec<_> = self.borne.drain(..).zip(self.cpu_us.drain(..)).collect();
        tries.sort_by(|one, other| other.0.total_cmp(&one.0));
        tries.truncate(BEST);
        tries
    }
}
