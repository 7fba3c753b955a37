//! What keeps a running server tidy: files that nothing needs any more go, and rows that were kept long enough.
//!
//! Each piece of work may end anywhere and is begun again, here or on another node; one that fails hinders no
//! other. How long things are kept is the operator's: `[retention]`.

use std::sync::Arc;
use std::time::Duration;

use gateway::metric::{Metric, Metrics};
use protocol::id::{Id, VisitorId, WorkspaceId};
use storage::attachment::{self, Swept};
use storage::blob::Blobs;
use storage::{
    Db, audit, command, event, failed_login, identity_key, invitation, key, session, site, visit,
    visitor, workspace,
};
use world::World;

use crate::config::RetentionPlan;

/// How often files that nothing needs any more are looked for: an erasure is complete after this.
const SWEEP_PERIOD: Duration = Duration::from_secs(10);

/// How long an upload may wait for a message to claim it, in milliseconds.
const UNCLAIMED_MS_MAX: u64 = 24 * HOUR_MS;

/// How long storing a file may take before it counts as given up, in milliseconds.
const UNSTORED_MS_MAX: u64 = HOUR_MS;

/// How often files without a row are looked for, which reads the names of all. At start too: only a crash, a
/// loss of power or a restored store leaves some.
const STRAY_PERIOD: Duration = Duration::from_millis(24 * HOUR_MS);

/// How old such a file is at least, in milliseconds.
const STRAY_MS_MIN: u64 = HOUR_MS;

/// How often rows are looked for that were kept long enough.
const FORGET_PERIOD: Duration = Duration::from_millis(HOUR_MS);

/// The pause between two slices of forgetting, in which others write.
const PACE: Duration = Duration::from_millis(50);

const HOUR_MS: u64 = 60 * 60 * 1_000;

/// The task and what it works on.
pub(crate) struct Housekeeping {
    pub(crate) db: Db,
    pub(crate) blobs: Blobs,
    pub(crate) retention: RetentionPlan,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) world: World,
}

impl Housekeeping {
    /// Works until the server stops; then stops where it is.
    pub(crate) async fn run(self) {
        tokio::select! {
            () = self.world.tracker.soft().cancelled() => {}
            () = self.work() => {}
        }
    }

    async fn work(&self) {
        let clock = &self.world.clock;
        let (mut strays_at, mut forget_at) = (clock.elapsed(), clock.elapsed());
        loop {
            self.report("files that nothing needs", self.sweep().await);
            if clock.elapsed() >= strays_at {
                self.report("files without a row", self.remove_strays().await);
                strays_at = clock.elapsed() + STRAY_PERIOD;
            }
            if clock.elapsed() >= forget_at {
                self.forget().await;
                forget_at = clock.elapsed() + FORGET_PERIOD;
            }
            clock.sleep(SWEEP_PERIOD).await;
        }
    }

    async fn sweep(&self) -> storage::Result<Swept> {
        let now_ms = self.world.clock.now_ms();
        let unclaimed_ms = now_ms.saturating_sub(UNCLAIMED_MS_MAX);
        let unstored_ms = now_ms.saturating_sub(UNSTORED_MS_MAX);
        attachment::sweep(&self.db, &self.blobs, unclaimed_ms, unstored_ms).await
    }

    async fn remove_strays(&self) -> storage::Result<Swept> {
        let before_ms = self.world.clock.now_ms().saturating_sub(STRAY_MS_MIN);
        attachment::remove_strays(&self.db, &self.blobs, before_ms).await
    }

    /// The files that failed were logged one by one.
    fn report(&self, what: &'static str, done: storage::Result<Swept>) {
        match done {
            Ok(swept) => {
                self.count(Metric::FilesRemoved, swept.removed_count as u64);
                self.count(Metric::FileRemovalsFailed, swept.failed_count as u64);
            }
            Err(error) => tracing::warn!(%error, "{what} could not be removed"),
        }
    }

