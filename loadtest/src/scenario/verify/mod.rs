//! `verify`: is what was acknowledged the same as what is stored and what everybody was shown, once,
//! in order? With `--faults` it runs nodes of its own and breaks them while the load goes on.

pub mod cluster;
pub mod compare;
mod course;
pub mod fault;
mod link;
pub mod person;
pub mod record;
mod stage;

use std::time::Duration;

use protocol::frame::Purpose;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use world::World;
use world::tracker::Task;

use self::cluster::{Broken, Cluster};
use self::compare::Outcome;
use self::course::Course;
use self::person::Person;
use super::plan::Plan;
use super::{Part, Stretch, divide, ratio};
use crate::Error;
use crate::check::{Kind, count_of};
use crate::client::Server;
use crate::client::http::Http;
use crate::fleet::worker::{Worker, noted};
use crate::fleet::{Fleet, moment};
use crate::measure::{Relation, Tally};
use crate::progress::Monitor;
use crate::report::{Report, Unit};
use crate::target::{Setting, Stage, Target};

/// Conversations of one worker.
const PAIRS_MAX: u64 = 1_000;

/// From the cue to the first message.
const LEAD: Duration = Duration::from_millis(200);

/// The last part of a run, at most, in which nobody says anything: all that was said is still on its way, or read.
const QUIET_MAX: Duration = Duration::from_secs(10);

/// What is wrong where there is any of it, as it is told.
const KINDS: [Kind; 6] = [
    Kind::Lost,
    Kind::Doubled,
    Kind::Reordered,
    Kind::Refused,
    Kind::Unfinished,
    Kind::Unresumed,
];

/// Which numbers of the seed are for what.
const FAULTS: u64 = 1_000;

/// Options of `verify`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Start nodes for the run and break them while it goes on.
    #[arg(long)]
    pub faults: bool,
    /// How long, setting up included: 60s, 10m.
    #[arg(long, default_value = "60s", value_parser = super::duration)]
    pub duration: Duration,
    /// How long after its duration a run ends at the latest, whether it is done or not. Three quarters of it are for
    /// who has not got everything yet, the rest for reading the store: very much takes longer.
    #[arg(long, default_value = "20s", value_parser = super::duration)]
    pub overtime: Duration,
    /// How many conversations.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    pub pairs: u64,
    /// Messages a second, over all conversations.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    pub rate: u64,
    /// Conversations of one agent's connection.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=64))]
    pub pairs_per_agent: u64,
    /// Bytes of a message.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(64..=16_000))]
    pub message_bytes: u64,
    /// Worker processes; as many as the conversations need when absent.
    #[arg(long, default_value_t = 1)]
    pub workers: u64,
    /// Nodes to start; several share a Postgres and a Redis.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=16))]
    pub nodes: u64,
    /// The store of the nodes: an empty Postgres database. When absent, one node has SQLite in a temporary folder,
    /// and several have a Postgres of their own, which is killed and stopped too.
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
    /// Have a Postgres of its own for one node, too.
    #[arg(long, conflicts_with = "database_url")]
    pub own_postgres: bool,
    /// Leave faults of a kind out. Repeatable.
    #[arg(long, value_name = "KIND", value_parser = clap::builder::PossibleValuesParser::new(fault::KINDS))]
    pub leave_out: Vec<String>,
    /// The bus between the nodes. A Redis of its own, which is killed too, when absent and there are several.
    #[arg(long, value_name = "URL")]
    pub redis_url: Option<String>,
}

/// One worker's conversations.
#[derive(Serialize, Deserialize)]
pub struct Share {
    pub(super) setting: Setting,
    pub(super) stretch: Stretch,
    pub(super) pairs_per_agent: u64,
    /// Whether people send again, cut their connections and read late.
    pub(super) is_rough: bool,
}

/// Runs the scenario on nodes of its own, or on the target. Ends in time, whatever stands still: who is not done is told of.
///
/// # Errors
/// It could not be set up. Broken promises are in the report.
pub async fn run(
    world: &World,
    target: &Target,
    options: &Options,
    seed: u64,
) -> Result<Report, Error> {
    let mut course = Course::begin(options.duration, options.overtime);
    let left = course.left();
    let run = Box::pin(set_up(world, target, options, seed, &mut course));
    match world.clock.timeout(left, run).await {
        Some(report) => report,
        // Workers, nodes, store and bus of the run ended with it.
        None => Ok(course.given_up(seed)),
    }
}

