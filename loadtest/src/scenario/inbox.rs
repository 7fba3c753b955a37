//! `inbox`: many agents with the list open while customers write. Measures how late rows are, that each
//! is sent at most a few times a second, and that the last one everybody got is the last there was.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use protocol::conversation::Conversation;
use protocol::frame::Watch;
use protocol::id::ConversationId;
use protocol::news::AgentNews;
use protocol::view::InboxFilter;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::act::act;
use super::cast::{self, Doors};
use super::plan::{Plan, planned};
use super::{Part, SHARE_MAX, Stretch, divide, ratio};
use crate::Error;
use crate::client::http::{Call, Http};
use crate::client::{Access, Client, News};
use crate::fleet::moment;
use crate::fleet::worker::{Worker, note, noted};
use crate::measure::{Latencies, Meter, Relation, Tallies, Tally};
use crate::report::{Report, Unit};
use crate::target::{Setting, Stage};

/// How long stragglers are waited for after the last message. A run ends when nothing is missing.
const DRAIN: Duration = Duration::from_secs(30);

/// The longest time between two looks at whether anything is missing.
const LOOK: Duration = Duration::from_millis(100);

/// The stretch over which the rate of a row is taken: from when the message was due that the first one shows, until the
/// last one came. All were sent between the two, so that nobody who is late, server or reader, makes rows seem closer than
/// they were sent.
const WINDOW: Duration = Duration::from_secs(2);

/// How often a row may be sent in a second: 250 ms lie between two of them, so that nine take all of a window and more.
const ROW_RATE_MAX: f64 = 4.0;

/// Conversations of a run.
const CONVERSATIONS_MAX: u64 = 10_000;

/// Conversations that are begun at a time: the store takes many in one commit.
const BEGUN_AT_A_TIME: usize = 64;

/// Options of `inbox`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// How many agents have the list open.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..))]
    pub watchers: u64,
    /// How many conversations there are. The messages go to one after the other; of whom nothing more is due than what
    /// began his conversation, he leaves before the agents come.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u64).range(1..=CONVERSATIONS_MAX))]
    pub conversations: u64,
    /// Messages a second, over all conversations.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..))]
    pub rate: u64,
    /// How long.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..))]
    pub seconds: u64,
    /// Worker processes.
    #[arg(long, default_value_t = 1)]
    pub workers: u64,
}

/// One worker's conversations and watchers.
#[derive(Serialize, Deserialize)]
pub struct Share {
    setting: Setting,
    stretch: Stretch,
    watchers: u64,
    /// Conversations with a number below are written to.
    written: u64,
}

impl Share {
    /// The numbers of conversations that are written to.
    fn written(&self) -> Range<u64> {
        let all = self.stretch.range();
        all.start..self.written.clamp(all.start, all.end)
    }

    /// The numbers of those that are just there.
    fn quiet(&self) -> Range<u64> {
        self.written().end..self.stretch.range().end
    }
}

/// What a worker found out.
#[derive(Default, Serialize, Deserialize)]
pub struct Outcome {
    lag: Latencies,
    row_rate_max: f64,
    stale: u64,
}

/// Runs the scenario.
///
/// # Errors
/// It could not be set up.
pub async fn run(stage: &Stage, options: &Options) -> Result<Report, Error> {
    stage.owner()?;
    stage.consent(options.watchers + options.conversations)?;
    let stretches = divide(options.conversations, SHARE_MAX, options.workers, 1);
    let due = options.rate.saturating_mul(options.seconds);
    let written = options.conversations.min(due);
    let count = stretches.len() as u64;
    let part = |(index, stretch): (u64, &Stretch)| {
        Part::Inbox(Share {
            setting: stage.setting(index),
            stretch: *stretch,
            watchers: options.watchers / count + u64::from(index < options.watchers % count),
            written,
        })
    };
    let parts: Vec<Part> = (0..).zip(&stretches).map(part).collect();
    let plan = |started| Plan {
        pairs: options.conversations,
        rate: options.rate,
        due,
        message_bytes: 100,
        started,
        warm_up: Duration::ZERO,
    };
    let acted = act(stage, "inbox", &parts, plan).await?;
    let mut report = acted.report("inbox", stage);
    let mut sum = Outcome::default();
    for outcome in acted.outcomes::<Outcome>()? {
        sum.lag.add_all(&outcome.lag);
        sum.row_rate_max = sum.row_rate_max.max(outcome.row_rate_max);
        sum.stale += outcome.stale;
    }
    report.count("watchers", options.watchers);
    report.count("conversations", options.conversations);
    report.count("conversations_written_to", written);
    for tally in [Tally::Sent, Tally::Acknowledged, Tally::Rows, Tally::Lost] {
        report.count(tally.name(), acted.counts.of(tally));
    }
    let rows = ratio(acted.counts.of(Tally::Rows), acted.seconds);
    let each = rows / options.watchers as f64;
    report.figure("rows_per_watcher", each, Unit::PerSecond);
    report.figure("row_rate_max", sum.row_rate_max, Unit::PerSecond);
    report.count("stale_rows", sum.stale);
    report.latency("lag", sum.lag);
    acted.tell_usage(&mut report);
    report.series = acted.monitor.samples.rates(&[Tally::Sent, Tally::Rows]);
    report.expect("row_rate_max", Relation::AtMost, ROW_RATE_MAX);
    report.expect_none("stale_rows");
    report.expect_none(Tally::Lost.name());
    Ok(report)
}