    fn count(&self, metric: Metric, count: u64) {
        self.metrics
            .add(metric, i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Forgets what was kept long enough: first what is everybody's, then workspace by workspace.
    async fn forget(&self) {
        let (db, kept) = (&self.db, &self.retention);
        let now_ms = self.world.clock.now_ms();
        let before = |kept_ms: u64| now_ms.saturating_sub(kept_ms);
        let sign_in_ms = before(kept.sign_in_ms);
        self.all(|| command::prune(db, before(kept.command_ms)))
            .await;
        self.all(|| event::prune(db, before(kept.event_ms))).await;
        self.all(|| session::prune(db, sign_in_ms)).await;
        self.all(|| invitation::prune(db, sign_in_ms)).await;
        self.all(|| site::prune_secrets(db, sign_in_ms)).await;
        self.all(|| identity_key::prune(db, sign_in_ms)).await;
        self.all(|| key::prune(db, sign_in_ms)).await;
        self.forget_failed_logins(now_ms).await;
        self.all(|| visit::prune_custom_events(db, before(kept.visitor_ms)))
            .await;
        let workspaces = match workspace::list(db).await {
            Ok(workspaces) => workspaces,
            Err(error) => return not_forgotten(&error),
        };
        for workspace in workspaces {
            if let Some(audit_ms) = kept.audit_ms {
                self.all(|| audit::prune(db, workspace.id, before(audit_ms)))
                    .await;
            }
            self.all(|| visit::prune(db, workspace.id, before(kept.visitor_ms)))
                .await;
            self.forget_visitors(workspace.id, before(kept.visitor_ms))
                .await;
        }
    }

    async fn forget_failed_logins(&self, now_ms: u64) {
        let (db, kept) = (&self.db, &self.retention);
        match failed_login::beyond(db, kept.failed_login_count).await {
            Ok(beyond_ms) => {
                let before_ms = failed_logins_before_ms(kept, beyond_ms, now_ms);
                self.all(|| failed_login::prune(db, before_ms)).await;
            }
            Err(error) => not_forgotten(&error),
        }
    }

    /// Repeats a slice until nothing is left.
    async fn all<F>(&self, slice: impl Fn() -> F)
    where
        F: Future<Output = storage::Result<u64>>,
    {
        loop {
            match slice().await {
                Ok(0) => return,
                Ok(count) => self.count(Metric::RowsForgotten, count),
                Err(error) => return not_forgotten(&error),
            }
            self.world.clock.sleep(PACE).await;
        }
    }

    async fn forget_visitors(&self, workspace_id: WorkspaceId, before_ms: u64) {
        let mut after = VisitorId::from_bits(0);
        loop {
            match visitor::prune(&self.db, workspace_id, after, before_ms).await {
                Ok(pruned) => {
                    self.count(Metric::RowsForgotten, pruned.count);
                    let Some(next) = pruned.next else { return };
                    after = next;
                }
                Err(error) => return not_forgotten(&error),
            }
            self.world.clock.sleep(PACE).await;
        }
    }
}

/// Before when failed sign-ins go: by their time, and the oldest by their number, the newest of those beyond
/// it being of `beyond_ms`. But none that a lockout still counts goes by number, or whoever fails often enough
/// from many places could end his own.
fn failed_logins_before_ms(kept: &RetentionPlan, beyond_ms: Option<u64>, now_ms: u64) -> u64 {
    let by_time_ms = now_ms.saturating_sub(kept.failed_login_ms);
    let by_count_ms = beyond_ms.map_or(0, |at_ms| at_ms.saturating_add(1));
    let counted_ms = now_ms.saturating_sub(kept.lockout_ms);
    by_time_ms.max(by_count_ms.min(counted_ms))
}

fn not_forgotten(error: &storage::Error) {
    tracing::warn!(%error, "what was kept long enough could not be forgotten");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_logins_go_by_time_and_number_but_never_out_of_a_lockout() {
        let kept = RetentionPlan {
            visitor_ms: 0,
            command_ms: 0,
            event_ms: 0,
            sign_in_ms: 0,
            failed_login_ms: 90_000,
            failed_login_count: 10,
            lockout_ms: 900,
            audit_ms: None,
        };
        let before = |beyond_ms| failed_logins_before_ms(&kept, beyond_ms, 100_000);
        assert_eq!(before(None), 10_000, "fewer than the number");
        assert_eq!(before(Some(500)), 10_000, "those beyond are older anyway");
        assert_eq!(before(Some(50_000)), 50_001, "the newest beyond goes too");
        assert_eq!(before(Some(99_500)), 99_100, "a lockout counts them");
        assert_eq!(failed_logins_before_ms(&kept, Some(5), 100), 0);
    }
}
