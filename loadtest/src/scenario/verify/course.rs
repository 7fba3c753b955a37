//! The course of a verification: until when it may go on, at what it is, and what is known when it is ended.

use std::time::Duration;

use super::KINDS;
use crate::fleet::moment;
use crate::measure::Tally;
use crate::progress::Monitor;
use crate::report::Report;

/// What of a run's time is for its own end: processes are ended, folders are removed, the report is written.
const ENDING: Duration = Duration::from_secs(2);

/// How far a run came.
pub(super) struct Course {
    /// When its duration is over.
    pub(super) end: Duration,
    /// When it is ended, done or not.
    last: Duration,
    /// At what it is.
    step: &'static str,
    /// Who watches the clients, once there are any.
    monitor: Option<Monitor>,
}

impl Course {
    /// A run that begins now.
    pub(super) fn begin(duration: Duration, overtime: Duration) -> Self {
        let end = moment::now() + duration;
        Self {
            end,
            last: end + overtime.saturating_sub(ENDING),
            step: "looking for the server",
            monitor: None,
        }
    }

    /// How long until it is ended.
    pub(super) fn left(&self) -> Duration {
        self.last.saturating_sub(moment::now())
    }

    /// Watches the clients from now on.
    pub(super) fn watch(&mut self, monitor: Monitor) {
        self.monitor = Some(monitor);
    }

    /// Who watches the clients.
    pub(super) fn monitor(&self) -> &Monitor {
        self.monitor.as_ref().expect("there are clients")
    }

    /// Is at something until it is done.
    pub(super) async fn during<T>(
        &mut self,
        step: &'static str,
        work: impl Future<Output = T>,
    ) -> T {
        self.step = step;
        match &mut self.monitor {
            Some(monitor) => monitor.during(step, work).await,
            None => work.await,
        }
    }

    /// The report of a run that was ended before it was done. Nothing was compared, so nothing that is expected was
    /// kept; what clients had counted is told.
    pub(super) fn given_up(&self, seed: u64) -> Report {
        let mut report = Report::new("verify", seed, Vec::new());
        if let Some(monitor) = &self.monitor {
            monitor.clear();
            let counts = monitor.counts();
            for tally in [Tally::Sent, Tally::Acknowledged, Tally::Delivered] {
                report.count(tally.name(), counts.of(tally));
            }
        }
        for kind in KINDS {
            report.expect_none(kind.name());
        }
        let step = self.step;
        report.broke([format!(
            "not done in time: the run was ended while it was {step}"
        )]);
        report
    }
}
