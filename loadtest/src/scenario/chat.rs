//! `chat`: pairs of a visitor and an agent talk at a steady rate, and then everybody's log is
//! compared with the server's.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::plan::Plan;
use super::talk::{Company, Spoken};
use super::{Part, Stretch, divide, ratio};
use crate::Error;
use crate::check::{self, Finding, Kind};
use crate::client::http::Http;
use crate::client::{Access, AgentAccess};
use crate::fleet::worker::{Worker, noted};
use crate::fleet::{Fleet, moment};
use crate::measure::{Latencies, Relation, Tally};
use crate::process::Usage;
use crate::progress::Monitor;
use crate::report::{Report, Unit};
use crate::target::{Setting, Stage};

/// Conversations of one worker: what a client does for each message costs more than its socket.
const PAIRS_MAX: u64 = 4_000;

/// From the cue to the first message.
const LEAD: Duration = Duration::from_millis(300);

/// Options of `chat`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// How many conversations.
    #[arg(long, default_value_t = 100)]
    pub pairs: u64,
    /// Messages a second, over all conversations.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..))]
    pub rate: u64,
    /// How long they talk.
    #[arg(long, default_value_t = 30)]
    pub seconds: u64,
    /// Conversations of one agent's connection.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=64))]
    pub pairs_per_agent: u64,
    /// Bytes of a message.
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u64).range(64..=16_000))]
    pub message_bytes: u64,
    /// Worker processes; as many as the sockets need when absent.
    #[arg(long, default_value_t = 1)]
    pub workers: u64,
}

/// One worker's conversations.
#[derive(Serialize, Deserialize)]
pub struct Share {
    pub(super) setting: Setting,
    pub(super) stretch: Stretch,
    pub(super) pairs_per_agent: u64,
}

/// What a worker found out.
#[derive(Default, Serialize, Deserialize)]
pub struct Outcome {
    acknowledgement: Latencies,
    delivery: Latencies,
    stored: u64,
    findings: Vec<Finding>,
}

/// Runs the scenario.
///
/// # Errors
/// It could not be set up. Broken promises are in the report.
pub async fn run(stage: &Stage, options: &Options) -> Result<Report, Error> {
    stage.owner()?;
    let agents = options.pairs.div_ceil(options.pairs_per_agent);
    stage.consent(options.pairs + agents)?;
    let mut fleet = Fleet::start(&stage.world, &parts(stage, options)).await?;
    let mut monitor = Monitor::new(&stage.world, "chat", fleet.watcher());
    monitor.during("setting up", fleet.ready()).await?;
    let before = stage.usage()?;
    let plan = Plan {
        pairs: options.pairs,
        rate: options.rate,
        due: options.rate * options.seconds,
        message_bytes: options.message_bytes,
        started: moment::now() + LEAD,
    };
    fleet.cue(plan.started, json!(plan)).await?;
    monitor.during("talking", fleet.ready()).await?;
    let after = stage.usage()?;
    let elapsed = (moment::now() - plan.started).as_secs_f64();
    fleet.go().await?;
    let outcomes = fleet.outcomes::<Outcome>(&stage.world);
    let (outcomes, notes) = monitor.during("checking", outcomes).await?;
    let mut report = Report::new("chat", stage.seed, stage.urls.clone());
    report.notes = notes;
    fill(&mut report, options, &plan, &monitor, outcomes);
    if let Some((before, after)) = before.zip(after) {
        cpu(&mut report, &before, &after, elapsed);
    }
    report.server(after);
    Ok(report)
}

fn parts(stage: &Stage, options: &Options) -> Vec<Part> {
    let grain = options.pairs_per_agent;
    let stretches = divide(options.pairs, PAIRS_MAX, options.workers, grain);
    let part = |(index, stretch): (u64, &Stretch)| {
        Part::Chat(Share {
            setting: stage.setting(index),
            stretch: *stretch,
            pairs_per_agent: options.pairs_per_agent,
        })
    };
    (0..).zip(&stretches).map(part).collect()
}

