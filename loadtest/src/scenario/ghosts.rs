//! `ghosts`: one of several nodes is killed under its visitors, none of whom comes back, while agents at the others
//! watch everybody. Measures how long who was there is still shown, and how often he is told as gone.
//!
//! The node is started again while the agents go on watching: nobody may be told as gone once more by that.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use protocol::frame::{Purpose, Watch};
use protocol::id::VisitorId;
use protocol::limit::PAGE_ROWS_MAX;
use protocol::news::AgentNews;
use protocol::visitor::{PresenceState, VisitorState};
use serde::{Deserialize, Serialize};
use world::World;

use super::cast::{self, Doors};
use super::{Part, SHARE_MAX, Stretch, divide, ratio};
use crate::Error;
use crate::client::{Access, Client, News};
use crate::fleet::worker::{Worker, note};
use crate::fleet::{Fleet, moment};
use crate::measure::{Latencies, Relation, Tallies, Tally};
use crate::node::own::Own;
use crate::progress::Monitor;
use crate::report::{Report, Unit};
use crate::target::{Setting, Target};

/// How long after its death somebody of a node may still be shown.
const GHOST_MS_MAX: f64 = 10_000.0;

/// When the node is started again, and how long agents watch, both after its death.
const BACK_AFTER: Duration = Duration::from_secs(11);
const WATCH: Duration = Duration::from_secs(18);

/// Options of `ghosts`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// How many visitors, divided over the nodes.
    #[arg(long, default_value_t = 500)]
    pub visitors: u64,
    /// Worker processes; as many as the sockets need when absent.
    #[arg(long, default_value_t = 1)]
    pub workers: u64,
}

/// One worker's visitors, and the agents who watch them.
#[derive(Serialize, Deserialize)]
pub struct Share {
    setting: Setting,
    stretch: Stretch,
}

/// What a worker's agents were told.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// Visitors of the node that was killed.
    ghosts: u64,
    /// Those of them who were told as gone.
    told_gone: u64,
    /// How often any of them was.
    leaves: u64,
    /// How often a visitor of another node was.
    others_told_gone: u64,
    /// From the death of the node to the first time that a visitor of it was told as gone.
    shown: Latencies,
}

impl Outcome {
    /// What came of it, from who was told as gone and when.
    fn of(
        ghosts: &BTreeSet<VisitorId>,
        told: &[(VisitorId, Duration)],
        killed_at: Duration,
    ) -> Self {
        let mut outcome = Self {
            ghosts: ghosts.len() as u64,
            ..Self::default()
        };
        let mut first = BTreeMap::new();
        for (id, at) in told {
            if ghosts.contains(id) {
                outcome.leaves += 1;
                first.entry(id).or_insert(*at);
            } else {
                outcome.others_told_gone += 1;
            }
        }
        outcome.told_gone = first.len() as u64;
        for at in first.values() {
            outcome.shown.add(at.saturating_sub(killed_at));
        }
        outcome
    }

    /// Takes in another worker's.
    fn add(&mut self, other: &Self) {
        self.ghosts += other.ghosts;
        self.told_gone += other.told_gone;
        self.leaves += other.leaves;
        self.others_told_gone += other.others_told_gone;
        self.shown.add_all(&other.shown);
    }
}

