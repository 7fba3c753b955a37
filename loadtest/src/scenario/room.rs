//! `room`: one conversation, one who speaks, and many who follow: agents' consoles, or the tabs of one
//! visitor. Measures how fast one message reaches them all.

use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use protocol::frame::Purpose;
use protocol::id::ConversationId;
use serde::{Deserialize, Serialize};

use super::act::{Acted, act_beside};
use super::cast::{self, Doors};
use super::plan::{Plan, planned};
use super::{Part, SHARE_MAX, Stretch, divide, ratio};
use crate::Error;
use crate::client::{Access, Client, Line, VisitorAccess};
use crate::fleet::moment;
use crate::fleet::worker::{Worker, note, noted};
use crate::measure::{Latencies, Meter, Relation, Tallies, Tally};
use crate::report::{Report, Unit};
use crate::target::{Setting, Stage};

/// How long followers wait for what is still on its way.
const DRAIN: Duration = Duration::from_secs(20);

/// Lines that a follower keeps: enough to resume from.
const LINES_KEPT: usize = 4;

/// Bytes of a stalled follower's receive buffer.
const NARROW_BYTES: u32 = 4_096;

/// Who follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub enum By {
    /// Consoles of agents.
    Agents,
    /// Tabs of the visitor.
    Tabs,
}

/// Options of `room`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// How many follow.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub followers: u64,
    /// Who follows.
    #[arg(long, value_enum, default_value_t = By::Agents)]
    pub by: By,
    /// Messages a second.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    pub rate: u64,
    /// How long.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    pub seconds: u64,
    /// Bytes of a message.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(64..=16_000))]
    pub message_bytes: u64,
    /// Worker processes; as many as the sockets need when absent.
    #[arg(long, default_value_t = 1)]
    pub workers: u64,
}

/// One worker's followers.
#[derive(Serialize, Deserialize)]
pub struct Share {
    setting: Setting,
    stretch: Stretch,
    conversation_id: ConversationId,
    by: By,
    /// The visitor whose tabs follow.
    visitor: Box<VisitorAccess>,
    /// Whether this worker's first client speaks.
    speaks: bool,
    /// How many of the followers stop reading.
    stalled: u64,
}

/// What a worker found out.
#[derive(Default, Serialize, Deserialize)]
pub struct Outcome {
    delivery: Latencies,
    acknowledgement: Latencies,
    missing: u64,
    broken: Vec<String>,
}

impl Outcome {
    /// Takes in another worker's.
    fn add(&mut self, other: Self) {
        self.delivery.add_all(&other.delivery);
        self.acknowledgement.add_all(&other.acknowledgement);
        self.missing += other.missing;
        self.broken.extend(other.broken);
    }
}

/// What one act of a room found out.
pub struct Measured {
    /// With counters and usage.
    pub acted: Acted,
    /// From due to shown.
    pub delivery: Latencies,
    /// From due to acknowledged.
    pub acknowledgement: Latencies,
    /// Entries that did not reach a follower who reads.
    pub missing: u64,
    /// What broke the order.
    pub broken: Vec<String>,
    /// Stalled followers whom the server knew to be behind at the end, or had sent away, where its metrics may be
    /// read. What the others did not read still waits in the system's buffers.
    pub found_stalled: Option<u64>,
}

/// Runs the scenario.
///
/// # Errors
/// It could not be set up. What did not arrive is in the report.
pub async fn run(stage: &Stage, options: &Options) -> Result<Report, Error> {
    let measured = measure(stage, options, 0).await?;
    let acted = &measured.acted;
    let mut report = acted.report("room", stage);
    report.count("followers", options.followers);
    report.count("messages", options.rate * options.seconds);
    let delivered = acted.counts.of(Tally::Delivered);
    report.count("delivered", delivered);
    report.count("missing", measured.missing);
    let rate = ratio(delivered, options.seconds as f64);
    report.figure("delivery_rate", rate, Unit::PerSecond);
    report.count("lost_connections", acted.counts.of(Tally::Lost));
    acted.tell_usage(&mut report);
    if let Some((before, after)) = acted.usage {
        let busy = after.cpu_seconds - before.cpu_seconds;
        let each = busy * 1e6 / (delivered as f64).max(1.0);
        report.figure("server_cpu_us_per_delivery", each, Unit::Us);
    }
    report.series = acted.monitor.samples.rates(&[Tally::Delivered]);
    report.latency("delivery", measured.delivery);
    report.latency("acknowledgement", measured.acknowledgement);
    report.broke(measured.broken);
    report.expect_none("missing");
    report.expect("lost_connections", Relation::Exactly, 0.0);
    Ok(report)
}

