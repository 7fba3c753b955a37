//! Tasks that go on: a panic costs such a task what it was doing, and never the task.
//!
//! Nothing of what a task did is used after a panic but what it keeps behind locks, which are taken in spite of
//! one.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;

use crate::router::Router;

/// How long a task rests that panicked: what struck it may strike it again.
const REST: Duration = Duration::from_millis(250);

/// Runs a task to its end; where it panics, again after a rest, until the hard token.
pub(crate) async fn run<F>(router: &Router, name: &'static str, mut task: impl FnMut() -> F)
where
    F: Future<Output = ()>,
{
    let hard = router.world().tracker.hard().clone();
    while !hard.is_cancelled() && caught(router, name, task()).await.is_none() {
        rest(router).await;
    }
}

/// Does something; nothing comes back where it panicked.
pub(crate) async fn caught<T>(
    router: &Router,
    name: &'static str,
    doing: impl Future<Output = T>,
) -> Option<T> {
    let done = AssertUnwindSafe(doing).catch_unwind().await.ok();
    if done.is_none() {
        router.count_task_panic();
        tracing::error!(
            task.name = name,
            "a task panicked: what it did is lost, and it goes on"
        );
    }
    done
}

/// Rests, for what struck may be there still.
pub(crate) async fn rest(router: &Router) {
    let world = router.world();
    tokio::select! {
        biased;
        () = world.tracker.hard().cancelled() => {}
        () = world.clock.sleep(REST) => {}
    }
}
