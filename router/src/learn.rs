//! Learning: the search takes in what was said, a moment after it was stored and passed on.
//!
//! Each node takes in what it stored itself, as nodes that meet at the same messages wait for each other. Now and
//! then it looks for what was left behind by a node that ended, or forgotten here.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use protocol::entry::{Content, Entry};
use protocol::id::{EntryId, Id};
use storage::search::{self, Learned, Unlearned};
use tokio::sync::Notify;

use crate::router::Router;

/// How long words wait for others, so that they are taken in together.
const DELAY: Duration = Duration::from_millis(200);

/// How much longer than a slice took it rests before the next: whoever speaks meanwhile waits for no more than one.
const REST_FOR_EACH: u32 = 3;

/// How often it looks for what was left behind, and how old that is: younger words are still taken in by
/// whoever stored them. Where clocks differ, others' words may be left alone for longer, by so much.
const INTERVAL: Duration = Duration::from_secs(10);

/// How long it rests where another node is at the same work, or the store cannot be reached.
const REST: Duration = Duration::from_secs(1);

/// Messages that wait. Those past that are left behind: found within twice the interval.
const WAITING_MAX: usize = 4096;

/// What this node stored and the search does not know.
#[derive(Debug, Default)]
pub(crate) struct Learning {
    waiting: Mutex<VecDeque<EntryId>>,
    bell: Notify,
}

impl Learning {
    /// This node stored entries. Cheap, never waits.
    pub(crate) fn said(&self, entries: &[Entry]) {
        let mut waiting = self.waiting();
        for entry in entries {
            let id = match &entry.content {
                Content::Message { .. } | Content::Note { .. } => entry.id,
                Content::Edited { target_id, .. } => *target_id,
                Content::Deleted { .. }
                | Content::Joined { .. }
                | Content::Left { .. }
                | Content::Assigned { .. }
                | Content::Moved { .. }
                | Content::Snoozed { .. }
                | Content::Reopened { .. }
                | Content::Closed
                | Content::Prioritized { .. }
                | Content::SpamMarked { .. }
                | Content::VisitorBlocked { .. } => continue,
            };
            if waiting.len() < WAITING_MAX {
                waiting.push_back(id);
            }
        }
        if !waiting.is_empty() {
            self.bell.notify_one();
        }
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<EntryId>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what was said, for ever.
    pub(crate) async fn run(&self, router: &Router) {
        let clock = &router.world().clock;
        loop {
            self.left_behind(router).await;
            let next = clock.elapsed() + INTERVAL;
            while clock.elapsed() < next {
                tokio::select! {
                    biased;
                    () = self.bell.notified() => {}
                    () = clock.sleep(next.saturating_sub(clock.elapsed())) => break,
                }
                clock.sleep(DELAY).await;
                self.told(router).await;
            }
        }
    }

    /// Takes in what waits. What came after the last slice that is full waits for others again: each slice is a
    /// transaction, however few words it has.
    async fn told(&self, router: &Router) {
        let slice = search::slice(router.db());
        loop {
            let ids: Vec<EntryId> = {
                let mut waiting = self.waiting();
                let count = waiting.len().min(slice);
                waiting.drain(..count).collect()
            };
            if ids.is_empty() {
                return;
            }
            // What fails, or somebody else takes in meanwhile, is left behind.
            self.slice(router, Unlearned::Told(&ids)).await;
            if ids.len() < slice {
                return;
            }
        }
    }

    /// Takes in what was left behind.
    async fn left_behind(&self, router: &Router) {
        let interval_ms = u64::try_from(INTERVAL.as_millis()).unwrap_or(u64::MAX);
        let before_ms = router.world().clock.now_ms().saturating_sub(interval_ms);
        let before = EntryId::from_bits(u128::from(before_ms) << 80);
        while self.slice(router, Unlearned::Before(before)).await == Some(Learned::Some) {}
    }

    /// Takes in a slice and rests after it; nothing comes back where that failed.
    async fn slice(&self, router: &Router, unlearned: Unlearned<'_>) -> Option<Learned> {
        let clock = &router.world().clock;
        let began = clock.elapsed();
        let learned = search::learn(router.db(), unlearned).await;
        let took = clock.elapsed().saturating_sub(began);
        let rest = match &learned {
            Ok(Learned::Some | Learned::All) => took * REST_FOR_EACH,
            Ok(Learned::Meanwhile) => REST,
            Err(error) => {
                tracing::warn!(%error, "the search could not take in what was said");
                REST
            }
        };
        clock.sleep(rest).await;
        learned.ok()
    }
}
