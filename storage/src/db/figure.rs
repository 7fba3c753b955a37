//! How the store does: how long its commits and reads take, how many batches a commit stores, what failed and
//! what waits. Noted where it happens, read by whoever watches.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use world::Clock;
use world::histogram::{Counts, Histogram, SIZES, TIMES_US};

use crate::error::{Error, Result};

/// Figures for metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// How long commits took, in microseconds, those that failed among them.
    pub commit_us: Counts,
    /// How many batches they stored.
    pub commit_writes: Counts,
    /// How long reads took, in microseconds, from when they were asked for: those that see one state are one.
    pub read_us: Counts,
    /// Batches and reads that failed by the store's fault, or because too many waited.
    pub failed_count: u64,
    /// Batches that wait for a commit now.
    pub writes_waiting: usize,
    /// Reads that wait now.
    pub reads_waiting: usize,
}

/// What counts them.
#[derive(Debug)]
pub(crate) struct Gauge {
    clock: Clock,
    commit_us: Histogram,
    commit_writes: Histogram,
    read_us: Histogram,
    failed_count: AtomicU64,
}

impl Gauge {
    pub(crate) fn new(clock: &Clock) -> Self {
        Self {
            clock: clock.clone(),
            commit_us: Histogram::new(TIMES_US),
            commit_writes: Histogram::new(SIZES),
            read_us: Histogram::new(TIMES_US),
            failed_count: AtomicU64::new(0),
        }
    }

    /// When something begins that is noted at its end.
    pub(crate) fn begin(&self) -> Duration {
        self.clock.elapsed()
    }

    pub(crate) fn note_commit(&self, began: Duration, batch_count: usize) {
        self.commit_us.note_time(self.since(began));
        self.commit_writes.note(batch_count as u64);
    }

    pub(crate) fn note_read<T>(&self, began: Duration, outcome: &Result<T>) {
        self.read_us.note_time(self.since(began));
        self.note_outcome(outcome);
    }

    /// Counts a failure of the store. What its rules refuse, and what the caller did wrong, is none.
    pub(crate) fn note_outcome<T>(&self, outcome: &Result<T>) {
        let has_failed = match outcome {
            Ok(_) => false,
            Err(
                Error::Unavailable(_)
                | Error::Full(_)
                | Error::ReadOnly(_)
                | Error::Corrupt(_)
                | Error::NewerSchema { .. }
                | Error::Fault(_),
            ) => true,
            Err(Error::Replaced | Error::Unique(_) | Error::Configuration(_)) => false,
        };
        if has_failed {
            self.failed_count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn figures(&self, writes_waiting: usize, reads_waiting: usize) -> Figures {
        Figures {
            commit_us: self.commit_us.counts(),
            commit_writes: self.commit_writes.counts(),
            read_us: self.read_us.counts(),
            failed_count: self.failed_count.load(Ordering::Relaxed),
            writes_waiting,
            reads_waiting,
        }
    }

    fn since(&self, began: Duration) -> Duration {
        self.clock.elapsed().saturating_sub(began)
    }
}
