//! Tasks: who runs, and how they are asked to stop.
//!
//! A task is asked twice. The soft token says: take no new work, finish what you hold. The hard token
//! says: stop where you are. The server waits for all tasks between the two.

use std::future::Future;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Spawns tasks, knows which still run, and tells them to stop. Clones are one tracker.
#[derive(Clone, Debug, Default)]
pub struct Tracker {
    tasks: TaskTracker,
    soft: CancellationToken,
    hard: CancellationToken,
}

impl Tracker {
    /// A tracker with no tasks.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs a task on the present runtime. Dropping the handle leaves it running.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn spawn<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.tasks.spawn(task)
    }

    /// Runs a task on the present thread's `LocalSet`: for a shard's connections.
    ///
    /// # Panics
    ///
    /// Outside a `LocalSet`.
    pub fn spawn_local<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.tasks.spawn_local(task)
    }

    /// Runs slow or blocking work (hashing, files) on a thread of the blocking pool. The caller
    /// bounds how many run at a time.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn spawn_blocking<F, T>(&self, work: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.tasks.spawn_blocking(work)
    }

    /// The token that asks for an orderly end: finish what you hold, take nothing new.
    #[must_use]
    pub fn soft(&self) -> &CancellationToken {
        &self.soft
    }

    /// The token that asks for an end at once. Cancelled only after the soft one.
    #[must_use]
    pub fn hard(&self) -> &CancellationToken {
        &self.hard
    }

    /// Whether an orderly end was asked for.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.soft.is_cancelled()
    }

    /// Asks all tasks to come to an orderly end.
    pub fn stop(&self) {
        self.soft.cancel();
    }

    /// Asks all tasks to end at once.
    pub fn stop_hard(&self) {
        self.soft.cancel();
        self.hard.cancel();
    }

    /// How many tasks run.
    #[must_use]
    pub fn task_count(&self) -> usize {
        self.tasks.len()
    }

    /// Waits until no task runs. Cancel-safe. Tasks may still be spawned meanwhile; they are waited
    /// for too.
    pub async fn wait(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waiting_ends_when_every_task_has_heard_the_soft_token() {
        let tracker = Tracker::new();
        for _ in 0..3 {
            let token = tracker.soft().clone();
            tracker.spawn(async move { token.cancelled().await });
        }
        assert_eq!(tracker.task_count(), 3);
        assert!(!tracker.is_stopping());
        tracker.stop();
        tracker.wait().await;
        assert_eq!(tracker.task_count(), 0);
        assert!(!tracker.hard().is_cancelled());
    }

    #[tokio::test]
    async fn the_hard_token_comes_with_the_soft_one() {
        let tracker = Tracker::new();
        tracker.stop_hard();
        assert!(tracker.soft().is_cancelled() && tracker.hard().is_cancelled());
    }

    #[tokio::test]
    async fn blocking_work_gives_its_result_back() {
        let tracker = Tracker::new();
        let sum = tracker.spawn_blocking(|| 3 + 4).await;
        assert_eq!(sum.expect("the work does not panic"), 7);
    }
}