fn fill(
    report: &mut Report,
    options: &Options,
    plan: &Plan,
    monitor: &Monitor,
    outcomes: Vec<Outcome>,
) {
    let counts = monitor.counts();
    report.count("pairs", options.pairs);
    report.count("due", plan.due);
    let tallies = [
        Tally::Sent,
        Tally::Acknowledged,
        Tally::Delivered,
        Tally::Reconnected,
    ];
    for tally in tallies {
        report.count(tally.name(), counts.of(tally));
    }
    let seconds = options.seconds.max(1) as f64;
    let rate = ratio(counts.of(Tally::Acknowledged), seconds);
    report.figure("acknowledged_rate", rate, Unit::PerSecond);
    let mut sum = Outcome::default();
    for outcome in outcomes {
        sum.acknowledgement.add_all(&outcome.acknowledgement);
        sum.delivery.add_all(&outcome.delivery);
        sum.stored += outcome.stored;
        sum.findings.extend(outcome.findings);
    }
    report.count("stored", sum.stored);
    for kind in [Kind::Lost, Kind::Doubled, Kind::Reordered] {
        report.count(kind.name(), check::count_of(&sum.findings, kind));
        report.expect_none(kind.name());
    }
    report.latency("delivery", sum.delivery);
    report.latency("acknowledgement", sum.acknowledgement);
    report.series = monitor.samples.rates(&tallies);
    report.broke(sum.findings.iter().map(ToString::to_string));
    report.expect("acknowledged", Relation::Exactly, plan.due as f64);
}

/// What the server's processor did meanwhile.
pub(super) fn cpu(report: &mut Report, before: &Usage, after: &Usage, elapsed: f64) {
    let busy = after.cpu_seconds - before.cpu_seconds;
    report.figure(
        "server_cpu_percent",
        busy / elapsed.max(0.001) * 100.0,
        Unit::Percent,
    );
}

/// The worker's side: everybody comes, talks by the plan, and is compared with the store.
///
/// # Errors
/// It could not be set up, or the store cannot be read.
pub async fn play(share: Share, mut worker: Worker) -> Result<Outcome, Error> {
    let company = Company::gather(&worker, &share).await?;
    let cue = worker.ready().await?;
    let plan: Plan = noted(cue.note)?;
    let spoken = company.talk(&worker, plan).await;
    worker.ready().await?;
    let server = share.setting.servers().await?.swap_remove(0);
    let owner = share.setting.owner()?;
    let mut http = Http::new(server.clone());
    let mut outcome = Outcome::default();
    for one in &spoken {
        outcome.acknowledgement.add_all(&one.acknowledgement);
        outcome.delivery.add_all(&one.delivery);
    }
    compare(&mut http, owner, &spoken, &mut outcome).await?;
    let agents = spoken.iter().filter_map(|one| match one.client.access() {
        Access::Visitor(_) => None,
        Access::Agent(agent) => Some(agent.clone()),
    });
    super::cast::dismiss(&server, owner, &agents.collect::<Vec<_>>()).await?;
    Ok(outcome)
}

/// Compares everybody's log and acknowledgements with what the server holds.
async fn compare(
    http: &mut Http,
    owner: &AgentAccess,
    spoken: &[Spoken],
    outcome: &mut Outcome,
) -> Result<(), Error> {
    for one in spoken {
        let client = &one.client;
        let findings = &mut outcome.findings;
        findings.extend(check::of_refused(client));
        findings.extend(check::of_unfinished(client));
        findings.extend(check::of_connections(client));
        for part in &one.parts {
            let id = part.conversation_id;
            let entries = check::read_all(http, owner, id).await?;
            let (side, seen) = match client.access() {
                Access::Visitor(_) => {
                    outcome.stored += entries.len() as u64;
                    outcome.findings.extend(check::of_store(&entries));
                    ("visitor", check::seen_by_visitor(&entries))
                }
                Access::Agent(_) => ("agent", check::seen_by_agent(&entries)),
            };
            let mut found = check::of_log(&seen, client.log(id));
            found.extend(check::of_outbox(&seen, client, id));
            outcome
                .findings
                .extend(found.into_iter().map(|mut finding| {
                    finding.text = format!("{id} {side} {}", finding.text);
                    finding
                }));
        }
    }
    Ok(())
}
