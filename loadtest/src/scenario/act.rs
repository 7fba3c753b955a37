//! The common course of a run: everybody is set up, acts from one moment on, and is asked for the
//! outcome; the server's process is looked at before and after the act.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Part;
use crate::Error;
use crate::fleet::{Fleet, moment};
use crate::measure::Counts;
use crate::process::Usage;
use crate::progress::Monitor;
use crate::report::Report;
use crate::target::Stage;

/// From the cue to the beginning of the act.
const LEAD: Duration = Duration::from_millis(300);

/// A run that is over.
pub struct Acted {
    /// When it began.
    pub started: Duration,
    /// How long the act took.
    pub seconds: f64,
    /// What the server's process had used before and after it, where it is known.
    pub usage: Option<(Usage, Usage)>,
    /// With the counters over time.
    pub monitor: Monitor,
    /// The counters at the end of the act.
    pub counts: Counts,
    outcomes: Vec<Value>,
    notes: Vec<String>,
}

/// Lets the workers play their parts. `plan` makes what they are told of the moment of beginning.
///
/// # Errors
/// A worker failed, or the server's process is not there.
pub async fn act<P: Serialize>(
    stage: &Stage,
    name: &'static str,
    parts: &[Part],
    plan: impl FnOnce(Duration) -> P,
) -> Result<Acted, Error> {
    act_beside(stage, name, parts, plan, std::future::ready(Ok(()))).await
}

/// As [`act`], with something of the coordinator's own beside the act.
///
/// # Errors
/// As [`act`], and what `beside` fails with.
pub async fn act_beside<P: Serialize>(
    stage: &Stage,
    name: &'static str,
    parts: &[Part],
    plan: impl FnOnce(Duration) -> P,
    beside: impl Future<Output = Result<(), Error>>,
) -> Result<Acted, Error> {
    let world = &stage.world;
    let mut fleet = Fleet::start(world, parts).await?;
    let mut monitor = Monitor::new(world, name, fleet.watcher());
    monitor.during("setting up", fleet.ready()).await?;
    let before = stage.usage()?;
    let started = moment::now() + LEAD;
    let plan = serde_json::to_value(plan(started)).expect("plans can be written as JSON");
    fleet.cue(started, plan).await?;
    let acting = futures_util::future::try_join(fleet.ready(), beside);
    monitor.during("acting", acting).await?;
    let seconds = (moment::now().saturating_sub(started)).as_secs_f64();
    let after = stage.usage()?;
    let counts = monitor.counts();
    fleet.go().await?;
    let outcomes = fleet.outcomes::<Value>(world);
    let (outcomes, notes) = monitor.during("checking", outcomes).await?;
    Ok(Acted {
        started,
        seconds,
        usage: before.zip(after),
        monitor,
        counts,
        outcomes,
        notes,
    })
}

impl Acted {
    /// A report with what every run tells.
    #[must_use]
    pub fn report(&self, name: &'static str, stage: &Stage) -> Report {
        let mut report = Report::new(name, stage.seed, stage.urls.clone());
        report.notes.clone_from(&self.notes);
        report
    }

    /// Adds what the server's process did meanwhile.
    pub fn tell_usage(&self, report: &mut Report) {
        let Some((before, after)) = self.usage else {
            return;
        };
        report.busy(&before, &after, self.seconds);
        report.server(Some(after));
    }

    /// The outcomes of the workers.
    ///
    /// # Errors
    /// They are of another kind.
    pub fn outcomes<O: DeserializeOwned>(&self) -> Result<Vec<O>, Error> {
        let outcomes = self.outcomes.iter().cloned().map(serde_json::from_value);
        let outcomes: Result<Vec<O>, _> = outcomes.collect();
        outcomes.map_err(|error| Error::Worker(error.to_string()))
    }
}