/// Runs the scenario.
///
/// # Errors
/// It could not be set up, or there is no node of the run's own to kill.
pub async fn run(
    world: &World,
    target: &Target,
    options: &Options,
    seed: u64,
) -> Result<Report, Error> {
    let node_count = target.own_nodes.unwrap_or_default();
    if node_count < 2 {
        let text = "ghosts kills a node while another one goes on: it needs --own-nodes 2 or more";
        return Err(Error::Usage(text.to_owned()));
    }
    if options.visitors < node_count {
        let text = "--visitors: each node needs one";
        return Err(Error::Usage(text.to_owned()));
    }
    let mut stage = target.resolve(world, seed).await?;
    let mut own = stage.own.take().expect("the nodes are the run's own");
    let stretches = divide(options.visitors, SHARE_MAX, options.workers, 1);
    let part = |(index, stretch): (u64, &Stretch)| {
        Part::Ghosts(Share {
            setting: stage.setting(index),
            stretch: *stretch,
        })
    };
    let parts: Vec<Part> = (0..).zip(&stretches).map(part).collect();
    let mut fleet = Fleet::start(world, &parts).await?;
    let mut monitor = Monitor::new(world, "ghosts", fleet.watcher());
    monitor.during("setting up", fleet.ready()).await?;
    let killed_at = moment::now();
    own.kill_last().await?;
    fleet.cue(killed_at, serde_json::Value::Null).await?;
    let returning = come_back(world, &mut own, killed_at);
    let watching = futures_util::future::try_join(fleet.ready(), returning);
    monitor.during("watching", watching).await?;
    let counts = monitor.counts();
    fleet.go().await?;
    let (outcomes, notes) = fleet.outcomes::<Outcome>(world).await?;
    let mut sum = Outcome::default();
    outcomes.iter().for_each(|outcome| sum.add(outcome));
    let mut report = Report::new("ghosts", seed, stage.urls);
    report.notes = notes;
    report.series = monitor.samples.rates(&[Tally::Gone]);
    report.count("visitors", options.visitors);
    report.count(Tally::Lost.name(), counts.of(Tally::Lost));
    tell(&mut report, sum);
    Ok(report)
}

/// Starts the killed node again, at its time.
async fn come_back(world: &World, own: &mut Own, killed_at: Duration) -> Result<(), Error> {
    moment::wait(world, killed_at + BACK_AFTER).await;
    own.start_last(world).await
}

/// Tells what the agents were told, and what was expected of it.
fn tell(report: &mut Report, sum: Outcome) {
    let ghosts = sum.ghosts as f64;
    report.count("ghosts", sum.ghosts);
    report.count("told_gone", sum.told_gone);
    report.figure("leaves_per_ghost", ratio(sum.leaves, ghosts), Unit::Ratio);
    report.count("others_told_gone", sum.others_told_gone);
    report.latency("ghost", sum.shown);
    report.expect("told_gone", Relation::Exactly, ghosts);
    report.expect("leaves_per_ghost", Relation::Exactly, 1.0);
    report.expect_none("others_told_gone");
    report.expect("ghost_max_ms", Relation::AtMost, GHOST_MS_MAX);
    // Nobody but them is cut off, agents neither.
    report.expect(Tally::Lost.name(), Relation::Exactly, ghosts);
}

/// The worker's side.
///
/// # Errors
/// It could not be set up.
pub async fn play(share: Share, mut worker: Worker) -> Result<Outcome, Error> {
    let doors = Doors::find(&share.setting).await?;
    let world = worker.world.clone();
    // The last node is killed, and agents are at the others.
    let last = share.setting.urls.len() as u64 - 1;
    let visitor = async |index| {
        let visitor = cast::visitor(&world, &share.setting, &doors, index, Purpose::Launcher);
        let mut visitor = visitor.await?;
        visitor.connect().await?;
        worker.tallies.add(Tally::Connected);
        Ok(visitor)
    };
    let visitors = cast::each(share.stretch.range(), visitor).await?;
    let (mut all, mut ghosts) = (Vec::new(), BTreeSet::new());
    for (index, visitor) in share.stretch.range().zip(visitors) {
        if let Access::Visitor(access) = visitor.access() {
            let id = access.session.visitor_id;
            all.push(id);
            ghosts.extend((index % (last + 1) == last).then_some(id));
        }
        let tallies = worker.tallies.clone();
        world.tracker.spawn(stay(visitor, tallies));
    }
    let chunks: Vec<&[VisitorId]> = all.chunks(PAGE_ROWS_MAX).collect();
    let watcher = async |index: u64| {
        let access = Access::Agent(share.setting.owner()?.clone());
        let server = doors.server_of(index % last).clone();
        let mut client = Client::new(world.clone(), server, access);
        client.connect().await?;
        let named = chunks[usize::try_from(index).expect("a few")];
        watch(&mut client, named).await?;
        Ok(client)
    };
    let watchers = cast::each(0..chunks.len() as u64, watcher).await?;
    let killed_at = worker.ready().await?.at;
    let mut listening = Vec::new();
    for client in watchers {
        let heard = listen(client, killed_at + WATCH, worker.tallies.clone());
        listening.push(world.tracker.spawn(heard));
    }
    let mut told = Vec::new();
    for task in listening {
        told.extend(task.await.expect("an agent does not panic"));
    }
    worker.ready().await?;
    Ok(Outcome::of(&ghosts, &told, killed_at))
}

