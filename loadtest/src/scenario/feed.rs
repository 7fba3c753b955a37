//! `feed`: many visitors page through the site, and agents watch the live list. Measures how late the
//! list is.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use protocol::frame::{ClientFrame, Page, Purpose, Watch};
use protocol::news::AgentNews;
use protocol::view::VisitorList;
use protocol::visitor::LiveVisitor;
use serde::{Deserialize, Serialize};

use super::act::act;
use super::cast::{self, Doors};
use super::{Part, SHARE_MAX, Stretch, divide, ratio};
use crate::Error;
use crate::client::{Access, Client, News};
use crate::fleet::moment;
use crate::fleet::worker::{Worker, note, noted};
use crate::measure::{Latencies, Meter, Relation, Tallies, Tally};
use crate::report::{Report, Unit};
use crate::target::{Setting, Stage};

/// How long watchers go on after the last page.
const DRAIN: Duration = Duration::from_secs(3);

/// Options of `feed`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// How many visitors page.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..))]
    pub visitors: u64,
    /// Milliseconds from one page of a visitor to the next.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(100..))]
    pub page_every_ms: u64,
    /// How many agents watch.
    #[arg(long, default_value_t = 10)]
    pub watchers: u64,
    /// How long.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    pub seconds: u64,
    /// Worker processes; as many as the sockets need when absent.
    #[arg(long, default_value_t = 1)]
    pub workers: u64,
}

/// One worker's visitors and watchers.
#[derive(Serialize, Deserialize)]
pub struct Share {
    setting: Setting,
    stretch: Stretch,
    watchers: u64,
}

/// What everybody is told of the moment of beginning.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Course {
    started: Duration,
    visitors: u64,
    page_every: Duration,
    seconds: u64,
}

/// Runs the scenario.
///
/// # Errors
/// It could not be set up.
pub async fn run(stage: &Stage, options: &Options) -> Result<Report, Error> {
    stage.owner()?;
    stage.consent(options.visitors + options.watchers)?;
    let parts = parts(stage, options, 0);
    let acted = act(stage, "feed", &parts, |started| options.course(started)).await?;
    let mut report = acted.report("feed", stage);
    report.count("visitors", options.visitors);
    report.count("watchers", options.watchers);
    let mut lag = Latencies::default();
    for outcome in acted.outcomes::<Latencies>()? {
        lag.add_all(&outcome);
    }
    for tally in [Tally::Pages, Tally::Rows, Tally::Failed, Tally::Lost] {
        report.count(tally.name(), acted.counts.of(tally));
    }
    let rows = ratio(acted.counts.of(Tally::Rows), acted.seconds);
    let each = rows / (options.watchers as f64).max(1.0);
    report.figure("rows_per_watcher", each, Unit::PerSecond);
    report.latency("lag", lag);
    acted.tell_usage(&mut report);
    let lines = [Tally::Pages, Tally::Rows];
    report.series = acted.monitor.samples.rates(&lines);
    report.expect_none(Tally::Failed.name());
    report.expect_none(Tally::Lost.name());
    if options.watchers > 0 {
        report.expect(Tally::Rows.name(), Relation::AtLeast, 1.0);
    }
    Ok(report)
}

impl Options {
    /// What everybody is told.
    #[must_use]
    pub fn course(&self, started: Duration) -> Course {
        Course {
            started,
            visitors: self.visitors,
            page_every: Duration::from_millis(self.page_every_ms),
            seconds: self.seconds,
        }
    }
}

/// The workers' parts; `first` is the number of the first worker among others of the run.
#[must_use]
pub fn parts(stage: &Stage, options: &Options, first: u64) -> Vec<Part> {
    let stretches = divide(options.visitors, SHARE_MAX, options.workers, 1);
    let count = stretches.len() as u64;
    let part = |(index, stretch): (u64, &Stretch)| {
        let place = index - first;
        Part::Feed(Share {
            setting: stage.setting(index),
            stretch: *stretch,
            watchers: options.watchers / count + u64::from(place < options.watchers % count),
        })
    };
    (first..).zip(&stretches).map(part).collect()
}

