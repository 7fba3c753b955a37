//! `storm`: everybody drops at once, messages come meanwhile, and everybody resumes at once. Measures
//! how long it takes until all have what they missed.

use std::sync::Arc;
use std::time::Duration;

use protocol::id::ConversationId;
use serde::{Deserialize, Serialize};

use super::cast::{self, Doors};
use super::{Part, Stretch, divide, ratio};
use crate::Error;
use crate::client::{Access, Client, Line, Log};
use crate::fleet::worker::{Worker, note};
use crate::fleet::{Fleet, moment};
use crate::measure::{Latencies, Meter, Relation, Tallies, Tally};
use crate::progress::Monitor;
use crate::report::{Report, Unit};
use crate::target::{Setting, Stage};

/// Visitors of one worker.
const VISITORS_MAX: u64 = 7_000;

/// The server's own count of reads of its store.
const STORE_READS: &str = "switchboard_store_read_seconds_count";

/// How long a visitor tries to get what was missed.
const RESUME_MAX: Duration = Duration::from_secs(60);

/// Agents of a worker who write meanwhile.
const WRITERS: u64 = 8;

/// Commands of a writer that wait for their outcome at a time.
const OPEN_MAX: usize = 32;

/// Options of `storm`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// How many visitors.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
    pub visitors: u64,
    /// Messages that each misses.
    #[arg(long, default_value_t = 20)]
    pub missed: u64,
    /// Worker processes; as many as the sockets need when absent.
    #[arg(long, default_value_t = 1)]
    pub workers: u64,
}

/// One worker's visitors.
#[derive(Serialize, Deserialize)]
pub struct Share {
    setting: Setting,
    stretch: Stretch,
    missed: u64,
}

/// What a worker found out.
#[derive(Default, Serialize, Deserialize)]
pub struct Outcome {
    resume: Latencies,
    incomplete: u64,
    broken: Vec<String>,
}

/// Runs the scenario.
///
/// # Errors
/// It could not be set up.
pub async fn run(stage: &Stage, options: &Options) -> Result<Report, Error> {
    stage.owner()?;
    stage.consent(options.visitors)?;
    let world = &stage.world;
    let stretches = divide(options.visitors, VISITORS_MAX, options.workers, 1);
    let part = |(index, stretch): (u64, &Stretch)| {
        Part::Storm(Share {
            setting: stage.setting(index),
            stretch: *stretch,
            missed: options.missed,
        })
    };
    let parts: Vec<Part> = (0..).zip(&stretches).map(part).collect();
    let mut fleet = Fleet::start(world, &parts).await?;
    let mut monitor = Monitor::new(world, "storm", fleet.watcher());
    monitor.during("setting up", fleet.ready()).await?;
    fleet.go().await?;
    monitor
        .during("writing to those who are gone", fleet.ready())
        .await?;
    let before = stage.usage()?;
    let reads_before = stage.metric(STORE_READS).await?;
    let started = moment::now();
    fleet.go().await?;
    monitor.during("resuming", fleet.ready()).await?;
    let seconds = (moment::now() - started).as_secs_f64();
    let after = stage.usage()?;
    let reads_after = stage.metric(STORE_READS).await?;
    fleet.go().await?;
    let (outcomes, notes) = fleet.outcomes::<Outcome>(world).await?;
    let mut sum = Outcome::default();
    for outcome in outcomes {
        sum.resume.add_all(&outcome.resume);
        sum.incomplete += outcome.incomplete;
        sum.broken.extend(outcome.broken);
    }
    let mut report = Report::new("storm", stage.seed, stage.urls.clone());
    report.notes = notes;
    report.count("visitors", options.visitors);
    report.count("missed_each", options.missed);
    report.figure("resume_seconds", seconds, Unit::Seconds);
    if let Some((before, after)) = reads_before.zip(reads_after) {
        let each = ratio(after.saturating_sub(before), options.visitors as f64);
        report.figure("reads_per_resume", each, Unit::Ratio);
    }
    let counts = monitor.counts();
    report.count(Tally::Replayed.name(), counts.of(Tally::Replayed));
    report.count("errors", counts.of(Tally::Failed));
    report.count("incomplete", sum.incomplete);
    report.latency("resume", sum.resume);
    if let Some((before, after)) = before.zip(after) {
        report.busy(&before, &after, seconds);
    }
    report.server(after);
    report.series = monitor
        .samples
        .rates(&[Tally::Replayed, Tally::Acknowledged]);
    report.broke(sum.broken);
    report.expect_none("incomplete");
    report.expect_none("errors");
    let due = options.visitors * options.missed;
    report.expect(Tally::Replayed.name(), Relation::Exactly, due as f64);
    Ok(report)
}

