//! What happened in a simulation, line by line: two runs of one seed must have the same.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// Lines that a trace tells, the last ones.
const TOLD_MAX: usize = 400;

/// The trace of a run.
#[derive(Default)]
pub(crate) struct Trace {
    hasher: DefaultHasher,
    lines: Vec<String>,
    /// What went so wrong that nobody waits for the end.
    failures: Vec<String>,
}

impl Trace {
    /// Notes what somebody did or heard.
    pub(crate) fn note(&mut self, at: Duration, who: &str, what: &str) {
        (at, who, what).hash(&mut self.hasher);
        self.lines.push(format!(
            "{:>10.3} ms {who} {what}",
            at.as_secs_f64() * 1_000.0
        ));
    }

    /// Somebody could not go on.
    pub(crate) fn fail(&mut self, who: &str, how: &str) {
        self.failures.push(format!("{who} gave up: {how}"));
    }

    pub(crate) fn failures(&self) -> &[String] {
        &self.failures
    }

    /// The same for the same trace.
    pub(crate) fn hash(&self) -> u64 {
        self.hasher.finish()
    }

    pub(crate) fn told(&self) -> &[String] {
        &self.lines[self.lines.len().saturating_sub(TOLD_MAX)..]
    }
}