/// A visitor who is there until his connection ends, and does not come back.
async fn stay(mut client: Client, tallies: Arc<Tallies>) {
    while client.next().await.is_ok() {}
    tallies.remove(Tally::Connected);
    tallies.add(Tally::Lost);
}

/// Watches visitors, and waits until all of them are told as here.
async fn watch(client: &mut Client, visitor_ids: &[VisitorId]) -> Result<(), Error> {
    let presence = Watch::Presence {
        visitor_ids: visitor_ids.to_vec(),
        row_id: None,
    };
    client.watch(presence).await?;
    let mut missing: BTreeSet<VisitorId> = visitor_ids.iter().copied().collect();
    let all_here = |news: &News| {
        for one in states_in(news) {
            match one.state {
                PresenceState::Left => missing.insert(one.visitor_id),
                PresenceState::Active | PresenceState::Idle => missing.remove(&one.visitor_id),
            };
        }
        missing.is_empty().then_some(())
    };
    client.hears("the visitors of all nodes", all_here).await
}

/// Listens until then; gives who was told as gone, and when.
async fn listen(
    mut client: Client,
    until: Duration,
    tallies: Arc<Tallies>,
) -> Vec<(VisitorId, Duration)> {
    let clock = client.clock().clone();
    let mut gone = Vec::new();
    loop {
        let left = until.saturating_sub(moment::now());
        match clock.timeout(left, client.next()).await {
            None => return gone,
            Some(Ok(news)) => {
                let at = moment::now();
                let is_gone = |one: &&VisitorState| one.state == PresenceState::Left;
                for one in states_in(&news).iter().filter(is_gone) {
                    tallies.add(Tally::Gone);
                    gone.push((one.visitor_id, at));
                }
            }
            Some(Err(error)) => {
                note(format!("an agent was cut off: {error}"));
                tallies.add(Tally::Lost);
                return gone;
            }
        }
    }
}

/// What is told of whether visitors are here.
fn states_in(news: &News) -> &[VisitorState] {
    match news {
        News::Agent(AgentNews::VisitorPresence { states, .. }) => states,
        News::Agent(_) | News::Visitor(_) => &[],
    }
}

#[cfg(test)]
mod tests {
    use protocol::id::Id;

    use super::*;

    fn id(number: u128) -> VisitorId {
        VisitorId::from_bits(number)
    }

    /// Three ghosts of a node that died at second 10: how the run ends where this was told, and its longest time.
    fn check(told: &[(u128, u64)], good: bool, longest_ms: f64) {
        let ghosts = (1..=3).map(id).collect();
        let told = told
            .iter()
            .map(|(of, ms)| (id(*of), Duration::from_millis(*ms)));
        let told: Vec<_> = told.collect();
        let mut report = Report::new("ghosts", 1, Vec::new());
        report.count(Tally::Lost.name(), 3);
        tell(
            &mut report,
            Outcome::of(&ghosts, &told, Duration::from_secs(10)),
        );
        assert_eq!(
            report.is_good(),
            good,
            "{told:?}: {:?}",
            report.expectations
        );
        let told_ms = report.value("ghost_max_ms").unwrap_or_default();
        assert!(
            (told_ms - longest_ms).abs() < longest_ms / 500.0 + 1.0,
            "{told:?}: {told_ms}"
        );
    }

    #[test]
    fn each_ghost_leaves_once_in_time_and_nobody_else_does() {
        check(&[(1, 14_000), (2, 14_100), (3, 15_500)], true, 5_500.0);
        check(&[(1, 14_000), (2, 14_000)], false, 4_000.0);
        check(&[(1, 14_000), (2, 14_000), (2, 15_000)], false, 4_000.0);
        check(
            &[(1, 14_000), (2, 14_000), (3, 14_000), (1, 22_000)],
            false,
            4_000.0,
        );
        check(
            &[(1, 14_000), (2, 14_000), (3, 14_000), (9, 14_000)],
            false,
            4_000.0,
        );
        check(&[(1, 14_000), (2, 14_000), (3, 20_100)], false, 10_100.0);
        check(&[], false, 0.0);
    }
}