/// The worker's side.
///
/// # Errors
/// It could not be set up.
pub async fn play(share: Share, mut worker: Worker) -> Result<Outcome, Error> {
    let doors = Doors::find(&share.setting).await?;
    let world = worker.world.clone();
    let customer = async |index| {
        let customer = Box::pin(cast::customer(&world, &share.setting, &doors, index)).await;
        worker.tallies.add(Tally::Connected);
        customer
    };
    let mut customers = cast::each(share.stretch.range(), customer).await?;
    for (client, id) in &mut customers {
        let (id, there) = (*id, |id| move |client: &Client| client.log(id).map(|_| ()));
        client.until("the conversation", there(id)).await?;
    }
    worker.ready().await?;
    for (client, _) in &mut customers {
        client.cut();
        worker.tallies.remove(Tally::Connected);
    }
    write_to_all(&worker, &share, &doors, &customers).await?;
    worker.ready().await?;
    let mut resuming = Vec::new();
    for (client, id) in customers {
        let (tallies, meter) = (worker.tallies.clone(), worker.delivery.clone());
        let resumed = resume(client, id, share.missed, tallies, meter);
        resuming.push(world.tracker.spawn(resumed));
    }
    let mut outcome = Outcome::default();
    for task in resuming {
        let (is_whole, broken) = task.await.expect("a visitor does not panic");
        outcome.incomplete += u64::from(!is_whole);
        outcome.broken.extend(broken);
    }
    worker.ready().await?;
    outcome.resume = worker.delivery.taken();
    Ok(outcome)
}

/// Writes to each conversation what its visitor will have missed.
async fn write_to_all(
    worker: &Worker,
    share: &Share,
    doors: &Doors,
    customers: &[(Client, ConversationId)],
) -> Result<(), Error> {
    let ids: Vec<ConversationId> = customers.iter().map(|(_, id)| *id).collect();
    let chunk = ids
        .len()
        .div_ceil(usize::try_from(WRITERS).expect("a few"))
        .max(1);
    let chunks: Vec<&[ConversationId]> = ids.chunks(chunk).collect();
    let writer = async |index: u64| {
        let access = Access::Agent(share.setting.owner()?.clone());
        let server = doors.server_of(index).clone();
        let mut client = Client::new(worker.world.clone(), server, access);
        client.connect().await?;
        for round in 0..share.missed {
            for id in chunks[usize::try_from(index).expect("a few")] {
                let body = cast::body(&format!("missed {round}"));
                client.send(cast::say(Some(*id), &body)).await;
                worker.tallies.add(Tally::Sent);
                settle(&mut client, OPEN_MAX, &worker.tallies).await?;
            }
        }
        settle(&mut client, 0, &worker.tallies).await
    };
    cast::each(0..chunks.len() as u64, writer).await?;
    Ok(())
}

/// Waits until at most so many commands are open.
async fn settle(client: &mut Client, open_max: usize, tallies: &Tallies) -> Result<(), Error> {
    while client.outbox().open_count() > open_max {
        let is_ack = client.next().await?.ack().is_some();
        tallies.add_many(Tally::Acknowledged, u64::from(is_ack));
    }
    Ok(())
}

/// Comes back and waits for what was missed; says whether it is whole, and what broke the order.
async fn resume(
    mut client: Client,
    id: ConversationId,
    missed: u64,
    tallies: Arc<Tallies>,
    meter: Arc<Meter>,
) -> (bool, Vec<String>) {
    let started = moment::now();
    let clock = client.clock().clone();
    let work = async {
        loop {
            let had = client.log(id).map_or(0, missed_in);
            if had >= missed {
                tallies.add_many(Tally::Replayed, had);
                return;
            }
            let step = if client.is_connected() {
                client.next().await.map(|_| ())
            } else {
                client.connect().await.map(|_| ())
            };
            if let Err(error) = step {
                if tallies.of(Tally::Failed) == 0 {
                    note(format!("the first error: {error}"));
                }
                tallies.add(Tally::Failed);
                // As a client does that has lost its connection, or was told when to come again.
                let said_ms = if let Error::Refused(problem) = &error {
                    problem.retry_after_ms
                } else {
                    None
                };
                let pause_ms = said_ms.map_or(100, |ms| ms + client.below(ms.max(1)));
                clock.sleep(Duration::from_millis(pause_ms)).await;
            }
        }
    };
    let is_whole = clock.timeout(RESUME_MAX, work).await.is_some();
    if is_whole {
        meter.add(moment::now() - started);
    }
    (
        is_whole,
        client.broken().iter().map(ToString::to_string).collect(),
    )
}

/// How many of the missed messages a log holds.
fn missed_in(log: &Log) -> u64 {
    let messages = log.lines().iter().filter_map(Line::message);
    messages.filter(|body| body.starts_with("missed ")).count() as u64
}