/// One act: everybody follows, one speaks, and some may stop reading.
///
/// # Errors
/// It could not be set up.
pub async fn measure(stage: &Stage, options: &Options, stalled: u64) -> Result<Measured, Error> {
    stage.owner()?;
    // Beside them the visitor whose conversation it is, and who speaks.
    stage.consent(options.followers + 2)?;
    let setting = stage.setting(0);
    let doors = Doors::find(&setting).await?;
    let customer = Box::pin(cast::customer(&stage.world, &setting, &doors, 0));
    let (customer, conversation_id) = customer.await?;
    let Access::Visitor(visitor) = customer.access().clone() else {
        return Err(Error::Broken("a customer is a visitor".to_owned()));
    };
    let stretches = divide(options.followers, SHARE_MAX, options.workers, 1);
    let count = stretches.len() as u64;
    let part = |(index, stretch): (u64, &Stretch)| {
        Part::Room(Share {
            setting: stage.setting(index),
            stretch: *stretch,
            conversation_id,
            by: options.by,
            visitor: Box::new(visitor.clone()),
            speaks: index == 0,
            stalled: stalled / count + u64::from(index < stalled % count),
        })
    };
    let parts: Vec<Part> = (0..).zip(&stretches).map(part).collect();
    let plan = |started| Plan {
        pairs: 1,
        rate: options.rate,
        due: options.rate * options.seconds,
        message_bytes: options.message_bytes,
        started,
        warm_up: Duration::ZERO,
    };
    let mut found_stalled = None;
    let looking = find_stalled(stage, options.seconds, stalled, &mut found_stalled);
    let acted = act_beside(stage, "room", &parts, plan, looking).await?;
    let mut sum = Outcome::default();
    for outcome in acted.outcomes::<Outcome>()? {
        sum.add(outcome);
    }
    Ok(Measured {
        acted,
        delivery: sum.delivery,
        acknowledgement: sum.acknowledgement,
        missing: sum.missing,
        broken: sum.broken,
        found_stalled,
    })
}

/// Counts those whom the server finds stalled, by its own metrics, once everything was due.
async fn find_stalled(
    stage: &Stage,
    seconds: u64,
    stalled: u64,
    found: &mut Option<u64>,
) -> Result<(), Error> {
    if stalled == 0 {
        return Ok(());
    }
    let sent_away = "switchboard_closed_too_slow_total";
    let Some(before) = stage.metric(sent_away).await? else {
        return Ok(());
    };
    stage.world.clock.sleep(Duration::from_secs(seconds)).await;
    let behind = stage.metric("switchboard_connections_behind").await?;
    let after = stage.metric(sent_away).await?;
    *found = behind
        .zip(after)
        .map(|(behind, after)| behind + after - before);
    Ok(())
}

/// The worker's side.
///
/// # Errors
/// It could not be set up.
pub async fn play(share: Share, mut worker: Worker) -> Result<Outcome, Error> {
    let doors = Doors::find(&share.setting).await?;
    let id = share.conversation_id;
    let token = doors
        .with(0, async |http| {
            share.setting.owner()?.socket_token(http).await
        })
        .await?;
    let follower = async |index| follower(&worker, &share, &doors, &token.token, index).await;
    let followers = cast::each(share.stretch.range(), follower).await?;
    let mut speaker = None;
    if share.speaks {
        let access = Access::Agent(share.setting.owner()?.clone());
        let server = doors.server_of(0).clone();
        let mut client = Client::new(worker.world.clone(), server, access);
        client.connect().await?;
        speaker = Some(client);
    }
    let cue = worker.ready().await?;
    let plan: Plan = noted(cue.note)?;
    let tracker = worker.world.tracker.clone();
    let speaker = speaker.map(|client| {
        let meter = worker.acknowledgement.clone();
        tracker.spawn(speak(client, id, plan, worker.tallies.clone(), meter))
    });
    let mut reading = Vec::new();
    let mut present = Vec::new();
    for (index, client) in share.stretch.range().zip(followers) {
        if index - share.stretch.first < share.stalled {
            // Held, and not read, until the act is over.
            present.push(client);
            continue;
        }
        let (tallies, meter) = (worker.tallies.clone(), worker.delivery.clone());
        reading.push(tracker.spawn(follow(client, id, plan, tallies, meter)));
    }
    let mut outcome = Outcome::default();
    for reader in reading {
        let (missing, client) = reader.await.expect("a follower does not panic");
        outcome.missing += missing;
        let broken = client.broken().iter().map(ToString::to_string);
        outcome.broken.extend(broken);
        present.push(client);
    }
    if let Some(speaker) = speaker {
        speaker.await.expect("a speaker does not panic");
    }
    worker.ready().await?;
    drop(present);
    outcome.delivery = worker.delivery.taken();
    outcome.acknowledgement = worker.acknowledgement.taken();
    Ok(outcome)
}

