//! `chat`: pairs of a visitor and an agent talk at a steady rate, and then everybody's log is
//! compared with the server's.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::act::{Acted, act};
use super::plan::Plan;
use super::talk::{Company, Spoken};
use super::{Part, Stretch, divide, ratio};
use crate::Error;
use crate::check::{self, Finding, Kind};
use crate::client::http::Http;
use crate::client::{Access, AgentAccess};
use crate::fleet::worker::{Worker, noted};
use crate::measure::{Latencies, Relation, Tally, Timeline};
use crate::report::{Report, Unit};
use crate::target::{Setting, Stage};

/// Conversations of one worker: what a client does for each message costs more than its socket.
const PAIRS_MAX: u64 = 4_000;

/// What is counted while people talk.
const TALLIES: [Tally; 4] = [
    Tally::Sent,
    Tally::Acknowledged,
    Tally::Delivered,
    Tally::Reconnected,
];

/// Options of `chat`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// How many conversations.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    pub pairs: u64,
    /// Messages a second, over all conversations.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..))]
    pub rate: u64,
    /// How long they talk.
    #[arg(long, default_value_t = 30)]
    pub seconds: u64,
    /// How much of that, from its beginning, is not timed: 5s.
    #[arg(long, default_value = "0s", value_parser = super::duration)]
    pub warm_up: Duration,
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
    timeline: Timeline,
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
    let plan = options.plan();
    let parts = parts(stage, options, 0);
    let acted = act(stage, "chat", &parts, |started| Plan { started, ..plan }).await?;
    let mut report = acted.report("chat", stage);
    report.count("pairs", options.pairs);
    report.count("due", plan.due);
    fill(&mut report, &acted, acted.outcomes()?);
    let rate = ratio(acted.counts.of(Tally::Acknowledged), options.seconds as f64);
    report.figure("acknowledged_rate", rate, Unit::PerSecond);
    acted.tell_usage(&mut report);
    report.series.extend(acted.monitor.samples.rates(&TALLIES));
    report.expect("acknowledged", Relation::Exactly, plan.due as f64);
    Ok(report)
}

impl Options {
    /// The plan of the talk; when it begins is still open.
    #[must_use]
    pub fn plan(&self) -> Plan {
        Plan {
            pairs: self.pairs,
            rate: self.rate,
            due: self.rate * self.seconds,
            message_bytes: self.message_bytes,
            started: Duration::ZERO,
            warm_up: self.warm_up,
        }
    }
}

/// The workers' conversations; `first` is the number of the first worker among others of the run.
#[must_use]
pub fn parts(stage: &Stage, options: &Options, first: u64) -> Vec<Part> {
    let grain = options.pairs_per_agent;
    let stretches = divide(options.pairs, PAIRS_MAX, options.workers, grain);
    let part = |(index, stretch): (u64, &Stretch)| {
        Part::Chat(Share {
            setting: stage.setting(index),
            stretch: *stretch,
            pairs_per_agent: options.pairs_per_agent,
        })
    };
    (first..).zip(&stretches).map(part).collect()
}

/// Tells what was counted and found, and expects that no promise was broken.
pub fn fill(report: &mut Report, acted: &Acted, outcomes: Vec<Outcome>) {
    for tally in TALLIES {
        report.count(tally.name(), acted.counts.of(tally));
    }
    let mut sum = Outcome::default();
    for outcome in outcomes {
        sum.acknowledgement.add_all(&outcome.acknowledgement);
        sum.delivery.add_all(&outcome.delivery);
        sum.timeline.add_all(&outcome.timeline);
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
    let offset = acted.monitor.since(acted.started);
    report.series = sum.timeline.lines("acknowledgement", offset);
    report.broke(sum.findings.iter().map(ToString::to_string));
}

/// The worker's side: everybody comes, talks by the plan, and is compared with the store.
///
/// # Errors
/// It could not be set up, or the store cannot be read.
pub async fn play(share: Share, mut worker: Worker) -> Result<Outcome, Error> {
    let company = Company::gather(&worker, &share).await?;
    let cue = worker.ready().await?;
    let plan: Plan = noted(cue.note)?;
    let (spoken, timeline) = company.talk(&worker, plan).await;
    worker.ready().await?;
    let server = share.setting.servers().await?.swap_remove(0);
    let owner = share.setting.owner()?;
    let mut http = Http::new(server.clone());
    let mut outcome = Outcome {
        acknowledgement: worker.acknowledgement.taken(),
        delivery: worker.delivery.taken(),
        timeline,
        ..Outcome::default()
    };
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