/// The worker's side.
///
/// # Errors
/// It could not be set up, or the store cannot be read.
pub async fn play(share: Share, mut worker: Worker) -> Result<Outcome, Error> {
    let doors = Doors::find(&share.setting).await?;
    let world = worker.world.clone();
    let customer = async |index| {
        let customer = Box::pin(cast::customer(&world, &share.setting, &doors, index)).await?;
        worker.tallies.add(Tally::Begun);
        Ok(customer)
    };
    // Those who stay come last: nobody answers beats before the run begins.
    let leaves = async |index| customer(index).await.map(drop);
    cast::each_of(BEGUN_AT_A_TIME, share.quiet(), leaves).await?;
    let customers = cast::each_of(BEGUN_AT_A_TIME, share.written(), customer).await?;
    let ids: Vec<ConversationId> = customers.iter().map(|(_, id)| *id).collect();
    let watcher = async |index| {
        let access = Access::Agent(share.setting.owner()?.clone());
        let mut client = Client::new(world.clone(), doors.server_of(index).clone(), access);
        client.connect().await?;
        client.watch(Watch::Inbox(InboxFilter::All.into())).await?;
        Ok(client)
    };
    let watchers = cast::each(0..share.watchers, watcher).await?;
    let cue = worker.ready().await?;
    let plan: Plan = noted(cue.note)?;
    let mut writing = Vec::new();
    for (pair, (client, id)) in share.written().zip(customers) {
        let tallies = worker.tallies.clone();
        writing.push(world.tracker.spawn(write(client, id, pair, plan, tallies)));
    }
    let (told, last) = watch::channel(None);
    let mut watching = Vec::new();
    for client in watchers {
        let watched = Watched::new(worker.tallies.clone(), worker.delivery.clone());
        let watched = watched.watch(client, plan, last.clone());
        watching.push(world.tracker.spawn(watched));
    }
    for task in writing {
        task.await.expect("a writer does not panic");
    }
    let last = stored(&share, &doors, &ids).await?;
    told.send_replace(Some(last.clone()));
    let mut seen = Vec::new();
    for task in watching {
        seen.push(task.await.expect("a watcher does not panic"));
    }
    worker.ready().await?;
    let mut outcome = Outcome {
        lag: worker.delivery.taken(),
        ..Outcome::default()
    };
    for watched in &seen {
        outcome.stale += watched.stale(&last);
    }
    for watched in &seen {
        outcome.row_rate_max = outcome.row_rate_max.max(watched.row_rate_max);
    }
    Ok(outcome)
}

/// The last entry of each conversation that was written to. No row of another one was due.
async fn stored(
    share: &Share,
    doors: &Doors,
    ids: &[ConversationId],
) -> Result<BTreeMap<ConversationId, u64>, Error> {
    let read = async |index: u64| {
        let id = ids[usize::try_from(index).expect("a place")];
        let call = Call::get(format!("/api/v1/conversations/{id}"));
        let call = share.setting.owner()?.call(call);
        let ask = async |http: &mut Http| http.ask::<Conversation>(&call).await;
        Ok((id, doors.with(index, ask).await?.seq))
    };
    let last = cast::each(0..ids.len() as u64, read).await?;
    Ok(last.into_iter().collect())
}

/// Writes the messages of a conversation when they are due, and waits until all are acknowledged.
async fn write(
    mut client: Client,
    id: ConversationId,
    pair: u64,
    plan: Plan,
    tallies: Arc<Tallies>,
) {
    let clock = client.clock().clone();
    let step = usize::try_from(plan.pairs).expect("at most 10,000");
    let end = plan.at(plan.due) + DRAIN;
    let mut due = (pair..plan.due).step_by(step).peekable();
    let mut open_count = 0_u64;
    while due.peek().is_some() || open_count > 0 {
        let now = moment::now();
        let until = due.peek().map_or(end, |index| plan.at(*index));
        if until <= now {
            let Some(index) = due.next() else { return };
            client.send(cast::say(Some(id), &plan.body(index))).await;
            tallies.add(Tally::Sent);
            open_count += 1;
            continue;
        }
        match clock.timeout(until - now, client.next()).await {
            Some(Ok(news)) if news.ack().is_some() => {
                tallies.add(Tally::Acknowledged);
                open_count = open_count.saturating_sub(1);
            }
            Some(Ok(_)) | None => {}
            Some(Err(error)) => {
                note(format!("a customer was cut off: {error}"));
                tallies.add(Tally::Lost);
                return;
            }
        }
    }
}