async fn follower(
    worker: &Worker,
    share: &Share,
    doors: &Doors,
    token: &str,
    index: u64,
) -> Result<Client, Error> {
    let id = share.conversation_id;
    let mut server = doors.server_of(index).clone();
    if index - share.stretch.first < share.stalled {
        server = server.with_receive_buffer(NARROW_BYTES);
    }
    let world = worker.world.clone();
    let mut client = match share.by {
        By::Agents => {
            let access = Access::Agent(share.setting.owner()?.clone());
            Client::new(world, server, access).with_token(token)
        }
        By::Tabs => Client::new(
            world,
            server,
            Access::Visitor(VisitorAccess::clone(&share.visitor)),
        )
        .with_purpose(Purpose::Full),
    };
    client.follows(id);
    client.connect().await?;
    let there = |client: &Client| client.log(id).map(|_| ());
    client.until("the conversation", there).await?;
    client.keep_last(id, LINES_KEPT);
    worker.tallies.add(Tally::Connected);
    Ok(client)
}

/// Reads until every message of the plan has come; says how many did not. The connection stays open, so
/// that the server is looked at with everybody there.
async fn follow(
    mut client: Client,
    id: ConversationId,
    plan: Plan,
    tallies: Arc<Tallies>,
    meter: Arc<Meter>,
) -> (u64, Client) {
    let deadline = plan.at(plan.due) + DRAIN;
    let mut missing = plan.due;
    let clock = client.clock().clone();
    while missing > 0 {
        let left = deadline.saturating_sub(moment::now());
        let Some(heard) = clock.timeout(left, client.next()).await else {
            break;
        };
        let line = match heard {
            Ok(news) => news.line(),
            Err(error) => {
                if tallies.of(Tally::Lost) == 0 {
                    note(format!("the first loss: {error}"));
                }
                tallies.add(Tally::Lost);
                break;
            }
        };
        let message = line.as_ref().and_then(Line::message);
        if let Some((_, due)) = message.and_then(planned) {
            meter.add(moment::now().saturating_sub(due));
            tallies.add(Tally::Delivered);
            missing -= 1;
            if missing.is_multiple_of(8) {
                client.keep_last(id, LINES_KEPT);
            }
        }
    }
    (missing, client)
}

/// Says every message of the plan when it is due.
async fn speak(
    mut client: Client,
    id: ConversationId,
    plan: Plan,
    tallies: Arc<Tallies>,
    meter: Arc<Meter>,
) {
    let clock = client.clock().clone();
    let mut due = std::collections::BTreeMap::new();
    let mut next = 0;
    let deadline = plan.at(plan.due) + DRAIN;
    while next < plan.due || !due.is_empty() {
        let now = moment::now();
        if next < plan.due && plan.at(next) <= now {
            let client_id = client.new_client_id();
            due.insert(client_id.clone(), plan.at(next));
            let command = cast::say(Some(id), &plan.body(next));
            client.send_as(client_id, command).await;
            tallies.add(Tally::Sent);
            next += 1;
            continue;
        }
        let until = if next < plan.due {
            plan.at(next)
        } else {
            deadline
        };
        if now >= deadline {
            return;
        }
        match clock.timeout(until - now, client.next()).await {
            Some(Ok(news)) => {
                let due = news.ack().and_then(|ack| due.remove(&ack.client_id));
                if let Some(due) = due {
                    meter.add(moment::now().saturating_sub(due));
                    tallies.add(Tally::Acknowledged);
                }
            }
            None => {}
            Some(Err(error)) => {
                note(format!("the speaker was cut off: {error}"));
                return;
            }
        }
    }
}