/// The worker's side.
///
/// # Errors
/// It could not be set up.
pub async fn play(share: Share, mut worker: Worker) -> Result<Latencies, Error> {
    let doors = Doors::find(&share.setting).await?;
    let world = worker.world.clone();
    let visitor = async |index| {
        let visitor = cast::visitor(&world, &share.setting, &doors, index, Purpose::Launcher);
        let mut visitor = visitor.await?;
        visitor.connect().await?;
        worker.tallies.add(Tally::Connected);
        Ok(visitor)
    };
    let visitors = cast::each(share.stretch.range(), visitor).await?;
    let watcher = async |index| {
        let access = Access::Agent(share.setting.owner()?.clone());
        let mut client = Client::new(world.clone(), doors.server_of(index).clone(), access);
        client.connect().await?;
        client
            .watch(Watch::Visitors(VisitorList::default()))
            .await?;
        Ok(client)
    };
    let watchers = cast::each(0..share.watchers, watcher).await?;
    let cue = worker.ready().await?;
    let course: Course = noted(cue.note)?;
    let mut tasks = Vec::new();
    for (index, client) in share.stretch.range().zip(visitors) {
        let tallies = worker.tallies.clone();
        tasks.push(world.tracker.spawn(page(client, index, course, tallies)));
    }
    for client in watchers {
        let (tallies, meter) = (worker.tallies.clone(), worker.delivery.clone());
        tasks.push(world.tracker.spawn(watch(client, course, tallies, meter)));
    }
    for task in tasks {
        task.await.expect("a participant does not panic");
    }
    worker.ready().await?;
    Ok(worker.delivery.taken())
}

/// Shows a page after the other; each names the moment it was due in its address.
async fn page(mut client: Client, index: u64, course: Course, tallies: Arc<Tallies>) {
    let clock = client.clock().clone();
    let end = course.started + Duration::from_secs(course.seconds);
    let offset = course.page_every * u32::try_from(index % course.visitors).unwrap_or(0)
        / u32::try_from(course.visitors).unwrap_or(1);
    let mut due = course.started + offset;
    let origin = client.http().server().origin();
    while due < end {
        let left = due.saturating_sub(moment::now());
        if left.is_zero() {
            let frame = ClientFrame::Page(Page {
                url: format!("{origin}/demo/?due={}", due.as_micros()),
                title: "Load test".to_owned(),
                referrer: None,
            });
            // A broken connection shows at the next read.
            let _ = client.signal(&frame).await;
            tallies.add(Tally::Pages);
            due += course.page_every;
            continue;
        }
        if let Some(Err(error)) = clock.timeout(left, client.next()).await {
            if tallies.of(Tally::Lost) == 0 {
                note(format!("the first loss: {error}"));
            }
            tallies.add(Tally::Lost);
            return;
        }
    }
    moment::wait_by(&clock, end + DRAIN).await;
}

/// Watches the list and measures how late its rows are.
async fn watch(mut client: Client, course: Course, tallies: Arc<Tallies>, meter: Arc<Meter>) {
    let clock = client.clock().clone();
    let end = course.started + Duration::from_secs(course.seconds) + DRAIN;
    let mut newest = BTreeMap::new();
    loop {
        let left = end.saturating_sub(moment::now());
        match clock.timeout(left, client.next()).await {
            None => return,
            Some(Ok(News::Agent(AgentNews::VisitorChanges { rows, .. }))) => {
                let now = moment::now();
                for row in &rows {
                    tallies.add(Tally::Rows);
                    let Some(due) = due_of(row) else { continue };
                    let known = newest.entry(row.id).or_insert(Duration::ZERO);
                    // Other changes of a row show the same page again.
                    if due > *known {
                        *known = due;
                        meter.add(now.saturating_sub(due));
                    }
                }
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                note(format!("a watcher was cut off: {error}"));
                tallies.add(Tally::Lost);
                return;
            }
        }
    }
}

/// When the page of a row was due.
fn due_of(row: &LiveVisitor) -> Option<Duration> {
    let url = &row.page.as_ref()?.url;
    let (_, micros) = url.rsplit_once("due=")?;
    micros.parse().ok().map(Duration::from_micros)
}