/// A row as a watcher knows it.
#[derive(Default)]
struct Row {
    version: u64,
    seq: u64,
    pace: Pace,
}

/// How often a row came lately.
#[derive(Default)]
struct Pace {
    /// When that was due which each of them shows, of those that came over the last window.
    dues: VecDeque<Duration>,
}

impl Pace {
    /// One came now; gives how many a second that makes.
    fn came(&mut self, due: Duration, now: Duration) -> f64 {
        self.dues.push_back(due);
        let is_past = |first: &Duration| now.saturating_sub(*first) >= WINDOW;
        while self.dues.front().is_some_and(is_past) {
            self.dues.pop_front();
        }
        self.dues.len() as f64 / WINDOW.as_secs_f64()
    }
}

/// The last entry of each conversation, once all was written.
type Last = Option<BTreeMap<ConversationId, u64>>;

/// What a watcher sees.
struct Watched {
    rows: BTreeMap<ConversationId, Row>,
    row_rate_max: f64,
    tallies: Arc<Tallies>,
    meter: Arc<Meter>,
}

impl Watched {
    fn new(tallies: Arc<Tallies>, meter: Arc<Meter>) -> Self {
        Self {
            rows: BTreeMap::new(),
            row_rate_max: 0.0,
            tallies,
            meter,
        }
    }

    /// Watches until everything that was stored has come.
    async fn watch(mut self, mut client: Client, plan: Plan, last: watch::Receiver<Last>) -> Self {
        let clock = client.clock().clone();
        let end = plan.at(plan.due) + 2 * DRAIN;
        loop {
            let left = end.saturating_sub(moment::now());
            let is_whole = last.borrow().as_ref().map(|last| self.stale(last) == 0);
            if is_whole == Some(true) || left.is_zero() {
                return self;
            }
            match clock.timeout(left.min(LOOK), client.next()).await {
                None => {}
                Some(Ok(News::Agent(AgentNews::Inbox { rows, .. }))) => {
                    for row in &rows {
                        self.take(row);
                    }
                }
                Some(Ok(News::Agent(AgentNews::InboxChanges { rows, .. }))) => {
                    let now = moment::now();
                    for row in &rows {
                        self.tallies.add(Tally::Rows);
                        let is_newer = self.take(row);
                        let Some(due) = due_of(row) else { continue };
                        if is_newer {
                            self.meter.add(now.saturating_sub(due));
                        }
                        self.pace(row.id, due, now);
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    note(format!("a watcher was cut off: {error}"));
                    self.tallies.add(Tally::Lost);
                    return self;
                }
            }
        }
    }

    /// How many conversations it shows otherwise than they are stored.
    fn stale(&self, last: &BTreeMap<ConversationId, u64>) -> u64 {
        let shown = |id| self.rows.get(id).map_or(0, |row| row.seq);
        last.iter().filter(|(id, seq)| shown(id) != **seq).count() as u64
    }

    /// Puts a row in place of an older one; says whether it is newer.
    fn take(&mut self, row: &Conversation) -> bool {
        let known = self.rows.entry(row.id).or_default();
        let is_newer = row.version > known.version;
        if is_newer {
            known.version = row.version;
            known.seq = row.seq;
        }
        is_newer
    }

    /// Measures how often a row comes, whether it is newer or not.
    fn pace(&mut self, id: ConversationId, due: Duration, now: Duration) {
        let rate = self.rows.entry(id).or_default().pace.came(due, now);
        self.row_rate_max = self.row_rate_max.max(rate);
    }
}

/// When the message was due that a row shows, where it is one of the plan.
fn due_of(row: &Conversation) -> Option<Duration> {
    let preview = row.preview.as_ref()?;
    planned(&preview.text).map(|(_, due)| due)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks what rate forty rows have at most that were sent so many milliseconds apart, of messages that were due so long
    /// before: to who reads each when it comes, and to who reads all when the last one has come.
    fn check(apart_ms: u64, late_ms: u64, expected: f64) {
        let sent = |index: u64| Duration::from_millis(10_000 + index * apart_ms);
        let late = Duration::from_millis(late_ms);
        for read_with in [|index: u64| index, |_: u64| 39_u64] {
            let mut pace = Pace::default();
            let came = |index| pace.came(sent(index) - late, sent(read_with(index)));
            let rate = (0..40).map(came).fold(0.0, f64::max);
            assert!((rate - expected).abs() < f64::EPSILON, "{rate}");
        }
    }

    #[test]
    fn rows_are_never_taken_for_closer_than_they_were_sent() {
        check(250, 0, ROW_RATE_MAX);
        check(250, 30, ROW_RATE_MAX);
        check(250, 700, 3.0);
        check(240, 0, 4.5);
        check(200, 300, 4.5);
    }
}