async fn set_up(
    world: &World,
    target: &Target,
    options: &Options,
    seed: u64,
    course: &mut Course,
) -> Result<Report, Error> {
    if !options.faults {
        let is_told = options.database_url.is_some() || options.redis_url.is_some();
        if is_told || options.own_postgres || options.nodes > 1 {
            let text = "--nodes, --database-url, --own-postgres and --redis-url go with --faults";
            return Err(Error::Usage(text.to_owned()));
        }
        let stage = target.resolve(world, seed).await?;
        return Box::pin(lead(&stage, None, options, course)).await;
    }
    if !target.urls.is_empty() || target.own_nodes.is_some() {
        let text = "--faults starts nodes of its own, as many as --nodes says: leave --target out, and --own-nodes";
        return Err(Error::Usage(text.to_owned()));
    }
    let owner = target.email.clone().zip(target.password.clone());
    let plan = cluster::Plan {
        nodes: usize::try_from(options.nodes).expect("at most 16"),
        database_url: options.database_url.clone(),
        own_postgres: options.own_postgres,
        redis_url: options.redis_url.clone(),
        owner,
    };
    let start = Cluster::start(world, plan);
    let mut cluster = course.during("starting", start).await?;
    let target = Target {
        urls: cluster.urls(),
        own: false,
        own_nodes: None,
        email: Some(cluster.email.clone()),
        password: Some(cluster.password.clone()),
        site_key: cluster.site_key(),
        server_pid: None,
        metrics_token: None,
        yes: true,
    };
    let stage = target.resolve(world, seed).await?;
    Box::pin(lead(&stage, Some(&mut cluster), options, course)).await
}

async fn lead(
    stage: &Stage,
    mut cluster: Option<&mut Cluster>,
    options: &Options,
    course: &mut Course,
) -> Result<Report, Error> {
    let world = &stage.world;
    stage.owner()?;
    stage.consent(stage::connections(options.pairs, options.pairs_per_agent))?;
    let mut fleet = Fleet::start(world, &parts(stage, options)).await?;
    course.watch(Monitor::new(world, "verify", fleet.watcher()));
    course.during("setting up", fleet.ready()).await?;
    let begin = moment::now() + LEAD;
    let end = course.end;
    let quiet = (options.duration / 6).min(QUIET_MAX);
    let left = end.saturating_sub(begin + quiet);
    let plan = plan(options, begin, left);
    fleet.cue(begin, json!(plan)).await?;
    let broken = match &mut cluster {
        None => Broken::default(),
        Some(cluster) => {
            let plans = plans(stage, options, cluster, left);
            let suffered = cluster.suffer(world, begin, plans);
            course.during("breaking", suffered).await?
        }
    };
    course.during("talking", fleet.ready()).await?;
    let url = match &mut cluster {
        None => stage.urls[0].clone(),
        Some(cluster) => {
            let renewed = cluster.renew(world);
            course.during("starting afresh", renewed).await?
        }
    };
    let wait = options.overtime - options.overtime / 4;
    fleet.cue(end + wait, json!(url)).await?;
    let outcomes = fleet.outcomes::<Outcome>(world);
    let (outcomes, notes) = course.during("checking", outcomes).await?;
    let mut report = Report::new("verify", stage.seed, stage.urls.clone());
    report.notes = notes;
    fill(&mut report, &plan, course.monitor(), outcomes, broken);
    Ok(report)
}

/// What is said, when. Everybody says something where that does not take longer than a second.
fn plan(options: &Options, started: Duration, left: Duration) -> Plan {
    let left_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
    let least = options.pairs.min(options.rate);
    Plan {
        pairs: options.pairs,
        rate: options.rate,
        due: (options.rate.saturating_mul(left_ms) / 1_000).max(least),
        message_bytes: options.message_bytes,
        started,
        warm_up: Duration::ZERO,
    }
}

/// The plans of faults: for each node, then for each link that they share.
fn plans(
    stage: &Stage,
    options: &Options,
    cluster: &Cluster,
    duration: Duration,
) -> Vec<Vec<fault::Planned>> {
    let mut plans = Vec::new();
    for index in 0..options.nodes {
        let dice = stage.dice(FAULTS + index);
        let subject = match options.nodes {
            1 => fault::Subject::Node,
            _ => fault::Subject::NodeOfMany,
        };
        plans.push(fault::plan(&dice, subject, &options.leave_out, duration));
    }
    for (index, line) in (0..).zip(cluster.shared()) {
        let dice = stage.dice(2 * FAULTS + index);
        let subject = cluster.subject(line);
        plans.push(fault::plan(&dice, subject, &options.leave_out, duration));
    }
    plans
}

fn parts(stage: &Stage, options: &Options) -> Vec<Part> {
    let grain = options.pairs_per_agent;
    let stretches = divide(options.pairs, PAIRS_MAX, options.workers, grain);
    let part = |(index, stretch): (u64, &Stretch)| {
        Part::Verify(Share {
            setting: stage.setting(index),
            stretch: *stretch,
            pairs_per_agent: options.pairs_per_agent,
            is_rough: options.faults,
        })
    };
    (0..).zip(&stretches).map(part).collect()
}

