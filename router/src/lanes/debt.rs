//! What the event log told of a conversation and its lane has yet to read.
//!
//! It stands beside the lane's queue, so that no full queue and no panic loses it: nothing else may ever
//! tell of it again.

use std::sync::PoisonError;
use std::time::Duration;

use super::sync::{Mutex, MutexGuard, Notify};

/// What is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owed {
    /// The first number told of.
    pub(crate) first: u64,
    /// The last one.
    pub(crate) last: u64,
    /// Whether the log told of the conversation's beginning.
    pub(crate) is_beginning: bool,
    /// Since when it is owed.
    pub(crate) since: Duration,
}

impl Owed {
    fn with(self, more: Self) -> Self {
        Self {
            first: self.first.min(more.first),
            last: self.last.max(more.last),
            is_beginning: self.is_beginning || more.is_beginning,
            since: self.since.min(more.since),
        }
    }
}

/// What a lane owes. Those who tell of more share it with the lane.
#[derive(Debug, Default)]
pub(crate) struct Debt {
    owed: Mutex<Option<Owed>>,
    grown: Notify,
}

impl Debt {
    /// Adds to it and wakes the lane.
    pub(crate) fn add(&self, more: Owed) {
        let mut owed = self.lock();
        *owed = Some(owed.map_or(more, |owed| owed.with(more)));
        drop(owed);
        self.grown.notify_one();
    }

    /// What is owed now.
    pub(crate) fn owed(&self) -> Option<Owed> {
        *self.lock()
    }

    /// What was owed is read, unless more came meanwhile.
    pub(crate) fn settle(&self, read: Owed) {
        let mut owed = self.lock();
        owed.take_if(|owed| *owed == read);
    }

    /// Waits until it grew since it was last waited for. Cancel-safe: growth is remembered for the next one.
    pub(crate) async fn grown(&self) {
        self.grown.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Owed>> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
