//! Tasks: who runs, and how they are asked to stop.
//!
//! A task is asked twice. The soft token says: take no new work, finish what you hold. The hard token
//! says: stop where you are. The server waits for all tasks between the two.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::simulation::{self, Machine};

/// Spawns tasks, knows which still run, and tells them to stop. Clones are one tracker.
#[derive(Clone, Debug, Default)]
pub struct Tracker {
    tasks: TaskTracker,
    soft: CancellationToken,
    hard: CancellationToken,
    runner: Runner,
}

/// Who runs the tasks.
#[derive(Clone, Copy, Debug, Default)]
enum Runner {
    /// The present runtime.
    #[default]
    Runtime,
    /// A machine of the present thread's simulation.
    Simulation(Machine),
}

/// A task that was spawned. Dropping it leaves the task running.
#[derive(Debug)]
pub enum Task<T> {
    /// A task of a runtime.
    Runtime(JoinHandle<T>),
    /// A task of a simulation.
    Simulation(simulation::Handle<T>),
}

/// A task panicked or was ended, and has no output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended;

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the task panicked or was ended")
    }
}

impl std::error::Error for Ended {}

impl<T> Task<T> {
    /// Whether it is over.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        match self {
            Self::Runtime(task) => task.is_finished(),
            Self::Simulation(task) => task.is_finished(),
        }
    }

    /// Ends it where it stands.
    pub fn abort(&self) {
        match self {
            Self::Runtime(task) => task.abort(),
            Self::Simulation(task) => task.abort(),
        }
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, Ended>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Runtime(task) => Pin::new(task)
                .poll(context)
                .map(|output| output.map_err(|_| Ended)),
            Self::Simulation(task) => Pin::new(task)
                .poll(context)
                .map(|output| output.ok_or(Ended)),
        }
    }
}

impl Tracker {
    /// A tracker with no tasks.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A tracker whose tasks are those of a machine in this thread's simulation.
    #[must_use]
    pub fn of_machine(machine: Machine) -> Self {
        Self {
            runner: Runner::Simulation(machine),
            ..Self::default()
        }
    }

    /// Runs a task on the present runtime. Dropping the handle leaves it running.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn spawn<F>(&self, task: F) -> Task<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        match self.runner {
            Runner::Runtime => Task::Runtime(self.tasks.spawn(task)),
            Runner::Simulation(machine) => {
                let task = self.tasks.track_future(task);
                Task::Simulation(simulation::spawn(machine, task))
            }
        }
    }

    /// Runs a task on the present thread's `LocalSet`: for a shard's connections.
    ///
    /// # Panics
    ///
    /// Outside a `LocalSet`.
    pub fn spawn_local<F>(&self, task: F) -> Task<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        match self.runner {
            Runner::Runtime => Task::Runtime(self.tasks.spawn_local(task)),
            Runner::Simulation(machine) => {
                let task = self.tasks.track_future(task);
                Task::Simulation(simulation::spawn(machine, task))
            }
        }
    }

    /// Runs slow or blocking work (hashing, files) on a thread of the blocking pool. The caller
    /// bounds how many run at a time.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn spawn_blocking<F, T>(&self, work: F) -> Task<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        match self.runner {
            Runner::Runtime => Task::Runtime(self.tasks.spawn_blocking(work)),
            Runner::Simulation(machine) => {
                let task = self.tasks.track_future(async move { work() });
                Task::Simulation(simulation::spawn(machine, task))
            }
        }
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