fn fill(
    report: &mut Report,
    plan: &Plan,
    monitor: &Monitor,
    outcomes: Vec<Outcome>,
    broken: Broken,
) {
    let mut sum = Outcome::default();
    for outcome in outcomes {
        sum.add(outcome);
    }
    let counts = monitor.counts();
    report.count("due", plan.due);
    report.count("sent", sum.sent);
    report.count("acknowledged", sum.acknowledged);
    report.count("stored", sum.stored);
    report.count("stored_anew", sum.stored_anew);
    for kind in KINDS {
        report.count(kind.name(), count_of(&sum.findings, kind));
        report.expect_none(kind.name());
    }
    report.expect("stored", Relation::Exactly, sum.acknowledged as f64);
    let tallies = [
        Tally::Delivered,
        Tally::Reconnected,
        Tally::Replayed,
        Tally::Afresh,
        Tally::Repeated,
        Tally::CutOff,
        Tally::Rested,
    ];
    for tally in tallies {
        report.count(tally.name(), counts.of(tally));
    }
    let seconds = (plan.at(plan.due) - plan.started).as_secs_f64();
    let rate = ratio(sum.acknowledged, seconds);
    report.figure("acknowledged_rate", rate, Unit::PerSecond);
    count_faults(report, monitor, &broken);
    report.broke(broken.unplanned);
    tell_findings(report, &mut sum);
    report.latency("delivery", sum.delivery);
    report.latency("acknowledgement", sum.acknowledgement);
    report.series = monitor
        .samples
        .rates(&[Tally::Sent, Tally::Acknowledged, Tally::Delivered]);
}

/// What was broken on purpose: by whoever broke the nodes, and by the clients themselves.
fn count_faults(report: &mut Report, monitor: &Monitor, broken: &Broken) {
    let counts = monitor.counts();
    let own = [Tally::Repeated, Tally::CutOff, Tally::Rested];
    let by_clients: u64 = own.iter().map(|tally| counts.of(*tally)).sum();
    report.count("faults", broken.done.len() as u64 + by_clients);
    let mut by_kind: std::collections::BTreeMap<&str, u64> = own
        .iter()
        .map(|tally| (tally.name(), counts.of(*tally)))
        .collect();
    for done in &broken.done {
        *by_kind.entry(done.planned.fault.name()).or_default() += 1;
    }
    report
        .details
        .insert("faults_by_kind".to_owned(), json!(by_kind));
    report
        .details
        .insert("fault_log".to_owned(), json!(broken.done));
}

/// What is wrong, with its history. What is lost comes first: a terminal is told no more than the beginning.
fn tell_findings(report: &mut Report, sum: &mut Outcome) {
    sum.told.sort_by_key(|told| told.finding.kind);
    let told: Vec<_> = sum.told.iter().map(ToString::to_string).collect();
    let untold_count = sum.findings.len().saturating_sub(told.len());
    report.broken_count += untold_count as u64;
    report.broke(told);
}

/// The worker's side: everybody comes, lives through the run, and is compared with the store.
///
/// # Errors
/// It could not be set up, or the store cannot be read.
pub async fn play(share: Share, mut worker: Worker) -> Result<Outcome, Error> {
    let people = stage::gather(&worker, &share).await?;
    let cue = worker.ready().await?;
    let plan: Plan = noted(cue.note)?;
    let tracker = &worker.world.tracker;
    let lives = people.into_iter().map(|one| tracker.spawn(one.live(plan)));
    let people = joined(lives.collect()).await;
    let cue = worker.ready().await?;
    let url: String = noted::<Value>(cue.note)?
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let server = Server::find(&url).await?;
    let tracker = &worker.world.tracker;
    let ends = people
        .into_iter()
        .map(|one| tracker.spawn(one.finish(server.clone(), cue.at)));
    let people = joined(ends.collect()).await;
    let owner = share.setting.owner()?;
    let compared = compare::compare(&mut Http::new(server), owner, &plan, &people).await?;
    Ok(Outcome {
        acknowledgement: worker.acknowledgement.taken(),
        delivery: worker.delivery.taken(),
        ..compared
    })
}

async fn joined(tasks: Vec<Task<Person>>) -> Vec<Person> {
    let mut people = Vec::new();
    for task in tasks {
        people.push(task.await.expect("a participant does not panic"));
    }
    people
}

/// What a visitor's tabs are for here.
const PURPOSE: Purpose = Purpose::Full;
